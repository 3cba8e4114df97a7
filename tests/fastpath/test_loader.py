"""The loader: published objects and changes become what the index decides by."""

import random
from collections.abc import Iterable
from typing import Any

import pytest
from google.protobuf import json_format

from callscreen.fastpath.extract_types import DEFAULT_CALLED, DEFAULT_CALLING
from callscreen.fastpath.index import EngineSettings, Index, Operation
from callscreen.fastpath.loader import LONG_LISTS, Loader
from callscreen.fastpath.reference import Index as PlainIndex
from callscreen.v1 import object_pb2

CALLED, LISTED, OTHER = "+15855551234", "+17165550001", "+13105550002"
AnyIndex = Index | PlainIndex
Object = object_pb2.Object

LIST_RULE = {
    "personal": True,
    "global": False,
    "override": True,
    "stir_shaken": False,
    "match": "terminate",
    "no_match": "next",
    "priority": 1,
}


def make(name: str, kind: str, /, **fields: Any) -> Object:
    return json_format.ParseDict({"name": name, kind: fields}, Object())


def number(owner: str = "acme/alice", product: str = "pcs", **lists: list[str]) -> Object:
    provider, subscriber = owner.split("/")
    own = {"service_provider_name": provider, "subscriber_name": subscriber, "number": CALLED}
    return make(f"{product}/number/{owner}/%2B{CALLED[1:]}", "number", **own, **lists)


def subscriber(product: str = "pcs", **fields: Any) -> Object:
    own = {"name": "alice", "service_provider_name": "acme"} | fields
    return make(f"{product}/subscriber/acme/alice", "subscriber", **own)


def plan(**rules: Any) -> Object:
    return make("pcs/screening_rule/acme", "screening_rule", service_provider_name="acme", **rules)


def settings(provider: str = "", product: str = "pcs", **fields: Any) -> Object:
    own = {"service_provider_name": provider} if provider else {}
    return make(f"{product}/settings/{provider}", "settings", **own, **fields)


def change(revision: int, *puts: Object, drops: tuple[str, ...] = ()) -> object_pb2.Change:
    made = object_pb2.Change(revision=revision)
    for each in puts:
        made.mutations.add(name=each.name).put.CopyFrom(each)
    for name in drops:
        made.mutations.add(name=name)
    return made


@pytest.fixture
def loader(index: AnyIndex) -> Loader:
    return Loader(index)


def test_a_snapshot_may_come_in_any_order(index: AnyIndex, loader: Loader) -> None:
    provider = make("pcs/service_provider/acme", "service_provider", name="acme")
    provider.service_provider.blacklist.append("+1310*")
    objects = [
        number(blacklist=[LISTED]),
        subscriber(voicemail="vm@example.net", blacklist=["+1212*"]),
        plan(blacklist=LIST_RULE | {"global": True}),
        provider,
        make("pcs/audio/acme/hello", "audio"),
    ]
    random.Random(1).shuffle(objects)
    for each in objects:
        loader.load([each])
    assert index.revision == 0
    for calling in (LISTED, OTHER, "+12125550000"):
        verdict = index.screen(0, CALLED, calling, False)
        assert (verdict.treatment, verdict.voicemail) == ("terminate", "vm@example.net")


def test_a_change_is_one_transaction_and_sets_the_revision(index: AnyIndex, loader: Loader) -> None:
    loader.apply(change(7, number(blacklist=[LISTED]), plan(blacklist=LIST_RULE)))
    assert index.revision == 7
    assert index.screen(1, CALLED, LISTED, False).reason == "blacklist"
    loader.apply(change(8, drops=("pcs/screening_rule/acme",)))
    assert index.screen(1, CALLED, LISTED, False).reason == "default_treatment"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("pcs/number/acme/alice/%2B15855551234", "not_provisioned"),
        ("pcs/subscriber/acme/alice", "blacklist"),
        ("pcs/service_provider/acme", "service_off"),
        ("pcs/audio/acme/hello", "service_off"),
    ],
)
def test_what_is_removed_is_found_by_its_name(
    index: AnyIndex, loader: Loader, name: str, reason: str
) -> None:
    loader.load([number(blacklist=[LISTED]), subscriber(service_enabled=False)])
    loader.load([plan(blacklist=LIST_RULE)])
    loader.apply(change(2, drops=(name,)))
    assert index.screen(1, CALLED, LISTED, False).reason == reason


