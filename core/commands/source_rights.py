"""Whose calls a provider may say are its own, and with whose certificate they may be signed.

Invariants:
1. The longest block decides on a call: a provider cannot name a part of another's block, and so
   take its calls over, nor one so wide that others would have to ask.
2. A certificate that another provider's sources or settings name is that provider's, and one that
   the platform's settings name the platform's: no call of somebody else is signed with it.
3. The platform owner and internal services may: somebody has to be able to share blocks and
   certificates out. What a source has already it may keep.
"""

from collections.abc import Collection, Iterator
from ipaddress import ip_network
from typing import Any, Final

from ...schema import TYPES, FieldError, field_error, parse_name
from ..access import Principal
from .draft import Draft

TYPE: Final = "origination_source"
NAME: Final = "OriginationSource"
SETTINGS: Final = "settings"
HOLDER: Final = "Settings"
WIDEST: Final = {4: 24, 6: 48}  # prefix lengths of blocks that a provider may name by itself
WIDE: Final = "must be a block of at most /{}: the platform owner may name a wider one"
PART: Final = "must not be a part of another provider's block"
NOT_OWN: Final = "must not be another provider's certificate"


def foreign_fields(
    draft: Draft, caller: Principal, product: str, type_: str, provider: str, body: Any, old: Any
) -> list[FieldError]:
    """What a provider's caller claims in an origination source, or in settings, that is not the
    provider's; nothing in objects of other types.

    `old` is what stood there, None for nothing.
    """
    if not caller.provider or type_ not in CERTIFICATES:
        return []
    errors = []
    if type_ == TYPE:
        held = set() if old is None else set(old.source_ip)
        added = (text for text in body.source_ip if text not in held)
        errors = [error for text in added for error in _block(draft, product, provider, text)]
    name_of, certificates = CERTIFICATES[type_]
    given = dict(certificates(body))
    own = set() if old is None else set(dict(certificates(old)))
    for name in given.keys() & _foreign(draft, product, provider, given, own):
        errors.append(field_error(name_of, given[name], "not_accepted", NOT_OWN))
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


def _of_source(body: Any) -> Iterator[tuple[str, str]]:
    """Names of certificates, each with its field."""
    for numbers in body.source_numbers:
        yield numbers.cert_name_n, "cert_name_n"
    yield body.cert_name, "cert_name"


def _of_settings(body: Any) -> Iterator[tuple[str, str]]:
    if body.screening_engine.divert_cert_name:
        yield body.screening_engine.divert_cert_name, "screening_engine.divert_cert_name"


CERTIFICATES: Final = {TYPE: (NAME, _of_source), SETTINGS: (HOLDER, _of_settings)}


def _foreign(
    draft: Draft, product: str, provider: str, given: Collection[str], own: set[str]
) -> set[str]:
    """Of these certificates those that others name, and the provider does not: `own` it names."""
    if own.issuperset(given):
        return set()
    own, others = set(own), set[str]()
    for type_, (_, certificates) in CERTIFICATES.items():
        for path, obj in draft.below(TYPES[type_], product, ()):
            names = dict(certificates(getattr(obj, type_)))
            (own if path[:1] == (provider,) else others).update(names)
    return others - own


__all__ = ["foreign_fields"]
