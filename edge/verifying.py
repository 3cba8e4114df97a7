"""Who signs and verifies calls, and by what rules those of a moment are verified: the settings of
an index, and whom its providers trust.

Invariants
1. What is asked for twice is looked up once: who works on some calls has one of these for them, and
   another for the next ones, which so heed every change.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

from ..fastpath.index import Index
from ..identity.model import Policy, Question, Signed, SignRequest, Verdict
from ..identity.service import PlainSigned

__all__ = ["Identity", "Rules", "Wanted"]


class Identity(Protocol):
    """What signs and verifies: identity.service.Identities."""

    def sign_plain(
        self, cert_name: str, attest: str, orig: str, dest: str, origid: str, iat: int
    ) -> PlainSigned:
        """Signs. Raises NoSignature."""

    def sign(self, request: SignRequest) -> Signed:
        """Signs whatever token is asked for. Raises NoSignature."""

    def verify_together(
        self, calls: Sequence[tuple[Question, str]], policy: Policy
    ) -> list[Verdict | None]:
        """As verify_now of each; None too where a call is not as most are."""

    def verify_now(self, question: Question, trust_name: str, policy: Policy) -> Verdict | None:
        """What is found without a wait; None: a certificate must be fetched first."""

    async def verify(
        self, question: Question, trust_name: str, policy: Policy, budget_seconds: float
    ) -> Verdict:
        """What is found within the budget."""


class Wanted(NamedTuple):
    """What a call waits for, and for how many seconds from its receipt at most."""

    question: Question
    trust_name: str
    policy: Policy
    budget: float


class Rules:
    """What an index says as it is asked first. Not for two threads."""

    __slots__ = ("_index", "_trusts", "budget", "policy")

    def __init__(self, index: Index) -> None:
        settings = index.stir_settings()
        self._index = index
        self._trusts: dict[str, str] = {}
        self.policy = policy_of(settings)
        self.budget = settings.fetch_budget / 1e3  # seconds

    def trust(self, provider: str) -> str:
        """The name of what a provider trusts."""
        found = self._trusts.get(provider)
        if found is None:
            found = self._trusts[provider] = self._index.stir(provider).auth_address
        return found

    def wanted(self, question: Question, provider: str) -> Wanted:
        """What a call that is to be verified waits for, by a provider's rules."""
        return Wanted(question, self.trust(provider), self.policy, self.budget)


policy_of = lru_cache(maxsize=8)(Policy.of)  # the settings of an index
