"""What signs and verifies, made for tests: it says what it is told to, when it is told to."""

import asyncio
from collections.abc import Sequence
from itertools import count
from typing import Any

from callscreen.edge.clerk import could_not_tell
from callscreen.edge.questions import ToSign
from callscreen.identity.model import (
    PASSED,
    Policy,
    Question,
    Signed,
    SignRequest,
    State,
    Verdict,
)
from callscreen.identity.service import PlainSigned
from callscreen.identity.signing import NoSignature

from .objects import CALLED, number, obj, platform, settings

SOURCE = {
    "name": "trunk",
    "service_provider_name": "acme",
    "source_ip": ["127.0.0.2/32"],
    "orig_id": "00000000-0000-4000-8000-000000000001",
    "attest": "A",
    "cert_name": "acme-1",
}
VALID = Verdict(State.VALID, PASSED, attest="A", orig="15557654321", x5u="https://c.example/a.pem")
BAD = Verdict(
    State.INVALID,
    "TN-Validation-Failed",
    438,
    "Invalid Identity Header",
    failed=((438, "Invalid Identity Header", b"aa.bb.cc"),),
)
TOKEN = "aa.bb.cc;info=<https://c.example/a.pem>;ppt=shaken"


def provisioned(**more: Any) -> list[Any]:
    """A provider whose rule turns away who is invalid, lists let others through; a source signs."""
    rule = {
        "service_provider_name": "acme",
        "stir_shaken": {"enabled": True, "override": False, "invalid": "terminate", "priority": 1},
    }
    found = [each for each in platform() if not each.name.startswith("pcs/screening_rule")]
    return [
        *found,
        settings(
            "pcs",
            screening_engine={"default_treatment": "continue", "use_contact": True},
            web_settings={"default_cc": "1"},
        ),
        obj("pcs/screening_rule/acme", screening_rule=rule),
        number(),
        obj("pcs/origination_source/acme/trunk", origination_source=SOURCE | more),
    ]


class Double:
    """Answers `now` at once, None: after `later` is set, with `then`."""

    def __init__(self) -> None:
        self.now: Verdict | None = VALID
        self.then = VALID
        self.later = asyncio.Event()
        self.asked: list[tuple[Question, str, Policy]] = []
        self.budgets: list[float] = []
        self.signed: list[ToSign] = []
        self.refusal = ""
        self._numbers = count(1)

    def sign_plain(self, *said: Any) -> PlainSigned:
        self.signed.append(ToSign(*said))
        if self.refusal:
            raise NoSignature(self.refusal)
        token = b"token-%d;info=<https://c.example/a.pem>" % next(self._numbers)
        return PlainSigned(token, self.signed[-1].origid, "ab")

    def sign(self, request: SignRequest) -> Signed:
        raise NoSignature("there is nothing to sign diversions with")

    def verify_together(
        self, calls: Sequence[tuple[Question, str]], policy: Policy
    ) -> list[Verdict | None]:
        """Each is asked by itself, with its whole question, and so noted."""
        return [None] * len(calls)

    def verify_now(self, question: Question, trust_name: str, policy: Policy) -> Verdict | None:
        self.asked.append((question, trust_name, policy))
        return self.now

    async def verify(
        self, question: Question, trust_name: str, policy: Policy, budget_seconds: float
    ) -> Verdict:
        self.budgets.append(budget_seconds)
        try:
            await asyncio.wait_for(self.later.wait(), budget_seconds)
        except TimeoutError:
            return could_not_tell("the certificate was not fetched in time")
        return self.then


__all__ = ["BAD", "CALLED", "SOURCE", "TOKEN", "VALID", "Double", "provisioned"]
