# Calls made ready for the benchmarks.
from libc.stdint cimport uint64_t

from callscreen.fastpath.decide cimport Call
from callscreen.fastpath.epochs cimport Reader
from callscreen.fastpath.index cimport Index


cdef class Calls:
    cdef Index index
    cdef Reader* reader
    cdef Call* calls
    cdef Py_ssize_t size
    cdef uint64_t seen

    cdef void batch(self, const Call* calls, Py_ssize_t count) noexcept nogil
