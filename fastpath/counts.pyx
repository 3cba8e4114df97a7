"""Counters of a worker in words, for metrics. What they are stands in counts.pxd."""

from libc.stdint cimport uint64_t

from .counts_types import DROP_KINDS, Counted
from .model import PRODUCT_NAMES, TREATMENTS as TREATMENT_WORDS
from .plan import RULE_WORDS

__all__: list[str] = []

if len(DROP_KINDS) != DROPS or len(RULE_WORDS) != REASONS or len(TREATMENT_WORDS) != TREATMENTS:
    raise ValueError("the counters stand for other words than were compiled")


cdef object counted(const Counts *counts):
    """What stands in the counters, those of one kind together; what is 0 is left out."""
    cdef int i, k, product
    cdef dict answered = {}, dropped = {}, calls = {}
    for i in range(STATUSES):
        if counts.answered[i]:
            answered[i] = counts.answered[i]
    for i in range(<int>DROPS):
        if counts.dropped[i]:
            dropped[DROP_KINDS[i]] = dropped.get(DROP_KINDS[i], 0) + counts.dropped[i]
    for product in range(PRODUCTS):
        for i in range(TREATMENTS):
            for k in range(REASONS):
                if counts.calls[product][i][k]:
                    key = PRODUCT_NAMES[product], TREATMENT_WORDS[i], RULE_WORDS[k]
                    calls[key] = counts.calls[product][i][k]
    return Counted(
        counts.received, counts.acknowledged, counts.retransmitted, counts.limited,
        counts.forwarded, counts.records_made, counts.records_lost, answered, dropped, calls,
        counts.handed, counts.identity_overflow,
    )
