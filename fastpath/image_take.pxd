# A record of an image where it stands in its block, judged by itself; what stands in it: image.pxd.
from libc.stdint cimport uint32_t, uint64_t

from callscreen.fastpath.blocks cimport BlockReader
from callscreen.fastpath.lists cimport Parsed


cdef struct Held:
    const uint64_t* words
    const char* name         # UTF-8 or not
    const char* mail
    uint64_t name_size
    uint64_t mail_size
    bint listed
    Parsed[2] lists
    uint32_t hashed          # of a subscriber, for whoever fills


# Raises ImageError.
cdef int damaged() except -1
# Takes the next record of a block of providers, subscribers or numbers; false where it is not whole,
# or has lists that no index could hold.
cdef bint hold(BlockReader* into, Held* record) noexcept nogil
# ImageError where it is not UTF-8.
cdef int check_text(const char* text, uint64_t size) except -1
# A record that is octets.
cdef bytes take_octets(BlockReader* into)


cdef inline bint is_digits(uint64_t packed) noexcept nogil:
    """As many digits as the last four bits say, and nothing behind them."""
    cdef uint64_t digits = packed & ~<uint64_t>15
    return digits << 4 * (packed & 15) == 0 and (
        digits >> 3 & (digits >> 2 | digits >> 1) & <uint64_t>0x1111111111111111) == 0


cdef inline bint is_number(uint64_t packed) noexcept nogil:
    return packed & 15 and is_digits(packed)
