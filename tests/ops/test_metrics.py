"""Metrics: the histogram against a plain count, and the text against the declarations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from callscreen.ops import Family, Histogram, Instruments
from callscreen.ops.metrics import FAST, SIZES, SLOW

LABELLED = Family("test_calls_total", "counter", "Calls.", ("kind", "code"))
TIMED = Family("test_wait_seconds", "histogram", "Waits.")


@given(
    st.lists(st.floats(0, 20) | st.sampled_from([*FAST, *SIZES, *SLOW])),
    st.sampled_from([FAST, SIZES, SLOW]),
)
def test_a_histogram_counts_what_is_not_above_each_bound(
    values: list[float], bounds: tuple[float, ...]
) -> None:
    histogram = Histogram(bounds)
    for value in values:
        histogram.observe(value)
    for bound, count in histogram.buckets():
        assert count == sum(value <= float(bound) for value in values)
    assert histogram.count == len(values)
    assert histogram.sum == pytest.approx(sum(values))


def test_bounds_ascend() -> None:
    for bounds in (FAST, SIZES, SLOW):
        assert sorted(set(bounds)) == list(bounds)


def test_the_text_is_read_back_as_it_was_said() -> None:
    waits = Histogram((1.0, 2.0))
    for value in (0.5, 1.5, 9.0):
        waits.observe(value)
    instruments = Instruments("p", "1")

    def source(add):
        add("test_calls_total", 3, 'quo"te\n', "OK")
        add("test_calls_total", 4, "plain", "OK")
        add("test_wait_seconds", waits)

    instruments.declare((LABELLED, TIMED), source)
    text = instruments.text().decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    calls = {sample.labels["kind"]: sample for sample in families["test_calls"].samples}
    assert {kind: sample.value for kind, sample in calls.items()} == {'quo"te\n': 3, "plain": 4}
    assert calls["plain"].labels["code"] == "OK"
    assert families["test_calls"].type == "counter"
    buckets = {
        sample.labels["le"]: sample.value
        for sample in families["test_wait_seconds"].samples
        if sample.name.endswith("_bucket")
    }
    assert buckets == {"1.0": 1, "2.0": 2, "+Inf": 3}


def test_what_was_not_declared_is_refused() -> None:
    instruments = Instruments()
    instruments.declare((TIMED,), lambda add: add("test_other", 1))
    with pytest.raises(KeyError):
        instruments.text()


def test_two_parts_in_one_process_do_not_meet() -> None:
    first, second = Instruments("a"), Instruments("b")
    first.declare((TIMED,), lambda add: add("test_wait_seconds", Histogram()))
    second.declare((TIMED,), lambda add: add("test_wait_seconds", Histogram()))
    assert b'part="a"' in first.text()
    assert b'part="a"' not in second.text()
