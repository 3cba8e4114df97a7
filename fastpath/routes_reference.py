"""What a verdict becomes as a SIP answer, in redirect mode, in plain Python: what routes.pyx means.

Invariants
1. A 302 always names a place: where none is known the call is turned away with 603, or with 404
   where only the asked URI itself would be left (a redirect server never sends a caller there).
2. Nothing that came in a datagram stands in an answer unescaped.
3. The words of `TREATMENTS` are the only treatments; another word is a fault of the index.

RFC 3261 8.3 and 21.3.3, RFC 3326, RFC 4458, RFC 5806, RFC 7044; ATIS-1000099.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol
from urllib.parse import quote

from .routes_types import PlaceKind, host_part, place_kind, redress

__all__ = ["TREATMENTS", "USER_OCTETS", "Answer", "Asked", "Engine", "answer"]

USER_OCTETS = 250  # of a user part that a call is sent on to
# "unconditional" in Diversion (RFC 5806) and its cause in the URI (RFC 4458): no phone has rung.
DIVERSION_REASON = "unconditional"
DIVERSION_CAUSE = 302
USER_SAFE = "+*-_.!~()'"  # of RFC 3261's user part, what needs no escape
INDEX_OCTETS = 64  # of an index that is heeded
END_OF_URI = re.compile(rb"[>?]")
INDEX = re.compile(rb";index=([^;]*)", re.IGNORECASE)
PLAIN_INDEX = re.compile(rb"[0-9]+(?:\.[0-9]+)*")
CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
PLAIN_USER = re.compile(r"[0-9A-Za-z+*_.!~()'-]*")


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
    @property
    def network_blocked_contact(self) -> str: ...


class Asked(Protocol):
    """What of the INVITE an answer needs; octets that are no UTF-8 as lone surrogates."""

    @property
    def called(self) -> str: ...  # as screened, E.164; empty where no source had a number
    @property
    def user(self) -> str: ...  # of the Request-URI
    @property
    def host(self) -> str: ...  # host[:port] of the Request-URI; empty for a tel URI
    @property
    def contact(self) -> str: ...  # host[:port] of the Contact; empty where there is none
    @property
    def uri(self) -> bytes: ...  # the Request-URI as received
    @property
    def history(self) -> Sequence[bytes]: ...  # the entries of History-Info


class Answer(NamedTuple):
    """A final answer but for the headers copied from the request."""

    status: int
    reason: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


DECLINE = Answer(603, "Decline")
NOT_FOUND = Answer(404, "Not Found")


def user_part(text: str) -> str:
    """`text` as the user part of a SIP URI (RFC 3261 section 25.1)."""
    if PLAIN_USER.fullmatch(text):
        return text
    return quote(text, safe=USER_SAFE, errors="surrogateescape")


def redirect(uri: str, *more: tuple[bytes, bytes]) -> Answer:
    return Answer(302, "Moved Temporarily", ((b"Contact", f"<{uri}>".encode()), *more))


def route(settings: Engine, asked: Asked) -> str:
    """host[:port] that calls are sent on to; empty where none is known."""
    contact = asked.contact if settings.use_contact else ""
    return contact or host_part(settings.egress_route)


def at_host(user: str, host: str) -> str:
    """The SIP URI of a user, or of a host alone: a user part is not empty (RFC 3261 25.1)."""
    return f"sip:{user_part(user)}@{host}" if user else f"sip:{host}"


def located(text: str, settings: Engine, asked: Asked) -> str | None:
    """The URI that a configured location means: a URI, user@host, a number, or a host that gets the
    called number as user. None where it means no place."""
    kind = place_kind(text)
    if kind in (PlaceKind.URI, PlaceKind.TEL):
        return text
    if kind == PlaceKind.USER:
        return f"sip:{text}"
    if kind == PlaceKind.NUMBER:
        host = route(settings, asked) or asked.host
        return f"sip:{user_part(text)}@{host}" if host else None
    if kind == PlaceKind.NOWHERE:
        return None
    host = f"[{text}]" if kind == PlaceKind.ADDRESS else text
    return at_host(asked.called or asked.user, host)


def carry_on(settings: Engine, asked: Asked, voicemail: str | None, network: bool) -> Answer:
    """302 to the called number, at the Contact's host where `use_contact`, else the egress route,
    else the asked host."""
    user = settings.sip_routing_prefix + (asked.called or asked.user)
    host = route(settings, asked)
    if not host and user != asked.user:
        host = asked.host
    if not host or not user:
        return NOT_FOUND  # RFC 3261 section 8.3: never a redirect to the very URI that was asked
    return redirect(f"sip:{user_part(user)}@{host}")


def turn_away(settings: Engine, asked: Asked, voicemail: str | None, network: bool) -> Answer:
    """603; a network's block names who may be asked about it, where that is configured."""
    contact = redress(settings.network_blocked_contact) if network else ""
    if not contact:
        return DECLINE
    reason = f'SIP;cause=603;text="v=analytics1;{contact}";location=LN'
    return Answer(603, "Network Blocked", ((b"Reason", reason.encode()),))


