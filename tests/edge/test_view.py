"""The data that answers, written to a file and read again: nothing of it is lost or made up."""

import random
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.edge.local import Local
from callscreen.edge.view import ScreeningView
from callscreen.fastpath.image_read import ImageError
from callscreen.fastpath.image_write import write_image
from callscreen.fastpath.index import Index
from callscreen.fastpath.loader import LONG_LISTS
from callscreen.v1.object_pb2 import Change, Object
from callscreen.v1.replication_pb2 import ResumeToken

CALLED, LISTED, OTHER = "+15855551234", "+17165550001", "+13105550002"
TOKEN = ResumeToken(store_id="store", epoch=3, revision=7)


def make(name: str, kind: str, /, **fields: Any) -> Object:
    return json_format.ParseDict({"name": name, kind: fields}, Object())


def number(called: str = CALLED, **lists: list[str]) -> Object:
    owner = {"service_provider_name": "acme", "subscriber_name": "alice", "number": called}
    return make(f"pcs/number/acme/alice/%2B{called[1:]}", "number", **owner, **lists)


def provider(*blacklist: str, **fields: Any) -> Object:
    own = {"name": "acme", "blacklist": list(blacklist)} | fields
    return make("pcs/service_provider/acme", "service_provider", **own)


def plan() -> Object:
    rule = {"personal": True, "global": True, "match": "terminate", "no_match": "next"}
    rule |= {"priority": 1, "override": True, "stir_shaken": False}
    return make(
        "pcs/screening_rule/acme", "screening_rule", service_provider_name="acme", blacklist=rule
    )


def platform(code: str = "1", treatment: str = "continue") -> Object:
    return make(
        "pcs/settings/",
        "settings",
        web_settings={"default_cc": code},
        screening_engine={"default_treatment": treatment},
        called_sources_config=[{"source": "request_uri"}],
        override={"screening_engine": {"egress_route": True}},
    )


def own_settings(route: str) -> Object:
    return make(
        "pcs/settings/acme",
        "settings",
        service_provider_name="acme",
        screening_engine={"egress_route": route},
    )


def criteria() -> Object:
    own = {"service_provider_name": "acme", "screening_group": "one", "source_ips": ["10.0.0.0/8"]}
    return make("pcs/service_selection_criteria/acme/one", "service_selection_criteria", **own)


def source() -> Object:
    group = {"numbers_n": ["+1585*"], "orig_id_n": "id", "attest_n": "B", "priority": 1}
    own = {"service_provider_name": "acme", "name": "one", "source_ip": ["10.0.0.0/8"]}
    own |= {"orig_id": "own", "attest": "A", "cert_name": "c", "source_numbers": [group]}
    return make("pcs/origination_source/acme/one", "origination_source", **own)


def everything() -> list[Object]:
    return [
        platform(),
        own_settings("192.0.2.1"),
        provider(LISTED),
        plan(),
        number(),
        criteria(),
        source(),
    ]


def change(revision: int, *puts: Object, drop: str = "") -> tuple[int, bytes]:
    made = Change(revision=revision)
    for each in puts:
        made.mutations.add(name=each.name).put.CopyFrom(each)
    if drop:
        made.mutations.add(name=drop)
    return revision, made.SerializeToString()


def told(view: ScreeningView) -> list[Any]:
    """What a view says to calls that meet all of its parts."""
    index = view.index
    calls = [(CALLED, LISTED), (CALLED, OTHER), (CALLED[2:], LISTED), (OTHER, LISTED), ("", "")]
    found: list[Any] = [
        index.screen(1, *call, False, address) for call in calls for address in ("", "10.0.0.1")
    ]
    found += [index.settings(1), index.settings(1, "acme"), index.number_sources(1)]
    return [*found, index.origination("10.0.0.1", CALLED), index.revision]


def again(view: ScreeningView, folder: Path) -> ScreeningView:
    path = folder / "image"
    token = ResumeToken(store_id="store", epoch=3, revision=view.index.revision)
    with path.open("wb") as file:
        assert view.saver(token)(file.fileno()) > 0
    made = ScreeningView()
    with path.open("rb") as file:
        assert made.restore(file.fileno()) == (token, view.index.revision)
    return made


@pytest.fixture
def view() -> ScreeningView:
    made = ScreeningView()
    made.load(everything())
    made.whole(TOKEN.revision)
    return made


