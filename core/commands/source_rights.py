"""Whose calls a provider may say are its own, and with whose certificate they may be signed.

Invariants:
1. The longest block decides on a call: a provider cannot name a part of another's block, and so
   take its calls over, nor one so wide that others would have to ask.
2. A certificate that another provider's sources name is that provider's: no call of somebody else
   is signed with it.
3. The platform owner and internal services may: somebody has to be able to share blocks and
   certificates out. What a source has already it may keep.
"""

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any, Final

from ...schema import TYPES, FieldError, field_error, parse_name
from ..access import Principal
from .draft import Draft

TYPE: Final = "origination_source"
NAME: Final = "OriginationSource"
WIDEST: Final = {4: 24, 6: 48}  # prefix lengths of blocks that a provider may name by itself
WIDE: Final = "must be a block of at most /{}: the platform owner may name a wider one"
PART: Final = "must not be a part of another provider's block"
NOT_OWN: Final = "must not be another provider's certificate"


def foreign_fields(
    draft: Draft, caller: Principal, product: str, provider: str, body: Any, old: Any
) -> list[FieldError]:
    """What a provider's caller claims in an origination source that is not the provider's.

    `old` is what stood there, None for nothing.
    """
    if not caller.provider:
        return []
    held = set() if old is None else set(old.source_ip)
    errors = [
        error
        for text in body.source_ip
        if text not in held
        for error in _block(draft, product, provider, text)
    ]
    given = dict(_certificates(body))
    for name in given.keys() & _foreign(draft, product, provider, given, old):
        errors.append(field_error(NAME, given[name], "not_accepted", NOT_OWN))
    return errors


def _block(draft: Draft, product: str, provider: str, text: str) -> list[FieldError]:
    block = ip_network(text)
    widest = WIDEST[block.version]
    if block.prefixlen < widest:
        return [field_error(NAME, "source_ip", "too_wide", WIDE.format(widest))]
    for length in range(block.prefixlen):
        around = str(block.supernet(new_prefix=length))
        holder = draft.holder(product, TYPE, "source_ip", around)
        if holder is not None and parse_name(holder).key[0] != provider:
            return [field_error(NAME, "source_ip", "unique", PART)]
    return []


def _certificates(body: Any) -> Iterator[tuple[str, str]]:
    """Names of certificates, each with its field."""
    for numbers in body.source_numbers:
        yield numbers.cert_name_n, "cert_name_n"
    yield body.cert_name, "cert_name"


def _foreign(
    draft: Draft, product: str, provider: str, given: dict[str, str], old: Any
) -> set[str]:
    """Of these certificates those that others' sources name, and none of the provider's does."""
    own = set() if old is None else set(dict(_certificates(old)))
    if own.issuperset(given):
        return set()
    others: set[str] = set()
    for path, obj in draft.below(TYPES[TYPE], product, ()):
        names = dict(_certificates(obj.origination_source))
        (own if path[0] == provider else others).update(names)
    return others - own


__all__ = ["foreign_fields"]
