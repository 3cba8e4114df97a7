"""A response on its way back, without our Via (RFC 3261 16.7, 16.11, 18.2.2)."""

from libc.stdint cimport uint32_t

from callscreen.fastpath.answer_write cimport Out
from callscreen.fastpath.forwarder cimport Forwarder, Hop, Refusal
from callscreen.fastpath.sip_text cimport Octets


# A response as it goes on, and where to.
cdef Refusal put_relayed(
    Out *out, const Forwarder *forwarder, Octets data, uint32_t size, Hop *hop
) noexcept nogil
