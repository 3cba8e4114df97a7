"""SIP, SIPS and tel URIs, and the name-addr form around them (RFC 3261 19.1, 20.10, 25; RFC 3966).

1. What does not match the grammar is a ValueError; nothing is repaired.
2. Octets in, octets out; `user` and parameter values are unescaped, `raw_user` is as received.
3. sip_uri.pxd holds the same grammar without the interpreter, and sip.parse_uri and
   sip.parse_name_addr answer the same from it; one suite compares them.
"""

import re
import socket
from typing import NamedTuple

from .sip_types import MAX_HOST, MAX_PORT, NameAddr

_ESCAPED = rb"%[0-9A-Fa-f]{2}"
_UNRESERVED = rb"A-Za-z0-9\-_.!~*'()"


def _run(more: bytes, least: bytes = b"+") -> bytes:
    return rb"(?:[" + _UNRESERVED + more + rb"]|" + _ESCAPED + rb")" + least


TOKEN = rb"[A-Za-z0-9\-.!%*_+`'~]+"
# Parameter values beyond the token that carriers send and that cannot be mistaken for an end.
VALUE = rb"[A-Za-z0-9\-.!%*_+`'~\[\]:/=@?&$]+"
QUOTED = rb'"(?:[^\x00-\x08\x0a-\x1f\x7f"\\]|\\[\x00-\xff])*"'
HOST = rb"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.\-]+"

_SCHEME = re.compile(rb"([A-Za-z][A-Za-z0-9+.\-]*):")
_OTHER = re.compile(_run(rb";/?:@&=+$,\[\]"))
# '#' belongs to the telephone-subscriber that may stand as a user part.
_USER = re.compile(_run(rb"&=+$,;?/#"))
_PASSWORD = re.compile(_run(rb"&=+$,", b"*"))
_PARAMS = re.compile(rb"(?:;" + _run(rb"\[\]/:&+$") + rb"(?:=" + _run(rb"\[\]/:&+$") + rb")?)*")
_HEADER = _run(rb"\[\]/?:+$") + b"=" + _run(rb"\[\]/?:+$", b"*")
_HEADERS = re.compile(_HEADER + rb"(?:&" + _HEADER + rb")*")
_HOSTPORT = re.compile(rb"(" + HOST + rb")(?::([0-9]+))?")
_SUBSCRIBER = re.compile(rb"\+[\-.()]*[0-9][0-9\-.()]*|[\-.()]*[0-9A-Fa-f*#][0-9A-Fa-f*#\-.()]*")
_HOSTNAME = re.compile(rb"[A-Za-z0-9_][A-Za-z0-9_\-]*(?:\.[A-Za-z0-9_][A-Za-z0-9_\-]*)*\.?")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")

_PARAM = rb"[ \t]*;[ \t]*(" + TOKEN + rb")(?:[ \t]*=[ \t]*(" + VALUE + rb"|" + QUOTED + rb"))?"
_FIELD_PARAM = re.compile(_PARAM)
_FIELD_PARAMS = re.compile(rb"(?:" + _PARAM + rb")*[ \t]*")
_NAME_ADDR = re.compile(
    rb"(" + QUOTED + rb"(?=[ \t]*<)|[A-Za-z0-9\-.!%*_+`'~ \t]*(?=<))[ \t]*<([^>]*)>(.*)", re.DOTALL
)
_ADDR_SPEC = re.compile(rb"([^ \t;,?<>\"]+)(.*)", re.DOTALL)


class Uri(NamedTuple):
    """A URI taken apart. Of a tel URI, user is the number as written and host is empty."""

    scheme: str  # sip, sips or tel
    user: bytes  # unescaped, whole
    raw_user: bytes
    password: bytes | None
    host: bytes  # an IPv6 address keeps its brackets
    port: int | None
    params: dict[bytes, bytes | None]  # names in lower case; a name given twice: the first
    headers: tuple[tuple[bytes, bytes], ...]
    subscriber: bytes  # the user part before its own parameters: 5551234 of 5551234;ext=9
    user_params: dict[bytes, bytes | None]


def parse_uri(text: bytes) -> Uri:
    """A sip, sips or tel URI taken apart (RFC 3261 19.1.1, RFC 3966 3); else ValueError."""
    found = _SCHEME.match(text)
    scheme = found[1].lower() if found else b""
    if found is None or scheme not in (b"sip", b"sips", b"tel"):
        raise ValueError("not a sip, sips or tel URI")
    rest = text[found.end() :]
    return _tel(rest) if scheme == b"tel" else _sip(scheme.decode(), rest)


def check_uri(text: bytes) -> str:
    """'' for a sip, sips or tel URI, 'scheme' for a sound URI of another, else ValueError."""
    found = _SCHEME.match(text)
    if found is None:
        raise ValueError("not a URI")
    if found[1].lower() in (b"sip", b"sips", b"tel"):
        parse_uri(text)
        return ""
    if not _OTHER.fullmatch(text, found.end()):
        raise ValueError("not a URI")
    return "scheme"


