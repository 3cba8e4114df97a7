"""Who asks, and what, in plain Python: what callers.pyx and settling.pyx make of an INVITE."""

from functools import partial
from typing import Any, NamedTuple, Protocol

from . import sip_reference
from .answer_types import plain_address
from .extract_reference import extract, is_anonymous
from .extract_types import NumberSource
from .model import BOTH, CIN, NONE, PCS, STIR_RULE, EngineSettings, StirSettings, Verdict
from .plain import parse_address
from .respond_types import Address, Told
from .routes_reference import USER_OCTETS
from .sip_types import Request
from .uri import parse_uri

__all__ = ["Invite", "Parties", "Received", "Screening", "is_network", "screened", "user_of"]

# PCS went no further on purpose: the other product is not asked either.
LAST_WORD = frozenset({"emergency", "protected"})
# A block of these is the network's; so is one of the provider's own blacklist.
NETWORK_RULES = frozenset({STIR_RULE, "call_guardian"})


class Screening(Protocol):
    """What of an index, compiled or plain, is asked here."""

    def screen(
        self,
        product: int,
        called: str,
        calling: str,
        anonymous: bool,
        source_ip: str = "",
        point_code: str = "",
        identity: int = NONE,
    ) -> Verdict: ...
    def signs(self, source_ip: str) -> bool: ...
    def stir_settings(self) -> StirSettings: ...
    def settings(self, product: int, provider: str = "") -> EngineSettings: ...
    def number_sources(
        self, product: int
    ) -> tuple[tuple[NumberSource, ...], tuple[NumberSource, ...]]: ...


class Parties(NamedTuple):
    """Who is called by whom, E.164 or as dialled; empty where no source had a number."""

    called: str
    calling: str


class Invite(NamedTuple):
    """What an answer needs of an INVITE."""

    called: str
    user: str
    host: str
    contact: str
    uri: bytes
    history: list[bytes]


class Received(NamedTuple):
    """A message, and where it came from."""

    data: bytes
    source: Address
    transport: str
    now_ns: int
    via_trusted: bool
    told: Told | None

    @property
    def second(self) -> int:
        return self.now_ns // 1_000_000_000

    def source_ip(self, request: Request) -> str:
        """The call's source: the packet's, or what a proxy of ours wrote of whom it had it from."""
        own = plain_address(self.source[0])
        vias = request.via
        if not self.via_trusted or len(vias) < 2:
            return own
        via = sip_reference.via_element(vias[1])
        if via is None:
            return own
        host = (via.received or via.host).decode("ascii").removeprefix("[").removesuffix("]")
        return host if parse_address(host) else own


def screened(
    index: Screening, product: int, request: Request, source_ip: str, identity: int
) -> tuple[Parties, Verdict]:
    """Who is called by whom, and what was decided; by the sources of the product that decided."""
    anonymous = is_anonymous(request)
    screen = partial(index.screen, identity=identity)
    parties = numbers(index, request, CIN if product == CIN else PCS)
    if product != BOTH or looked_for(index, PCS) == looked_for(index, CIN):
        return parties, screen(product, *parties, anonymous, source_ip)
    # The products read different numbers out of this request: each is asked with its own.
    theirs = numbers(index, request, CIN)
    cin = screen(CIN, *theirs, anonymous, source_ip)
    if not parties.called and cin.product:
        return theirs, cin
    pcs = screen(PCS, *parties, anonymous, source_ip)
    if pcs.treatment != "continue" or pcs.reason in LAST_WORD:
        return parties, pcs
    if cin.reason == "not_provisioned":
        return parties, pcs
    if pcs.reason == "not_provisioned":
        return theirs, cin
    trace = pcs.trace + cin.trace
    if cin.reason == "service_off":
        return parties, pcs._replace(trace=trace)
    return theirs, cin._replace(trace=trace, rules_of=pcs.rules_of, awaits=pcs.awaits)


def looked_for(index: Screening, product: int) -> tuple[Any, ...]:
    """Where a product looks for its numbers, and what it makes of national ones."""
    return (*index.number_sources(product), index.settings(product).default_cc)


def numbers(index: Screening, request: Request, product: int) -> Parties:
    called, calling, code = looked_for(index, product)
    return Parties(
        extract(request, called, code).number or "", extract(request, calling, code).number or ""
    )


def user_of(request: Request) -> str:
    """The user part of the Request-URI without escapes; empty where it is too long or none."""
    user = parse_uri(request.uri).user
    return user.decode("utf-8", "surrogateescape") if len(user) <= USER_OCTETS else ""


def is_network(verdict: Verdict) -> bool:
    """Turned away by the network and not by its subscriber."""
    if verdict.reason in NETWORK_RULES:
        return True
    return verdict.reason == "blacklist" and verdict.trace[-1].scope == "service_provider"
