"""The index: what becomes of a call, and what changes do to it."""

import random
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.fastpath.index import EngineSettings, Index, Operation, PlanStep, Verdict
from callscreen.fastpath.reference import Index as PlainIndex

from .provisioning import PROVIDERS, call, operation

CALLED, LISTED, OTHER = "+15855551234", "+17165550001", "+13105550002"
BLOCK = PlanStep("blacklist", 1, personal=True, match="terminate")
BLOCK_GLOBAL = PlanStep("blacklist", 1, global_list=True, match="terminate")
AnyIndex = Index | PlainIndex


@pytest.fixture
def index(index: AnyIndex) -> AnyIndex:
    """acme's alice has a number in PCS, whose plan blocks a listed caller."""
    index.put_number(1, "acme", "alice", CALLED, [], [LISTED])
    index.put_subscriber(1, "acme", "alice", True, frozenset(), [], [], "alice@vm.example")
    index.put_plan("acme", [BLOCK], None)
    return index


def both(index: AnyIndex) -> None:
    """The number is zeta's in CIN, with a blocked and a VIP caller."""
    index.put_number(2, "zeta", "zoe", CALLED, [OTHER], [LISTED, "+1212*"])


def said(verdict: Verdict) -> tuple[str, str, str]:
    return verdict.treatment, verdict.reason, verdict.product


# Service selection


def test_the_most_specific_record_selects_the_provider(index: AnyIndex) -> None:
    for name in ("far", "near", "nearest", "coded", "nowhere"):
        index.put_provider(1, name, [], [f"+1{len(name)}*"])
        index.put_plan(name, [BLOCK_GLOBAL], None)
    index.put_criteria("far", "f", ["10.0.0.0/8"], [], [])
    index.put_criteria("near", "n", ["10.0.0.0/16"], ["1"], [])
    index.put_criteria("nearest", "n", ["10.0.0.0/16"], ["1585"[:3]], [])
    index.put_criteria("coded", "c", [], ["1"], [])
    index.put_criteria("nowhere", "n", ["10.0.0.1"], ["44"], [])  # every kind must hold

    def selected(source_ip: str) -> str:
        verdict = index.screen(1, CALLED, "+19", False, source_ip)
        return verdict.trace[0].entry

    assert selected("10.0.0.1") == "nearest/n"  # longest prefix, then longest country code
    assert selected("10.1.0.1") == "far/f"
    assert selected("192.0.2.1") == "coded/c"
    assert selected("") == "coded/c"


def test_the_selected_providers_plan_lists_and_settings_hold(index: AnyIndex) -> None:
    index.put_provider(1, "transit", [], [OTHER])
    index.put_plan("transit", [BLOCK_GLOBAL], None)
    index.put_settings(1, "transit", EngineSettings(egress_route="transit.example"))
    index.put_criteria("transit", "pcs:transit", ["10.0.0.0/8"], [], [])
    verdict = index.screen(1, CALLED, OTHER, False, "10.1.2.3")
    assert said(verdict) == ("terminate", "blacklist", "pcs")
    assert verdict.settings.egress_route == "transit.example"
    assert (verdict.service_provider_name, verdict.subscriber_name) == ("acme", "alice")
    assert verdict.trace[0] == (
        *("service_selection", "10.1.2.3", "transit/pcs:transit"),
        *("service_provider", "match", "next"),
    )
    index.drop_criteria("transit", "pcs:transit")
    assert index.screen(1, CALLED, OTHER, False, "10.1.2.3").treatment == "continue"


def test_no_record_means_the_called_numbers_own_provider(index: AnyIndex) -> None:
    assert said(index.screen(1, CALLED, LISTED, False)) == ("terminate", "blacklist", "pcs")


def test_a_record_that_gives_no_kind_selects_no_call(index: AnyIndex) -> None:
    index.put_criteria("transit", "pcs:transit", [], [], [])
    assert index.screen(1, CALLED, LISTED, False, "10.0.0.1").reason == "blacklist"


