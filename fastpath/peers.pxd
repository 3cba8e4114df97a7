"""Whose datagrams are answered, and how many calls a second: a table that never changes.

1. The longest prefix that holds a source says whose it is; a source that none holds is nobody's.
2. A peer has two buckets of its rate: calls, and refusals. What finds a call is decided; what finds a
   refusal is answered 503; the rest is ignored, so that a flood costs no answers.
3. Buckets are one word each (GCRA) and shared by all threads without a lock.
"""

from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t

from callscreen.fastpath.prefixes cimport Address, PrefixIndex

cdef enum:
    UNTRUSTED = -1

cdef enum Toll:
    ADMITTED
    LIMITED  # to be answered 503
    IGNORED

cdef struct Bucket:
    uint64_t due        # nanoseconds at which it is full again
    uint64_t interval   # nanoseconds of a call; 0: any number
    uint64_t tolerance  # nanoseconds that `due` may be ahead

cdef struct PeerRow:    # two cache lines
    Bucket calls
    Bucket refusals
    uint64_t admitted   # calls, since the table or one it follows was made
    uint64_t limited
    uint64_t ignored
    uint8_t proxy
    uint8_t unused[47]

cdef struct PeerRows:
    const PrefixIndex *index
    PeerRow *rows       # 0: all together
    uint32_t count


# The row of a source, or UNTRUSTED.
cdef int32_t find_peer(const PeerRows *peers, const Address *source) noexcept nogil
# What a call of a peer costs it at this time, in nanoseconds.
cdef Toll take_call(PeerRows *peers, int32_t row, uint64_t now_ns) noexcept nogil


cdef class PeerTable:
    cdef PeerRows peers
    cdef object prefixes
    cdef readonly tuple given
    cdef readonly int ceiling
