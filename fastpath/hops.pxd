"""Where an egress route leads: an address, or a name that was resolved to one.

1. No name is resolved here: one that nothing is known of is wanted (edge/onward.py).
"""

from libc.stdint cimport uint32_t

from callscreen.fastpath.forwarder cimport Forwarder, Hop, Refusal
from callscreen.fastpath.routes cimport Text8
from callscreen.fastpath.sip_text cimport Octets


# An address with a port or without; false where it is a name.
cdef bint read_hop(Octets text, uint32_t size, Hop *out) noexcept nogil
# Where an egress route leads, and whether a call may be sent there.
cdef Refusal find_hop(Forwarder *forwarder, Text8 egress, Hop *out) noexcept nogil
# Address and port, for Python.
cdef tuple hop_words(const Hop *hop)