@pytest.mark.parametrize(
    ("code", "selected"), [("0-0-5", True), ("5", True), ("0-0-6", False), ("", False)]
)
def test_a_point_code_must_lie_in_a_range(index: AnyIndex, code: str, selected: bool) -> None:
    index.put_criteria("transit", "t", [], [], [("0-0-1", "0-0-5")])
    trace = index.screen(1, CALLED, LISTED, False, "", code).trace
    assert (trace[0].rule == "service_selection") is selected


# Called and calling number


def test_an_unknown_called_number_continues(index: AnyIndex) -> None:
    for called in (OTHER, "alice"):
        verdict = index.screen(0, called, LISTED, False)
        assert said(verdict) == ("continue", "not_provisioned", "")
        assert verdict.called_number == called
        assert verdict.voicemail is None


def test_no_called_number_has_the_error_treatment_of_the_selected_plan(index: AnyIndex) -> None:
    index.put_settings(1, "", EngineSettings(default_treatment="terminate_solicitor"))
    assert said(index.screen(0, "", OTHER, False))[:2] == (
        "terminate_solicitor",
        "default_treatment",
    )
    index.put_criteria("acme", "a", ["10.0.0.0/8"], [], [])
    for error, expected in (("terminate", "error_treatment"), ("next", "default_treatment")):
        index.put_plan("acme", [BLOCK], error)
        assert index.screen(0, "", OTHER, False, "10.0.0.1").reason == expected
    assert index.screen(2, "", OTHER, False).reason == "not_provisioned"


def test_numbers_as_dialled_get_the_default_country_code(index: AnyIndex) -> None:
    verdict = index.screen(1, "(585) 555-1234", "716.555.0001", False)
    assert (verdict.called_number, verdict.calling_number) == (CALLED, LISTED)
    assert verdict.reason == "blacklist"
    index.put_settings(1, "", EngineSettings(default_cc="44"))
    assert index.screen(1, "5855551234", LISTED, False).called_number == "+445855551234"


# Service off, emergency and protected numbers


def test_a_subscriber_whose_service_is_off_is_not_screened(index: AnyIndex) -> None:
    index.put_subscriber(1, "acme", "alice", False, frozenset(), [], [], None)
    verdict = index.screen(1, CALLED, LISTED, False)
    assert said(verdict) == ("continue", "service_off", "pcs")
    assert verdict.trace == (
        ("service_enabled", "alice", "", "subscriber", "disabled", "continue"),
    )


@pytest.mark.parametrize("number", ["911", "112", "+911", "+1911", "+1112"])
def test_emergency_calls_always_continue(index: AnyIndex, number: str) -> None:
    index.put_settings(1, "", EngineSettings(default_treatment="terminate"))
    for calling in (LISTED, ""):
        verdict = index.screen(0, number, calling, False)
        assert said(verdict) == ("continue", "emergency", "")
        assert verdict.called_number == number[-3:]  # as it has to be dialled
    verdict = index.screen(0, CALLED, number, True)
    assert said(verdict) == ("continue", "emergency", "pcs")
    assert verdict.subscriber_name == "alice"


@pytest.mark.parametrize("product", [1, 2])
def test_protected_numbers_always_continue(index: AnyIndex, product: int) -> None:
    both(index)
    owner = "acme" if product == 1 else "zeta"
    index.put_settings(product, "", EngineSettings(protected_numbers=("+17165550xxx",)))
    verdict = index.screen(product, CALLED, LISTED, False)
    assert verdict.treatment == "continue"
    assert verdict.trace == (
        ("protected", LISTED, "+17165550xxx", "platform", "match", "continue"),
    )
    index.drop_settings(product, "")
    assert index.screen(product, CALLED, LISTED, False).treatment == "terminate"
    index.put_settings(product, owner, EngineSettings(protected_numbers=(CALLED,)))
    verdict = index.screen(product, CALLED, LISTED, False)
    assert verdict.trace == (
        ("protected", CALLED, CALLED, "service_provider", "match", "continue"),
    )


def test_a_protected_call_is_not_asked_about_in_cin(index: AnyIndex) -> None:
    both(index)
    index.put_settings(1, "", EngineSettings(protected_numbers=(LISTED,)))
    assert said(index.screen(0, CALLED, LISTED, False)) == ("continue", "protected", "pcs")


