# Service selection and origination sources.
from libc.stdint cimport int32_t, uint64_t

from callscreen.fastpath.prefixes cimport Address, PrefixTable
from callscreen.fastpath.provisioned cimport Provisioned
from callscreen.fastpath.tables cimport Data

cdef enum:
    NO_CRITERIA = -1


# The row of criteria that fits a call most closely, or NO_CRITERIA.
cdef int32_t select_service(
    const Data* data, uint64_t called, const Address* source, int32_t point_code
) noexcept nogil


cdef class Routing(Provisioned):
    cdef dict criteria                # (provider, group) -> the put, read
    cdef list criteria_names          # "provider/group" by row
    cdef list criteria_providers      # rows of providers that criteria hold
    cdef PrefixTable criteria_prefixes
    cdef bint criteria_changed
    cdef dict sources                 # (provider, name) -> Signing
    cdef list source_order            # keys by value in source_prefixes
    cdef PrefixTable source_prefixes  # None: to be built

    cdef int build_criteria(self) except -1
    cdef int clear_criteria(self) except -1
    cdef object find_origination(self, str source_ip, str calling)
