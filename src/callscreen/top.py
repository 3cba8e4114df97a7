"""What an edge does at this moment, in words: two readings of its metrics, and what lies between.

Invariants
1. A counter that went back belongs to an edge that started again: what it says is all new.
2. A percentile is told as the bound it lies below: no number is made up between two bounds.
"""

import http.client
import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

__all__ = ["NotAnswered", "Reading", "fetch", "lines", "parse", "percentile", "rates"]

SECONDS = 5.0  # for an answer
PAGE_OCTETS = 4 * 1024 * 1024
PREFIX = "callscreen_edge_"
SPANS = PREFIX + "call_duration_seconds_bucket"


class NotAnswered(Exception):
    """The endpoint is not there, or answers something else; the text says which."""


class Reading(NamedTuple):
    """Samples by name and labels, and when they were read, in seconds of a steady clock."""

    when: float
    samples: Mapping[str, Mapping[tuple[tuple[str, str], ...], float]]

    def value(self, name: str) -> float:
        """All samples of a name together."""
        return sum(self.samples.get(PREFIX + name, {}).values())


def fetch(address: str) -> str:
    """The text of /metrics at HOST:PORT. Raises NotAnswered."""
    connection = http.client.HTTPConnection(address, timeout=SECONDS)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        text = answer.read(PAGE_OCTETS).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        raise NotAnswered(f"{address} does not answer: {error}") from None
    finally:
        connection.close()
    if answer.status != 200:
        raise NotAnswered(f"{address} answers {answer.status}: {text.strip()[:200]}")
    return text


def parse(text: str, when: float) -> Reading:
    """Samples out of Prometheus' text format. Raises NotAnswered where they are not an edge's."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels = tuple(sorted(sample.labels.items()))
                if sample.name == SPANS:
                    float(sample.labels["le"])
                found.setdefault(sample.name, {})[labels] = sample.value
    except (ValueError, LookupError) as error:
        raise NotAnswered(f"what is answered are no metrics: {error}") from None
    if PREFIX + "index_revision" not in found:
        raise NotAnswered("these are not the metrics of an edge")
    return Reading(when, found)


def grown(before: Reading, after: Reading, name: str, label: str) -> dict[str, float]:
    """How much counters grew, summed by a label."""
    old = before.samples.get(name, {})
    found: dict[str, float] = {}
    for labels, value in after.samples.get(name, {}).items():
        was = old.get(labels, 0.0)
        word = dict(labels).get(label, "")
        found[word] = found.get(word, 0.0) + (value - was if value >= was else value)
    return found


def rates(before: Reading, after: Reading, name: str, label: str) -> dict[str, float]:
    """How much counters grew a second, summed by a label; `name` without its prefix."""
    seconds = max(after.when - before.when, 1e-9)
    by = grown(before, after, PREFIX + name, label)
    return {word: value / seconds for word, value in by.items()}


def percentile(before: Reading, after: Reading, share: float) -> float | None:
    """The least bound, in seconds, that this share of the calls between did not exceed.

    Infinite where it lies above the last bound; None where there was no call, or no count.
    """
    buckets = grown(before, after, SPANS, "le")
    ascending = sorted((float(bound), count) for bound, count in buckets.items())
    if not ascending or not ascending[-1][1]:
        return None
    least = share * ascending[-1][1]
    return next((bound for bound, count in ascending if count >= least), None)


def lines(before: Reading, after: Reading) -> Iterator[str]:
    """What happened between two readings, and how things stand at the second."""
    calls = rates(before, after, "calls_total", "treatment")
    yield from row("calls/s", f"{sum(calls.values()):.1f}", calls)
    answers = rates(before, after, "answers_total", "status")
    yield from row("answers/s", f"{sum(answers.values()):.1f}", answers)
    if PREFIX + "requests_forwarded_total" in after.samples:
        yield from sent_on(before, after)
    half, most = (percentile(before, after, share) for share in (0.5, 0.99))
    yield f"{'latency':10}p50 {millis(half)}  p99 {millis(most)}"
    yield (
        f"{'index':10}revision {after.value('index_revision'):.0f}"
        f"  behind {after.value('index_behind_revisions'):.0f}"
        f"  lag {after.value('replication_lag_seconds'):.3f} s"
        f"  core silent {after.value('core_silence_seconds'):.0f} s"
    )
    drops = rates(before, after, "datagrams_dropped_total", "kind")
    yield from row("drops/s", f"{sum(drops.values()):.1f}", drops)
    given_up = after.samples.get(PREFIX + "records_dropped_total", {})
    lost = given_up.get((("why", "lost"),), 0.0)
    yield (
        f"{'records':10}waiting {after.value('records_waiting'):.0f}"
        f"  spooled {after.value('records_spooled_bytes') / 2**20:.1f} MiB"
        f"  lost {lost:.0f}  refused {sum(given_up.values()) - lost:.0f}"
    )
    if PREFIX + "identity_calls_total" in after.samples:
        asked = rates(before, after, "identity_calls_total", "")
        yield (
            f"{'identity':10}{sum(asked.values()):.1f} calls/s"
            f"  waiting {after.value('identity_waiting'):.0f}"
            f"  no room {after.value('identity_overflow_total'):.0f}"
        )
    workers = rates(before, after, "worker_datagrams_total", "worker")
    yield from row("workers", f"{sum(workers.values()):.1f} datagrams/s", workers, zeros=True)


def sent_on(before: Reading, after: Reading) -> Iterator[str]:
    """What a proxy sent on, and why it did not."""
    sent, back = (
        sum(rates(before, after, name, "").values())
        for name in ("requests_forwarded_total", "responses_relayed_total")
    )
    refused = rates(before, after, "not_forwarded_total", "reason")
    yield from row("sent/s", f"{sent:.1f}  responses {back:.1f}", refused)


def row(title: str, total: str, parts: Mapping[str, float], zeros: bool = False) -> Iterator[str]:
    """A total, and the parts of it that are not 0."""
    shown = [f"{word} {value:.1f}" for word, value in sorted(parts.items()) if value or zeros]
    yield "  ".join([f"{title:10}{total}", *shown])


def millis(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    if math.isinf(seconds):
        return "above all bounds"
    return f"<= {seconds * 1e3:g} ms"
