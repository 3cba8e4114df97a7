# What is provisioned: the tables, and the names that only the writer needs.
cimport cython
from libc.stdint cimport uint32_t, uint64_t

from callscreen.fastpath.tables cimport Data


cdef int one_product(int product) except -1


# Two lists in the arena that no owner has taken yet; offset 0: taken, or empty.
cdef class Block:
    cdef uint32_t offset


cdef class Provisioned:
    cdef public object revision
    cdef cython.pymutex lock          # held while anything is read, or switched over
    cdef cython.pymutex writing       # held for all of a commit
    cdef Data data
    cdef uint64_t emergency[3][2]     # 911 and 112 behind each product's default country code
    cdef dict provider_rows           # (product, name) -> row
    cdef list provider_names          # by row
    cdef list free_providers
    cdef list settings_rows           # EngineSettings by row, None where free
    cdef list default_ccs             # by product

    cdef uint32_t lists_of(self, whitelist, blacklist) except? 0xFFFFFFFF
    cdef uint32_t provider_row(self, int product, str name) except 0
    cdef int release_provider(self, uint32_t row) except -1
    cdef int release_row(self, uint32_t subscriber) except -1
    cdef tuple owner_of(self, int product, str number)
    cdef int put_platform(self, int product, object settings) except -1
    cdef int fill_settings(self, uint32_t row, object settings) except -1
