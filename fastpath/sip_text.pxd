"""Octets of SIP: character classes, spans, white space, tokens, quoted strings, hosts.

1. A folded line needs no care: CR and LF occur inside a value only as part of a fold, so that they
   count as white space.
2. Every function takes (text, position, end) and never reads at `end`, nor before the text.
3. A text with marks (marks.pxd) gives the same answers as one without, by going from mark to mark.
"""

from libc.stdint cimport uint16_t, uint32_t, uint64_t

cdef extern from "<arpa/inet.h>" nogil:
    int inet_pton(int family, const char *text, void *out)
    enum:
        AF_INET
        AF_INET6

cdef extern from *:
    """
    enum { C_DIGIT = 1, C_HEX = 2, C_ALPHA = 4, C_TOKEN = 8, C_HOST = 16, C_UNRESERVED = 32,
           C_USER = 64, C_PASSWORD = 128, C_PARAM = 256, C_HEADER = 512, C_URIC = 1024,
           C_WORD = 2048, C_VALUE = 4096 };
    #define C_U (C_UNRESERVED | C_USER | C_PASSWORD | C_PARAM | C_HEADER | C_URIC)
    #define C_A (C_U | C_TOKEN | C_HOST | C_WORD | C_VALUE)
    static const uint16_t sip_class[256] = {
        ['0' ... '9'] = C_A | C_DIGIT | C_HEX,
        ['A' ... 'F'] = C_A | C_ALPHA | C_HEX, ['G' ... 'Z'] = C_A | C_ALPHA,
        ['a' ... 'f'] = C_A | C_ALPHA | C_HEX, ['g' ... 'z'] = C_A | C_ALPHA,
        ['-'] = C_A, ['.'] = C_A, ['_'] = C_A,
        ['!'] = C_U | C_TOKEN | C_WORD | C_VALUE, ['~'] = C_U | C_TOKEN | C_WORD | C_VALUE,
        ['*'] = C_U | C_TOKEN | C_WORD | C_VALUE, ['\\''] = C_U | C_TOKEN | C_WORD | C_VALUE,
        ['('] = C_U | C_WORD, [')'] = C_U | C_WORD,
        ['%'] = C_TOKEN | C_WORD | C_VALUE, ['`'] = C_TOKEN | C_WORD | C_VALUE,
        ['+'] = C_TOKEN | C_WORD | C_VALUE | C_USER | C_PASSWORD | C_PARAM | C_HEADER | C_URIC,
        ['&'] = C_USER | C_PASSWORD | C_PARAM | C_URIC | C_VALUE,
        ['='] = C_USER | C_PASSWORD | C_URIC | C_VALUE,
        ['$'] = C_USER | C_PASSWORD | C_PARAM | C_HEADER | C_URIC | C_VALUE,
        [','] = C_USER | C_PASSWORD | C_URIC, [';'] = C_USER | C_URIC, ['#'] = C_USER,
        ['?'] = C_USER | C_HEADER | C_URIC | C_WORD | C_VALUE,
        ['/'] = C_USER | C_PARAM | C_HEADER | C_URIC | C_WORD | C_VALUE,
        [':'] = C_PARAM | C_HEADER | C_URIC | C_WORD | C_VALUE,
        ['@'] = C_URIC | C_VALUE,
        ['['] = C_PARAM | C_HEADER | C_URIC | C_WORD | C_VALUE,
        [']'] = C_PARAM | C_HEADER | C_URIC | C_WORD | C_VALUE,
        ['<'] = C_WORD, ['>'] = C_WORD, ['\\\\'] = C_WORD, ['"'] = C_WORD, ['{'] = C_WORD,
        ['}'] = C_WORD,
    };

    #include <string.h>

    /* Eight octets as a word, the first lowest, on any machine. */
    static inline uint64_t sip_word(const unsigned char *at) {
        uint64_t word;
        memcpy(&word, at, 8);
    #if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
    #endif
        return word;
    }

    /* data[start:end] is `lower`, with letters in any case. A short one whose length is known when
       it is compiled is compared as a word, read with what stands before it. */
    static inline __attribute__((always_inline)) int sip_same(
        const unsigned char *data, uint32_t start, uint32_t end, const char *lower, uint32_t length
    ) {
        if (end - start != length) {
            return 0;
        }
        if (__builtin_constant_p(length) && length > 0 && length <= 8 && end >= 8) {
            uint64_t wanted = 0, letters = 0;
            for (uint32_t i = 0; i < length; i++) {
                wanted |= (uint64_t)(unsigned char)lower[i] << 8 * i;
                letters |= (uint64_t)(lower[i] >= 'a' && lower[i] <= 'z' ? 0x20 : 0) << 8 * i;
            }
            return ((sip_word(data + end - 8) >> (64 - 8 * length)) | letters) == wanted;
        }
        for (uint32_t i = 0; i < length; i++) {
            unsigned char octet = data[start + i];
            octet |= octet >= 'A' && octet <= 'Z' ? 0x20 : 0;
            if (octet != (unsigned char)lower[i]) {
                return 0;
            }
        }
        return 1;
    }

    static inline uint32_t sip_lowest(uint64_t word) { return (uint32_t)__builtin_ctzll(word); }
    """
    uint64_t sip_word(const unsigned char *at) noexcept nogil
    bint same "sip_same"(
        const unsigned char *data, uint32_t start, uint32_t end, const char *lower, uint32_t length
    ) noexcept nogil
    uint32_t sip_lowest(uint64_t word) noexcept nogil
    const uint16_t sip_class[256]
    enum:
        C_DIGIT
        C_HEX
        C_ALPHA
        C_TOKEN
        C_HOST
        C_USER
        C_PASSWORD
        C_PARAM
        C_HEADER
        C_URIC
        C_WORD
        C_VALUE