def test_a_view_that_was_restored_says_the_same(view: ScreeningView, tmp_path: Path) -> None:
    before = told(view)
    assert before[0].treatment == "terminate"
    assert told(again(view, tmp_path)) == before
    assert told(again(again(view, tmp_path), tmp_path)) == before


@pytest.mark.parametrize(
    "changes",
    [
        [change(8, platform("44", "terminate"))],
        [change(8, own_settings("192.0.2.9")), change(9, drop="pcs/settings/acme")],
        [change(8, drop="pcs/settings/")],
        [change(8, drop="pcs/screening_rule/acme"), change(9, provider())],
        [change(8, drop=number().name), change(9, number(blacklist=[OTHER]))],
        [change(8, drop="pcs/service_selection_criteria/acme/one"), change(9, drop=source().name)],
        [change(8, number(OTHER), source(), drop="pcs/service_provider/acme")],
    ],
)
def test_a_view_that_was_restored_changes_likewise(
    view: ScreeningView, tmp_path: Path, changes: list[tuple[int, bytes]]
) -> None:
    copy = again(view, tmp_path)
    view.apply(changes)
    copy.apply(changes)
    assert told(copy) == told(view)
    assert copy.index.revision == changes[-1][0]
    assert told(again(copy, tmp_path)) == told(view)


def test_many_changes_are_as_they_would_be_one_by_one(view: ScreeningView, tmp_path: Path) -> None:
    copy = again(view, tmp_path)
    world = random.Random(1)
    kinds = [
        lambda: number(blacklist=[world.choice((LISTED, OTHER))]),
        lambda: provider(world.choice((LISTED, OTHER))),
        lambda: platform(world.choice(("1", "44"))),
        plan,
    ]
    changes = [change(8 + i, world.choice(kinds)()) for i in range(200)]
    for each in changes:
        view.apply([each])
    copy.apply(changes)
    assert told(copy) == told(view)


def test_long_lists_are_known_again(tmp_path: Path) -> None:
    """They come with every change of their provider, and are put where they are others."""
    long = [f"+1585{i:07}" for i in range(LONG_LISTS)]
    view = ScreeningView()
    view.load([*everything(), provider(*long)])
    copy = again(view, tmp_path)
    put = copy.index.memory()["long_lists"]
    copy.apply([change(8, provider(*long, LISTED)), change(9, provider(LISTED))])
    assert copy.index.screen(1, CALLED, LISTED, False).treatment == "terminate"
    assert copy.index.screen(1, CALLED, long[0], False).treatment == "continue"
    assert copy.index.memory()["long_lists"] < put
    copy.apply([change(10, provider(*long))])
    assert copy.index.screen(1, CALLED, long[0], False).treatment == "terminate"


def test_an_image_that_says_too_little_is_none(tmp_path: Path) -> None:
    for head, objects in (
        (b"{}", []),
        (b"", []),
        (b'{"store": 1, "epoch": 1, "revision": 1, "digests": []}', []),
        (b'{"store": "a", "epoch": 1, "revision": 1, "digests": [[1]]}', []),
        (b'{"store": "a", "epoch": 1, "revision": 1, "digests": []}', [b"\xff"]),
    ):
        path = tmp_path / "image"
        with path.open("wb") as file:
            write_image(Index(), file.fileno(), head, objects)
        with path.open("rb") as file, pytest.raises(ImageError):
            ScreeningView().restore(file.fileno())


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_a_damaged_folder_gives_what_was_or_nothing(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("replica")
    local, view, token = Local(folder, ScreeningView), ScreeningView(), ResumeToken()
    token.CopyFrom(TOKEN)
    view.load(everything())
    view.whole(TOKEN.revision)
    local.open()
    image = local.begin(view, token)
    assert image is not None
    local.write(image)
    local.finish(image)
    states = {7: told(view)}
    for each in (change(8, number(blacklist=[OTHER])), change(9, platform("44"))):
        view.apply([each])
        local.append([each[1]])
        states[each[0]] = told(view)
    local.close()
    paths = sorted(folder.glob("*-*"))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(paths))
        octets = bytearray(path.read_bytes())
        at = data.draw(st.integers(0, len(octets) - 1))
        octets[at] = data.draw(st.integers(0, 255))
        path.write_bytes(octets[: data.draw(st.sampled_from([len(octets), at + 1]))])
    again = Local(folder, ScreeningView)
    again.open()
    found = again.recover()
    again.close()
    if found is not None:
        assert told(found[0]) == states[found[1].revision]
        assert found[0].index.revision == found[1].revision
