# The tables of an index, filled with the records of an image block by block.
from libc.stdint cimport uint32_t, uint64_t

from callscreen.fastpath.ahead cimport Ahead
from callscreen.fastpath.blocks cimport BlockReader
from callscreen.fastpath.index cimport Index
from callscreen.fastpath.tables cimport Data


cdef struct Filling:         # begins as zeros, but for `data`
    Data* data
    uint32_t* providers      # row by position in the file; 0: none
    uint64_t provider_count  # positions
    uint64_t subscriber_count
    uint64_t subscribers_told # records of them that there can be
    uint64_t[3] place        # of the last number, by product
    Ahead ahead


# What the block of counts says: makes room.
cdef int begin_filling(Filling* made, BlockReader* into) except -1
# A block of providers, subscribers or numbers.
cdef int fill(Filling* made, BlockReader* into, Index index) except -1
# Gives up rows of which nothing is said: of what was dropped while the file was written.
cdef void sweep(Filling* made) noexcept nogil
cdef void end_filling(Filling* made) noexcept nogil