ctypedef const unsigned char *Octets

# Offsets into the datagram, `end` excluded. Both 0: not there (a method stands at offset 0).
cdef struct Span:
    uint32_t start
    uint32_t end


# A message whose octets up to some place have marks, or a text without any.
cdef struct Marked:
    Octets data
    const uint64_t *marks  # NULL: none


cdef inline Marked unmarked(Octets data) noexcept nogil:
    cdef Marked text
    text.data = data
    text.marks = NULL
    return text


cdef inline uint32_t next_mark(const uint64_t *marks, uint32_t i) noexcept nogil:
    """Position of the first mark from i on; there is one, for every line ends with two."""
    cdef uint64_t word = marks[i >> 6] >> (i & 63)
    if word:
        return i + sip_lowest(word)
    i >>= 6
    while True:
        i += 1
        if marks[i]:
            return (i << 6) + sip_lowest(marks[i])


cdef inline bint is_lws(unsigned char octet) noexcept nogil:
    return octet <= c' ' and (<uint64_t>0x100002600 >> octet) & 1


cdef inline bint is_space(unsigned char octet) noexcept nogil:
    """What bytes.strip of Python takes off."""
    return octet <= c' ' and (<uint64_t>0x100003E00 >> octet) & 1


cdef inline uint32_t skip_lws(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    while i < end and is_lws(data[i]):
        i += 1
    return i


cdef inline uint32_t skip_octets(
    Octets data, uint32_t i, uint32_t end, uint16_t kind
) noexcept nogil:
    """Position after the octets of one class, of any."""
    while i < end and sip_class[data[i]] & kind:
        i += 1
    return i


cdef inline uint32_t skip(
    Marked text, uint32_t i, uint32_t end, uint16_t kind
) noexcept nogil:
    """Position after the octets of one class that plain octets are in."""
    if text.marks == NULL:
        return skip_octets(text.data, i, end, kind)
    while i < end:
        i = next_mark(text.marks, i)
        if i >= end:
            return end
        if not sip_class[text.data[i]] & kind:
            break
        i += 1
    return i


cdef inline uint32_t skip_escaped(
    Marked text, uint32_t i, uint32_t end, uint16_t kind
) noexcept nogil:
    """Position after the octets of one class that plain octets are in, and escapes (%HH)."""
    cdef Octets data = text.data
    while i < end:
        if text.marks != NULL:
            i = next_mark(text.marks, i)
            if i >= end:
                return end
        if sip_class[data[i]] & kind:
            i += 1
        elif (
            data[i] == c'%' and end - i > 2
            and sip_class[data[i + 1]] & C_HEX and sip_class[data[i + 2]] & C_HEX
        ):
            i += 3
        else:
            break
    return i


cdef inline uint32_t find(
    Marked text, uint32_t i, uint32_t end, unsigned char octet
) noexcept nogil:
    """Position of the first such octet, which is not a plain one, or end."""
    while i < end:
        if text.marks != NULL:
            i = next_mark(text.marks, i)
            if i >= end:
                return end
        if text.data[i] == octet:
            return i
        i += 1
    return end


cdef inline uint32_t skip_quoted(Marked text, uint32_t i, uint32_t end) noexcept nogil:
    """Position after the quoted string that begins at i; 0 where it is not one."""
    cdef Octets data = text.data
    i += 1
    while i < end:
        if text.marks != NULL:
            i = next_mark(text.marks, i)
            if i >= end:
                return 0
        if data[i] == c'"':
            return i + 1
        if data[i] == c'\\':
            i += 1
        elif data[i] == 0x7F or (data[i] < 0x20 and not is_lws(data[i])):
            return 0
        i += 1
    return 0


cdef inline uint32_t read_number(
    Octets data, uint32_t i, uint32_t end, uint32_t most, uint32_t *value
) noexcept nogil:
    """Position after the digits at i, and their number; past `most` it only stays past it."""
    cdef uint32_t digit
    cdef uint64_t sum = 0
    while i < end:
        digit = data[i] - <uint32_t>c'0'
        if digit > 9:
            break
        sum = sum * 10 + digit
        if sum > most:
            sum = <uint64_t>most + 1
        i += 1
    value[0] = <uint32_t>sum
    return i


cdef inline long number(Octets data, uint32_t i, uint32_t end, long most) noexcept nogil:
    """Digits as a number up to `most`; -1 where they are none, or more."""
    cdef long value = 0
    if i >= end:
        return -1
    while i < end:
        if not sip_class[data[i]] & C_DIGIT:
            return -1
        if value <= most:  # past it the value only has to stay past it
            value = value * 10 + (data[i] - c'0')
        i += 1
    return value if value <= most else -1


cdef inline uint32_t skip_param(
    Marked text, uint32_t i, uint32_t end, Span *name, Span *value
) noexcept nogil:
    """Position after the parameter whose semicolon stands at i; 0 where it is not one."""
    cdef Octets data = text.data
    cdef uint32_t k
    name.start = skip_lws(data, i + 1, end)
    name.end = skip(text, name.start, end, C_TOKEN)
    value.start = value.end = 0
    if name.end == name.start:
        return 0
    k = skip_lws(data, name.end, end)
    if k >= end or data[k] != c'=':
        return name.end
    value.start = skip_lws(data, k + 1, end)
    if value.start < end and data[value.start] == c'"':
        value.end = skip_quoted(text, value.start, end)
        return value.end
    value.end = skip(text, value.start, end, C_VALUE)
    return value.end if value.end > value.start else 0


cdef inline uint32_t element_end(Marked text, uint32_t i, uint32_t end) noexcept nogil:
    """Position of the comma that ends a list element, or end; not one in quotes or brackets."""
    cdef Octets data = text.data
    cdef unsigned char state = 0
    while i < end:
        if text.marks != NULL:
            i = next_mark(text.marks, i)
            if i >= end:
                return end
        if state == c'"':
            if data[i] == c'\\':
                i += 1
            elif data[i] == c'"':
                state = 0
        elif state == c'<':
            if data[i] == c'>':
                state = 0
        elif data[i] == c',':
            return i
        elif data[i] == c'"' or data[i] == c'<':
            state = data[i]
        i += 1
    return end
