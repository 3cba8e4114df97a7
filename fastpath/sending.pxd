"""Answers into a socket, many at a call, without allocation or interpreter.

1. Answers to one peer of one size leave as one message that the kernel takes apart (UDP_SEGMENT),
   where it can; each answer is sent once or counted as dropped.
2. An answer leaves from the address that was asked, also where the socket has them all.
3. `flush` waits a millisecond at most, for a network card that is behind.
4. ICMP errors of earlier answers are counted, and never taken for those of what is sent next.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from callscreen.fastpath.counts cimport Counts
from callscreen.fastpath.udp cimport CONTROL, Place, iovec, mmsghdr

cdef enum:
    ANSWERS = 64             # sent at a time
    SEGMENTS = 64            # answers in one message: UDP_MAX_SEGMENTS of every kernel
    SEGMENT_OCTETS = 1400    # a longer answer might not fit the path, and goes alone
    JOINED_OCTETS = 60000    # of the answers in one message
    FINDING = 128            # places to find groups by: twice as many as there are groups


cdef struct Group:            # answers to one place, of one size
    Place place
    uint32_t size
    uint16_t count
    uint16_t first            # of its parts


cdef struct Outbox:
    int segmenting            # 0: each answer is a message of its own
    uint64_t messages         # sent so far
    uint16_t answers
    uint16_t groups
    uint8_t found[FINDING]    # one more than the group of a place and size, by hash; 0: none
    uint16_t group_of[ANSWERS]
    iovec answer[ANSWERS]
    iovec parts[ANSWERS]
    Group group[ANSWERS]
    mmsghdr heads[ANSWERS]
    char control[ANSWERS][CONTROL]


# An answer, which stays where it is until `flush`; at most ANSWERS.
cdef void post(
    Outbox *outbox, const Place *place, uint32_t port, char *octets, size_t size
) noexcept nogil
cdef void flush(Outbox *outbox, int file, Counts *counts) noexcept nogil
