# What is provisioned: the tables, and the names that only the writer needs.
from libc.stdint cimport uint32_t

from callscreen.fastpath.changes cimport NumberPut, NumberPuts
from callscreen.fastpath.transaction cimport Transaction


cdef int one_product(int product) except -1


cdef class Provisioned(Transaction):
    cdef dict provider_rows           # (product, name) -> row
    cdef list provider_names          # by row
    cdef list free_providers
    cdef list trusted                 # auth_address of its plan, by row

    cdef uint32_t provider_row(self, int product, str name) except 0
    cdef int set_provider(self, int product, str name, whitelist, blacklist) except -1
    cdef int unset_provider(self, int product, str name) except -1
    cdef int set_plan(self, str name, steps, error_treatment) except -1
    cdef int unset_plan(self, str name) except -1
    cdef int list_in(self, size_t place, whitelist, blacklist) except -1
    cdef uint32_t row_of(
        self, int product, uint32_t provider, str name, bint add
    ) except? 0xFFFFFFFF
    cdef int set_subscriber(self, int product, str provider, str name, bint enabled, override,
                            whitelist, blacklist, voicemail) except -1
    cdef int unset_subscriber(self, int product, str provider, str name) except -1
    cdef int set_number(self, int product, str provider, str subscriber, str number,
                        whitelist, blacklist) except -1
    cdef int set_numbers(self, NumberPuts puts) except -1
    cdef int parts_in(self, size_t place, NumberPuts puts, const NumberPut* put) except -1
    cdef int unset_number(self, int product, str number, owner) except -1
    cdef tuple owner_of(self, int product, str number)