# Anonymous calls


def test_anonymous_calls_are_dropped_where_the_provider_wants_it(index: AnyIndex) -> None:
    verdict = index.screen(1, CALLED, OTHER, True)
    assert verdict.trace[0] == ("anonymous", OTHER, "", "", "match", "next")
    index.put_settings(1, "acme", EngineSettings(drop_anonymous_calls=True))
    assert said(index.screen(1, CALLED, OTHER, True)) == ("terminate", "anonymous", "pcs")
    assert index.screen(1, CALLED, OTHER, False).treatment == "continue"


# CIN, and both


@pytest.mark.parametrize(
    ("calling", "anonymous", "treatment", "reason"),
    [
        (OTHER, False, "continue", "vip"),
        (OTHER, True, "continue", "vip"),
        (LISTED, False, "terminate", "blocked"),
        ("+12125550000", False, "terminate", "blocked"),
        ("+13125550000", True, "voicemail", "anonymous"),
        ("", True, "voicemail", "anonymous"),
        ("+13125550000", False, "screen", "nomatch_treatment"),
        ("", False, "screen", "nomatch_treatment"),
    ],
)
def test_cin_lets_vips_through_stops_the_blocked_and_treats_the_rest(
    index: AnyIndex, calling: str, anonymous: bool, treatment: str, reason: str
) -> None:
    both(index)
    index.put_settings(2, "zeta", EngineSettings(anonymous_treatment="voicemail"))
    assert said(index.screen(2, CALLED, calling, anonymous)) == (treatment, reason, "cin")


def test_a_blocked_caller_goes_to_voice_mail_where_there_is_one(index: AnyIndex) -> None:
    both(index)
    index.put_subscriber(2, "zeta", "zoe", True, frozenset(), [], [], "zoe@vm.example")
    verdict = index.screen(2, CALLED, LISTED, False)
    assert said(verdict) == ("voicemail", "blocked", "cin")
    assert verdict.voicemail == "zoe@vm.example"


def test_a_number_of_both_goes_through_pcs_and_where_that_continues_cin(index: AnyIndex) -> None:
    both(index)
    assert said(index.screen(0, CALLED, LISTED, False)) == ("terminate", "blacklist", "pcs")
    verdict = index.screen(0, CALLED, "+12125550000", False)
    assert said(verdict) == ("terminate", "blocked", "cin")
    assert verdict.service_provider_name == "zeta"
    assert [step.rule for step in verdict.trace] == [
        *("blacklist", "default_treatment", "vip", "blocked"),
    ]


def test_cin_whose_service_is_off_leaves_the_verdict_of_pcs(index: AnyIndex) -> None:
    both(index)
    index.put_subscriber(2, "zeta", "zoe", False, frozenset(), [], [], None)
    verdict = index.screen(0, CALLED, "+12125550000", False)
    assert said(verdict) == ("continue", "default_treatment", "pcs")
    assert verdict.trace[-1].rule == "service_enabled"
    assert verdict.voicemail == "alice@vm.example"


def test_a_listener_may_serve_one_product_alone(index: AnyIndex) -> None:
    both(index)
    assert index.screen(1, CALLED, "+12125550000", False).product == "pcs"
    assert index.screen(2, CALLED, LISTED, False).product == "cin"
    index.drop_number(1, CALLED)
    assert index.screen(0, CALLED, LISTED, False).product == "cin"
    assert index.screen(1, CALLED, LISTED, False).reason == "not_provisioned"


# Changes


def test_a_number_moves_to_another_owner_and_only_theirs_is_dropped(index: AnyIndex) -> None:
    index.put_number(1, "zeta", "zoe", CALLED, [], [])
    assert index.owner(1, CALLED) == ("zeta", "zoe")
    index.drop_number(1, CALLED, ("acme", "alice"))
    assert index.owner(1, CALLED) == ("zeta", "zoe")
    index.drop_number(1, CALLED, ("zeta", "zoe"))
    assert index.owner(1, CALLED) is None


