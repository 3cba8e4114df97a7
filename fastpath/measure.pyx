"""What the fast path costs, measured within C: for the benchmarks alone.

Invariants:
1. Calls are prepared beforehand, so that only decisions lie between two readings of the clock.
2. What reading the clock costs is measured in the same run and taken off.
3. Whoever is timed reads as a worker does: an epoch a batch, a sequence number a call.
"""

from collections import namedtuple

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec

from callscreen.fastpath.decide cimport (
    CALLER_UNSIGNED, Call, Decision, decide, prefetch, prefetch_lists, prefetch_rows,
)
from callscreen.fastpath.epochs cimport Reader, abandon_reader
from callscreen.fastpath.index cimport Index
from callscreen.fastpath.masks cimport MaskSet, find_mask
from callscreen.fastpath.numbers cimport pack_text
from callscreen.fastpath.readers cimport reading, rested, same, stable
from callscreen.fastpath.tables cimport Data

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


cdef class Calls:
    def __cinit__(self, Index index, Py_ssize_t size):
        self.index = index
        self.size = size
        self.calls = <Call*>calloc(max(size, 1), sizeof(Call))
        if self.calls == NULL:
            raise MemoryError
        self.reader = index.add_reader()

    def __dealloc__(self):
        if self.reader != NULL:
            abandon_reader(self.reader)
        free(self.calls)

    def one_by_one(self):
        """All in turn: nanoseconds a call."""
        cdef const Data* data = &self.index.data
        cdef Py_ssize_t i
        cdef int64_t start
        with nogil:
            start = now()
            for i in range(self.size):
                if i % BATCH == 0:
                    rested(self.reader)
                    reading(data, self.reader)
                self.seen += one(data, &self.calls[i])
            rested(self.reader)
            start = now() - start
        return start / max(self.size, 1)

    def batched(self):
        """In batches of 64, each fetched ahead: nanoseconds a call."""
        cdef Py_ssize_t i
        cdef int64_t start
        with nogil:
            start = now()
            for i in range((self.size + BATCH - 1) // BATCH):
                self.batch(&self.calls[i * BATCH], min(<Py_ssize_t>BATCH, self.size - i * BATCH))
            start = now() - start
        return start / max(self.size, 1)

    cdef void batch(self, const Call* calls, Py_ssize_t count) noexcept nogil:
        cdef const Data* data = &self.index.data
        cdef Py_ssize_t i
        reading(data, self.reader)
        for i in range(count):
            prefetch(data, &calls[i])
        for i in range(count):
            prefetch_rows(data, &calls[i])
        for i in range(count):
            prefetch_lists(data, &calls[i])
        for i in range(count):
            self.seen += one(data, &calls[i])
        rested(self.reader)

    def timed(self):
        """Each on its own, with nothing of it fetched ahead: median and p99 in nanoseconds."""
        cdef int64_t* spent = <int64_t*>malloc(max(self.size, 1) * sizeof(int64_t))
        cdef const Data* data = &self.index.data
        cdef int64_t start, clock
        cdef Py_ssize_t i
        if spent == NULL:
            raise MemoryError
        with nogil:
            clock = clock_cost()
            reading(data, self.reader)
            for i in range(self.size):
                start = now()
                self.seen += one(data, &self.calls[i])
                spent[i] = now() - start - clock
            rested(self.reader)
        ordered = sorted([spent[i] for i in range(self.size)])
        free(spent)
        return float(ordered[self.size // 2]), float(ordered[self.size * 99 // 100])

    def treatments(self):
        """The sum of all treatments: 0 where no decision was anything but next."""
        return self.seen


cdef inline uint64_t one(const Data* data, const Call* call) noexcept nogil:
    cdef Decision decision
    cdef uint64_t sequence
    while True:
        sequence = stable(data)
        decide(data, call, &decision)
        if same(data, sequence):
            return decision.treatment


def prepared(Index index, calls):
    cdef Calls made = Calls(index, len(calls))
    cdef Py_ssize_t i
    for i in range(made.size):
        product, called, calling, anonymous = calls[i]
        index.fill_call(
            &made.calls[i], product, called, calling, anonymous, "", "", CALLER_UNSIGNED)
    return made


def decisions(Index index, calls):
    cdef Calls made = prepared(index, calls)
    middle, p99 = made.timed()
    cost = Cost(middle, p99, made.one_by_one(), made.batched())
    if made.seen == 0:
        raise ValueError("every decision was next: the calls measure nothing")
    return cost


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
