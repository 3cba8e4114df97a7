"""What the plain index holds, and how it changes: dicts of tuples.

Invariants:
1. Objects may come in any order. A number whose subscriber is not there has that subscriber's
   defaults (service on, no lists, no voice mail); the same holds for a provider and its plan.
2. Numbers and entries come as held (see plain.py). What is no entry, prefix or code matches
   nothing.
3. `commit` is one transaction: `screen` in another thread sees all of it or none, and one that is
   refused for what it says changes nothing.
"""

import threading
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from . import plain
from .extract_types import DEFAULT_CALLED, DEFAULT_CALLING, NumberSource
from .model import (
    RULES,
    STIR_RULE,
    EngineSettings,
    Operation,
    PlanStep,
    SourceNumbers,
    StirRule,
    StirSettings,
    check,
)

__all__ = ["Number", "Plan", "Provider", "Subscriber", "Tables"]


class Provider(NamedTuple):
    whitelist: Sequence[str] = ()
    blacklist: Sequence[str] = ()


class Plan(NamedTuple):
    steps: Sequence[PlanStep] = ()
    error_treatment: str | None = None


class Subscriber(NamedTuple):
    enabled: bool = True
    override: frozenset[str] = frozenset()
    whitelist: Sequence[str] = ()
    blacklist: Sequence[str] = ()
    voicemail: str | None = None


class Number(NamedTuple):
    provider: str
    subscriber: str
    whitelist: Sequence[str]
    blacklist: Sequence[str]


class Criteria(NamedTuple):
    prefixes: list[plain.Network]
    country_codes: list[str]
    point_codes: list[tuple[int, int]]
    given: tuple[bool, bool, bool]  # which kinds were given, valid or not


class Source(NamedTuple):
    prefixes: list[plain.Network]
    orig_id: str
    attest: str
    cert_name: str
    numbers: Sequence[SourceNumbers]


def held_entries(texts: Sequence[str]) -> list[str]:
    return [entry for text in texts if (entry := plain.normalise_entry(text))]


