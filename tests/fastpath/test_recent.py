"""The memory of transactions: bounded, by age and by size, whoever fills it."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.fastpath import recent, recent_reference

KEYS = st.integers(0, 2**64 - 1)


def test_what_came_is_known_for_32_seconds() -> None:
    table = recent.RecentTable(64)
    assert not table.holds(1 << 60, 1000)
    assert not table.note(1 << 60, 1000)
    assert table.holds(1 << 60, 1000)
    assert table.note(1 << 60, 1032)
    assert not table.holds(1 << 60, 1033)
    assert not table.holds(1 << 60, 999), "a clock set back"
    assert not table.holds(1 << 61, 1000)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(KEYS, st.integers(0, 60)), max_size=40))
def test_it_is_as_its_plain_twin_while_there_is_room(notes: list[tuple[int, int]]) -> None:
    table, plain = recent.RecentTable(1 << 16), recent_reference.RecentTable(1 << 16)
    second = 1_700_000_000
    for key, step in notes:
        second += step
        assert table.note(key, second) == plain.note(key, second)
    for key, _ in notes:
        assert table.holds(key, second) == plain.holds(key, second)


def test_at_its_limit_the_oldest_of_a_bucket_goes() -> None:
    table = recent.RecentTable(8)
    assert len(table) == 8
    keys = [number << 20 for number in range(1, 10)]
    for place, key in enumerate(keys):
        assert not table.note(key, 1000 + place)
    assert not table.holds(keys[0], 1008)
    assert all(table.holds(key, 1008) for key in keys[1:])


def test_it_is_of_a_power_of_two_and_of_a_sound_size() -> None:
    assert len(recent.RecentTable(1000)) == 1024
    for limit in (0, 2**30 + 1):
        with pytest.raises(ValueError, match="transactions"):
            recent.RecentTable(limit)


def test_threads_may_fill_it_together() -> None:
    table = recent.RecentTable(1 << 16)
    keys = [[(worker * 1000 + i) << 24 | i for i in range(1000)] for worker in range(4)]
    threads = [
        threading.Thread(target=lambda mine=mine: [table.note(key, 5) for key in mine])
        for mine in keys
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(table.holds(key, 5) for mine in keys for key in mine)