def diverting(asked: Asked) -> str:
    """The URI of who diverts the call: the called number where it was asked; "" for nobody."""
    number = asked.called or asked.user
    if asked.host:
        return at_host(number, asked.host)
    return f"tel:{user_part(number)}" if number else ""


def diverted(uri: str, asked: Asked) -> Answer:
    """302 to a place that the caller has not dialled, with who diverted."""
    who = diverting(asked)
    if not who:
        return redirect(uri)
    diversion = f"<{who}>;reason={DIVERSION_REASON};counter=1"
    return redirect(uri, (b"Diversion", diversion.encode()))


def to_voicemail(settings: Engine, asked: Asked, voicemail: str | None, network: bool) -> Answer:
    """302 to the subscriber's voice mail, else the service's, with who diverted and why."""
    for place in (voicemail, settings.voicemail_service_location):
        uri = located(place, settings, asked) if place else None
        if uri is None:
            continue
        who = diverting(asked)
        if who and not uri.lower().startswith("tel:"):  # RFC 4458 is about SIP URIs
            user, at, rest = uri.rpartition("@")
            host, mark, headers = rest.partition("?")
            target = quote(who, safe=USER_SAFE + ":[]")
            uri = f"{user}{at}{host};target={target};cause={DIVERSION_CAUSE}{mark}{headers}"
        return diverted(uri, asked)
    return DECLINE


def to_menu(settings: Engine, asked: Asked, voicemail: str | None, network: bool) -> Answer:
    """302 to the voice menu that asks the caller who is calling."""
    uri = located(settings.redirect_destination, settings, asked)
    return DECLINE if uri is None else diverted(uri, asked)


TREATMENTS: dict[str, Callable[[Engine, Asked, str | None, bool], Answer]] = {
    "continue": carry_on,
    "terminate": turn_away,
    "terminate_solicitor": turn_away,
    "voicemail": to_voicemail,
    "screen": to_menu,
}


def with_history(given: Answer, asked: Asked, parameter: bytes) -> Answer:
    """A 302 with the History-Info that came (RFC 7044): whoever follows adds the next hop's entry.

    An entry for the Request-URI is added where it is not the last, and `parameter` of the Contact
    tells by its index what the Contact comes of. Without an index nothing is told of that. Entries
    of which one holds a control octet are not given back.
    """
    if given.status != 302 or not asked.history or any(map(CONTROL.search, asked.history)):
        return given
    (name, contact), *more = given.headers
    entries = [entry.replace(b"\t", b" ") for entry in asked.history]
    uri, index = entry_parts(entries[-1])
    if index and uri != asked.uri:
        index += b".1"
        entries.append(b"<%s>;index=%s" % (asked.uri, index))
    if index:
        contact += b";%s=%s" % (parameter, index)
    history = b"History-Info", b", ".join(entries)
    return given._replace(headers=((name, contact), *more, history))


def entry_parts(entry: bytes) -> tuple[bytes, bytes]:
    """Of an entry the URI, less its headers, and the index; b"" for an index that is none."""
    rest = entry.rpartition(b"<")[2]
    uri = END_OF_URI.split(rest, maxsplit=1)[0]
    found = INDEX.search(rest[len(uri) :].rpartition(b">")[2])
    sound = found and uri and PLAIN_INDEX.fullmatch(found[1]) and len(found[1]) <= INDEX_OCTETS
    return uri, found[1] if found and sound else b""


def answer(
    treatment: str,
    settings: Engine,
    asked: Asked,
    voicemail: str | None = None,
    network: bool = False,
) -> Answer:
    """The answer to an INVITE that was decided so; `voicemail` is the subscriber's own location,
    `network` says that the network blocks the call, not the subscriber.

    Raises KeyError for a word that is not a treatment.
    """
    given = TREATMENTS[treatment](settings, asked, voicemail, network)
    return with_history(given, asked, b"rc" if treatment == "continue" else b"mp")