class Tables:
    """Everything that a decision needs. Products: 0 both, 1 PCS, 2 CIN; puts take 1 or 2.

    Names are exact; a put replaces what was there; a drop of what is not there does nothing.
    """

    def __init__(self) -> None:
        self.revision = 0
        self.lock = threading.RLock()
        self.providers: dict[tuple[int, str], Provider] = {}
        self.plans: dict[str, Plan] = {}
        self.subscribers: dict[tuple[int, str, str], Subscriber] = {}
        self.numbers: dict[tuple[int, str], Number] = {}
        self.criteria: dict[tuple[str, str], Criteria] = {}
        self.sources: dict[tuple[str, str], Source] = {}
        self.own_settings: dict[tuple[int, str], EngineSettings] = {}
        self.own_stir_settings = StirSettings()
        self.own_sources: dict[int, tuple[tuple[NumberSource, ...], tuple[NumberSource, ...]]] = {}

    def commit(self, operations: Iterable[Operation], revision: int) -> None:
        """Applies (method name, arguments) pairs as one transaction. ValueError: see `check`."""
        changes = list(operations)
        for method, arguments in changes:
            check(method, arguments)
        with self.lock:
            for method, arguments in changes:
                getattr(self, method)(*arguments)
            self.revision = revision

    def put_provider(
        self, product: int, name: str, whitelist: Sequence[str], blacklist: Sequence[str]
    ) -> None:
        """Puts a provider's own (global) lists."""
        self.providers[product, name] = Provider(held_entries(whitelist), held_entries(blacklist))

    def drop_provider(self, product: int, name: str) -> None:
        """Removes the lists; plan, subscribers and settings are dropped on their own."""
        self.providers.pop((product, name), None)

    def put_plan(self, name: str, steps: Sequence[PlanStep], error_treatment: str | None) -> None:
        """Puts a provider's plan: its rules that are on, in any order. PCS only."""
        ranked = sorted(steps, key=lambda step: (step.priority, RULES.index(step.rule)))
        self.plans[name] = Plan(ranked, error_treatment)

    def drop_plan(self, name: str) -> None:
        self.plans.pop(name, None)

    def stir(self, provider: str) -> StirRule:
        """Whom a provider's stir_shaken rule trusts; the defaults where the rule is off."""
        for step in self.plans.get(provider, Plan()).steps:
            if step.rule == STIR_RULE:
                return StirRule(step.auth_address)
        return StirRule()

    def put_stir_settings(self, settings: StirSettings) -> None:
        """Puts how callers' identities are verified."""
        self.own_stir_settings = settings

    def stir_settings(self) -> StirSettings:
        """How callers' identities are verified."""
        return self.own_stir_settings

    def put_subscriber(
        self,
        product: int,
        provider: str,
        name: str,
        enabled: bool,
        override: frozenset[str],
        whitelist: Sequence[str],
        blacklist: Sequence[str],
        voicemail: str | None,
    ) -> None:
        """Puts a subscriber; `override` names the rules turned off."""
        self.subscribers[product, provider, name] = Subscriber(
            enabled, override, held_entries(whitelist), held_entries(blacklist), voicemail or None
        )

    def drop_subscriber(self, product: int, provider: str, name: str) -> None:
        self.subscribers.pop((product, provider, name), None)

    def put_numbers(self, puts: Iterable[Operation]) -> None:
        """Puts each of several numbers."""
        for method, arguments in puts:
            getattr(self, method)(*arguments)

    def put_number(
        self,
        product: int,
        provider: str,
        subscriber: str,
        number: str,
        whitelist: Sequence[str],
        blacklist: Sequence[str],
    ) -> None:
        """Puts a number, whoever had it before. CIN: vip as whitelist, blocked as blacklist."""
        if held := plain.normalise(number, ""):
            self.numbers[product, held] = Number(
                provider, subscriber, held_entries(whitelist), held_entries(blacklist)
            )

    def drop_number(self, product: int, number: str, owner: tuple[str, str] | None = None) -> None:
        """Removes a number; with an owner (provider, subscriber) only where it is theirs."""
        held = plain.normalise(number, "")
        if owner is None or self.owner(product, held) == owner:
            self.numbers.pop((product, held), None)

    def owner(self, product: int, number: str) -> tuple[str, str] | None:
        """Provider and subscriber of a held number; None where it is not provisioned."""
        found = self.numbers.get((product, plain.normalise(number, "")))
        return found and (found.provider, found.subscriber)

    def put_criteria(
        self,
        provider: str,
        group: str,
        prefixes: Sequence[str],
        country_codes: Sequence[str],
        point_codes: Sequence[tuple[str, str]],
    ) -> None:
        """Puts a record of service selection criteria. One that gives no kind selects no call."""
        self.criteria[provider, group] = Criteria(
            [network for text in prefixes if (network := plain.parse_prefix(text))],
            [code for text in country_codes if (code := plain.country_code(text))],
            [
                (plain.parse_point_code(first), plain.parse_point_code(last))
                for first, last in point_codes
            ],
            (bool(prefixes), bool(country_codes), bool(point_codes)),
        )

    def drop_criteria(self, provider: str, group: str) -> None:
        self.criteria.pop((provider, group), None)

    def put_source(
        self,
        provider: str,
        name: str,
        prefixes: Sequence[str],
        orig_id: str,
        attest: str,
        cert_name: str,
        numbers: Sequence[SourceNumbers],
    ) -> None:
        """Puts an origination source."""
        networks = [network for text in prefixes if (network := plain.parse_prefix(text))]
        ranked = sorted(numbers, key=lambda group: group.priority)
        self.sources[provider, name] = Source(networks, orig_id, attest, cert_name, ranked)

    def drop_source(self, provider: str, name: str) -> None:
        self.sources.pop((provider, name), None)

    def put_settings(self, product: int, provider: str, settings: EngineSettings) -> None:
        """Puts the effective settings of a provider, or with "" the platform's."""
        self.own_settings[product, provider] = settings

    def put_number_sources(
        self, product: int, called: Sequence[NumberSource], calling: Sequence[NumberSource]
    ) -> None:
        """Puts where a product looks for its numbers; of none given the documented defaults."""
        self.own_sources[product] = (
            tuple(called) or DEFAULT_CALLED,
            tuple(calling) or DEFAULT_CALLING,
        )

    def number_sources(
        self, product: int
    ) -> tuple[tuple[NumberSource, ...], tuple[NumberSource, ...]]:
        """Where a product looks for called and for calling numbers, in order."""
        return self.own_sources.get(product, (DEFAULT_CALLED, DEFAULT_CALLING))

    def drop_settings(self, product: int, provider: str) -> None:
        """The provider has the platform's again; the platform has the documented defaults."""
        self.own_settings.pop((product, provider), None)

    def settings(self, product: int, provider: str = "") -> EngineSettings:
        """The settings in force for a provider, or the platform's."""
        platform = self.own_settings.get((product, ""))
        return self.own_settings.get((product, provider)) or platform or EngineSettings()
