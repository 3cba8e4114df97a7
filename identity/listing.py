"""Lists of telephone numbers that certificates name by URL (RFC 8226 section 10.2).

Invariants
1. Where a certificate says itself what it is for, that counts alone, and no list is fetched.
2. Where the list that a certificate names is not at hand it could not be told what that is for.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from cryptography import x509

from .certificates import Authority, authority_of, certificate_fault, read_authority, readable
from .model import NOT_VALIDATED, Fault
from .urls import is_certificate_url

__all__ = [
    "LISTS_MOST",
    "LIST_OCTETS",
    "NOTHING",
    "Lists",
    "authority_with",
    "url_of",
    "urls_of",
]

STIR_TN_LIST = x509.ObjectIdentifier("1.3.6.1.5.5.7.48.14")  # id-ad-stirTNList
LISTS_MOST = 4  # of a path
LIST_OCTETS = 256 * 1024


class Lists(NamedTuple):
    """What was fetched for a path: octets and what they say, by URL, and for how many seconds they
    hold."""

    octets: Mapping[str, bytes] = MappingProxyType({})
    authorities: Mapping[str, Authority] = MappingProxyType({})
    seconds: float = float("inf")

    @classmethod
    def of(cls, octets: Mapping[str, bytes], seconds: float = float("inf")) -> "Lists":
        """Raises Fault where one cannot be read. Long ones take a tenth of a second."""
        return cls(octets, {url: read_authority(each) for url, each in octets.items()}, seconds)


NOTHING = Lists()


def url_of(certificate: x509.Certificate) -> str:
    """Where the list of a certificate is; "" where it names none. Raises Fault."""
    with readable("its extensions cannot be read"):
        found = [
            each.access_location
            for extension in certificate.extensions
            if isinstance(extension.value, x509.AuthorityInformationAccess)
            for each in extension.value
            if each.access_method == STIR_TN_LIST
        ]
    for place in found:
        if isinstance(place, x509.UniformResourceIdentifier) and is_certificate_url(place.value):
            return str(place.value)  # others are other places of the same list
    if found:
        raise certificate_fault("a list of numbers at no https URL")
    return ""


def urls_of(path: Iterable[x509.Certificate]) -> list[str]:
    """Where the lists are that a path needs, each once. Raises Fault."""
    found = {url_of(each): None for each in path if authority_of(each) is None}
    found.pop("", None)
    if len(found) > LISTS_MOST:
        raise certificate_fault(f"a path with more than {LISTS_MOST} lists of numbers")
    return list(found)


def authority_with(
    certificate: x509.Certificate, lists: Mapping[str, Authority]
) -> Authority | None:
    """What a certificate is for, by itself or by the list that it names; None where it says
    neither. Raises Fault: an unknown one where the list is not there."""
    found = authority_of(certificate)
    url = "" if found is not None else url_of(certificate)
    if url and url not in lists:
        detail = "its list of numbers is not at hand"
        raise Fault("certificate", 436, NOT_VALIDATED, detail, unknown=True)
    return lists[url] if url else found
