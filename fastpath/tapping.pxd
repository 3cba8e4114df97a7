"""Messages that somebody looks at, copied out of a worker into a ring of their own.

1. Off, it costs a message one branch. What is sent on is an answer here, and its target is told. What finds no room is counted, and nobody waits for it.
2. `mode` and `watched` are whole words that another thread sets; a message may still be judged by
   those before.
3. An entry is a ring's: tag, length, a TapHead, the request, the answer, the record. What is too
   long is cut, but for a record: that is left out. tapping_types.py says how it is read.
"""

from libc.stdint cimport uint8_t, uint16_t, uint64_t

from callscreen.fastpath.respond cimport Work
from callscreen.fastpath.ring cimport Ring

cdef enum:
    WATCHED = 8          # numbers at a time
    REQUEST_MOST = 7000  # octets
    ANSWER_MOST = 5000   # octets
    RECORD_MOST = 4000   # octets

cdef enum TapMode:
    TAP_OFF
    TAP_WATCHED  # calls from or to a watched number, and final responses that are brought back
    TAP_ALL      # whatever is answered or sent on, and ACKs

cdef enum TapTrait:
    TAP_CUT = 1       # request or answer is longer
    TAP_CALL = 2      # a call that was decided
    TAP_REPEATED = 4  # one that came before
    TAP_SENT_ON = 8   # `answer` is the message on its way to `target`
    TAP_RELAYED = 16  # and a response

cdef struct TapHead:
    uint64_t now_ns
    uint64_t numbers[4]  # packed: called and calling by PCS, then by CIN; 0 for none
    unsigned char address[16]  # of the peer, an IPv4 one in the first four octets
    unsigned char target[16]  # of what is sent on
    uint16_t port
    uint16_t answer_port  # where the answer goes
    uint16_t status
    uint16_t request
    uint16_t answer
    uint16_t record
    uint8_t v6
    uint8_t traits
    uint8_t target_v6
    uint8_t unused

cdef struct Tap:
    int mode
    uint64_t watched[WATCHED]  # packed numbers; 0 for none
    uint64_t lost
    Ring *ring


# Copies what is to be looked at; for a mode other than TAP_OFF.
cdef void tap_work(Tap *tap, const Work *work, uint64_t now_ns) noexcept nogil
# From another thread, at any time: up to WATCHED numbers, the rest 0.
cdef void set_tap(Tap *tap, int mode, const uint64_t *watched) noexcept nogil
