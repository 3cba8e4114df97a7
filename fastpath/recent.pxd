"""The transactions answered lately, in a fixed table that all workers share without a lock.

An entry is 8 octets: 48 bits of the transaction's key, and the second it came in, modulo 2^16. A
bucket is a cache line of 8 entries. recent_reference.py is the plain twin.
"""

from libc.stdint cimport uint32_t, uint64_t

cdef enum:
    BUCKET = 8  # entries
    TRANSACTION_SECONDS = 32  # 64 times T1 (RFC 3261 17.1.1.2)

cdef struct Recent:
    uint64_t *entries
    uint64_t last  # buckets, less 1; a power of two less 1

cdef void fetch_recent(const Recent *recent, uint64_t key) noexcept nogil
# Whether the key came within the last TRANSACTION_SECONDS.
cdef bint is_recent(const Recent *recent, uint64_t key, uint32_t second) noexcept nogil
# The same, and where it did not: it has come now, in the place of the oldest of its bucket.
cdef bint note_recent(Recent *recent, uint64_t key, uint32_t second) noexcept nogil


cdef class RecentTable:
    cdef Recent recent
