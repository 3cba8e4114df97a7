"""From an INVITE to a decision: numbers read, the index asked, answer and record made.

Invariants
1. The numbers of a product are read by that product's sources. A listener of both asks PCS, then
   CIN where PCS lets the call go on.
2. The source address is the packet's own; no header is believed about it.
3. A user part longer than `TEXT_LIMIT` is no place to send a call to.
"""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from ..fastpath.extract import (
    contact_place,
    extract,
    is_anonymous,
    request_place,
    request_user,
)
from ..fastpath.model import PRODUCT_NAMES, Verdict
from ..fastpath.sip_types import Request
from .cdr import TEXT_LIMIT, Call
from .treatments import answer
from .uas import Decided as DecidedAs
from .view import BOTH, CIN, PCS, ScreeningView, Sources

__all__ = ["PRODUCTS", "Screener"]

PRODUCTS = {"both": BOTH, "pcs": PCS, "cin": CIN}
# PCS went no further on purpose: the other product is not asked either.
LAST_WORD = frozenset({"emergency", "protected"})


Decided: TypeAlias = DecidedAs[Call]


class Parties(NamedTuple):
    """Who is called by whom, E.164 or as dialled; empty where no source had a number."""

    called: str
    calling: str


class Screener:
    """Decides INVITEs by the view of the moment."""

    def __init__(
        self,
        view: Callable[[], ScreeningView | None],
        product: int,
        edge: str,
        record_id: Callable[[float], str],
        calls: Counter[tuple[str, str, str]] | None = None,
    ) -> None:
        """`view` gives the data, `product` limits the listener, `edge` names it in records; `calls`
        counts by product, treatment and reason."""
        self._view = view
        self._product = product
        self._edge = edge
        self._record_id = record_id
        self._calls = Counter[tuple[str, str, str]]() if calls is None else calls

    def __call__(self, request: Request, source_ip: str, now: float) -> Decided | None:
        """The decision on an INVITE from `source_ip`; None where there is no data yet."""
        view = self._view()
        if view is None:
            return None
        source_ip = source_ip.removeprefix("::ffff:")  # IPv4 on a socket of both families
        parties, verdict = self._screen(view, request, source_ip)
        asked = Invite(request, parties.called and verdict.called_number)
        given = answer(verdict.treatment, verdict.settings, asked, verdict.voicemail)
        # An unknown number's record is the listener's product's; of both: of neither.
        product = verdict.product or PRODUCT_NAMES[self._product]
        self._calls[product, verdict.treatment, verdict.reason] += 1
        call = Call(
            self._record_id(now),
            product,
            verdict,
            given.status,
            request.call_id,
            source_ip,
            self._edge,
            now,
        )
        return DecidedAs(given, call)

    def _screen(
        self, view: ScreeningView, request: Request, source_ip: str
    ) -> tuple[Parties, Verdict]:
        anonymous = is_anonymous(request)
        screen = view.index.screen
        first = CIN if self._product == CIN else PCS
        sources = view.sources(first)
        parties = numbers(request, sources)
        if self._product != BOTH or view.alike:
            return parties, screen(self._product, *parties, anonymous, source_ip)
        # The products read different numbers out of this request: each is asked with its own.
        theirs = numbers(request, view.sources(CIN))
        if not parties.called and view.index.owner(CIN, theirs.called):
            return theirs, screen(CIN, *theirs, anonymous, source_ip)
        pcs = screen(PCS, *parties, anonymous, source_ip)
        if pcs.treatment != "continue" or pcs.reason in LAST_WORD:
            return parties, pcs
        cin = screen(CIN, *theirs, anonymous, source_ip)
        if cin.reason == "not_provisioned":
            return parties, pcs
        if pcs.reason == "not_provisioned":
            return theirs, cin
        trace = pcs.trace + cin.trace
        if cin.reason == "service_off":
            return parties, pcs._replace(trace=trace)
        return theirs, cin._replace(trace=trace)


def numbers(request: Request, sources: Sources) -> Parties:
    called = extract(request, sources.called, sources.default_cc).number
    calling = extract(request, sources.calling, sources.default_cc).number
    return Parties(called or "", calling or "")


class Invite:
    """What an answer needs of an INVITE, each part read when it is asked for."""

    __slots__ = ("_request", "called")

    def __init__(self, request: Request, called: str) -> None:
        self.called = called
        self._request = request

    @property
    def user(self) -> str:
        user = request_user(self._request)
        return user if len(user) <= TEXT_LIMIT else ""

    @property
    def host(self) -> str:
        return request_place(self._request)

    @property
    def contact(self) -> str:
        return contact_place(self._request)
