"""The screening index in plain Python: slow, obvious, and the meaning of the compiled one.

Invariants:
1. A decision reads, it never writes; a `commit` in another thread is seen whole or not at all.
2. A trace holds a step for each rule that looked, in order; the last one's treatment is the
   verdict's, but where CIN's service is off and PCS had continued.
3. Lists are looked through in the order number, subscriber, service_provider; the first that has
   a match names the entry.
"""

from typing import NamedTuple

from . import plain
from .model import (
    BOTH,
    CIN,
    EMERGENCY_NUMBERS,
    INVALID,
    LIST_RULES,
    NONE,
    PCS,
    PRODUCT_NAMES,
    STIR_RULE,
    UNASKED,
    UNKNOWN,
    UNSIGNED_ATTEST,
    VALID,
    EngineSettings,
    Origination,
    PlanStep,
    Step,
    Verdict,
)
from .reference_tables import Criteria, Number, Plan, Provider, Subscriber, Tables, held_entries

__all__ = ["Index"]

# What a rule that asks for the caller's identity is told, by what is known of that.
IDENTITY_WORDS = ("unverified", "unsigned", "valid", "invalid", "unverified")


class Call(NamedTuple):
    called: str  # as held; "" for none
    calling: str
    anonymous: bool
    address: plain.Address | None
    source_ip: str
    point_code: int
    identity: int


class Outcome(NamedTuple):
    treatment: str
    reason: str
    provider: str  # whose settings hold
    final: bool = False  # the other product is not asked


def _number(text: str, default_cc: str) -> str:
    """The number as held; an emergency number bare, as it has to be dialled."""
    number = plain.normalise(text, default_cc)
    for emergency in EMERGENCY_NUMBERS:
        if number in (f"+{emergency}", f"+{default_cc}{emergency}"):
            return emergency
    return number


def _longest(prefixes: list[plain.Network], address: plain.Address | None) -> int:
    """Length of the longest prefix that holds an address; -1 for none."""
    lengths = [network.prefixlen for network in prefixes if address and address in network]
    return max(lengths, default=-1)


def _specificity(criteria: Criteria, call: Call) -> tuple[int, int, bool] | None:
    """How closely a record fits a call; None where a kind given does not hold, or none is given."""
    prefixes, codes, ranges = criteria.given
    length = _longest(criteria.prefixes, call.address)
    fitting = [len(code) for code in criteria.country_codes if call.called[1:].startswith(code)]
    in_range = any(first <= call.point_code <= last for first, last in criteria.point_codes)
    if not any(criteria.given) or (prefixes and length < 0) or (codes and not fitting):
        return None
    if ranges and (call.point_code < 0 or not in_range):
        return None
    return length, max(fitting, default=0), ranges


