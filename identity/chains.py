"""Whether a signer's certificate may be believed, and for which numbers and claims.

Invariants
1. A chain is judged once and then known until `Chain.until`: nothing that can change the verdict
   earlier is left out of it but the trust itself, which is exchanged whole.
2. What cannot be said of a path (no roots, a list of revoked certificates that has ended) is a
   Fault that is `unknown`; all else that is amiss refuses the call: 437.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from math import prod
from types import MappingProxyType
from typing import Any

from cryptography import x509
from cryptography.x509.verification import Store

from .certificates import (
    PATH_MOST,
    Authority,
    certificate_fault,
    constraints_of,
    fingerprint,
    p256_key,
    readable,
)
from .listing import authority_with, urls_of
from .model import NOT_VALIDATED, Chain, Constraints, Fault
from .paths import ends_of, is_ca, is_strong, path_to, usage_of
from .ranges import holds
from .revocation import Revocations
from .trust import Trust

__all__ = ["check_authority", "judge_chain"]

NO_LISTS: Mapping[str, Authority] = MappingProxyType({})
WAYS_MOST = 16  # paths that are tried
WITHOUT_NUMBERS = frozenset({"shaken", "div", "div-o", "rph"})  # by a provider code alone


def judge_chain(
    path: Sequence[x509.Certificate],
    trust: Trust,
    now: float,
    lists: Mapping[str, Authority] = NO_LISTS,
) -> Chain:
    """The chain of a path, leaf first, to one of the roots. `lists` are those that its certificates
    name, by their URL. Raises Fault."""
    if trust.store is None:
        raise Fault("trust", 436, NOT_VALIDATED, "no root is configured", unknown=True)
    with readable("the path cannot be read"):
        return _judged(path, trust, trust.store, now, lists)


def _judged(
    path: Sequence[x509.Certificate],
    trust: Trust,
    store: Store,
    now: float,
    lists: Mapping[str, Authority],
) -> Chain:
    """Of several ways up the first that does; what might do with a newer CRL refuses nothing."""
    faults: list[Fault] = []
    for others in _ways(path):
        try:
            return _chain(path_to(store, path[0], others, now), trust, now, lists)
        except Fault as fault:
            faults.append(fault)
    raise next((fault for fault in faults if fault.unknown), faults[0])


def _ways(path: Sequence[x509.Certificate]) -> Iterable[tuple[x509.Certificate, ...]]:
    """The certificates above a leaf, each name once: so the search of a path cannot go round.

    A CA that two others have certified, or that has a new key, has two under one name. Those of
    keys that no path may have are left out before anything is verified with them.
    """
    if not path:
        raise certificate_fault("the path is empty")
    if len(path) > PATH_MOST:
        raise certificate_fault(f"a path of more than {PATH_MOST} certificates")
    named: dict[bytes, list[x509.Certificate]] = {}
    for each in filter(_is_usable, dict.fromkeys(path[1:])):
        named.setdefault(each.subject.public_bytes(), []).append(each)
    if prod(map(len, named.values())) > WAYS_MOST:
        raise certificate_fault("a path with too many certificates of one name")
    return product(*named.values())


def _is_usable(certificate: x509.Certificate) -> bool:
    try:
        return is_strong(certificate)
    except Fault:
        return False


def _chain(
    found: Sequence[x509.Certificate], trust: Trust, now: float, lists: Mapping[str, Authority]
) -> Chain:
    leaf = found[0]
    key = p256_key(leaf)
    _check_usage(leaf)
    authority = _authority(found, lists)
    limits = tuple(each for each in map(constraints_of, found) if each is not None)
    crls = trust.lists_of(found[-1])
    for each in crls:
        _check_revoked(found, each)
    for each in crls:  # what was revoked is so by a list that has ended, too
        _check_told(found, each, now)
    return Chain(
        key=key,
        name=leaf.subject.rfc4514_string(),
        spc=authority.spc,
        numbers=authority.numbers,
        constraints=limits,
        until=min(ends_of(found), *(each.until for each in crls)),
        fingerprint=fingerprint(leaf),
    )


def check_authority(chain: Chain, claims: Mapping[str, Any], ppt: str) -> None:
    """Whether the chain may sign these claims (RFC 8226 8, RFC 9118 4, RFC 9060 5). Raises Fault.

    The claims are in form already.
    """
    for limits in chain.constraints:
        _check_claims(limits, claims)
    if chain.spc:
        return
    if ppt in WITHOUT_NUMBERS:
        raise certificate_fault(f"{ppt} is signed for a provider code, and it has numbers alone")
    number = str(claims.get("orig", {}).get("tn", ""))
    if not holds(chain.numbers, (number, number)):
        raise certificate_fault(f"{number} is none of its numbers")


def _check_claims(limits: Constraints, claims: Mapping[str, Any]) -> None:
    for name in limits.must_include:
        if name not in claims:
            raise certificate_fault(f"the claim {name} must be there")
    for name, values in limits.permitted:
        if name in claims and not _permitted(claims[name], frozenset(values)):
            raise certificate_fault(f"the claim {name} may not have this value")
    for name in limits.must_exclude:
        if name in claims:
            raise certificate_fault(f"the claim {name} may not be there")


def _permitted(value: Any, values: frozenset[str]) -> bool:
    """Whether a claim, every text of it where it holds several, is one of the values."""
    if isinstance(value, dict):
        return bool(value) and all(_permitted(each, values) for each in value.values())
    if isinstance(value, list):
        return bool(value) and all(_permitted(each, values) for each in value)
    if isinstance(value, str):
        return value in values
    return type(value) is int and str(value) in values


def _check_usage(leaf: x509.Certificate) -> None:
    """A leaf signs calls, not certificates."""
    if is_ca(leaf):
        raise certificate_fault("a CA signs no calls")
    usage = usage_of(leaf)
    if usage is not None and not usage.digital_signature:
        raise certificate_fault("its key is not for signatures")


def _authority(found: Sequence[x509.Certificate], lists: Mapping[str, Authority]) -> Authority:
    """What the leaf may sign for, each certificate within the one above it."""
    urls_of(found)  # there may be too many
    leaf = authority_with(found[0], lists)
    if leaf is None:
        raise certificate_fault("no TNAuthList")
    if leaf.spc and leaf.numbers:
        raise certificate_fault("a TNAuthList of provider codes and numbers")
    above = [authority_with(each, lists) for each in found[1:]]
    if leaf.spc:
        if any(above):
            raise certificate_fault("a CA has a TNAuthList")
        return leaf
    _check_delegation(found, leaf, above)
    return leaf


def _check_delegation(
    found: Sequence[x509.Certificate], leaf: Authority, above: Sequence[Authority | None]
) -> None:
    """A delegate certificate (RFC 9060): its numbers are its parent's, key identifiers fit."""
    child, named = leaf, False
    for place, parent in enumerate(above):
        _check_identifiers(found[place], found[place + 1])
        if parent is None:
            continue
        named = True
        if not set(child.spc) <= set(parent.spc):
            raise certificate_fault("provider codes that its parent does not have")
        # Which numbers a provider's are no certificate says.
        if not parent.spc and not all(holds(parent.numbers, each) for each in child.numbers):
            raise certificate_fault("numbers that its parent does not have")
        child = parent
    if not named:
        raise certificate_fault("numbers that nobody above has delegated")


def _check_identifiers(child: x509.Certificate, parent: x509.Certificate) -> None:
    try:
        authority = child.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        subject = parent.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound as error:
        raise certificate_fault("a delegate path without key identifiers") from error
    if authority.key_identifier != subject.digest:
        raise certificate_fault("key identifiers of a delegate path that do not fit")


def _check_revoked(found: Sequence[x509.Certificate], revocations: Revocations) -> None:
    """Raises Fault where one of them was revoked."""
    for certificate in found:
        if revocations.holds(certificate.issuer, certificate.serial_number):
            raise certificate_fault(f"{certificate.subject.rfc4514_string()} was revoked")


def _check_told(found: Sequence[x509.Certificate], revocations: Revocations, now: float) -> None:
    """Raises a Fault that is unknown where a list does not say whether they were."""
    if now > revocations.until:
        raise Fault("revocation", 436, NOT_VALIDATED, "the CRL has ended", unknown=True)
    for certificate in found[:-1]:  # the root is trusted as it is
        if not revocations.covers(certificate.issuer):
            issuer = certificate.issuer.rfc4514_string()
            detail = f"the CRL says nothing of certificates by {issuer}"
            raise Fault("revocation", 436, NOT_VALIDATED, detail, unknown=True)
