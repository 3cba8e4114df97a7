# The compiled index: what it provisions (provisioned), selects by (routing), and decides.
from libc.stdint cimport uint64_t

from callscreen.fastpath.decide cimport Call, Decision
from callscreen.fastpath.routing cimport Routing


cdef str number_text(uint64_t number)


cdef class Index(Routing):
    cdef int alone(self, str method, tuple arguments) except -1
    cdef int prepare(self, str method, tuple arguments) except -1
    cdef uint64_t number_of(self, str text, int product) except? 0
    cdef int fill_call(self, Call* call, int product, str called, str calling, bint anonymous,
                       str source_ip, str point_code, int identity) except -1
    cdef object verdict(self, const Call* call, const Decision* decision, str called, str source_ip)
    cdef str subscriber_of(self, uint64_t number, int product)
    cdef dict count(self)
