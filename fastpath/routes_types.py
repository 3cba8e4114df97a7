"""What the routes and their plain twin share: the kinds of configured places, read once.

1. A place is judged when it is provisioned, not a call: a call only writes it.
2. The place of a kind in this enumeration is its number in routes.pxd.
"""

import ipaddress
import re
from enum import IntEnum

__all__ = ["PlaceKind", "host_part", "place_kind", "redress"]

_NUMBER = re.compile(r"\+?[0-9*#]+")
_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+")  # no zone: that may hold anything
_LOCATION = re.compile(r"[!#-;=?-~]+")  # no space, quote or angle bracket: fits between "<" and ">"
_SCHEMES = ("sip:", "sips:", "tel:")
_REDRESS = re.compile(r"[!#-:<-\[\]-~]+")  # fits in a quoted string of fields that ";" separates


class PlaceKind(IntEnum):
    """What a configured location means."""

    NOWHERE = 0
    URI = 1  # a SIP URI as it stands
    TEL = 2  # a tel URI as it stands
    USER = 3  # user@host
    NUMBER = 4  # a number at the route of the moment
    HOST = 5  # a host that gets the called number as user
    ADDRESS = 6  # the same, an IPv6 address without its brackets


def place_kind(text: str) -> PlaceKind:
    """The kind of a location: a URI, user@host, a number, or a host."""
    if not _LOCATION.fullmatch(text):
        return PlaceKind.NOWHERE
    if text.lower().startswith(_SCHEMES):
        if not text.partition(":")[2]:
            return PlaceKind.NOWHERE
        return PlaceKind.TEL if text.lower().startswith("tel:") else PlaceKind.URI
    if "@" in text:
        return PlaceKind.USER
    if _NUMBER.fullmatch(text):
        return PlaceKind.NUMBER
    if _HOST.fullmatch(text):
        return PlaceKind.HOST
    return PlaceKind.ADDRESS if _is_ipv6(text) else PlaceKind.NOWHERE


def host_part(text: str) -> str:
    """host[:port] of a provisioned host or its URI, an IPv6 address in brackets; "" for none."""
    for scheme in ("sip:", "sips:"):
        text = text.removeprefix(scheme)
    if _HOST.fullmatch(text):
        return text
    return f"[{text}]" if _is_ipv6(text) else ""


def redress(contact: str) -> str:
    """A contact as the field of a Reason text that ATIS-1000099 wants; "" where there is none."""
    if not _REDRESS.fullmatch(contact):
        return ""
    scheme, colon, rest = contact.partition(":")
    if colon and rest and scheme.lower() in ("tel", "mailto"):
        return f"tel={rest}" if scheme.lower() == "tel" else f"email={rest}"
    return f"url={contact}"


def _is_ipv6(text: str) -> bool:
    try:
        return bool(_IPV6.fullmatch(text) and ipaddress.IPv6Address(text))
    except ValueError:
        return False
