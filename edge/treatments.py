"""What a verdict becomes as a SIP answer, in redirect mode (RFC 3261 sections 8.3 and 21.3.3).

Invariants
1. A 302 always names a place: where none is known the call is turned away with 603, or with 404
   where only the asked URI itself would be left (a redirect server never sends a caller there).
2. Nothing that came in a datagram stands in an answer unescaped.
3. The words of `TREATMENTS` are the only treatments; another word is a fault of the index.
"""

import ipaddress
import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, Protocol
from urllib.parse import quote

__all__ = ["TREATMENTS", "Answer", "Asked", "Engine", "answer"]

# "unconditional" in Diversion (RFC 5806) and its cause in the URI (RFC 4458): no phone has rung.
DIVERSION_REASON = "unconditional"
DIVERSION_CAUSE = 302
USER_SAFE = "+*-_.!~()'"  # of RFC 3261's user part, what needs no escape
PLAIN_USER = re.compile(r"[0-9A-Za-z+*_.!~()'-]*")
NUMBER = re.compile(r"\+?[0-9*#]+")
HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
IPV6 = re.compile(r"[0-9A-Fa-f:.]+")  # no zone: that may hold anything
LOCATION = re.compile(r"[!#-;=?-~]+")  # no space, quote or angle bracket: fits between "<" and ">"
SCHEMES = ("sip:", "sips:", "tel:")


class Engine(Protocol):
    """What of the engine settings of a product or provider an answer needs."""

    @property
    def egress_route(self) -> str: ...
    @property
    def voicemail_service_location(self) -> str: ...
    @property
    def sip_routing_prefix(self) -> str: ...
    @property
    def use_contact(self) -> bool: ...
    @property
    def redirect_destination(self) -> str: ...


class Asked(Protocol):
    """What of the INVITE an answer needs."""

    @property
    def called(self) -> str: ...  # as screened, E.164; empty where no source had a number
    @property
    def user(self) -> str: ...  # of the Request-URI
    @property
    def host(self) -> str: ...  # host[:port] of the Request-URI; empty for a tel URI
    @property
    def contact(self) -> str: ...  # host[:port] of the Contact; empty where there is none


class Answer(NamedTuple):
    """A final answer but for the headers copied from the request."""

    status: int
    reason: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


DECLINE = Answer(603, "Decline")
NOT_FOUND = Answer(404, "Not Found")


def user_part(text: str) -> str:
    """`text` as the user part of a SIP URI (RFC 3261 section 25.1)."""
    return text if PLAIN_USER.fullmatch(text) else quote(text, safe=USER_SAFE)


def redirect(uri: str, *more: tuple[bytes, bytes]) -> Answer:
    return Answer(302, "Moved Temporarily", ((b"Contact", f"<{uri}>".encode()), *more))


def route(settings: Engine, asked: Asked) -> str:
    """host[:port] that calls are sent on to; empty where none is known."""
    contact = asked.contact if settings.use_contact else ""
    if contact:
        return contact
    return host_part(settings.egress_route)


@lru_cache(maxsize=1024)  # as provisioned: few
def host_part(text: str) -> str:
    """host[:port] of a provisioned host or its URI, an IPv6 address in brackets; "" for none."""
    for scheme in ("sip:", "sips:"):
        text = text.removeprefix(scheme)
    if HOST.fullmatch(text):
        return text
    try:
        return f"[{ipaddress.IPv6Address(text)}]" if IPV6.fullmatch(text) else ""
    except ValueError:
        return ""


def at_host(user: str, host: str) -> str:
    """The SIP URI of a user, or of a host alone: a user part is not empty (RFC 3261 25.1)."""
    return f"sip:{user_part(user)}@{host}" if user else f"sip:{host}"


def located(text: str, settings: Engine, asked: Asked) -> str | None:
    """The URI that a configured location means: a URI, user@host, a number, or a host that gets the
    called number as user. None where it means no place."""
    if not LOCATION.fullmatch(text):
        return None
    if text.lower().startswith(SCHEMES):
        return text if text.partition(":")[2] else None
    if "@" in text:
        return f"sip:{text}"
    if NUMBER.fullmatch(text):
        host = route(settings, asked) or asked.host
        return f"sip:{user_part(text)}@{host}" if host else None
    host = host_part(text)
    return at_host(asked.called or asked.user, host) if host else None


def carry_on(settings: Engine, asked: Asked, voicemail: str | None) -> Answer:
    """302 to the called number, at the Contact's host where `use_contact`, else the egress route,
    else the asked host."""
    user = settings.sip_routing_prefix + (asked.called or asked.user)
    host = route(settings, asked)
    if not host and user != asked.user:
        host = asked.host
    if not host or not user:
        return NOT_FOUND  # RFC 3261 section 8.3: never a redirect to the very URI that was asked
    return redirect(f"sip:{user_part(user)}@{host}")


def turn_away(settings: Engine, asked: Asked, voicemail: str | None) -> Answer:
    return DECLINE


def to_voicemail(settings: Engine, asked: Asked, voicemail: str | None) -> Answer:
    """302 to the subscriber's voice mail, else the service's, with who diverted and why."""
    for place in (voicemail, settings.voicemail_service_location):
        uri = located(place, settings, asked) if place else None
        if uri is None:
            continue
        number = asked.called or asked.user
        if not number and not asked.host:
            return redirect(uri)  # nothing is known of who diverts
        diverting = at_host(number, asked.host) if asked.host else f"tel:{user_part(number)}"
        if not uri.lower().startswith("tel:"):  # RFC 4458 defines its parameters for SIP URIs
            user, at, rest = uri.rpartition("@")
            host, mark, headers = rest.partition("?")
            target = quote(diverting, safe=USER_SAFE + ":[]")
            uri = f"{user}{at}{host};target={target};cause={DIVERSION_CAUSE}{mark}{headers}"
        diversion = f"<{diverting}>;reason={DIVERSION_REASON};counter=1"
        return redirect(uri, (b"Diversion", diversion.encode()))
    return DECLINE


def to_menu(settings: Engine, asked: Asked, voicemail: str | None) -> Answer:
    """302 to the voice menu that asks the caller who is calling."""
    uri = located(settings.redirect_destination, settings, asked)
    return DECLINE if uri is None else redirect(uri)


TREATMENTS: dict[str, Callable[[Engine, Asked, str | None], Answer]] = {
    "continue": carry_on,
    "terminate": turn_away,
    "terminate_solicitor": turn_away,
    "voicemail": to_voicemail,
    "screen": to_menu,
}


def answer(treatment: str, settings: Engine, asked: Asked, voicemail: str | None = None) -> Answer:
    """The answer to an INVITE that was decided so; `voicemail` is the subscriber's own location.

    Raises KeyError for a word that is not a treatment.
    """
    return TREATMENTS[treatment](settings, asked, voicemail)
