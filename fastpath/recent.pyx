"""The transactions answered lately. What it promises stands in recent.pxd.

1. An entry is forgotten after TRANSACTION_SECONDS, or earlier where its bucket holds 8 newer ones:
   a retransmission then makes a second record, and nothing worse.
2. An entry is read and written whole, in any order between threads: two that note the same key at
   the same moment may both find it new.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memset

from callscreen.fastpath.area cimport big_area, free_area

__all__ = ["RecentTable"]

cdef enum:
    STAMP = 0xFFFF  # of an entry: seconds modulo 2^16
    LIMIT_MOST = 1 << 30  # entries

cdef extern from *:
    """
    #define recent_load(place) __atomic_load_n(place, __ATOMIC_RELAXED)
    #define recent_store(place, word) __atomic_store_n(place, word, __ATOMIC_RELAXED)
    #define recent_fetch(place) __builtin_prefetch(place, 1)
    """
    uint64_t recent_load(const uint64_t *place) noexcept nogil
    void recent_store(uint64_t *place, uint64_t word) noexcept nogil
    void recent_fetch(const void *place) noexcept nogil


cdef inline uint64_t *bucket_of(const Recent *recent, uint64_t key) noexcept nogil:
    return recent.entries + BUCKET * (key & recent.last)


cdef void fetch_recent(const Recent *recent, uint64_t key) noexcept nogil:
    recent_fetch(bucket_of(recent, key))


cdef inline uint32_t age_of(uint64_t word, uint32_t second) noexcept nogil:
    return (second - <uint32_t>word) & STAMP


cdef inline bint is_entry(uint64_t word, uint64_t key, uint32_t second) noexcept nogil:
    return (word ^ key) <= STAMP and age_of(word, second) <= TRANSACTION_SECONDS and word


cdef bint is_recent(const Recent *recent, uint64_t key, uint32_t second) noexcept nogil:
    cdef const uint64_t *bucket = bucket_of(recent, key)
    cdef int i
    for i in range(BUCKET):
        if is_entry(recent_load(&bucket[i]), key, second):
            return True
    return False


cdef bint note_recent(Recent *recent, uint64_t key, uint32_t second) noexcept nogil:
    cdef uint64_t *bucket = bucket_of(recent, key)
    cdef uint64_t word
    cdef uint32_t age, oldest = 0
    cdef int i, place = 0
    for i in range(BUCKET):
        word = recent_load(&bucket[i])
        if is_entry(word, key, second):
            return True
        age = age_of(word, second) if word else STAMP + 1
        if age > oldest:
            oldest, place = age, i
    recent_store(&bucket[place], key & ~<uint64_t>STAMP | second & STAMP)
    return False


cdef class RecentTable:
    def __cinit__(self, uint64_t limit):
        cdef uint64_t buckets = 1
        if not 1 <= limit <= LIMIT_MOST:
            raise ValueError(f"a table of 1 to {LIMIT_MOST} transactions, not {limit}")
        while buckets * BUCKET < limit:
            buckets *= 2
        self.recent.entries = <uint64_t *>big_area(buckets * BUCKET * sizeof(uint64_t))
        memset(self.recent.entries, 0, buckets * BUCKET * sizeof(uint64_t))  # no page is missing later
        self.recent.last = buckets - 1

    def __dealloc__(self):
        free_area(self.recent.entries, (self.recent.last + 1) * BUCKET * sizeof(uint64_t))

    def __len__(self):
        return (self.recent.last + 1) * BUCKET

    def note(self, uint64_t key, uint32_t second):
        return note_recent(&self.recent, key, second)

    def holds(self, uint64_t key, uint32_t second):
        return is_recent(&self.recent, key, second)
