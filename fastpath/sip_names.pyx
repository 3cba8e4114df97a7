"""The names of the header fields that are known, made ready once. See sip_names.pxd."""

from libc.stdint cimport uint64_t
from libc.string cimport memset

from callscreen.fastpath.sip_scan cimport (
    H_ASSERTED,
    H_CALL_ID,
    H_CONTACT,
    H_CONTENT_LENGTH,
    H_CSEQ,
    H_DIVERSION,
    H_FROM,
    H_HISTORY_INFO,
    H_IDENTITY,
    H_MAX_FORWARDS,
    H_PRIVACY,
    H_PROXY_REQUIRE,
    H_RECORD_ROUTE,
    H_REQUIRE,
    H_ROUTE,
    H_TO,
    H_VIA,
)

from .sip_types import LETTERS

cdef dict KINDS = {
    b"via": H_VIA,
    b"from": H_FROM,
    b"to": H_TO,
    b"call-id": H_CALL_ID,
    b"cseq": H_CSEQ,
    b"max-forwards": H_MAX_FORWARDS,
    b"content-length": H_CONTENT_LENGTH,
    b"contact": H_CONTACT,
    b"privacy": H_PRIVACY,
    b"p-asserted-identity": H_ASSERTED,
    b"diversion": H_DIVERSION,
    b"history-info": H_HISTORY_INFO,
    b"require": H_REQUIRE,
    b"proxy-require": H_PROXY_REQUIRE,
    b"route": H_ROUTE,
    b"record-route": H_RECORD_ROUTE,
    b"identity": H_IDENTITY,
}


cdef uint64_t word(bytes octets):
    return int.from_bytes(octets, "little")


cdef bint placed(dict kinds, uint64_t factor) except -1:
    """Whether each name finds a place of its own under a factor."""
    cdef Name *place
    memset(&names, 0, sizeof(Names))
    names.factor = factor
    for name, kind in kinds.items():
        place = &names.places[place_of(word(name[-8:]), len(name), factor)]
        if place.size:
            return False
        place.last = word(name[-8:])
        place.first = word(name[:8])
        place.middle = word(name[8:16])
        place.size = len(name)
        place.kind = kind
    return True


cdef int fill() except -1:
    cdef dict kinds = dict(KINDS)
    cdef uint64_t factor = 0x9E3779B97F4A7C15ULL
    for name, letter in LETTERS.items():
        if name in KINDS:
            kinds[letter] = KINDS[name]
    if max(map(len, kinds)) > NAME_OCTETS:
        raise ValueError("a name longer than NAME_OCTETS")
    for _ in range(100_000):
        if placed(kinds, factor):
            return 0
        factor = factor * 0x5851F42D4C957F2DULL + 0x14057B7EF767814EULL  # odd stays odd
    raise ValueError("more names than there are places for")


fill()