class Index(Tables):
    """Decides on calls. What no number means is said at `screen`."""

    def screen(
        self,
        product: int,
        called: str,
        calling: str,
        anonymous: bool,
        source_ip: str = "",
        point_code: str = "",
        identity: int = NONE,
    ) -> Verdict:
        """Decides on a call to `called` from `calling`, of product 1 PCS, 2 CIN, or 0 both.

        Numbers may be as dialled: without "+" the platform's default country code is prepended;
        911 and 112 are shown bare.
        `called` empty means that none was found: PCS then applies the error_treatment of the plan
        that the source address selects, else ("next" or none) default_treatment. `called` that is
        no number is not provisioned. `calling` that is empty or no number means that none was
        found: an anonymous call goes on without one and is on no list; another ends with
        error_treatment, or where that is not set default_treatment, or goes on where it is "next".
        In CIN a caller without a number is on no list. Emergency and protected numbers come before
        all of that. `source_ip` and `point_code` empty means unknown. `identity` is what is known
        of the caller's: where a rule asks for it, UNASKED is decided as UNKNOWN is, and `awaits`
        is told. Of a signature that is asked for, a list tells "unsigned" for a bad one too.
        """
        if not UNASKED <= identity <= UNKNOWN:
            raise ValueError(f"what is known of an identity is 0 to 4, not {identity}")
        with self.lock:
            called_by = calling, anonymous, identity
            return self._screen(product, called, called_by, source_ip, point_code)

    def _screen(
        self,
        product: int,
        called: str,
        called_by: tuple[str, bool, int],
        source_ip: str,
        point_code: str,
    ) -> Verdict:
        calling, anonymous, identity = called_by
        address, code = plain.parse_address(source_ip), plain.parse_point_code(point_code)
        products = (PCS, CIN) if product == BOTH else (product,)
        calls = {}
        for each in products:
            cc = self.settings(each).default_cc
            numbers = _number(called, cc), _number(calling, cc)
            calls[each] = Call(*numbers, anonymous, address, source_ip, code, identity)
        present = [each for each in products if (each, calls[each].called) in self.numbers]
        asked = present[0] if present else products[0]
        trace: list[Step] = []
        outcome = self._emergency(calls[asked], trace)
        if outcome is None and PCS in present:
            outcome = self._pcs(calls[PCS], trace)
        elif outcome is None and PCS in products and called == "":
            outcome = self._not_called(calls[PCS], trace)
        rules_of = outcome.provider if outcome else ""
        if CIN in present and (
            outcome is None or (outcome.treatment == "continue" and not outcome.final)
        ):
            second = self._cin(calls[CIN], trace)
            if outcome is None or second.reason != "service_off":
                outcome, asked = second, CIN
        if outcome is None:
            trace.append(Step("called_number", called, "", "", "not_provisioned", "continue"))
            outcome = Outcome("continue", "not_provisioned", "")
        call = calls[asked]
        number = self.numbers.get((asked, call.called))
        subscriber = number and self.subscribers.get((asked, number.provider, number.subscriber))
        return Verdict(
            outcome.treatment,
            outcome.reason,
            PRODUCT_NAMES[asked] if number else "",
            number.provider if number else "",
            number.subscriber if number else "",
            call.called or called,
            call.calling,
            subscriber.voicemail if subscriber else None,
            self.settings(asked, outcome.provider or (number.provider if number else "")),
            tuple(trace),
            self.revision,
            rules_of,
            identity == UNASKED and any(step.outcome == "unverified" for step in trace),
        )

    def _owner(self, product: int, call: Call) -> tuple[Number, Subscriber]:
        number = self.numbers[product, call.called]
        key = product, number.provider, number.subscriber
        return number, self.subscribers.get(key, Subscriber())

    def _emergency(self, call: Call, trace: list[Step]) -> Outcome | None:
        for number in (call.called, call.calling):
            if number in EMERGENCY_NUMBERS:
                trace.append(Step("emergency", number, number, "platform", "match", "continue"))
                return Outcome("continue", "emergency", "", final=True)
        return None

    def _protected(
        self, product: int, provider: str, call: Call, trace: list[Step]
    ) -> Outcome | None:
        for number in (call.called, call.calling):
            for scope, name in (("platform", ""), ("service_provider", provider)):
                entries = held_entries(self.settings(product, name).protected_numbers)
                if entry := plain.find(entries, number):
                    trace.append(Step("protected", number, entry, scope, "match", "continue"))
                    return Outcome("continue", "protected", provider, final=True)
        return None

    def _select(self, call: Call, trace: list[Step]) -> str | None:
        """The provider whose service selection criteria fit best."""
        best, best_fit = None, None
        for key, criteria in sorted(self.criteria.items()):
            fit = _specificity(criteria, call)
            if fit is not None and (best_fit is None or fit > best_fit):
                best, best_fit = key, fit
        if best is None:
            return None
        entry = "/".join(best)
        shown = call.source_ip if call.address else ""
        trace.append(Step("service_selection", shown, entry, "service_provider", "match", "next"))
        return best[0]

    def _no_number(self, provider: str, which: str, trace: list[Step]) -> Outcome | None:
        """What follows where a number is missing; None where the plan says to go on."""
        error = self.plans.get(provider, Plan()).error_treatment
        if error is None:
            return self._default(provider, which, trace)
        trace.append(Step("error_treatment", "", "", "service_provider", which, error))
        return None if error == "next" else Outcome(error, "error_treatment", provider)

    def _default(self, provider: str, outcome: str, trace: list[Step]) -> Outcome:
        treatment = self.settings(PCS, provider).default_treatment
        trace.append(Step("default_treatment", "", "", "", outcome, treatment))
        return Outcome(treatment, "default_treatment", provider)

    def _not_called(self, call: Call, trace: list[Step]) -> Outcome:
        provider = self._select(call, trace) or ""
        return (
            self._protected(PCS, provider, call, trace)
            or self._no_number(provider, "no_called_number", trace)
            or self._default(provider, "no_called_number", trace)
        )

    def _service(
        self, subscriber: Subscriber, name: str, provider: str, trace: list[Step]
    ) -> Outcome | None:
        if subscriber.enabled:
            return None
        trace.append(Step("service_enabled", name, "", "subscriber", "disabled", "continue"))
        return Outcome("continue", "service_off", provider)

    def _pcs(self, call: Call, trace: list[Step]) -> Outcome:
        number, subscriber = self._owner(PCS, call)
        provider = self._select(call, trace) or number.provider
        outcome = self._protected(PCS, provider, call, trace) or self._service(
            subscriber, number.subscriber, provider, trace
        )
        if outcome is None and not call.calling and not call.anonymous:
            outcome = self._no_number(provider, "no_calling_number", trace)
        if outcome is None and call.anonymous:
            drop = self.settings(PCS, provider).drop_anonymous_calls
            treatment = "terminate" if drop else "next"
            trace.append(Step("anonymous", call.calling, "", "", "match", treatment))
            outcome = Outcome(treatment, "anonymous", provider) if drop else None
        if outcome is not None:
            return outcome
        for step in self.plans.get(provider, Plan()).steps:
            treatment = self._rule(step, call, number, subscriber, provider, trace)
            if treatment != "next":
                return Outcome(treatment, step.rule, provider)
        return self._default(provider, "end_of_rules", trace)

    def _rule(
        self,
        step: PlanStep,
        call: Call,
        number: Number,
        subscriber: Subscriber,
        provider: str,
        trace: list[Step],
    ) -> str:
        """The treatment of one rule of a plan. A rule that waits is not available here."""
        is_list = step.rule in LIST_RULES
        shown = call.calling if is_list else ""
        entry, scope, outcome, treatment = "", "", "not_available", "next"
        if step.override and step.rule in subscriber.override:
            outcome = "overridden"
        elif step.rule == STIR_RULE:
            outcome = IDENTITY_WORDS[call.identity]
            treatment = step.invalid if call.identity == INVALID else "next"
        elif is_list:
            outcome, treatment = "no_match", step.no_match
            owners: list[tuple[str, Number | Subscriber | Provider]] = []
            if step.personal:
                owners += [("number", number), ("subscriber", subscriber)]
            if step.global_list:
                lists = self.providers.get((PCS, provider), Provider())
                owners.append(("service_provider", lists))
            for name, owner in owners:
                lists_of = owner.whitelist if step.rule == "whitelist" else owner.blacklist
                entry = plain.find(lists_of, call.calling)
                if entry:
                    scope = name
                    break
            if entry and step.stir_shaken and call.identity != VALID:
                word = IDENTITY_WORDS[call.identity]
                outcome = "unsigned" if call.identity == INVALID else word
            elif entry:
                outcome, treatment = "match", step.match
        trace.append(Step(step.rule, shown, entry, scope, outcome, treatment))
        return treatment

    def _cin(self, call: Call, trace: list[Step]) -> Outcome:
        number, subscriber = self._owner(CIN, call)
        provider = number.provider
        outcome = self._protected(CIN, provider, call, trace) or self._service(
            subscriber, number.subscriber, provider, trace
        )
        if outcome is not None:
            return outcome
        blocked = "voicemail" if subscriber.voicemail else "terminate"
        for rule, entries, treatment in (
            ("vip", number.whitelist, "continue"),
            ("blocked", number.blacklist, blocked),
        ):
            if entry := plain.find(entries, call.calling):
                trace.append(Step(rule, call.calling, entry, "number", "match", treatment))
                return Outcome(treatment, rule, provider)
            trace.append(Step(rule, call.calling, "", "", "no_match", "next"))
        settings: EngineSettings = self.settings(CIN, provider)
        if call.anonymous:
            treatment, rule, result = settings.anonymous_treatment, "anonymous", "match"
        else:
            treatment, rule, result = settings.nomatch_treatment, "nomatch_treatment", "no_match"
        trace.append(Step(rule, call.calling, "", "", result, treatment))
        return Outcome(treatment, rule, provider)

    def origination(self, source_ip: str, calling: str) -> Origination | None:
        """How an outgoing call is signed: longest prefix, then first mask by priority and order.

        None where no source has the address. Of two sources with one prefix the first by
        (provider, name) counts. An attestation of "N" is given back as it is.
        """
        with self.lock:
            address = plain.parse_address(source_ip)
            number = plain.normalise(calling, self.settings(PCS).default_cc)
            best, best_length = None, -1
            for key, source in sorted(self.sources.items()):
                length = _longest(source.prefixes, address)
                if length > best_length:
                    best, best_length = (key, source), length
            if best is None:
                return None
            key, source = best
            for group in source.numbers:
                for mask in held_entries(group.masks):
                    if number and plain.matches(mask, number):
                        signing = group.orig_id, group.attest, group.cert_name
                        return Origination(*key, *signing, mask)
            return Origination(*key, source.orig_id, source.attest, source.cert_name, "")

    def signs(self, source_ip: str) -> bool:
        """Whether some calls that come from an address are to be signed."""
        with self.lock:
            address = plain.parse_address(source_ip)
            best, best_length = None, -1
            for _, source in sorted(self.sources.items()):
                length = _longest(source.prefixes, address)
                if length > best_length:
                    best, best_length = source, length
            if best is None:
                return False
            attests = [best.attest, *(group.attest for group in best.numbers)]
            return any(attest != UNSIGNED_ATTEST for attest in attests)
