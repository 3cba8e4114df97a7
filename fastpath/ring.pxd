"""Call records on their way out of a worker: a bounded ring of octets, one writer and one reader.

1. Neither waits for the other. What finds no room is not put, and its writer counts it.
2. An entry is one `records` field of an AppendRequest on the wire: a tag of one octet, a length of
   two, the record. What is taken are whole entries in order, so that it is a message as it stands.
3. The area is mapped twice, one behind the other: an entry never breaks at the end.
"""

from libc.stdint cimport uint64_t

cdef enum:
    LINE = 8  # words of a cache line


cdef struct Ring:
    char *area
    uint64_t size          # octets, a power of two and of pages
    uint64_t writing       # the writer's own: up to here entries are written
    uint64_t known         # the writer's own: `taken` as it last saw it
    uint64_t apart[LINE]
    uint64_t put           # entries up to here may be taken
    uint64_t apart2[LINE]
    uint64_t taken         # and up to here were


# Where an entry of at most that many octets can be written; NULL where there is no room.
cdef char *ring_place(Ring *ring, uint64_t most) noexcept nogil
# An entry was written there.
cdef void ring_wrote(Ring *ring, uint64_t size) noexcept nogil
# All that was written may be taken.
cdef void ring_publish(Ring *ring) noexcept nogil
# Octets of whole entries that may be taken, at most so many of either; `count`: of entries.
cdef uint64_t ring_ready(
    const Ring *ring, uint64_t most_entries, uint64_t most_octets, uint64_t *count
) noexcept nogil
cdef void ring_take(Ring *ring, uint64_t size) noexcept nogil


cdef class RingBuffer:
    cdef Ring ring
