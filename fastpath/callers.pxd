"""Who asks, and what: the peer and source of a message, and the call as a decision sees it."""

from libc.stdint cimport uint32_t

from callscreen.fastpath.prefixes cimport Address
from callscreen.fastpath.respond cimport Desk, Work
from callscreen.fastpath.tables cimport Data


cdef Address address_of(int family, const unsigned char *octets) noexcept nogil
# Sets the peer's text, family and octets from an address of 4 or 16 octets, IPv4 out of IPv6, and
# the source to screen by.
cdef void name_peer(
    Work *work, const unsigned char *octets, bint v6, uint32_t port
) noexcept nogil
# Fills in the call of an INVITE. The products share what they look for in the same places.
cdef void read_call(Desk *desk, const Data *data, Work *work) noexcept nogil