def test_a_verdict_tells_the_revision_of_the_data(index: AnyIndex) -> None:
    index.commit([("drop_plan", ("acme",))], 17)
    verdict = index.screen(1, CALLED, LISTED, False)
    assert (verdict.revision, index.revision, verdict.treatment) == (17, 17, "continue")


def test_only_known_products_are_screened() -> None:
    with pytest.raises(ValueError, match="a product is"):
        Index().screen(3, CALLED, LISTED, False)
    with pytest.raises(ValueError, match="a product is"):
        Index().put_number(0, "acme", "alice", CALLED, [], [])


def test_memory_given_up_is_used_again() -> None:
    index = Index()
    world = random.Random(1)
    sizes = []
    for _ in range(12):
        names = [f"s{world.randrange(10**6)}" for _ in range(2000)]
        numbers = [f"+1{world.randrange(10**9, 10**10)}" for _ in names]
        for name, number in zip(names, numbers, strict=True):
            index.put_number(1, "acme", name, number, [OTHER] * world.randrange(40), [LISTED])
            index.put_subscriber(1, "acme", name, True, frozenset(), [OTHER], [], f"{name}@vm")
        sizes.append(index.counts()["octets"])
        for name, number in zip(names, numbers, strict=True):
            index.drop_number(1, number)
            index.drop_subscriber(1, "acme", name)
        left = index.counts()
        assert (left["numbers"], left["subscribers"], left["entries"]) == (0, 0, 0)
    assert max(sizes) < 1.25 * sizes[1]


def test_a_reader_in_another_thread_sees_a_transaction_whole(index: AnyIndex) -> None:
    """Each revision moves ten numbers from one owner to another: never some of them."""
    numbers = [f"+1585555{place:04d}" for place in range(10)]
    stop = threading.Event()
    torn = []

    def read() -> None:
        while not stop.is_set():
            verdicts = [index.screen(1, each, LISTED, False) for each in numbers[::9]]
            if verdicts[0].revision == verdicts[1].revision:
                torn.extend([verdicts] * (verdicts[0].reason != verdicts[1].reason))

    reader = threading.Thread(target=read)
    reader.start()
    for revision in range(1, 300):
        owner = ("acme", "alice") if revision % 2 else ("zeta", "zoe")
        puts = [("put_number", (1, *owner, each, [], [LISTED])) for each in numbers]
        puts.insert(5, ("put_criteria", ("other", "o", ["10.0.0.0/8"], [], [])))
        index.commit(puts, revision)
    stop.set()
    reader.join()
    assert torn == []


# Both twins


def differences(seed: int, rounds: int, calls: int) -> int:
    """Provisions both twins at random, calls both between the changes; the calls made."""
    world = random.Random(seed)
    compiled, plain = Index(), PlainIndex()
    for revision in range(rounds):
        changes = [operation(world) for _ in range(world.choice((1, 3, 30)))]
        compiled.commit(changes, revision)
        plain.commit(changes, revision)
        for _ in range(calls):
            screened = call(world)
            known = world.randint(0, 4)
            verdict = plain.screen(*screened, known)
            assert compiled.screen(*screened, known) == verdict, (seed, screened, known)
        product, called, calling, _, source_ip, _ = call(world)
        assert compiled.origination(source_ip, calling) == plain.origination(source_ip, calling)
        assert compiled.signs(source_ip) == plain.signs(source_ip)
        assert compiled.stir_settings() == plain.stir_settings()
        assert compiled.owner(product or 1, called) == plain.owner(product or 1, called)
        for name in ("", *PROVIDERS):
            assert compiled.settings(2, name) == plain.settings(2, name)
            assert compiled.stir(name) == plain.stir(name)
    return rounds * calls


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=25)
def test_the_compiled_index_decides_as_the_plain_one(seed: int) -> None:
    assert differences(seed, 20, 5) == 100


def test_20_000_random_calls_have_the_same_verdict_and_trace_in_both() -> None:
    assert sum(differences(seed, 100, 20) for seed in range(1000, 1010)) == 20_000


# A transaction that is refused


