"""Plans: the order of rules, when one is on, and what follows from it."""

import pytest

from callscreen.fastpath.index import EngineSettings, Index, PlanStep, Verdict
from callscreen.fastpath.model import INVALID, NONE, RULES, UNASKED, UNKNOWN, VALID
from callscreen.fastpath.plan import compiled
from callscreen.fastpath.reference import Index as PlainIndex

CALLED, LISTED, OTHER = "+15855551234", "+17165550001", "+13105550002"
AnyIndex = Index | PlainIndex


@pytest.fixture
def index(index: AnyIndex) -> AnyIndex:
    """A number of acme's alice: its own list and hers, for white and black alike."""
    index.put_number(1, "acme", "alice", CALLED, [LISTED], [LISTED])
    return index


def rule(name: str, priority: int = 1, **more: object) -> PlanStep:
    return PlanStep(name, priority, **more)  # type: ignore[arg-type]


def personal(name: str, priority: int = 1, **more: object) -> PlanStep:
    return rule(name, priority, **({"personal": True, "match": "terminate"} | more))


def call(
    index: AnyIndex, *steps: PlanStep, calling: str = LISTED, error: str | None = None
) -> Verdict:
    index.put_plan("acme", steps, error)
    return index.screen(1, CALLED, calling, False)


def outcomes(verdict: Verdict) -> list[tuple[str, str, str]]:
    return [(step.rule, step.outcome, step.treatment) for step in verdict.trace]


def subscriber(
    index: AnyIndex, *, override: tuple[str, ...] = (), white: tuple[str, ...] = ()
) -> None:
    index.put_subscriber(1, "acme", "alice", True, frozenset(override), white, [], None)


def test_rules_run_by_priority_lower_first(index: AnyIndex) -> None:
    verdict = call(index, personal("blacklist", 2), personal("whitelist", 5, match="continue"))
    assert (verdict.treatment, verdict.reason) == ("terminate", "blacklist")
    verdict = call(index, personal("blacklist", 6), personal("whitelist", 5, match="continue"))
    assert (verdict.treatment, verdict.reason) == ("continue", "whitelist")


def test_rules_of_one_priority_run_in_the_documented_order(index: AnyIndex) -> None:
    steps = [rule(name) for name in reversed(RULES)]
    verdict = call(index, *steps)
    assert [step.rule for step in verdict.trace] == [*RULES, "default_treatment"]
    assert [each[0] for each in compiled(steps)] == list(RULES)


def test_a_match_and_a_miss_have_their_treatments(index: AnyIndex) -> None:
    step = personal("whitelist", match="continue", no_match="terminate_solicitor")
    assert call(index, step).treatment == "continue"
    assert call(index, step, calling=OTHER).treatment == "terminate_solicitor"


def test_next_goes_on_and_the_end_of_the_rules_has_the_default_treatment(index: AnyIndex) -> None:
    index.put_settings(1, "", EngineSettings(default_treatment="voicemail"))
    verdict = call(index, personal("blacklist", match="next"))
    assert outcomes(verdict) == [
        ("blacklist", "match", "next"),
        ("default_treatment", "end_of_rules", "voicemail"),
    ]
    assert (verdict.treatment, verdict.reason) == ("voicemail", "default_treatment")


def test_a_provider_without_a_plan_has_the_default_treatment(index: AnyIndex) -> None:
    verdict = index.screen(1, CALLED, LISTED, False)
    assert (verdict.treatment, verdict.reason) == ("continue", "default_treatment")
    call(index, personal("blacklist"))
    index.drop_plan("acme")
    assert index.screen(1, CALLED, LISTED, False).reason == "default_treatment"


@pytest.mark.parametrize(
    ("flags", "scopes"),
    [
        ({"personal": True}, ["number", "subscriber", ""]),
        ({"personal": False, "global_list": True}, ["service_provider"] * 3),
        ({"personal": True, "global_list": True}, ["number", "subscriber", "service_provider"]),
    ],
)
def test_personal_is_number_and_subscriber_and_global_the_provider(
    index: AnyIndex, flags: dict[str, bool], scopes: list[str]
) -> None:
    subscriber(index, white=("+1716555xxxx", "+1310*"))
    index.put_provider(1, "acme", ["+1*", "+44*"], [])
    verdicts = [
        call(index, personal("whitelist", **flags), calling=calling)
        for calling in (LISTED, OTHER, "+442071234567")
    ]
    assert [verdict.trace[0].scope for verdict in verdicts] == scopes


def test_the_trace_names_the_entry_that_matched(index: AnyIndex) -> None:
    subscriber(index, white=("+1310*", "+1310555xxxx"))
    step = call(index, personal("whitelist"), calling=OTHER).trace[0]
    assert step == ("whitelist", OTHER, "+1310555xxxx", "subscriber", "match", "terminate")


def test_a_list_that_wants_a_signature_does_not_match_without_one(index: AnyIndex) -> None:
    step = personal("whitelist", stir_shaken=True, match="continue", no_match="terminate")
    seen = call(index, step).trace[0]
    assert (seen.entry, seen.outcome, seen.treatment) == (LISTED, "unsigned", "terminate")
    assert call(index, step, calling=OTHER).trace[0].outcome == "no_match"