@pytest.mark.parametrize("put_first", [True, False])
def test_a_number_that_moves_in_one_change_stays(
    index: AnyIndex, loader: Loader, put_first: bool
) -> None:
    loader.load([number()])
    moved = change(2, number("zeta/zoe"), drops=(number().name,))
    if not put_first:
        moved.mutations.reverse()
    loader.apply(moved)
    assert index.owner(1, CALLED) == ("zeta", "zoe")


def test_a_list_rule_is_on_when_personal_or_global_is(index: AnyIndex, loader: Loader) -> None:
    loader.load([number(blacklist=[LISTED])])
    off = LIST_RULE | {"personal": False}
    greeting = {"enabled": False, "override": False, "priority": 1}
    loader.apply(change(1, plan(blacklist=off, whitelist=off, recorded_greeting=greeting)))
    assert [step.rule for step in index.screen(1, CALLED, LISTED, False).trace] == [
        "default_treatment"
    ]


def test_a_subscriber_turns_off_what_the_rule_allows(index: AnyIndex, loader: Loader) -> None:
    loader.load([number(blacklist=[LISTED]), plan(blacklist=LIST_RULE)])
    loader.apply(change(1, subscriber(override={"blacklist": True, "captcha": False})))
    assert index.screen(1, CALLED, LISTED, False).trace[0].outcome == "overridden"


def test_cin_numbers_have_vips_and_blocked(index: AnyIndex, loader: Loader) -> None:
    loader.load([number(product="cin", vip=[OTHER], blocked=[LISTED])])
    assert index.screen(0, CALLED, OTHER, False).reason == "vip"
    assert index.screen(0, CALLED, LISTED, False).reason == "blocked"


def test_criteria_and_sources_are_read(index: AnyIndex, loader: Loader) -> None:
    key = {"service_provider_name": "acme"}
    criteria = make(
        "pcs/service_selection_criteria/acme/one",
        "service_selection_criteria",
        **key,
        screening_group="one",
        called_ccs=["1"],
        source_ips=["10.0.0.0/8"],
        point_code_ranges=[{"first": "0-0-1", "last": "0-0-9"}],
    )
    source = make(
        "pcs/origination_source/acme/trunk",
        "origination_source",
        **key,
        name="trunk",
        source_ip=["10.0.0.0/8"],
        orig_id="own",
        attest="A",
        cert_name="c",
        source_numbers=[
            {
                "numbers_n": ["+1585xxxxxxx"],
                "orig_id_n": "other",
                "attest_n": "B",
                "cert_name_n": "d",
                "priority": 0,
            }
        ],
    )
    loader.load([number("zeta/zoe"), criteria, source])
    trace = index.screen(1, CALLED, OTHER, False, "10.0.0.1", "0-0-5").trace
    assert trace[0].entry == "acme/one"
    found = index.origination("10.0.0.1", CALLED)
    assert found == ("acme", "trunk", "other", "B", "d", "+1585xxxxxxx")
    loader.apply(change(2, drops=(criteria.name, source.name)))
    assert index.origination("10.0.0.1", CALLED) is None
    trace = index.screen(1, CALLED, OTHER, False, "10.0.0.1", "0-0-5").trace
    assert trace[0].rule == "default_treatment"


# Settings


def test_without_settings_the_documented_defaults_hold(index: AnyIndex, loader: Loader) -> None:
    loader.load([number()])
    assert index.settings(1) == index.settings(2, "acme") == EngineSettings()
    assert index.number_sources(1) == (DEFAULT_CALLED, DEFAULT_CALLING)


def test_a_setting_not_given_has_its_default(index: AnyIndex, loader: Loader) -> None:
    loader.load([settings(screening_engine={"egress_route": "192.0.2.1"})])
    assert index.settings(1) == EngineSettings(egress_route="192.0.2.1")


def test_a_provider_has_its_own_value_only_where_the_platform_allows(
    index: AnyIndex, loader: Loader
) -> None:
    engine = {"egress_route": "platform", "reject_with_media": True}
    own = {"egress_route": "own", "reject_with_media": False, "protected_numbers": [LISTED]}
    platform = settings(screening_engine=engine, web_settings={"default_cc": "44"})
    loader.load([settings("acme", screening_engine=own), platform])
    assert index.settings(1, "acme").egress_route == "platform"
    allowed = {"screening_engine": {"egress_route": True, "reject_with_media": False}}
    loader.apply(change(1, settings(screening_engine=engine, override=allowed)))
    held = index.settings(1, "acme")
    assert (held.egress_route, held.reject_with_media) == ("own", True)
    assert held.protected_numbers == ()
    assert index.settings(1, "zeta").egress_route == "platform"
    loader.apply(change(2, platform))
    assert index.settings(1, "acme").egress_route == "platform"
    assert index.settings(1, "acme").default_cc == "44"
    loader.apply(change(3, drops=("pcs/settings/acme",)))
    assert index.settings(1, "acme") == index.settings(1)
    loader.apply(change(4, drops=("pcs/settings/",)))
    assert index.settings(1, "acme") == EngineSettings()


