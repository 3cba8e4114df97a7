"""Numbers, masks and identifiers as text, each at once and not digit by digit.

1. recording_reference.py says what an identifier is and how it comes about.
2. There is room for as many octets as the size that is named: what is not used is written over too.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy

from callscreen.fastpath.decide cimport EMERGENCY_112, EMERGENCY_911
from callscreen.fastpath.numbers cimport Mask

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    /* The 16 nibbles of a word as octets with a digit each, the highest first; with `letters` also
       a to f. */
    static inline void callscreen_nibbles(uint64_t word, char *out, int letters) {
        for (int half = 0; half < 2; half++) {
            uint64_t part = half ? word & 0xFFFFFFFFu : word >> 32;
            part = (part | part << 16) & 0x0000FFFF0000FFFFu;
            part = (part | part << 8) & 0x00FF00FF00FF00FFu;
            part = (part | part << 4) & 0x0F0F0F0F0F0F0F0Fu;
            if (letters) {
                part += 39 * ((part + 0x0606060606060606u) >> 4 & 0x0101010101010101u);
            }
            part += 0x3030303030303030u;
    #if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            part = __builtin_bswap64(part);
    #endif
            memcpy(out + 8 * half, &part, 8);
        }
    }
    """
    void write_nibbles "callscreen_nibbles"(uint64_t word, char *out, bint letters) noexcept nogil

cdef enum:
    NUMBER_TEXT = 17  # octets of a number in text: plus and 15 digits, "*"
    ID_TEXT = 36  # octets of an identifier

cdef struct Ids:  # of the records of one worker
    uint64_t low, high  # key of the randomness: 16 random octets as little-endian words
    uint64_t drawn  # words drawn from it
    uint64_t millisecond
    uint64_t count
    uint32_t tail


cdef inline uint32_t write_number(char *out, uint64_t number) noexcept nogil:
    """Octets written of NUMBER_TEXT: plus and digits, an emergency number bare; 0 for none."""
    if number == 0:
        return 0
    if number == EMERGENCY_911 or number == EMERGENCY_112:
        memcpy(out, b"911" if number == EMERGENCY_911 else b"112", 3)
        return 3
    out[0] = c'+'
    write_nibbles(number, out + 1, False)
    return (number & 15) + 1


cdef inline uint32_t write_mask(char *out, Mask mask) noexcept nogil:
    """Octets written of NUMBER_TEXT: plus, digits, x for any digit, * at the end for any more."""
    cdef uint32_t i, count = mask.value & 15
    cdef uint64_t free = ~mask.care
    out[0] = c'+'
    write_nibbles(mask.value, out + 1, False)
    if count and free >> (64 - 4 * count):
        for i in range(count):
            if (free >> (60 - 4 * i)) & 15:
                out[i + 1] = c'x'
    if mask.care & 15 == 0:
        out[count + 1] = c'*'
        return count + 2
    return count + 1


# Room for ID_TEXT octets.
cdef void write_id(Ids *ids, uint64_t now_ns, char *out) noexcept nogil
