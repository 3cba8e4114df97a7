"""What one worker counts: whole words, written by that worker alone, read by anybody at any time.

1. Every datagram is counted once under `answered`, `dropped`, `forwarded` or `acknowledged`, one
   that is handed over by whoever has it then; an answer that came no further is counted by its
   kind in `dropped` besides.
2. The places of `dropped` are those of counts_types.DROP_KINDS, those of `calls` the products,
   treatments and rules in the order of their words.
3. `received` is counted by whoever receives, all else here by respond.done or whoever sends.
"""

from libc.stdint cimport uint64_t

cdef enum:
    STATUSES = 700  # one past the highest SIP status
    PRODUCTS = 3
    TREATMENTS = 6
    REASONS = 19  # as many as there are rules in plan.pxd

# Why there was no answer: up to LAST_FAULT as sip_scan.Fault, then these.
cdef enum Drop:
    LAST_FAULT = 29
    DROP_ANSWER_TOO_LARGE = 30  # longer than what asked for it allows
    DROP_UNTRUSTED = 31  # from no peer of ours
    DROP_IGNORED = 32  # a peer far above its rate
    DROP_UNSENDABLE = 33  # the kernel refused the answer's address
    DROP_SEND_BUFFER = 34  # the kernel had no room for the answer
    DROP_UNREACHABLE = 35  # an ICMP error of an earlier answer
    DROP_FAULT = 36  # a fault of ours
    DROPS = 37

cdef struct Counts:
    uint64_t received  # datagrams, or messages of a stream
    uint64_t acknowledged  # ACKs swallowed
    uint64_t retransmitted  # INVITEs that came again, of those answered
    uint64_t limited  # answered 503 for their peer's rate, of those answered
    uint64_t forwarded
    uint64_t records_made
    uint64_t records_lost  # found no room
    uint64_t handed  # calls that were handed over
    uint64_t identity_overflow  # calls that awaited something and found no room
    uint64_t answered[STATUSES]
    uint64_t dropped[DROPS]
    uint64_t calls[PRODUCTS][TREATMENTS][REASONS]


cdef inline void count(uint64_t *place) noexcept nogil:
    place[0] += 1


cdef object counted(const Counts *counts)  # a counts_types.Counted
