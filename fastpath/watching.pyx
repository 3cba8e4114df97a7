"""A reader without lock and GIL that checks what it reads, beside a writer: for tests.

Invariants:
1. Of each pair of calls both are decided in one stretch that `same` confirmed: where every
   transaction changes both alike, they never differ.
2. It reads the texts of the rows it was led to, so that one freed too early shows under a checker.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free

from callscreen.fastpath.arena cimport at
from callscreen.fastpath.decide cimport (
    CALLER_UNSIGNED, Call, Decision, decide, prefetch, prefetch_lists, prefetch_rows,
)
from callscreen.fastpath.epochs cimport Reader, abandon_reader
from callscreen.fastpath.index cimport Index
from callscreen.fastpath.readers cimport reading, rested, same, stable
from callscreen.fastpath.tables cimport Data

__all__ = ["Watch"]


cdef extern from *:
    """
    #define callscreen_flag(flag) __atomic_load_n(&(flag), __ATOMIC_RELAXED)
    """
    int callscreen_flag(int flag) noexcept nogil


cdef uint64_t read_text(const Data* data, uint32_t offset) noexcept nogil:
    """A sum over a text's octets."""
    cdef const unsigned char* octets
    cdef uint64_t sum = 0, i
    if offset:
        octets = <const unsigned char*>(at(&data.arena, offset) + 1)
        for i in range(at(&data.arena, offset)[0]):
            sum += octets[i]
    return sum


cdef uint64_t read_rows(const Data* data, const Decision* decision) noexcept nogil:
    if not decision.provisioned:
        return 0
    return (read_text(data, data.subscribers.rows[decision.subscriber].name)
            + read_text(data, data.subscribers.rows[decision.subscriber].voicemail)
            + read_text(data, data.settings[decision.settings].route.egress))


cdef class Watch:
    cdef Index index
    cdef Reader* reader
    cdef Call* calls
    cdef uint32_t count
    cdef int stopping
    cdef readonly uint64_t rounds, differing, repeated, sums
    cdef uint64_t seen[8]

    def __cinit__(self, Index index, pairs):
        cdef uint32_t i = 0
        self.index = index
        self.count = <uint32_t>len(pairs)
        self.calls = <Call*>calloc(2 * self.count + 1, sizeof(Call))
        if self.calls == NULL:
            raise MemoryError
        for pair in pairs:
            for product, called, calling, anonymous, source_ip in pair:
                index.fill_call(
                    &self.calls[i], product, called, calling, anonymous, source_ip, "",
                    CALLER_UNSIGNED)
                i += 1
        self.reader = index.add_reader()

    def __dealloc__(self):
        if self.reader != NULL:
            abandon_reader(self.reader)
        free(self.calls)

    def run(self):
        with nogil:
            while not callscreen_flag(self.stopping):
                self.batch()

    def stop(self):
        self.stopping = True

    def enter(self):
        reading(&self.index.data, self.reader)

    def leave(self):
        rested(self.reader)

    def treatments(self):
        return [i for i in range(8) if self.seen[i]]

    cdef void batch(self) noexcept nogil:
        cdef const Data* data = &self.index.data
        cdef uint32_t i
        reading(data, self.reader)
        for i in range(2 * self.count):
            prefetch(data, &self.calls[i])
        for i in range(2 * self.count):
            prefetch_rows(data, &self.calls[i])
        for i in range(2 * self.count):
            prefetch_lists(data, &self.calls[i])
        for i in range(self.count):
            self.one_pair(data, &self.calls[2 * i])
        rested(self.reader)
        self.rounds += 1

    cdef void one_pair(self, const Data* data, const Call* pair) noexcept nogil:
        cdef Decision one, other
        cdef uint64_t sequence
        while True:
            sequence = stable(data)
            decide(data, &pair[0], &one)
            decide(data, &pair[1], &other)
            self.sums += read_rows(data, &one) + read_rows(data, &other)
            if same(data, sequence):
                break
            self.repeated += 1
        self.seen[one.treatment] += 1
        if one.treatment != other.treatment or one.reason != other.reason:
            self.differing += 1
