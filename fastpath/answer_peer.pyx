"""Addresses in text as octets. What each function promises stands in answer_peer.pxd."""

from libc.stdint cimport uint32_t
from libc.string cimport memcmp, memcpy

from callscreen.fastpath.sip_text cimport AF_INET, AF_INET6, Octets, inet_pton


cdef void read_peer(Peer *peer, const char *host, size_t size) noexcept nogil:
    peer.host, peer.host_size = host, <uint32_t>size
    peer.family = read_address(<Octets>host, 0, <uint32_t>size, peer.octets)


cdef int read_address(Octets data, uint32_t i, uint32_t end, unsigned char *out) noexcept nogil:
    cdef char text[48]
    cdef unsigned char mapped[12]
    if end - i >= sizeof(text):
        return 0
    memcpy(text, data + i, end - i)
    text[end - i] = 0
    if inet_pton(AF_INET, text, out) == 1:
        return AF_INET
    if inet_pton(AF_INET6, text, out) != 1:
        return 0
    memcpy(mapped, b"\0\0\0\0\0\0\0\0\0\0\xff\xff", 12)
    if memcmp(out, mapped, 12) != 0:
        return AF_INET6
    memcpy(out, out + 12, 4)
    return AF_INET
