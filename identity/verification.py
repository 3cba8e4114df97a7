"""The verdict on who calls (RFC 8224 section 6.2, RFC 8588, RFC 8946, ATIS-1000074).

Invariants
1. VALID takes one token whose form, time, numbers, certificate, authority and signature are all
   good, and where it was diverted a whole chain of such `div` tokens to the number that is called.
2. INVALID takes that every token that says who calls has failed by a fault of its own. Where one
   could not be judged it is UNKNOWN, where there is none NONE.
3. `rph` and `rcd` never make a call invalid: what is not verified of them is not handed on.
"""

from collections.abc import Sequence
from typing import Any

from .checking import (
    ChainOf,
    Checks,
    Judged,
    Refusal,
    check_signature,
    is_called,
    is_replayed,
    stands,
)
from .displaying import shown_of
from .model import (
    FAILED,
    NOT_VALIDATED,
    PASSED,
    REASONS,
    Chain,
    Check,
    Fault,
    IdentityHeader,
    Policy,
    Question,
    State,
    Verdict,
)
from .reading import Reading, read
from .replay import Replays
from .straight import GOOD, UNNAMED, looked_at

__all__ = [
    "GOOD",
    "ChainOf",
    "Judge",
    "Judged",
    "Reading",
    "Refusal",
    "check_signature",
    "is_replayed",
    "judge",
    "read",
]

AGAIN = (*GOOD[:-1], Check("replay", False, "the token came with another call"))
TOLD = (*GOOD[:-1], Check("replay", True, "the token came with another call, which is let pass"))


def judge(
    question: Question,
    reading: Reading,
    chain_of: ChainOf,
    policy: Policy,
    now: float,
    replays: Replays | None = None,
    refusal: Refusal | None = None,
) -> Verdict:
    """The verdict on a call. `chain_of` gives the chain of a URL or raises Fault, which is
    `unknown` where the certificate could not be had. `refusal` says what becomes of the fault of a
    token that its certificate does not bear out; None: it stands."""
    found = looked_at(question, reading, chain_of, policy, now, replays)
    if type(found) is Verdict:  # most calls by far
        return found
    general = Judge(question, reading, chain_of, policy, now, replays, refusal)
    if found is None:
        return general.verdict()
    header = reading.callers[0]
    if isinstance(found, Chain):
        return general.valid([Judged(header, found)], again=True)
    assert isinstance(found, Fault)
    return general.refused(header, stands(header, found, refusal))


