"""Numbers and places out of a scanned request, without allocation or interpreter.

1. Nothing is read outside the request and the sources.
2. The twin that states the meaning is extract_reference.py; a source is its place in
   extract_types.SOURCES, one past the end if unknown.
"""

from libc.stdint cimport int32_t, uint32_t

from callscreen.fastpath.extract_number cimport Found, Source, Text
from callscreen.fastpath.sip_scan cimport Request
from callscreen.fastpath.sip_text cimport Octets
from callscreen.fastpath.sip_uri cimport Uri

cdef enum SourceKind:
    REQUEST_URI
    HDR_TO
    HDR_FROM
    HDR_DIVERSION
    HDR_P_ASSERTED_IDENTITY
    HDR_HISTORY_INFO


# Whether one source yields a number; default_cc without its plus sign.
cdef bint read_source(
    Octets data, const Request *request, const Source *source, Text default_cc, Found *out
) noexcept nogil
# The place of the first source that yields a number, or -1 with out.size 0.
cdef int32_t read_sources(
    Octets data, const Request *request, const Source *sources, uint32_t count, Text default_cc,
    Found *out
) noexcept nogil
cdef bint withheld(Octets data, const Request *request) noexcept nogil  # the caller is anonymous
# The URI of the first Contact; false where there is none of sip, sips or tel.
cdef bint contact_uri(Octets data, const Request *request, Uri *out) noexcept nogil
