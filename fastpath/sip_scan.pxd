"""A SIP request found in a datagram: offsets only, no copy, no allocation, no interpreter.

1. `scan` reads data[0:length] and nothing beyond; every loop ends with the datagram.
2. The twin that states the meaning is sip_reference.py; fault numbers are sip_types.Fault.
"""

from libc.stdint cimport int32_t, uint32_t

from callscreen.fastpath.sip_fields cimport Address, Via
from callscreen.fastpath.sip_text cimport Octets, Span

cdef enum:  # as in sip_types.py; octets, but for headers
    MESSAGE_OCTETS = 65536
    HEADERS = 200
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
    H_OTHER
    KNOWN = H_OTHER

cdef struct Field:
    Known known
    Span name
    Span value  # without white space at its ends; folds inside are kept

cdef struct Request:
    uint32_t fault  # the lowest found; SOUND: none
    bint answerable  # the topmost Via names a host, and the method is not ACK
    Span method
    Span uri
    Via via
    Address sender  # From
    Address to
    Span call_id
    uint32_t cseq
    Span cseq_method
    int32_t max_forwards  # -1: none
    int32_t content_length  # -1: none
    Span body
    uint32_t count
    int32_t first[KNOWN]  # index into fields of the first of a kind; -1: none
    uint32_t times[KNOWN]
    Field fields[HEADERS]


cdef uint32_t scan(Octets data, size_t length, Request *out) noexcept nogil
