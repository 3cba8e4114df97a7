"""Calls that await a verdict or a signature, put by a worker into a ring of their own.

1. An entry is a ring's: tag, length, a HandHead, the request. `read_handed` reads it.
2. Nobody waits for room: `hand_over` says that there is none. So it does of a request longer than
   REQUEST_MOST, for an entry's length has two octets.
3. Who takes is woken once a batch, after the entries can be taken.
4. While they work on what was handed over nobody spins beside them: they may have no other core.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from callscreen.fastpath.respond cimport Work
from callscreen.fastpath.ring cimport Ring
from callscreen.fastpath.udp cimport OWN, Place

cdef enum:
    REQUEST_MOST = 16000  # octets, as in handing_types.py
    WORKED_NS = 1000000  # so long a call is taken to be worked on, once it was taken

cdef struct HandHead:
    uint64_t now_ns
    unsigned char address[16]  # of the peer, an IPv4 one in the first four octets
    uint16_t port
    uint16_t request
    uint8_t v6
    uint8_t traits  # Trait
    uint8_t own_size
    unsigned char own[OWN]  # packet information of an answer
    unsigned char unused[5]

cdef struct Hands:
    Ring *ring  # NULL: none
    int wake    # an eventfd, -1: none
    uint32_t handed  # since the last one was woken
    uint64_t last_ns  # when a call was handed over


# False where there is no room.
cdef bint hand_over(
    Hands *hands, const Work *work, const Place *place, uint64_t now_ns
) noexcept nogil
# Lets all that was handed over be taken.
cdef void wake_hands(Hands *hands) noexcept nogil
# Whether calls wait, or are likely worked on at that time.
cdef bint in_hands(const Hands *hands, uint64_t now_ns) noexcept nogil