@pytest.mark.parametrize(
    "bad",
    [
        ("put_plan", ("acme", [BLOCK._replace(match="sing")], None)),
        ("put_plan", ("acme", [BLOCK._replace(rule="magic")], None)),
        ("put_plan", ("acme", [BLOCK._replace(rule="stir_shaken", invalid="sing")], None)),
        ("put_plan", ("acme", [BLOCK, BLOCK], None)),
        ("put_plan", ("acme", [BLOCK], "sing")),
        ("put_subscriber", (1, "acme", "alice", True, frozenset({"magic"}), [], [], None)),
        ("put_settings", (1, "acme", EngineSettings(default_treatment="sing"))),
        ("put_settings", (2, "", EngineSettings(nomatch_treatment="sing"))),
        ("put_number", (3, "acme", "alice", OTHER, [], [])),
        ("drop_provider", (0, "acme")),
        ("put_everything", ()),
    ],
)
def test_a_transaction_that_is_refused_changes_nothing(index: AnyIndex, bad: Operation) -> None:
    index.commit([("put_number", (1, "acme", "alice", CALLED, [], [LISTED]))], 1)
    octets = index.counts() if isinstance(index, Index) else {}
    changes = [
        ("put_number", (1, "acme", "alice", CALLED, [], [])),
        ("put_number", (1, "zeta", "zoe", OTHER, [], [OTHER] * 100)),
        ("put_subscriber", (1, "acme", "alice", False, frozenset(), [LISTED], [], None)),
        ("put_provider", (1, "acme", [], [f"+1716555{i:04}" for i in range(500)])),
        bad,
    ]
    with pytest.raises(ValueError, match=r"none of|no change of|a product is|stands twice"):
        index.commit(changes, 2)
    verdict = index.screen(1, CALLED, LISTED, False)
    assert (said(verdict), verdict.revision) == (("terminate", "blacklist", "pcs"), 1)
    assert index.owner(1, OTHER) is None
    assert octets == (index.counts() if isinstance(index, Index) else {})


def test_an_entry_that_is_no_text_changes_nothing_and_leaks_nothing() -> None:
    index = Index()
    many = [f"+1716555{i:04}" for i in range(500)]
    before = index.counts()
    odd: list[Any] = [*many, 7]
    changes: list[Operation] = [
        ("put_provider", (1, "acme", many, many)),
        ("put_number", (1, "acme", "alice", CALLED, many, odd)),
    ]
    for _ in range(50):
        with pytest.raises(TypeError):
            index.commit(changes, 1)
    assert index.owner(1, CALLED) is None
    after = index.counts()
    grown = dict.fromkeys(("octets", "subscriber_octets", "block_octets"), 0)  # once, and kept
    assert {**after, **grown} == {**before, **grown}
    assert after["octets"] - before["octets"] < 1_000


@pytest.mark.parametrize("off", [True, False])
def test_a_protected_call_continues_whether_the_service_is_on_or_off(
    index: AnyIndex, off: bool
) -> None:
    """Also where CIN would ask or turn it away."""
    both(index)
    index.put_subscriber(1, "acme", "alice", not off, frozenset(), [], [], None)
    index.put_settings(1, "", EngineSettings(protected_numbers=(LISTED,)))
    assert said(index.screen(0, CALLED, LISTED, False)) == ("continue", "protected", "pcs")


def test_calls_are_decided_while_a_long_list_is_put() -> None:
    index = Index()
    index.put_number(1, "acme", "alice", CALLED, [], [LISTED])
    many = [f"+1{5550000000 + i}" for i in range(300_000)]
    index.commit([("put_provider", (1, "acme", [], many))], 1)
    decided: list[int] = []
    working = threading.Event()
    working.set()

    def put() -> None:
        index.commit([("put_provider", (1, "acme", [], many[::-1]))], 2)
        working.clear()

    writer = threading.Thread(target=put)
    writer.start()
    while working.is_set():
        decided.append(index.screen(1, CALLED, LISTED, False).revision)
    writer.join()
    assert decided.count(1) > 100, "of the revision before, while the next one is made"
    assert index.screen(1, CALLED, LISTED, False).revision == 2
