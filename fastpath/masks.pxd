# Masks found by length and three leading digits, then scanned in rank order.
from libc.stdint cimport uint32_t, uint64_t

from callscreen.fastpath.numbers cimport Mask

cdef enum:
    NO_MASK = 0xFFFFFFFF


cdef struct Bucket:
    uint32_t key    # 0: free
    uint32_t start
    uint32_t end


cdef struct MaskTable:
    uint32_t count
    uint32_t slots   # of buckets, less 1; unused where the table is small
    uint32_t skipped # digits before the three
    Bucket* buckets  # NULL: the masks are few and in rank order
    Mask* masks
    uint32_t* ranks


# Masks come in the order in which they are to be tried; a mask's rank is its place there.
cdef MaskTable* build_masks(const Mask* masks, uint32_t count) except NULL
cdef void free_masks(MaskTable* table) noexcept nogil
# Place of the first mask that fits, or NO_MASK.
cdef uint32_t find_mask(const MaskTable* table, uint64_t number) noexcept nogil


cdef class MaskSet:
    cdef MaskTable* table
    cdef uint32_t place(self, uint64_t number) noexcept nogil
