"""A datagram on its way on: what of a Work goes to its next hop (see forwarding.pxd).

1. A call that cannot be sent on is answered as a redirect server answers it, and counted by why.
2. What belongs to a call that was sent on goes where it went: its retransmissions, its CANCEL, and
   the ACK of a refusal. The ACK of a 2xx and what else lives in a dialog does not come here.
3. A retransmission of a call that went on with header lines that were found out about it awaits
   them again: `send_after` is false of it until it is told.
"""

from libc.stdint cimport uint64_t

from callscreen.fastpath.respond cimport Desk, Work
from callscreen.fastpath.routes cimport Asked, Target, Text8


# Sends a call on; false where it has to be redirected, or was answered for its many hops.
cdef bint send_call(
    Desk *desk, Work *work, const Asked *asked, const Target *target, Text8 egress, uint64_t now_ns
) noexcept nogil
# Sends on what belongs to a call that was sent on; false where none is remembered.
cdef bint send_after(Desk *desk, Work *work, uint64_t now_ns) noexcept nogil
# Sends a response on to whom it is for, or drops it.
cdef void relay(Desk *desk, Work *work) noexcept nogil
# Counts what was sent on, and why something was not.
cdef void count_onward(Desk *desk, const Work *work) noexcept nogil
