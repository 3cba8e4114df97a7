"""Our Via, and how it is known again (RFC 3261 16.6 step 8, 16.11)."""

from libc.stdint cimport uint32_t, uint64_t

from callscreen.fastpath.answer_peer cimport Peer
from callscreen.fastpath.answer_write cimport Out
from callscreen.fastpath.forwarder cimport Forwarder
from callscreen.fastpath.sip_fields cimport Via
from callscreen.fastpath.sip_scan cimport Request
from callscreen.fastpath.sip_text cimport Octets, Span


cdef void put_own_via(
    Out *out, const Forwarder *forwarder, uint64_t key, const Peer *peer
) noexcept nogil
# A host and port name us.
cdef bint is_ours(
    const Forwarder *forwarder, Octets data, Span host, uint32_t port
) noexcept nogil
# Whether a Via element is sound.
cdef bint take_via(Octets data, Span element, Via *out) noexcept nogil
# Whether a request has come through here too often.
cdef bint is_looping(
    const Forwarder *forwarder, Octets data, const Request *request
) noexcept nogil
# Whether a branch was made here for the request of a host.
cdef bint is_own_branch(
    const Forwarder *forwarder, Octets data, Span branch, int family, const unsigned char *octets
) noexcept nogil
