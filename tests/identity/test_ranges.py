"""Ranges of telephone numbers, looked up in many at once."""

from hypothesis import given
from hypothesis import strategies as st

from callscreen.identity.ranges import Range, holds, ordered

NUMBER = st.one_of(
    st.integers(0, 99).map(lambda each: f"{each:02}"),
    st.integers(0, 9).map(str),
    st.sampled_from(["1*", "1#", "*", "##"]),
)


def range_of(one: str, other: str) -> Range:
    """One number where the two make no range."""
    if len(one) != len(other) or not (one + other).isdecimal():
        return one, one
    return min(one, other), max(one, other)


RANGE = st.builds(range_of, NUMBER, NUMBER)


def numbers_of(numbers: Range) -> set[str]:
    if not numbers[0].isdecimal():
        return {numbers[0]}
    size = len(numbers[0])
    return {f"{each:0{size}}" for each in range(int(numbers[0]), int(numbers[1]) + 1)}


@given(st.lists(RANGE, max_size=12), RANGE)
def test_a_range_is_held_where_all_its_numbers_are(held: list[Range], wanted: Range) -> None:
    every = set[str]().union(*map(numbers_of, held))
    assert holds(ordered(held), wanted) is (numbers_of(wanted) <= every)


@given(st.lists(RANGE, max_size=12))
def test_order_is_told_once(held: list[Range]) -> None:
    found = ordered(held)
    assert ordered(found) == found
    assert ordered(held[::-1]) == found
    assert set[str]().union(*map(numbers_of, found)) == set[str]().union(*map(numbers_of, held))


def test_many_cost_a_look_up_each() -> None:
    """Ten thousand against ten thousand, as a delegate's against its parent's."""

    class Counted(tuple[Range, ...]):
        looked = 0

        def __getitem__(self, at: object) -> Range:  # type: ignore[override]
            Counted.looked += 1
            return tuple.__getitem__(self, at)  # type: ignore[call-overload,no-any-return]

    many = Counted(ordered((f"{each:06}", f"{each:06}") for each in range(0, 20_000, 2)))
    assert len(many) == 10_000
    assert all(holds(many, each) for each in list(many)[:100])
    assert Counted.looked <= 100 * 16
