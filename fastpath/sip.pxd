"""A parsed message with its offsets, for what is compiled beside the parser."""

from callscreen.fastpath.sip_fields cimport Address
from callscreen.fastpath.sip_scan cimport Request
from callscreen.fastpath.sip_text cimport Span


cdef class Message:
    cdef readonly bytes data
    cdef Request request
    cdef object _top_via, _sender, _to  # made when first asked for
    cdef bytes octets(self, Span span)
    cdef object maybe(self, Span span)
    cdef object name_addr(self, Address *found)


# The request with its offsets; one of the plain parser is scanned again.
cdef Message with_offsets(object request)
