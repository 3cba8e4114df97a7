# A few bits of what lists hold, which tell most numbers that they are on none: less to read than
# the lists. Who finds its bits may still be on none; whose are not all there is on none.
from libc.stdint cimport uint32_t, uint64_t

cdef enum:
    SIEVED = 8  # numbers of a long list to a word of its sieve: 3 or 4 of 100 strangers pass it


# Of a few entries, 32 bits: two that a number sets.
cdef inline uint32_t sieve_bits(uint64_t number) noexcept nogil:
    cdef uint64_t mixed = number * <uint64_t>0x9E3779B97F4A7C15
    return <uint32_t>1 << (mixed >> 59) | <uint32_t>1 << (mixed >> 54 & 31)


cdef inline bint may_have(uint32_t sieve, uint32_t bits) noexcept nogil:
    return sieve & bits == bits


# Of many, words: three bits that a number sets in one of them.
cdef inline uint64_t word_bits(uint64_t number) noexcept nogil:
    cdef uint64_t mixed = number * <uint64_t>0xD6E8FEB86659FD93
    return (<uint64_t>1 << (mixed >> 58) | <uint64_t>1 << (mixed >> 52 & 63)
            | <uint64_t>1 << (mixed >> 46 & 63))
