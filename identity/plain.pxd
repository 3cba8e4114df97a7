"""What the parts of a plain shaken token are made of, in C: numbers and UUIDs."""

from libc.stdint cimport int64_t, uint8_t

cdef enum:
    NUMBER_MOST = 32  # digits
    IAT_DIGITS = 13
    UUID_SIZE = 36
    HEXADECIMAL = 1
    DASH = 2

cdef extern from *:
    """
    #include <stdint.h>
    #define IAT_END ((int64_t)1 << 40)
    /* Of a character 1 where it is a hexadecimal digit, 2 where it is a dash, else 0. */
    static const uint8_t callscreen_of_uuid[256] = {
        ['-'] = 2, ['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1,
        ['7'] = 1, ['8'] = 1, ['9'] = 1, ['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1, ['e'] = 1,
        ['f'] = 1, ['A'] = 1, ['B'] = 1, ['C'] = 1, ['D'] = 1, ['E'] = 1, ['F'] = 1,
    };
    """
    int64_t IAT_END  # seconds, as in claims.py
    const uint8_t *OF_UUID "callscreen_of_uuid"


cdef inline bint is_number(const uint8_t *text, Py_ssize_t size) noexcept nogil:
    """Digits, # and *: a `tn` (RFC 8225 section 5.2.1)."""
    cdef Py_ssize_t at
    for at in range(size):
        if not (c'0' <= text[at] <= c'9' or text[at] == c'#' or text[at] == c'*'):
            return False
    return 0 < size <= NUMBER_MOST


cdef inline bint is_uuid(const uint8_t *text, Py_ssize_t size) noexcept nogil:
    """Without a branch for each character: of random ones the processor would guess many wrong."""
    cdef Py_ssize_t at
    cdef int dashes = 0
    cdef uint8_t seen = HEXADECIMAL | DASH
    if size != UUID_SIZE:
        return False
    if text[8] != c'-' or text[13] != c'-' or text[18] != c'-' or text[23] != c'-':
        return False
    for at in range(UUID_SIZE):
        seen &= -(OF_UUID[text[at]] != 0)
        dashes += OF_UUID[text[at]] >> 1
    return seen != 0 and dashes == 4
