# What every change of the index goes through: prepared aside, switched to, settled.
cimport cython
from libc.stdint cimport uint32_t, uint64_t

from callscreen.fastpath.epochs cimport Reader
from callscreen.fastpath.switching cimport Change, Kind
from callscreen.fastpath.tables cimport Data


cdef class Transaction:
    cdef cython.pymutex lock          # held while Python reads, and by the switch
    cdef cython.pymutex writing       # held for all of a commit
    cdef Data data
    cdef Change* changes              # of the transaction that is being prepared
    cdef size_t change_count
    cdef size_t change_room
    cdef uint64_t coming[3]           # numbers that it may add, by product
    cdef list pending                 # what it does to lists of Python: (list, place, value)

    # For a thread that reads without lock and GIL: see readers.pxd.
    cdef Reader* add_reader(self) except NULL
    cdef int remove_reader(self, Reader* reader) except -1

    cdef Change* change(self, Kind kind) except NULL
    cdef int room_for_number(self, int product) except -1
    cdef int ready(self) except -1
    cdef int finish(self, uint64_t revision) except -1
    cdef int abandon(self) except -1
    cdef int clear(self) except -1
    cdef int release_unused(self, uint32_t provider) except -1
