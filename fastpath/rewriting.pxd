"""A request as it goes on: its edits, in the order in which they stand (RFC 3261 16.6)."""

from callscreen.fastpath.answer_write cimport Out
from callscreen.fastpath.forwarder cimport Forwarder, Message


# The request as it goes on; out.size > out.room where there is no room for it.
cdef void put_forwarded(
    Out *out, const Forwarder *forwarder, const Message *message
) noexcept nogil