@pytest.mark.parametrize(
    ("identity", "outcome", "matches"),
    [
        (UNASKED, "unverified", False),
        (NONE, "unsigned", False),
        (VALID, "match", True),
        (INVALID, "unsigned", False),
        (UNKNOWN, "unverified", False),
    ],
)
def test_a_list_that_wants_a_signature_matches_a_valid_one_alone(
    index: AnyIndex, identity: int, outcome: str, matches: bool
) -> None:
    step = personal("whitelist", stir_shaken=True, match="continue", no_match="terminate")
    index.put_plan("acme", [step], None)
    verdict = index.screen(1, CALLED, LISTED, False, identity=identity)
    assert (verdict.trace[0].outcome, verdict.treatment == "continue") == (outcome, matches)
    assert (verdict.awaits, verdict.rules_of) == (identity == UNASKED, "acme")
    assert not index.screen(1, CALLED, OTHER, False, identity=UNASKED).awaits, "it is on no list"


@pytest.mark.parametrize(
    ("identity", "outcome"),
    [
        (UNASKED, "unverified"),
        (NONE, "unsigned"),
        (VALID, "valid"),
        (INVALID, "invalid"),
        (UNKNOWN, "unverified"),
    ],
)
def test_the_rule_of_signatures_treats_those_that_are_not_valid(
    index: AnyIndex, identity: int, outcome: str
) -> None:
    step = rule("stir_shaken", 1, override=True)._replace(invalid="terminate_solicitor")
    index.put_plan("acme", [step], None)
    verdict = index.screen(1, CALLED, OTHER, False, identity=identity)
    treatment = "terminate_solicitor" if identity == INVALID else "next"
    assert outcomes(verdict)[0] == ("stir_shaken", outcome, treatment)
    assert (verdict.reason == "stir_shaken") == (identity == INVALID)
    assert verdict.awaits == (identity == UNASKED)
    subscriber(index, override=("stir_shaken",))
    verdict = index.screen(1, CALLED, OTHER, False, identity=UNASKED)
    assert outcomes(verdict)[0] == ("stir_shaken", "overridden", "next")
    assert not verdict.awaits, "a rule that is turned off asks nothing"


def test_an_override_counts_only_where_the_rule_allows_it(index: AnyIndex) -> None:
    subscriber(index, override=("blacklist",))
    assert call(index, personal("blacklist")).treatment == "terminate"
    verdict = call(index, personal("blacklist", override=True))
    assert outcomes(verdict)[0] == ("blacklist", "overridden", "next")
    assert verdict.treatment == "continue"
    subscriber(index)
    assert call(index, personal("blacklist", override=True)).treatment == "terminate"


@pytest.mark.parametrize("name", ["call_guardian", "captcha", "recorded_greeting"])
def test_a_rule_that_waits_is_not_available_and_the_next_one_runs(
    index: AnyIndex, name: str
) -> None:
    verdict = call(index, rule(name, 1), personal("blacklist", 2))
    assert outcomes(verdict)[0] == (name, "not_available", "next")
    assert verdict.reason == "blacklist"
    subscriber(index, override=(name,))
    verdict = call(index, rule(name, 1, override=True))
    assert outcomes(verdict)[0] == (name, "overridden", "next")


@pytest.mark.parametrize(
    ("error", "treatment", "reason"),
    [
        ("terminate", "terminate", "error_treatment"),
        ("continue", "continue", "error_treatment"),
        (None, "terminate_solicitor", "default_treatment"),
        ("next", "voicemail", "blacklist"),
    ],
)
def test_without_a_calling_number_the_error_treatment_counts_else_the_default(
    index: AnyIndex, error: str | None, treatment: str, reason: str
) -> None:
    index.put_settings(1, "", EngineSettings(default_treatment="terminate_solicitor"))
    step = personal("blacklist", no_match="voicemail")
    for calling in ("", "junk"):
        verdict = call(index, step, calling=calling, error=error)
        assert (verdict.treatment, verdict.reason) == (treatment, reason)
        assert verdict.trace[0].outcome == "no_calling_number"
        assert verdict.calling_number == ""


def test_an_anonymous_call_without_a_number_runs_through_the_rules(index: AnyIndex) -> None:
    index.put_plan("acme", [personal("whitelist", no_match="terminate")], "continue")
    verdict = index.screen(1, CALLED, "", True)
    assert (verdict.treatment, verdict.reason) == ("terminate", "whitelist")


def test_an_unknown_rule_or_treatment_is_refused() -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        compiled([PlanStep("greylist", 1)])
    with pytest.raises(ValueError, match="not in tuple"):
        compiled([PlanStep("whitelist", 1, match="perhaps")])
    with pytest.raises(ValueError, match="twice"):
        compiled([PlanStep("whitelist", 1), PlanStep("whitelist", 2)])


def test_a_plan_that_is_refused_leaves_the_old_one() -> None:
    index = Index()
    index.put_number(1, "acme", "alice", CALLED, [], [LISTED])
    assert call(index, personal("blacklist")).treatment == "terminate"
    with pytest.raises(ValueError, match="is none of next"):
        index.put_plan("acme", [personal("blacklist", match="perhaps")], None)
    assert index.screen(1, CALLED, LISTED, False).treatment == "terminate"
