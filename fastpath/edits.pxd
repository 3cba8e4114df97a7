"""Octets of a request that are replaced as it goes on, and where its lines end."""

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memchr

from callscreen.fastpath.sip_text cimport Octets

cdef enum EditKind:
    NO_EDIT
    EDIT_VIA
    EDIT_HOPS
    EDIT_ROUTE
    EDIT_CUT

cdef enum:
    EDITS = 16  # of one request

cdef struct Edit:
    uint32_t start, end
    uint8_t kind


cdef inline uint32_t line_end(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    """Position after the line end that is next."""
    cdef const unsigned char *mark = <const unsigned char *>memchr(data + i, c'\n', end - i)
    return <uint32_t>(mark - data) + 1 if mark != NULL else end


cdef inline uint32_t field_end(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    """Position after the field that begins at i, with what is folded."""
    i = line_end(data, i, end)
    while i < end and (data[i] == c' ' or data[i] == c'\t'):
        i = line_end(data, i, end)
    return i


cdef inline uint32_t cut(
    Edit *edits, uint32_t count, uint32_t start, uint32_t end
) noexcept nogil:
    """One more edit that leaves octets out: how many there are. Beyond EDITS none is added."""
    if count < EDITS:
        edits[count].start, edits[count].end, edits[count].kind = start, end, EDIT_CUT
        count += 1
    return count