def valid_host(host: bytes) -> bool:
    """A host name, an IPv4 address, or an IPv6 address in brackets; at most MAX_HOST octets."""
    if not host or len(host) > MAX_HOST:
        return False
    if host.startswith(b"["):
        return host.endswith(b"]") and _is_address(socket.AF_INET6, host[1:-1])
    if not host.translate(None, b"0123456789."):
        return _is_address(socket.AF_INET, host)
    return _HOSTNAME.fullmatch(host) is not None


def unescape(text: bytes) -> bytes:
    """Octets with each %HH as the octet it stands for."""
    return _ESCAPE.sub(lambda m: bytes([int(m[1], 16)]), text) if b"%" in text else text


def field_params(text: bytes) -> list[tuple[bytes, bytes | None]]:
    """The `;name=value` parameters of an unfolded header field, names in lower case; ValueError."""
    if not _FIELD_PARAMS.fullmatch(text):
        raise ValueError("bad parameters")
    return [(m[1].lower(), m[2]) for m in _FIELD_PARAM.finditer(text)]


def parse_name_addr(value: bytes) -> NameAddr:
    """An unfolded From, To, P-Asserted-Identity, Diversion ... value (RFC 3261 20.10); ValueError.

    Outside brackets a URI ends at the first semicolon, and holds no comma and no question mark.
    """
    found = _NAME_ADDR.fullmatch(value)
    if found is not None:
        display, uri, rest = found[1].rstrip(b" \t"), found[2], found[3]
    else:
        found = _ADDR_SPEC.fullmatch(value)
        if found is None:
            raise ValueError("not an address")
        display, uri, rest = b"", found[1], found[2]
    check_uri(uri)
    tags = [text for name, text in field_params(rest) if name == b"tag"]
    if len(tags) > 1 or (tags and (tags[0] is None or tags[0].startswith(b'"'))):
        raise ValueError("bad tag")
    return NameAddr(display, uri, tags[0] if tags else None)


def _is_address(family: int, text: bytes) -> bool:
    try:
        socket.inet_pton(family, text.decode("ascii"))
    except (OSError, ValueError):
        return False
    return True


def _sip(scheme: str, rest: bytes) -> Uri:
    userinfo, at, tail = rest.partition(b"@")
    user, password = b"", None
    if at:
        user, colon, secret = userinfo.partition(b":")
        password = secret if colon else None
        if not _USER.fullmatch(user) or not _PASSWORD.fullmatch(secret):
            raise ValueError("bad user part")
    else:
        tail = rest
    found = _HOSTPORT.match(tail)
    if found is None or not valid_host(found[1]):
        raise ValueError("bad host")
    port = _port(found[2]) if found[2] is not None else None
    params, mark, headers = tail[found.end() :].partition(b"?")
    if not _PARAMS.fullmatch(params) or (mark and not _HEADERS.fullmatch(headers)):
        raise ValueError("bad parameters")
    return assemble(scheme, user, password, found[1], port, params, headers)


def _tel(rest: bytes) -> Uri:
    number, semicolon, own = rest.partition(b";")
    if not _SUBSCRIBER.fullmatch(number) or not _PARAMS.fullmatch(semicolon + own):
        raise ValueError("bad telephone number")
    return assemble("tel", number, None, b"", None, own, b"")


def assemble(
    scheme: str,
    user: bytes,
    password: bytes | None,
    host: bytes,
    port: int | None,
    params: bytes,
    headers: bytes,
) -> Uri:
    """A Uri of its parts as they stand in the text, once they are known to be sound."""
    named = _params(params)
    subscriber, _, own = user.partition(b";")
    return Uri(
        scheme,
        unescape(user),
        user,
        unescape(password) if password is not None else None,
        host,
        port,
        named,
        tuple(_pair(pair) for pair in headers.split(b"&")) if headers else (),
        unescape(subscriber),
        named if scheme == "tel" else _params(own),
    )


def _port(digits: bytes) -> int:
    short = digits.lstrip(b"0")
    if not short or len(short) > 5 or int(short) > MAX_PORT:
        raise ValueError("bad port")
    return int(short)


def _params(text: bytes) -> dict[bytes, bytes | None]:
    params: dict[bytes, bytes | None] = {}
    if not text:
        return params
    for part in text.split(b";"):
        name, equals, value = part.partition(b"=")
        if name:
            params.setdefault(unescape(name).lower(), unescape(value) if equals else None)
    return params


def _pair(text: bytes) -> tuple[bytes, bytes]:
    name, _, value = text.partition(b"=")
    return unescape(name), unescape(value)
