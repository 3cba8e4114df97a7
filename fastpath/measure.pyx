"""What the fast path costs, measured within C: for the benchmarks alone.

Invariants:
1. Calls are prepared beforehand, so that only decisions lie between two readings of the clock.
2. What reading the clock costs is measured in the same run and taken off.
"""

from collections import namedtuple

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec

from callscreen.fastpath.decide cimport Call, Decision, decide, prefetch, prefetch_rows
from callscreen.fastpath.index cimport Index
from callscreen.fastpath.masks cimport MaskSet, find_mask
from callscreen.fastpath.numbers cimport pack_text

Cost = namedtuple("Cost", "median p99 one_by_one batched")

cdef enum:
    BATCH = 64


cdef inline int64_t now() noexcept nogil:
    cdef timespec time
    clock_gettime(CLOCK_MONOTONIC, &time)
    return <int64_t>time.tv_sec * 1000000000 + time.tv_nsec


cdef int64_t clock_cost() noexcept nogil:
    """The least time between two readings."""
    cdef int64_t least = 1000000, start, i
    for i in range(10000):
        start = now()
        least = min(least, now() - start)
    return least


def decisions(Index index, calls):
    cdef Py_ssize_t size = len(calls), i, j
    cdef Call* prepared = <Call*>malloc(max(size, 1) * sizeof(Call))
    cdef int64_t* spent = <int64_t*>malloc(max(size, 1) * sizeof(int64_t))
    cdef Decision decision
    cdef int64_t start, clock, one_by_one, batched
    cdef uint64_t seen = 0
    try:
        if prepared == NULL or spent == NULL:
            raise MemoryError
        for i in range(size):
            product, called, calling, anonymous = calls[i]
            index.fill_call(&prepared[i], product, called, calling, anonymous, "", "")
        with nogil:
            clock = clock_cost()
            for i in range(size):
                start = now()
                decide(&index.data, &prepared[i], &decision)
                spent[i] = now() - start - clock
                seen += decision.treatment
            one_by_one = now()
            for i in range(size):
                decide(&index.data, &prepared[i], &decision)
                seen += decision.treatment
            one_by_one = now() - one_by_one
            batched = now()
            for i in range((size + BATCH - 1) // BATCH):
                for j in range(i * BATCH, min(i * BATCH + BATCH, size)):
                    prefetch(&index.data, &prepared[j])
                for j in range(i * BATCH, min(i * BATCH + BATCH, size)):
                    prefetch_rows(&index.data, &prepared[j])
                for j in range(i * BATCH, min(i * BATCH + BATCH, size)):
                    decide(&index.data, &prepared[j], &decision)
                    seen += decision.treatment
            batched = now() - batched
        ordered = sorted([spent[i] for i in range(size)])
    finally:
        free(prepared)
        free(spent)
    if seen == 0:
        raise ValueError("every decision was next: the calls measure nothing")
    return Cost(
        float(ordered[size // 2]), float(ordered[size * 99 // 100]), one_by_one / size,
        batched / size,
    )


def mask_lookups(MaskSet masks, numbers, int rounds):
    cdef Py_ssize_t size = len(numbers), i
    cdef uint64_t* packed = <uint64_t*>malloc(max(size, 1) * sizeof(uint64_t))
    cdef int64_t spent
    cdef uint64_t seen = 0
    if packed == NULL:
        raise MemoryError
    for i in range(size):
        packed[i] = pack_text(numbers[i], "")
    with nogil:
        spent = now()
        for _ in range(rounds):
            for i in range(size):
                seen += find_mask(masks.table, packed[i])
        spent = now() - spent
    free(packed)
    if seen == 0 and size > 1:
        raise ValueError("every look-up found the first mask: the numbers measure nothing")
    return spent / max(size * rounds, 1)
