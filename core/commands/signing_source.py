"""Which origination source signs a call that was asked for by name or number, not by its packet.

Invariants:
1. A source is one of the provider's own: nobody's certificate is reached through another's.
2. The first of these that says anything decides: the source's name, the address of the call, the
   masks of the provider's sources (lowest priority, then name and order), the only source there is.
3. The attestation is never stronger than the source's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final

from ...fastpath import plain
from ...fastpath.model import Origination
from ...v1.object_pb2 import Object
from ...v1.origination_source_pb2 import OriginationSource
from ..errors import Conflict, NotFound
from ..store.contract import Key, Reader

PRODUCT: Final = "pcs"
TYPE: Final = "origination_source"
STRONGEST_FIRST: Final = "ABCN"
UNKNOWN: Final = "The origination source is not provisioned."
UNCLEAR: Final = (
    "No origination source of the provider is named, matched by the number or the only one."
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a source is asked for; numbers are digits."""

    provider: str
    name: str
    address: str  # an IPv4 or IPv6 address, or ""
    orig: str


def find_source(reader: Reader, wanted: Wanted, default_cc: str) -> Origination:
    """How the call is signed. Raises NotFound, Conflict."""
    number = plain.normalise(f"+{wanted.orig}", default_cc)
    if wanted.name:
        value = reader.get(Key(PRODUCT, TYPE, (wanted.provider, wanted.name)))
        if value is None:
            raise NotFound(UNKNOWN)
        return signing_of(Object.FromString(value).origination_source, number)[1]
    found = [
        Object.FromString(value).origination_source
        for _, value in reader.scan(PRODUCT, TYPE, (wanted.provider,))
    ]
    if wanted.address:
        found = at_address(found, wanted.address)
        if not found:
            raise NotFound(UNKNOWN)
        return signing_of(found[0], number)[1]
    masked = [
        (rank, each) for rank, each in (signing_of(one, number) for one in found) if each.mask
    ]
    if masked:
        return min(masked, key=lambda each: (each[0], each[1].source_name))[1]
    if len(found) != 1:
        raise Conflict(UNCLEAR)
    return signing_of(found[0], number)[1]


def signing_of(source: OriginationSource, number: str) -> tuple[int, Origination]:
    """The priority of the entry that a number matches, and how the source signs it."""
    key = source.service_provider_name, source.name
    for group in sorted(source.source_numbers, key=lambda each: each.priority):
        for mask in group.numbers_n:
            if number and plain.matches(mask, number):
                signing = group.orig_id_n, group.attest_n, group.cert_name_n, mask
                return group.priority, Origination(*key, *signing)
    return 0, Origination(*key, source.orig_id, source.attest, source.cert_name, "")


def at_address(sources: Sequence[OriginationSource], address: str) -> list[OriginationSource]:
    """Those with a prefix that holds the address, longest first, then by name."""
    at = ip_address(address)
    ranked = []
    for source in sources:
        nets = [ip_network(prefix, strict=False) for prefix in source.source_ip]
        lengths = [net.prefixlen for net in nets if net.version == at.version and at in net]
        if lengths:
            ranked.append((-max(lengths), source.name, source))
    return [each[2] for each in sorted(ranked, key=lambda each: each[:2])]


def weaker(origination: Origination, attest: str) -> Origination:
    """The same with the attestation that was asked for, where that is weaker."""
    own = origination.attest
    if attest and STRONGEST_FIRST.index(attest) > STRONGEST_FIRST.index(own):
        return origination._replace(attest=attest)
    return origination


__all__ = ["PRODUCT", "Wanted", "find_source", "weaker"]
