"""Number sources in their compiled form, as a loop without the interpreter reads them."""

from libc.stdint cimport uint32_t

from callscreen.fastpath.extract_number cimport Source


cdef class NumberSources:
    cdef readonly tuple sources  # of NumberSource
    cdef list texts  # what the Source items point into
    cdef uint32_t count
    cdef Source *items
    cdef int fill(self, Source *item, object source) except -1
