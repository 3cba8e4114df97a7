"""Where a packet came from, and whether a Via names that place."""

from libc.stdint cimport uint32_t
from libc.string cimport memcmp

from callscreen.fastpath.sip_text cimport AF_INET, Octets, Span, same

cdef struct Peer:  # where the packet came from
    const char *host  # an address in its shortest form, IPv4 out of IPv6, or a name in lower case
    uint32_t host_size
    uint32_t port
    int family  # of `octets`; 0: host is a name
    unsigned char octets[16]


# The family of an address in text (AF_INET, AF_INET6) and its octets, IPv4 out of IPv6; 0: none.
cdef int read_address(Octets data, uint32_t i, uint32_t end, unsigned char *out) noexcept nogil
# Fills host, family and octets of a peer from its address as text, which has to outlive it.
cdef void read_peer(Peer *peer, const char *host, size_t size) noexcept nogil


cdef inline bint is_peer(Octets data, Span host, const Peer *peer) noexcept nogil:
    """The host of a Via is where the packet came from."""
    cdef unsigned char octets[16]
    cdef int family
    if host.end - host.start == peer.host_size and memcmp(
        data + host.start, peer.host, peer.host_size
    ) == 0:
        return True
    if not peer.family:
        return same(data, host.start, host.end, peer.host, peer.host_size)
    if host.end > host.start and data[host.start] == c'[':
        host.start += 1
        host.end -= 1
    family = read_address(data, host.start, host.end, octets)
    return family == peer.family and memcmp(
        octets, peer.octets, 4 if family == AF_INET else 16
    ) == 0
