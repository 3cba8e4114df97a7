"""Changes read from their octets, beside the same changes as messages."""

from hypothesis import given
from hypothesis import strategies as st

from callscreen.core.engine import LAYOUT
from callscreen.fastpath.changes import number_puts
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
        self.told.append((list(operations), revision))
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
