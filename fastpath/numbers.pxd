# Numbers in 64 bits: digit i in the nibble at bit 60 - 4 i, unused nibbles 0, the length in the
# lowest nibble. 0 is no number. A mask is what a number must equal where `care` has ones.
from libc.stdint cimport uint64_t


cdef struct Mask:
    uint64_t value  # lowest nibble: the length, or after "*" the shortest length
    uint64_t care   # lowest nibble: 15, or after "*" 0


cdef uint64_t pack_text(str text, str default_cc) except? 0
cdef str unpack_text(uint64_t number)
# How many digits are given, or -1 where the text is no entry. Exact: care is all ones.
cdef int parse_entry(str text, str default_cc, Mask* mask) except? -2
cdef str entry_text(Mask mask)

cdef inline bint fits(const Mask* mask, uint64_t number) noexcept nogil:
    return ((number ^ mask.value) & mask.care) == 0 and (number & 15) >= (mask.value & 15)
