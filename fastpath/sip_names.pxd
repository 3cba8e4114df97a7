"""Which header field a name is: found at its place in a table, by words of eight octets.

1. The table is made once so that no two names share a place: one look tells.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy

from callscreen.fastpath.sip_text cimport Octets, sip_word

cdef enum:
    NAME_OCTETS = 24  # of the longest name that three words tell
    PLACES = 64
    PLACE_BITS = 6
    UNKNOWN = 0xFF

cdef struct Name:  # octets in lower case, the first lowest
    uint64_t last  # eight of them, or all
    uint64_t first  # eight of them, of a name longer than that
    uint64_t middle  # those after them, of one longer than twice that
    uint32_t size  # 0: no name has this place
    uint32_t kind

cdef struct Names:
    uint64_t factor
    Name places[PLACES]

cdef Names names


cdef inline uint32_t place_of(uint64_t last, uint32_t size, uint64_t factor) noexcept nogil:
    """The size is mixed in, for names may end alike."""
    return <uint32_t>((last + size) * factor >> (64 - PLACE_BITS))


cdef inline uint32_t name_kind(
    const Names *known, Octets data, uint32_t start, uint32_t end
) noexcept nogil:
    """The kind of the name data[start:end], a token of one octet or more; UNKNOWN: none of them."""
    cdef uint32_t size = end - start
    cdef unsigned char few[8]
    cdef uint64_t last
    cdef const Name *name
    if end >= 8:
        last = sip_word(data + end - 8)
    else:
        memcpy(few + 8 - end, data, end)
        last = sip_word(few)
    # A bit makes small letters of great ones, and of no other octet of a token a letter.
    last |= 0x2020202020202020ULL
    if size < 8:
        last >>= 64 - 8 * size
    name = &known.places[place_of(last, size, known.factor)]
    if name.last != last or name.size != size:
        return UNKNOWN
    if size > 8 and name.first != (sip_word(data + start) | 0x2020202020202020ULL):
        return UNKNOWN
    if size > 16 and name.middle != (sip_word(data + start + 8) | 0x2020202020202020ULL):
        return UNKNOWN
    return name.kind
