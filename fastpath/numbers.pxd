# Numbers in 64 bits: digit i in the nibble at bit 60 - 4 i, unused nibbles 0, the length in the
# lowest nibble. 0 is no number. A mask is what a number must equal where `care` has ones.
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy

cdef extern from *:
    """
    /* Eight octets read as a word: the first highest. */
    static inline uint64_t numbers_big(uint64_t word) {
    #if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        return word;
    #else
        return __builtin_bswap64(word);
    #endif
    }
    """
    uint64_t numbers_big(uint64_t word) noexcept nogil


cdef struct Mask:
    uint64_t value  # lowest nibble: the length, or after "*" the shortest length
    uint64_t care   # lowest nibble: 15, or after "*" 0


cdef uint64_t pack_text(str text, str default_cc) except? 0
cdef str unpack_text(uint64_t number)
# How many digits are given, or -1 where the text is no entry. Exact: care is all ones.
cdef int parse_entry(str text, str default_cc, Mask* mask) except? -2
cdef str entry_text(Mask mask)
# Both from octets, without a country code.
cdef uint64_t pack_plain(const char* text, Py_ssize_t size) noexcept nogil
cdef int read_entry(const char* text, Py_ssize_t size, Mask* mask) noexcept nogil

cdef inline bint fits(const Mask* mask, uint64_t number) noexcept nogil:
    return ((number ^ mask.value) & mask.care) == 0 and (number & 15) >= (mask.value & 15)


cdef inline uint64_t squeezed(uint64_t digits) noexcept nogil:
    """Eight digits, one an octet, the first highest, as eight nibbles."""
    digits = (digits | digits >> 4) & 0x00FF00FF00FF00FFULL
    digits = (digits | digits >> 8) & 0x0000FFFF0000FFFFULL
    return (digits | digits >> 16) & 0xFFFFFFFFULL


# Digits, 1 to 15, that end at a place with 16 octets to be read before it; 0 where not all are.
cdef inline uint64_t pack_before(const unsigned char *end, uint32_t count) noexcept nogil:
    cdef uint64_t low, high
    memcpy(&high, end - 16, 8)
    memcpy(&low, end - 8, 8)
    low = numbers_big(low) ^ 0x3030303030303030ULL
    high = numbers_big(high) ^ 0x3030303030303030ULL
    if count < 8:
        low &= (<uint64_t>1 << 8 * count) - 1
        high = 0
    else:
        high &= (<uint64_t>1 << 8 * (count - 8)) - 1
    if ((low + 0x7676767676767676ULL) | low | (high + 0x7676767676767676ULL) | high) & (
        0x8080808080808080ULL
    ):
        return 0
    return (squeezed(high) << 32 | squeezed(low)) << 4 * (16 - count) | count


# A number as it is looked up: plus and digits, or a short code; 15 digits at most.
cdef inline uint64_t pack_octets(const char *text, uint32_t size) noexcept nogil:
    cdef uint64_t value = 0
    cdef uint32_t i
    if size and text[0] == c'+':
        text += 1
        size -= 1
    for i in range(size):
        value = value << 4 | <unsigned char>text[i] & 15
    return value << 4 * (16 - size) | size if size else 0
