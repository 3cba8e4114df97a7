"""Calls that come again: the same octets from the same place, for a while, so many of them."""

from callscreen.edge.remembered import Remembered


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_call_is_worked_on_once_and_then_remembered() -> None:
    clock = Clock()
    kept = Remembered[str](clock)
    key = b"key"
    assert kept.begin([key]) == [(False, None)]
    assert kept.begin([key]) == [(True, None)], "it is being worked on"
    kept.end([(key, "told")])
    assert kept.begin([key]) == [(False, "told")]
    clock.now += 32
    assert kept.begin([key]) == [(False, "told")]
    clock.now += 0.1
    assert kept.begin([key]) == [(False, None)], "it is worked on again"
    assert kept.begin([key]) == [(True, None)]


def test_calls_that_come_together_are_told_apart() -> None:
    kept = Remembered[str](Clock())
    kept.end([(b"old", "told")])
    begun = kept.begin([b"new", b"old", b"new", b"other"])
    assert begun == [(False, None), (False, "told"), (True, None), (False, None)]


def test_what_could_not_be_told_is_not_kept() -> None:
    kept = Remembered[str](Clock())
    kept.begin([b"k"])
    kept.end([(b"k", None)])
    assert kept.begin([b"k"]) == [(False, None)]


def test_only_so_many_are_kept_the_oldest_go() -> None:
    kept = Remembered[str](Clock(), limit=3)
    for place in range(5):
        kept.end([(bytes([place]), str(place))])
    assert len(kept) == 3
    assert kept.begin([bytes([1])]) == [(False, None)]
    assert kept.begin([bytes([2])]) == [(False, "2")]


def test_old_ones_go_when_others_come() -> None:
    clock = Clock()
    kept = Remembered[str](clock)
    kept.end([(b"a", "1")])
    clock.now += 33
    kept.end([(b"b", "2")])
    assert len(kept) == 1
