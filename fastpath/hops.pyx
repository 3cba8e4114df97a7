"""Where an egress route leads. What each function promises stands in hops.pxd."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint32_t
from libc.string cimport memchr, memcmp, memcpy, memset

from callscreen.fastpath.answer_peer cimport read_address
from callscreen.fastpath.answer_write cimport DEFAULT_PORT
from callscreen.fastpath.forwarder cimport (
    HOP_OCTETS, NO_ROUTE, NOT_A_PEER, OWN_ADDRESS, PORT_MOST, SENT_ON, UNRESOLVED, Forwarder, Hop,
    NamedHops, Refusal,
)
from callscreen.fastpath.peers cimport UNTRUSTED, find_peer
from callscreen.fastpath.prefixes cimport Address
from callscreen.fastpath.routes cimport Text8
from callscreen.fastpath.sip_text cimport AF_INET, Octets, number

from ipaddress import ip_address

__all__: list[str] = []


cdef bint read_hop(Octets text, uint32_t size, Hop *out) noexcept nogil:
    cdef uint32_t end = size, begin = 0
    cdef const unsigned char *mark
    cdef long port = DEFAULT_PORT
    if size and text[0] == c'[':
        mark = <const unsigned char *>memchr(text, c']', size)
        if mark == NULL:
            return False
        begin, end = 1, <uint32_t>(mark - text)
        if end + 1 < size and text[end + 1] == c':':
            port = number(text, end + 2, size, PORT_MOST)
    else:
        mark = <const unsigned char *>memchr(text, c':', size)
        if mark != NULL:
            end = <uint32_t>(mark - text)
            port = number(text, end + 1, size, PORT_MOST)
    memset(out, 0, sizeof(Hop))
    out.family = read_address(text, begin, end, out.octets)
    out.port = <uint32_t>port if port > 0 else 0
    return out.family != 0 and out.port != 0


cdef Address source_of(const Hop *hop) noexcept nogil:
    cdef Address out
    cdef int i
    out.high = out.low = 0
    out.family = 4 if hop.family == AF_INET else 6
    if hop.family == AF_INET:
        for i in range(4):
            out.low = out.low << 8 | hop.octets[i]
        return out
    for i in range(8):
        out.high = out.high << 8 | hop.octets[i]
        out.low = out.low << 8 | hop.octets[8 + i]
    return out


cdef bint is_same_hop(const Hop *one, const Hop *other) noexcept nogil:
    return (
        one.family == other.family and one.port == other.port
        and memcmp(one.octets, other.octets, 16) == 0
    )


cdef bint named_hop(Forwarder *forwarder, Text8 egress, Hop *out) noexcept nogil:
    """What a name was resolved to; one that is not known is wanted."""
    cdef const NamedHops *names = forwarder.names
    cdef uint32_t i
    if names != NULL:
        for i in range(names.count):
            if names.hops[i].size == egress.size and memcmp(
                names.hops[i].text, egress.at, egress.size
            ) == 0:
                out[0] = names.hops[i].hop
                return out.family != 0
    if egress.size <= <uint32_t>HOP_OCTETS:
        memcpy(forwarder.wanted, egress.at, egress.size)
        forwarder.wanted_size = egress.size
    return False


cdef Refusal find_hop(Forwarder *forwarder, Text8 egress, Hop *out) noexcept nogil:
    cdef Address source
    if not egress.size:
        return NO_ROUTE
    if not read_hop(egress.at, egress.size, out) and not named_hop(forwarder, egress, out):
        return UNRESOLVED
    if is_same_hop(out, &forwarder.own):
        return OWN_ADDRESS
    source = source_of(out)
    if forwarder.peers != NULL and find_peer(forwarder.peers, &source) == UNTRUSTED:
        return NOT_A_PEER
    return SENT_ON


cdef tuple hop_words(const Hop *hop):
    size = 4 if hop.family == AF_INET else 16
    return str(ip_address(PyBytes_FromStringAndSize(<char *>hop.octets, size))), hop.port
