"""A worker: one thread without the GIL, one socket, datagrams in and answers out until it is stopped.

1. A batch is what waits on the socket, at most WORKS at a time: nothing is held back to fill one.
2. An answer and its record are of one revision: where a transaction came between, it is made again.
3. No lock, no allocation and no Python for a datagram. Counters are this thread's own words.
4. What another thread sets (`view`, `stopping`) is heeded with the next batch, within WAIT_MS.
"""

from libc.stdint cimport uint32_t, uint64_t

from callscreen.fastpath.counts cimport Counts
from callscreen.fastpath.epochs cimport Reader
from callscreen.fastpath.forwarder cimport NamedHops
from callscreen.fastpath.handing cimport Hands
from callscreen.fastpath.peers cimport PeerRows
from callscreen.fastpath.prefixes cimport Address
from callscreen.fastpath.respond cimport ANSWER_ROOM, Desk, Work
from callscreen.fastpath.ring cimport Ring
from callscreen.fastpath.sending cimport ANSWERS, Outbox
from callscreen.fastpath.tables cimport Data
from callscreen.fastpath.tapping cimport Tap
from callscreen.fastpath.udp cimport Inbox, Place

cdef enum:
    WORKS = ANSWERS
    ANSWER_STEP = ANSWER_ROOM + 448  # from one answer to the next: no two share all cache sets
    LONG = ANSWER_ROOM - 1024        # octets of a datagram whose answer may need LONG_ROOM
    LONG_ROOM = 70 * 1024
    SPANS = 12                       # of answer times, one more than there are bounds


cdef struct View:      # what answers, and this worker's place among its readers
    const Data *data
    Reader *reader


cdef struct Spans:     # how long calls took, from the batch's receipt to its sending
    uint64_t counts[SPANS]
    uint64_t nanoseconds


cdef struct Loop:
    int file
    int stopping
    uint64_t turns     # batches and empty waits so far: what was set before two of them is heeded
    const View *view   # NULL before there is data
    PeerRows *peers    # NULL: everybody is answered
    const NamedHops *names  # egress routes that were resolved; NULL: none
    Address stranger   # of the last datagram from no peer
    Desk desk
    Inbox inbox
    Outbox outbox
    Work works[WORKS]
    const Place *places[WORKS]
    char *answers      # WORKS × ANSWER_STEP, then LONG_ROOM
    Ring *ring
    Counts counts
    Spans spans
    Tap tap            # off while its mode is 0
    Hands hands        # of calls that await something


cdef void run_loop(Loop *loop) noexcept nogil