def test_protected_numbers_of_platform_and_provider_add_up(index: AnyIndex, loader: Loader) -> None:
    allowed = {"screening_engine": {"protected_numbers": True}}
    platform = settings(screening_engine={"protected_numbers": [OTHER]}, override=allowed)
    loader.load([platform, settings("acme", screening_engine={"protected_numbers": [LISTED]})])
    assert index.settings(1, "acme").protected_numbers == (OTHER, LISTED)


def test_cin_sends_calls_to_the_contact_where_it_has_no_egress_route(
    index: AnyIndex, loader: Loader
) -> None:
    loader.load([settings(product="cin", screening_engine={"nomatch_treatment": "terminate"})])
    assert index.settings(2).use_contact is True
    assert index.settings(2).nomatch_treatment == "terminate"
    loader.apply(change(1, settings(product="cin", screening_engine={"egress_route": "host"})))
    assert index.settings(2).use_contact is False


def test_the_number_sources_are_the_platforms(index: AnyIndex, loader: Loader) -> None:
    called = [{"source": "request_uri"}]
    calling = [{"source": "hdr.from"}, {"source": "hdr.p_asserted_identity"}]
    loader.load([settings(called_sources_config=called, calling_sources_config=calling)])
    first, second = index.number_sources(1)
    assert [each.source for each in first] == ["request_uri"]
    assert [each.source for each in second] == ["hdr.from", "hdr.p_asserted_identity"]
    assert index.number_sources(2) == (DEFAULT_CALLED, DEFAULT_CALLING)
    loader.load([settings()])
    assert index.number_sources(1) == (DEFAULT_CALLED, DEFAULT_CALLING)


class Counted(Index):
    """An index that counts how often a provider's lists were put."""

    puts = 0

    def commit(self, operations: Iterable[Operation], revision: int) -> None:
        changes = list(operations)
        super().commit(changes, revision)
        self.puts += sum(method == "put_provider" for method, _ in changes)


def provider(**fields: Any) -> Object:
    return make("pcs/service_provider/acme", "service_provider", name="acme", **fields)


def test_long_lists_that_come_unchanged_are_not_built_again() -> None:
    index = Counted()
    loader = Loader(index)
    many = [f"+1{5550000000 + i}" for i in range(LONG_LISTS)]
    by_blacklist = plan(blacklist=LIST_RULE | {"personal": False, "global": True})

    def blocked(number: str) -> bool:
        return index.screen(1, CALLED, number, False).reason == "blacklist"

    loader.load([number(), by_blacklist, provider(blacklist=many)])
    assert (index.puts, blocked(many[7])) == (1, True)
    loader.apply(change(1, provider(blacklist=many, display_name="Acme")))
    loader.apply(change(2, provider(blacklist=many, whitelist=[])))
    assert (index.puts, index.revision, blocked(many[7])) == (1, 2, True)
    # What is different is put: one entry, the other list, the order, a drop in between.
    loader.apply(change(3, provider(blacklist=[*many[:-1], OTHER])))
    assert (index.puts, blocked(OTHER), blocked(many[-1])) == (2, True, False)
    loader.apply(change(4, provider(whitelist=[*many[:-1], OTHER])))
    assert (index.puts, blocked(OTHER)) == (3, False)
    loader.apply(change(5, drops=("pcs/service_provider/acme",)))
    loader.apply(change(6, provider(blacklist=many)))
    assert (index.puts, blocked(many[7])) == (4, True)
    loader.apply(change(7, provider(blacklist=many[:3])))
    loader.apply(change(8, provider(blacklist=many)))
    assert (index.puts, blocked(many[7])) == (6, True)


def test_lists_of_a_transaction_that_was_refused_are_put_with_the_next() -> None:
    index = Counted()
    loader = Loader(index)
    many = [f"+1{5550000000 + i}" for i in range(LONG_LISTS)]
    bad = plan(blacklist=LIST_RULE | {"match": "sing"})
    with pytest.raises(ValueError, match="sing"):
        loader.apply(change(1, provider(blacklist=many), bad))
    assert (index.puts, index.counts()["entries"], index.revision) == (0, 0, 0)
    loader.apply(change(1, provider(blacklist=many)))
    assert (index.puts, index.counts()["entries"], index.revision) == (1, LONG_LISTS, 1)
