# Service selection.
from libc.stdint cimport int32_t, uint64_t

from callscreen.fastpath.originating cimport Originating
from callscreen.fastpath.prefixes cimport Address, PrefixEntry
from callscreen.fastpath.tables cimport Criteria

cdef enum:
    NO_CRITERIA = -1


# The row of criteria that fits a call most closely, or NO_CRITERIA. `criteria` may be NULL.
cdef int32_t select_service(
    const Criteria* criteria, uint64_t called, const Address* source, int32_t point_code
) noexcept nogil


cdef class Routing(Originating):
    cdef dict criteria                # (provider, group) -> Record
    cdef list criteria_keys           # of those that give a kind, in order
    cdef list criteria_records        # and themselves
    cdef list criteria_names          # of one item: "provider/group" by row
    cdef bint criteria_changed

    cdef int set_criteria(
        self, str provider, str group, prefixes, country_codes, point_codes
    ) except -1
    cdef int unset_criteria(self, str provider, str group) except -1
    cdef int build_criteria(self) except -1
    cdef size_t lay_out(self, Criteria* made, PrefixEntry* entries) except? 0
