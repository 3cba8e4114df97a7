"""A SIP request found in a datagram: offsets only, no copy, no allocation, no interpreter.

1. `scan` reads data[0:length] and nothing beyond; every loop ends with the datagram.
2. Fields that nobody asks for are bounded and not analysed. Of the arrays only what is used is
   written: a Request touches a cache line more for each three fields and each 512 octets of head.
3. The twin that states the meaning is sip_reference.py; fault numbers are sip_types.Fault.
"""

from libc.stdint cimport int16_t, int32_t, uint8_t, uint32_t, uint64_t

from callscreen.fastpath.sip_fields cimport Address, Via
from callscreen.fastpath.sip_text cimport Marked, Octets, Span
from callscreen.fastpath.sip_uri cimport Uri

cdef enum:  # as in sip_types.py; octets, but for headers
    MESSAGE_OCTETS = 65536
    MARK_WORDS = 1024  # 64-bit words: a bit for each octet of a message
    HEADERS = 200
    NO_FIELD = 255  # as Field.next
    CSEQ_MOST = 2147483647
    MAX_FORWARDS_MOST = 255

cdef enum Fault:
    SOUND
    KEEPALIVE
    TOO_LARGE
    RESPONSE
    LINE_END
    START_LINE
    VERSION
    REQUEST_URI
    SCHEME
    TRUNCATED
    TOO_MANY_HEADERS
    HEADER
    NO_VIA
    NO_FROM
    NO_TO
    NO_CALL_ID
    NO_CSEQ
    TWO_FROM
    TWO_TO
    TWO_CALL_ID
    TWO_CSEQ
    TWO_MAX_FORWARDS
    BAD_VIA
    BAD_FROM
    BAD_TO
    BAD_CALL_ID
    BAD_CSEQ
    BAD_MAX_FORWARDS
    BAD_CONTENT_LENGTH
    BAD_CONTACT

# Header fields that a decision reads, by their place in Request.first; the others are H_OTHER.
cdef enum Known:
    H_VIA
    H_FROM
    H_TO
    H_CALL_ID
    H_CSEQ
    H_MAX_FORWARDS
    H_CONTENT_LENGTH
    H_CONTACT
    H_PRIVACY
    H_ASSERTED  # P-Asserted-Identity
    H_DIVERSION
    H_HISTORY_INFO
    H_REQUIRE
    H_PROXY_REQUIRE
    H_ROUTE
    H_RECORD_ROUTE
    H_IDENTITY
    H_OTHER
    KNOWN = H_OTHER

cdef struct Field:
    Span name
    Span value  # without white space at its ends; folds inside are kept
    uint8_t known  # Known
    uint8_t folded
    uint8_t next  # index of the next of its kind, NO_FIELD: none; of a known kind only

cdef struct Request:
    uint32_t fault  # the lowest found; SOUND: none
    bint answerable  # the topmost Via names a host, and the method is not ACK
    Span method
    Span uri
    Uri parts  # of the Request-URI
    Span call_id
    uint32_t cseq
    Span cseq_method
    int32_t max_forwards  # -1: none
    int32_t content_length  # -1: none
    Span body
    uint32_t count
    Via via
    Address sender  # From
    Address to
    uint8_t times[KNOWN]
    int16_t first[KNOWN]  # index into fields of the first of a kind; -1: none
    uint8_t last[KNOWN]  # the last, where there is one
    Field fields[HEADERS]
    uint64_t marks[MARK_WORDS]  # of marks.pxd, up to the end of the head


cdef uint32_t scan(Octets data, size_t length, Request *out) noexcept nogil


cdef inline Marked marked(Octets data, const Request *request) noexcept nogil:
    """The head of a scanned message, to go through from mark to mark."""
    cdef Marked text
    text.data = data
    text.marks = request.marks
    return text
