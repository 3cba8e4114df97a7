"""base64url without padding, in C (RFC 7515 section 2).

1. It is read in its only form: no other characters, no spare bit set.
2. Nothing is read beyond `size`, nor written beyond what the size makes.
"""

from libc.stdint cimport uint8_t, uint32_t

cdef extern from *:
    """
    #include <stdint.h>
    static const char callscreen_alphabet[65] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    /* Of a character its six bits, and GOOD; 0 for what is none. */
    static const uint8_t callscreen_six[256] = {
        ['A'] = 64, ['B'] = 65, ['C'] = 66, ['D'] = 67, ['E'] = 68, ['F'] = 69, ['G'] = 70,
        ['H'] = 71, ['I'] = 72, ['J'] = 73, ['K'] = 74, ['L'] = 75, ['M'] = 76, ['N'] = 77,
        ['O'] = 78, ['P'] = 79, ['Q'] = 80, ['R'] = 81, ['S'] = 82, ['T'] = 83, ['U'] = 84,
        ['V'] = 85, ['W'] = 86, ['X'] = 87, ['Y'] = 88, ['Z'] = 89, ['a'] = 90, ['b'] = 91,
        ['c'] = 92, ['d'] = 93, ['e'] = 94, ['f'] = 95, ['g'] = 96, ['h'] = 97, ['i'] = 98,
        ['j'] = 99, ['k'] = 100, ['l'] = 101, ['m'] = 102, ['n'] = 103, ['o'] = 104, ['p'] = 105,
        ['q'] = 106, ['r'] = 107, ['s'] = 108, ['t'] = 109, ['u'] = 110, ['v'] = 111, ['w'] = 112,
        ['x'] = 113, ['y'] = 114, ['z'] = 115, ['0'] = 116, ['1'] = 117, ['2'] = 118, ['3'] = 119,
        ['4'] = 120, ['5'] = 121, ['6'] = 122, ['7'] = 123, ['8'] = 124, ['9'] = 125, ['-'] = 126,
        ['_'] = 127,
    };
    """
    const char *ALPHABET "callscreen_alphabet"
    const uint8_t *SIX "callscreen_six"

cdef enum:
    GOOD = 64


cdef inline uint32_t six(uint8_t character) noexcept nogil:
    return SIX[character] & 63


cdef inline Py_ssize_t encoded_size(Py_ssize_t size) noexcept nogil:
    return (size * 4 + 2) // 3


cdef inline char *encode(const uint8_t *octets, Py_ssize_t size, char *out) noexcept nogil:
    """base64url without padding (RFC 7515 section 2); returns the end of what was written."""
    cdef Py_ssize_t at = 0
    cdef uint32_t bits
    while size - at >= 3:
        bits = octets[at] << 16 | octets[at + 1] << 8 | octets[at + 2]
        out[0] = ALPHABET[bits >> 18]
        out[1] = ALPHABET[bits >> 12 & 63]
        out[2] = ALPHABET[bits >> 6 & 63]
        out[3] = ALPHABET[bits & 63]
        at += 3
        out += 4
    if size - at == 2:
        bits = octets[at] << 8 | octets[at + 1]
        out[0] = ALPHABET[bits >> 10]
        out[1] = ALPHABET[bits >> 4 & 63]
        out[2] = ALPHABET[bits << 2 & 63]
        return out + 3
    if size - at == 1:
        out[0] = ALPHABET[octets[at] >> 2]
        out[1] = ALPHABET[octets[at] << 4 & 63]
        return out + 2
    return out


cdef inline Py_ssize_t decode(const uint8_t *text, Py_ssize_t size, uint8_t *out) noexcept nogil:
    """Octets of base64url in its only form, 3 for 4 characters; returns how many, -1 for none."""
    cdef Py_ssize_t at = 0, made = 0
    cdef uint32_t bits
    cdef uint8_t seen = GOOD
    while size - at >= 4:
        seen &= SIX[text[at]] & SIX[text[at + 1]] & SIX[text[at + 2]] & SIX[text[at + 3]]
        bits = six(text[at]) << 18 | six(text[at + 1]) << 12 | six(text[at + 2]) << 6
        bits |= six(text[at + 3])
        out[made] = bits >> 16 & 255
        out[made + 1] = bits >> 8 & 255
        out[made + 2] = bits & 255
        at += 4
        made += 3
    if size - at == 1:
        return -1
    if size - at == 3:
        seen &= SIX[text[at]] & SIX[text[at + 1]] & SIX[text[at + 2]]
        bits = six(text[at]) << 12 | six(text[at + 1]) << 6 | six(text[at + 2])
        if bits & 3:  # a spare bit
            return -1
        out[made] = bits >> 10 & 255
        out[made + 1] = bits >> 2 & 255
        made += 2
    elif size - at == 2:
        seen &= SIX[text[at]] & SIX[text[at + 1]]
        bits = six(text[at]) << 6 | six(text[at + 1])
        if bits & 15:
            return -1
        out[made] = bits >> 4 & 255
        made += 1
    return made if seen & GOOD else -1
