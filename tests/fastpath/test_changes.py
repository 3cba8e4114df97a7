"""Changes read from their octets, beside the same changes as messages."""

from hypothesis import given
from hypothesis import strategies as st

from callscreen.core.engine import LAYOUT
from callscreen.fastpath import reference
from callscreen.fastpath.changes import number_puts
from callscreen.fastpath.index import Index
from callscreen.fastpath.loader import Loader
from callscreen.v1.object_pb2 import Change, Object
from callscreen.v1.subscriber_pb2 import Number, Subscriber

texts = st.text(max_size=8)
entries = st.lists(st.sampled_from(["+1900*", "+1866xxxxxxx", "+15855551234"]), max_size=5)


class Recorder:
    """An index that keeps what it is told."""

    def __init__(self):
        self.revision = 0
        self.told = []

    def commit(self, operations, revision):
        each = []
        for method, arguments in operations:
            each += arguments[0] if method == "put_numbers" else [(method, arguments)]
        self.told.append((each, revision))
        self.revision = revision


@st.composite
def puts(draw):
    product = draw(st.sampled_from(["pcs", "cin"]))
    number = Number(
        number=draw(texts),
        subscriber_name=draw(texts),
        service_provider_name=draw(texts),
        whitelist=draw(entries),
        blacklist=draw(entries),
        vip=draw(entries),
        blocked=draw(entries),
    )
    if draw(st.booleans()):
        number.nickname = draw(texts)
    obj = Object(name=f"{product}/number/x", revision=draw(st.integers(0, 2**60)), number=number)
    obj.stamps.created.seconds = draw(st.integers(0, 2**40))
    return obj


def change(objects, revision=7):
    made = Change(revision=revision, actor="somebody")
    made.time.seconds = 1_800_000_000
    for obj in objects:
        made.mutations.add(name=obj.name, put=obj)
    return made


@given(st.lists(puts(), max_size=6))
def test_both_ways_give_the_same(objects):
    made = change(objects)
    quick, plain = Recorder(), Recorder()
    Loader(quick).apply_record(made.SerializeToString(), 7, LAYOUT, None)
    Loader(plain).apply(made)
    assert quick.told == plain.told


@given(st.lists(puts(), max_size=3), st.integers(0, 3))
def test_any_other_change_is_left_to_the_message(objects, place):
    made = change(objects)
    for other in (
        Object(name="pcs/subscriber/a/b", subscriber=Subscriber(name="b")),
        Object(name="xyz/number/x", number=Number(number="+1")),
        Object(name="pcs/number/x"),
        None,
    ):
        mixed = change(objects[:place])
        mutation = mixed.mutations.add(name="pcs/number/a/b/%2B1")
        if other is not None:
            mutation.put.CopyFrom(other)
        for obj in objects[place:]:
            mixed.mutations.add(name=obj.name, put=obj)
        assert number_puts(mixed.SerializeToString(), LAYOUT) is None
    recorder = Recorder()
    Loader(recorder).apply_record(mixed.SerializeToString(), 7, LAYOUT, Change.FromString)
    assert len(recorder.told[0][0]) == len(made.mutations) + 1


@given(st.lists(puts(), min_size=1, max_size=2), st.data())
def test_octets_that_are_not_whole_are_not_read(objects, data):
    record = change(objects).SerializeToString()
    cut = record[: data.draw(st.integers(0, len(record) - 1))]
    found = number_puts(cut, LAYOUT)
    assert found is None or len(found) < len(objects)


@given(st.binary(max_size=60))
def test_any_octets_are_read_or_not(octets):
    try:
        found = number_puts(octets, LAYOUT)
    except UnicodeDecodeError:
        return
    assert found is None or all(name == "put_number" for name, _ in found)


@st.composite
def dialled(draw):
    """Numbers that are some, of few owners, with lists short and long."""
    obj = draw(puts())
    body = obj.number
    body.number = draw(st.sampled_from(["+15855550001", "+15855550002", "911", "x", "+1 585 9"]))
    body.subscriber_name = draw(st.sampled_from(["", "alice", "böb"]))
    body.service_provider_name = draw(st.sampled_from(["", "acme", "zoë"]))
    if draw(st.booleans()):
        body.whitelist.extend(f"+1212{n:07}" for n in range(draw(st.integers(30, 40))))
        body.vip.extend(f"+1212{n:03}*" for n in range(draw(st.integers(14, 20))))
    return obj


CALLS = [("+15855550001", "+12120000031"), ("+15855550002", "+18661234567"), ("+15859", "+190012")]


@given(st.lists(dialled(), max_size=5))
def test_numbers_that_are_put_together_are_as_each_by_itself(objects):
    made = change(objects)
    together, apart, plain = Index(), Index(), reference.Index()
    for index in (together, plain):
        Loader(index).apply_record(made.SerializeToString(), 7, LAYOUT, None)
    Loader(apart).apply(made)
    assert together.counts() == apart.counts()
    for product in (1, 2):
        for called, calling in CALLS:
            said = [
                each.screen(product, called, calling, False) for each in (together, apart, plain)
            ]
            assert said[0] == said[1] == said[2]
            assert together.owner(product, called) == apart.owner(product, called)
    gone = [("drop_number", (product, obj.number.number)) for obj in objects for product in (1, 2)]
    for index in (together, apart):
        index.commit(gone, 8)
        index.tidy()
    assert together.counts() == apart.counts()
    assert together.counts()["entries"] == together.counts()["numbers"] == 0
