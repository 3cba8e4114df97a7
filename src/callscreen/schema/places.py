"""Texts of settings that have a grammar: masks to show numbers by, and places in the network.

1. Each function says whether the whole text is of that form; the empty text is of none.
2. A place is one that an edge can send a call to: what passes here has an answer there.
3. What a pattern matches is of its form; of the form's texts it leaves out only odd spellings.
"""

from ipaddress import IPv6Address
from re import compile as _compile
from urllib.parse import urlsplit

_PLACES = frozenset("dDx")  # of a digit, of a digit or X, of any character
_LITERAL = _compile(r"[^\x00-\x1f\x7f{}]*")
_GROUP = _compile(r"\{([^\x00-\x1f\x7f{}]+)\}")

_HOST = _compile(r"(?:[A-Za-z0-9._-]+|\[([0-9A-Fa-f:.]+)\])(?::([0-9]{1,5}))?")
_NUMBER = _compile(r"\+?[0-9*#]+")
_PRINTABLE = _compile(r"[!#-;=?-~]+")  # no space, quote or angle bracket: fits between "<" and ">"
_SCHEMES = ("sip:", "sips:")
_CONTEXT = _compile(r"\+[0-9.()-]*[0-9][0-9.()-]*|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.?")
_MAX_PORT = 65_535

# Patterns that ECMA 262 knows too, of whole texts.
NUMBER_MASK = (
    r"[^\u0000-\u001f\u007f{}]*[dDx][^\u0000-\u001f\u007f{}]*"
    r"(?:\{[^\u0000-\u001f\u007f{}]+\}[^\u0000-\u001f\u007f{}]*)*"
)
SERVER = "[A-Za-z0-9._-]+"
_AT_PORT = f"{SERVER}(?::[1-9][0-9]{{0,3}})?"
WEB_PAGE = r"https?://[A-Za-z0-9._-]+(?::[1-9][0-9]{0,3})?(?:/[A-Za-z0-9._~/-]*)?"
ROUTE = f"(?:sips?:)?{_AT_PORT}"
LOCATION = rf"\+?[0-9*#]+|(?:sips?:)?(?:[A-Za-z0-9._+-]+@)?{_AT_PORT}"
CONTEXT = r"\+[0-9.()-]*[0-9][0-9.()-]*|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.?"


def is_number_mask(text: str) -> bool:
    """Literals, places and optional groups in braces, which do not nest; a place at least."""
    bare = _GROUP.sub(r"\1", text)
    return bool(_LITERAL.fullmatch(bare)) and not _PLACES.isdisjoint(bare)


def is_web_page(text: str) -> bool:
    """An http or https URL that names a host."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return False
    named = bool(url.hostname) and "@" not in url.netloc
    whole = bool(_PRINTABLE.fullmatch(text)) and "\\" not in text
    return url.scheme in ("http", "https") and named and whole and port != 0


def is_host(text: str) -> bool:
    """host, host:port, or an IPv6 address with or without brackets."""
    match = _HOST.fullmatch(text)
    if match is None:
        return _is_ipv6(text)
    address, port = match.groups()
    return (address is None or _is_ipv6(address)) and 0 < int(port or 1) <= _MAX_PORT


def is_server(text: str) -> bool:
    """A host without a port."""
    match = _HOST.fullmatch(text)
    return is_host(text) and (match is None or match[2] is None)


def is_route(text: str) -> bool:
    """A host, or the SIP URI of one."""
    scheme = next((scheme for scheme in _SCHEMES if text.startswith(scheme)), "")
    return is_host(text[len(scheme) :])


def is_location(text: str) -> bool:
    """A SIP or tel URI, user@host, a number, or a host."""
    if not _PRINTABLE.fullmatch(text):
        return False
    scheme, colon, rest = text.partition(":")
    if colon and scheme.lower() in ("sip", "sips"):
        return _is_address(rest.partition("?")[0])
    if colon and scheme.lower() == "tel":
        return bool(rest.partition(";")[0])
    return _is_address(text) if "@" in text else bool(_NUMBER.fullmatch(text)) or is_host(text)


def is_phone_context(text: str) -> bool:
    """What RFC 3966 lets a phone-context be: the beginning of a global number, or a domain."""
    return bool(_CONTEXT.fullmatch(text))


def _is_address(text: str) -> bool:
    """[user@]host[:port][;parameters] of a SIP URI (RFC 3261 section 19.1.1)."""
    user, at, rest = text.rpartition("@")
    return is_host(rest.partition(";")[0]) and bool(user or not at)


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return "%" not in text
