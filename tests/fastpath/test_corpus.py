"""What the fuzzer kept (tests/fuzz): the compiled responder and its twin make the same of it."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import ModuleType

import pytest

from callscreen.fastpath.respond_types import ANSWER_MORE

from ..fuzz import identities, images, proxied, seeds, world
from ..fuzz.world import Setting
from .responding import SECOND, Bench, Given

FUZZ = Path(__file__).parent.parent / "fuzz"
CORPUS = sorted((FUZZ / "corpus" / "datagrams").glob("*"))
FILES_MOST = 500
OCTETS_MOST = 1 << 20  # of all together
APART = 40 * SECOND  # a transaction is forgotten by then
LATER = count(world.NOW_NS * 2, APART)


PAIRS: dict[tuple[int, int, bool], tuple[Bench, Bench]] = {}


def pair(setting: Setting) -> tuple[Bench, Bench]:
    """Both responders over a world."""
    number, product, ready = key = setting[0], setting.product, setting.ready
    if key in PAIRS:
        return PAIRS[key]
    made = [Bench(kind, [], product=product, edge=world.EDGE) for kind in ("compiled", "plain")]
    for bench in made:
        bench.index.commit(world.WORLDS[number], 7)
        bench.ready = ready
    PAIRS[key] = made[0], made[1]
    return PAIRS[key]


def both(setting: Setting, data: bytes, now: int) -> Given:
    """What both make of a datagram, which is the same, also where it comes again."""
    benches = pair(setting)
    for moment in (now, now + SECOND):
        compiled, plain = (
            bench.give(
                data,
                moment,
                setting.source,
                setting.transport,
                via_trusted=setting.via_trusted,
                over_rate=setting.over_rate,
            )
            for bench in benches
        )
        assert compiled == plain, (setting, data)
        if moment == now:
            first = compiled
    assert compiled == first._replace(record=None), "sent again: the same, and no second record"
    return first


def inputs() -> Iterator[bytes]:
    yield from (path.read_bytes() for path in CORPUS)
    for octets in seeds.requests():
        yield from (bytes(setting) + octets for setting in seeds.SETTINGS)


def test_what_the_fuzzer_kept_ends_the_same() -> None:
    statuses: set[int] = set()
    for number, octets in enumerate(inputs()):
        found = world.split(octets)
        if found is None:
            continue
        setting, data = found
        got = both(setting, data, world.NOW_NS + number * APART)
        statuses.add(got.status)
        if got.answer is not None:
            head, end, rest = got.answer.partition(b"\r\n\r\n")
            assert head.startswith(b"SIP/2.0 ")
            assert (end, rest) == (b"\r\n\r\n", b"")
            lines = head.split(b"\r\n")
            assert not any(b"\r" in line or b"\n" in line for line in lines)
            assert setting.transport != "udp" or len(got.answer) <= len(data) + ANSWER_MORE
    assert statuses >= {0, 200, 302, 400, 404, 405, 416, 420, 481, 501, 503, 505, 603}
    for compiled, plain in PAIRS.values():
        assert compiled.counts == plain.counts


def test_what_is_kept_is_small() -> None:
    assert len(CORPUS) <= FILES_MOST
    assert sum(path.stat().st_size for path in CORPUS) <= OCTETS_MOST


def plain(**changed: str) -> Given:
    """What becomes of a request of the seeds in the first world."""
    data = seeds.request(**changed)
    return both(Setting(0, "udp", False, False, 0, True, ("192.0.2.9", 5070)), data, next(LATER))


def test_history_with_control_octets_is_not_given_back() -> None:
    for octet in "\0\x01\x1f\x7f":
        answer = plain(History_Info=f"<sip:a@b>;index=1, {octet}<sip:c@d>;index=1.1").answer
        assert answer is not None
        assert b"302 " in answer
        assert b"History-Info" not in answer
        assert b";rc=" not in answer


def test_a_tab_in_history_is_a_space() -> None:
    answer = plain(History_Info="<sip:a@b>\t;index=1,\r\n\t<sip:c\t@d>;index=1.1").answer
    assert answer is not None
    assert b"History-Info: <sip:a@b> ;index=1, <sip:c @d>;index=1.1" in answer


def test_a_scheme_that_begins_like_ours_is_another() -> None:
    for uri in ("sip+x:user@example.com", "sips+tel:a", "tel+1:a", "sip.x:a"):
        assert plain(uri=uri).status == 416, uri


@pytest.mark.parametrize(
    ("module", "wanted"),
    [
        (images, {True, False}),
        (proxied, {"relayed", "onward", "awaits", "302"}),
        (identities, {each.__name__ for each in identities.READERS}),
    ],
)
def test_what_was_kept_of_other_targets_keeps_their_promises(
    module: ModuleType, wanted: set[object]
) -> None:
    name = module.__name__.rpartition(".")[2]
    folders = (name, "tokens") if module is identities else (name,)
    kept = [path for each in folders for path in sorted((FUZZ / "corpus" / each).glob("*"))]
    assert len(kept) <= FILES_MOST
    assert sum(path.stat().st_size for path in kept) <= OCTETS_MOST
    inputs = [*(path.read_bytes() for path in kept), *module.seeds()]
    found = {module.attempt(octets) for octets in inputs}
    found |= {module.attempt(octets[:-20]) for octets in inputs}
    assert found >= wanted
