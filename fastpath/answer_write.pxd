"""An answer to a scanned request written into a given buffer, without allocation or interpreter.

1. Nothing is written at or past `room`; `size` counts on, so that size > room means: not whole.
2. What the caller puts himself (reason, tag, headers) holds no control octet: `clean` tells.
3. The twin that states the meaning is answer_reference.py.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy

from callscreen.fastpath.answer_peer cimport Peer
from callscreen.fastpath.sip_scan cimport Request
from callscreen.fastpath.sip_text cimport Octets, Span

cdef enum:
    DEFAULT_PORT = 5060
    TAG_SIZE = 16  # octets of a To tag, hexadecimal

cdef struct Out:
    char *at
    size_t room  # octets
    size_t size


cdef inline Out into(char *at, size_t room) noexcept nogil:
    """Writes to `room` octets at a place."""
    cdef Out out
    out.at = at
    out.room = room
    out.size = 0
    return out


cdef inline void put(Out *out, const void *octets, size_t size) noexcept nogil:
    if size <= out.room and out.size <= out.room - size:
        memcpy(out.at + out.size, octets, size)
    out.size += size


cdef void put_number(Out *out, uint32_t value) noexcept nogil
# A value or a part of one, every line fold as one space (RFC 3261 7.3.1).
cdef void put_folded(Out *out, Octets data, Span value) noexcept nogil
cdef bint clean(Octets octets, size_t size) noexcept nogil
# From the status line to CSeq; after it come header lines, and then put_end.
cdef void put_head(
    Out *out, Octets data, const Request *request, uint32_t status,
    const char *reason, size_t reason_size, const char *tag, size_t tag_size, const Peer *peer
) noexcept nogil
cdef void put_end(Out *out) noexcept nogil
# The topmost Via with what the packet says: one that is sound and not folded, and any element.
cdef void put_sound(
    Out *out, Octets data, const Request *request, const Peer *peer
) noexcept nogil
cdef void put_topmost(
    Out *out, Octets data, const Request *request, Span element, const Peer *peer
) noexcept nogil
cdef uint32_t answer_port(const Request *request, uint32_t source_port) noexcept nogil
# What names the transaction, keyed by two little-endian words: the To tag as a number, and as text.
cdef uint64_t tag_of(
    Octets data, const Request *request, uint64_t low, uint64_t high
) noexcept nogil
cdef void write_hex(char *out, uint64_t tag) noexcept nogil
# Both at once.
cdef void write_tag(
    char *out, Octets data, const Request *request, uint64_t low, uint64_t high
) noexcept nogil
