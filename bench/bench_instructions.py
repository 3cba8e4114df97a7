"""Every case that is counted runs, and what is told of a count against the one kept is right."""

import pytest

from bench.instructions.cases import cases
from bench.instructions.figures import compared, kept
from bench.instructions.messages import ACK, BROKEN, INVITE, OPTIONS, SMALL
from callscreen.fastpath import measure_sip as measure


def test_every_case_runs() -> None:
    for name, case in cases().items():
        assert case(3) is not None, name


def test_every_case_has_a_figure() -> None:
    assert set(kept()["instructions"]) == set(cases())


def test_the_messages_are_what_their_names_say() -> None:
    assert [measure.scans(each, 1) for each in (SMALL, INVITE, OPTIONS, ACK)] == [0] * 4
    assert measure.scans(BROKEN, 1) != 0
    assert 900 < len(INVITE) < 1400
    assert measure.answers(INVITE, 302, 1).startswith(b"SIP/2.0 302 Moved Temporarily\r\nVia: ")


@pytest.mark.parametrize(
    ("now", "risen"), [(100.0, []), (102.9, []), (103.1, ["scan"]), (50.0, [])]
)
def test_a_rise_beyond_the_tolerance_is_told(now: float, risen: list[str]) -> None:
    lines, found = compared({"scan": now, "new": 1.0}, {"scan": 100, "gone": 7})
    assert found == risen
    assert [("risen" in line, "new" in line, "no longer" in line) for line in lines] == [
        (bool(risen), False, False),
        (False, True, False),
        (False, False, True),
    ]