class Judge(Checks):
    """The verdict on one call, by its checks."""

    def verdict(self) -> Verdict:
        """See `judge`."""
        reading = self._reading
        self._failed += reading.faults
        tokens = reading.callers + reading.diversions
        if not tokens and not self._failed:
            return self._nothing()
        try:
            self._check_date()
        except Fault as fault:
            self._failed += [(header.token, fault) for header in tokens]
            return self._refused()
        diversions: list[Judged] | None = None
        for header in reading.callers:
            if diversions is None and reading.diversions:
                diversions = list(self._good(reading.diversions))
            found = self._path(header, diversions or [])
            if found:
                headers = [each.header for each in found]
                again = is_replayed(self._question, headers, self._policy, self._now, self._replays)
                return self.valid(found, again)
        if reading.diversions and not reading.callers:
            alone = Fault("div", 438, NOT_VALIDATED, "a diversion without its original")
            self._failed += [(header.token, alone) for header in reading.diversions]
        return self._refused()

    # What goes beside: priority (RFC 8443, 9027) and what is shown (RFC 9795)

    def _beside(self, found: Sequence[Judged] = ()) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Of verified tokens alone; what fails is told."""
        good = [each.header.claims for each in found]
        self._failed += self._reading.faults_beside
        if not self._reading.beside:
            return shown_of(good), ()
        priority: list[str] = []
        for header in self._reading.beside:
            try:
                if not is_called(header.claims, self._dest, self._question.dest):
                    raise Fault("dest", 438, NOT_VALIDATED, "dest is not the called number")
                self._check(header, self._policy.freshness)
            except Fault as fault:
                self._failed.append((header.token, fault))
                continue
            good.append(header.claims)
            for values in header.claims.get("rph", {}).values():
                priority += values
        asked = {each.strip().lower() for each in self._question.resource_priority}
        heard = tuple(each for each in priority if not asked or each.lower() in asked)
        return shown_of(good), heard

    # Verdicts

    def _nothing(self) -> Verdict:
        """Nobody says who calls."""
        display, priority = self._beside()
        asked = self._policy.require_identity
        code = 428 if asked else 0
        detail = "none of a supported ppt" if self._reading.ignored else "none that says who calls"
        return Verdict(
            State.INVALID if asked else State.NONE,
            NOT_VALIDATED,
            code,
            REASONS.get(code, ""),
            display={} if asked else display,
            priority=() if asked else priority,
            failed=self._failures(),
            checks=(Check("identity", False if asked else None, detail),),
        )

    def refused(self, header: IdentityHeader, fault: Fault) -> Verdict:
        """The verdict where the only token has a fault."""
        self._failed.append((header.token, fault))
        return self._refused()

    def valid(self, found: list[Judged], again: bool) -> Verdict:
        """The verdict on a call whose tokens passed; `again`: the last came with another call."""
        first, last = found[0], found[-1]
        claims = first.header.claims
        bad = again and self._policy.replayed_invalid
        display, priority = self._beside(found)
        code = 0
        good = GOOD if self._question.call_id else UNNAMED
        if bad:
            code, display, priority = 438, {}, ()
            fault = Fault("replay", 438, NOT_VALIDATED, "the token came with another call")
            self._failed.insert(0, (last.header.token, fault))
        return Verdict(
            State.INVALID if bad else State.VALID,
            NOT_VALIDATED if bad else PASSED,
            code,
            REASONS.get(code, ""),
            claims.get("attest", ""),
            claims.get("origid", ""),
            party(claims["orig"]),
            parties(last.header.claims["dest"]),
            claims["iat"],
            first.header.x5u,
            first.chain.spc,
            first.chain.name,
            first.header.ppt,
            again,
            display,
            priority,
            self._failures(),
            AGAIN if bad else TOLD if again else good,
        )

    def _refused(self) -> Verdict:
        """No token says who calls: by the first fault of its own, else it cannot be told."""
        faults = [fault for _, fault in self._failed]
        unknown = [fault for fault in faults if fault.unknown]
        fault = (unknown or faults)[0]
        self._failed += self._reading.faults_beside
        tokens = self._reading.callers + self._reading.diversions
        claims = tokens[0].claims if tokens else {}
        failed = fault.code == 438 and self._policy.malformed_failed and not fault.unknown
        return Verdict(
            State.UNKNOWN if unknown else State.INVALID,
            FAILED if failed else fault.verstat,
            fault.code,
            REASONS.get(fault.code, ""),
            attest=claims.get("attest", ""),
            origid=claims.get("origid", ""),
            orig=party(claims.get("orig", {})),
            dest=parties(claims.get("dest", {})),
            iat=claims.get("iat", 0),
            x5u=tokens[0].x5u if tokens else "",
            ppt=tokens[0].ppt if tokens else "",
            failed=self._failures(),
            checks=tuple(
                Check(each.check, None if each.unknown else False, each.detail) for each in faults
            ),
        )

    def _failures(self) -> tuple[tuple[int, str, bytes], ...]:
        """Each header once, by its first fault."""
        if not self._failed:
            return ()
        first: dict[bytes, Fault] = {}
        for token, fault in self._failed:
            first.setdefault(token, fault)
        return tuple(
            (each.code, REASONS.get(each.code, ""), token) for token, each in first.items()
        )


def party(orig: dict[str, str]) -> str:
    return orig.get("tn") or orig.get("uri", "")


def parties(dest: dict[str, list[str]]) -> tuple[str, ...]:
    return (*dest.get("tn", ()), *dest.get("uri", ()))
