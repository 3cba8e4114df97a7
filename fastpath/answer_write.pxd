"""An answer to a scanned request written into a given buffer, without allocation or interpreter.

1. Nothing is written at or past `room`; `size` counts on, so that size > room means: not whole.
2. What the caller puts himself (reason, tag, headers) holds no control octet: `clean` tells.
3. The twin that states the meaning is answer_reference.py.
"""

from libc.stdint cimport uint32_t, uint64_t

from callscreen.fastpath.sip_scan cimport Request
from callscreen.fastpath.sip_text cimport Octets

cdef enum:
    DEFAULT_PORT = 5060
    TAG_SIZE = 16  # octets of a To tag, hexadecimal

cdef struct Out:
    char *at
    size_t room  # octets
    size_t size

cdef struct Peer:  # where the packet came from
    const char *host  # an address in its shortest form, IPv4 out of IPv6, or a name in lower case
    uint32_t host_size
    uint32_t port
    int family  # of `octets`; 0: host is a name
    unsigned char octets[16]


cdef inline Out into(char *at, size_t room) noexcept nogil:
    """Writes to `room` octets at a place."""
    cdef Out out
    out.at = at
    out.room = room
    out.size = 0
    return out


cdef void put(Out *out, const void *octets, size_t size) noexcept nogil
cdef void put_number(Out *out, uint32_t value) noexcept nogil
cdef bint clean(Octets octets, size_t size) noexcept nogil
# Fills host, family and octets of a peer from its address as text, which has to outlive it.
cdef void read_peer(Peer *peer, const char *host, size_t size) noexcept nogil
# From the status line to CSeq; after it come header lines, and then put_end.
cdef void put_head(
    Out *out, Octets data, const Request *request, uint32_t status,
    const char *reason, size_t reason_size, const char *tag, size_t tag_size, const Peer *peer
) noexcept nogil
cdef void put_end(Out *out) noexcept nogil
cdef uint32_t answer_port(const Request *request, uint32_t source_port) noexcept nogil
# The To tag under a key of two little-endian words.
cdef void write_tag(
    char *out, Octets data, const Request *request, uint64_t low, uint64_t high
) noexcept nogil
