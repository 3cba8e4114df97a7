"""Octets of SIP: character classes, spans, white space, tokens, quoted strings, hosts.

A folded line needs no care here: CR and LF occur inside a value only as part of a fold, so that
they count as white space. Every function takes (data, position, end) and never reads at `end`.
"""

from libc.stdint cimport uint16_t, uint32_t
from libc.string cimport memcpy

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
    """
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

cdef enum:
    HOST_OCTETS = 255  # as MAX_HOST in sip_types.py

# Offsets into the datagram, `end` excluded. Both 0: not there (a method stands at offset 0).
cdef struct Span:
    uint32_t start
    uint32_t end


cdef inline bint is_lws(unsigned char octet) noexcept nogil:
    return octet == c' ' or octet == c'\t' or octet == c'\r' or octet == c'\n'


cdef inline uint32_t skip_lws(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    while i < end and is_lws(data[i]):
        i += 1
    return i


cdef inline uint32_t skip(Octets data, uint32_t i, uint32_t end, uint16_t kind) noexcept nogil:
    """Position after the octets of one class."""
    while i < end and sip_class[data[i]] & kind:
        i += 1
    return i


cdef inline uint32_t skip_escaped(
    Octets data, uint32_t i, uint32_t end, uint16_t kind
) noexcept nogil:
    """Position after the octets of one class and escapes (%HH)."""
    while i < end:
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


cdef inline uint32_t skip_quoted(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    """Position after the quoted string that begins at i; 0 where it is not one."""
    i += 1
    while i < end:
        if data[i] == c'"':
            return i + 1
        if data[i] == c'\\':
            i += 1
        elif data[i] == 0x7F or (data[i] < 0x20 and not is_lws(data[i])):
            return 0
        i += 1
    return 0


cdef inline bint same(
    Octets data, uint32_t start, uint32_t end, const char *lower, uint32_t length
) noexcept nogil:
    """The octets are `lower`, with letters in any case."""
    cdef uint32_t i
    cdef unsigned char octet
    if end - start != length:
        return False
    for i in range(length):
        octet = data[start + i]
        if c'A' <= octet <= c'Z':
            octet |= 0x20
        if octet != <unsigned char>lower[i]:
            return False
    return True


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


cdef inline uint32_t skip_host(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    """Position after what is shaped like a host; i where nothing is."""
    cdef uint32_t begin = i
    if i < end and data[i] == c'[':
        i += 1
        while i < end and (sip_class[data[i]] & C_HEX or data[i] == c':' or data[i] == c'.'):
            i += 1
        return i + 1 if i > begin + 1 and i < end and data[i] == c']' else begin
    return skip(data, i, end, C_HOST)


cdef inline bint valid_address(Octets data, uint32_t i, uint32_t end, int family) noexcept nogil:
    cdef char text[64]
    cdef unsigned char out[16]
    if end - i >= sizeof(text):
        return False
    memcpy(text, data + i, end - i)
    text[end - i] = 0
    return inet_pton(family, text, out) == 1


cdef inline bint valid_host(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    """A host name, an IPv4 address, or an IPv6 address in brackets."""
    cdef bint numeric = True, sound = True, label = False  # label: past the first octet of one
    cdef uint32_t k
    if i >= end or end - i > HOST_OCTETS:
        return False
    if data[i] == c'[':
        return data[end - 1] == c']' and valid_address(data, i + 1, end - 1, AF_INET6)
    for k in range(i, end):
        if data[k] == c'.':
            sound = sound and label
            label = False
            continue
        if not sip_class[data[k]] & C_HOST:
            return False
        sound = sound and (label or data[k] != c'-')
        numeric = numeric and sip_class[data[k]] & C_DIGIT
        label = True
    return valid_address(data, i, end, AF_INET) if numeric else sound


cdef inline uint32_t skip_param(
    Octets data, uint32_t i, uint32_t end, Span *name, Span *value
) noexcept nogil:
    """Position after the parameter whose semicolon stands at i; 0 where it is not one."""
    cdef uint32_t k
    name.start = skip_lws(data, i + 1, end)
    name.end = skip(data, name.start, end, C_TOKEN)
    value.start = value.end = 0
    if name.end == name.start:
        return 0
    k = skip_lws(data, name.end, end)
    if k >= end or data[k] != c'=':
        return name.end
    value.start = skip_lws(data, k + 1, end)
    if value.start < end and data[value.start] == c'"':
        value.end = skip_quoted(data, value.start, end)
        return value.end
    value.end = skip(data, value.start, end, C_VALUE)
    return value.end if value.end > value.start else 0


cdef inline uint32_t element_end(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    """Position of the comma that ends a list element, or end; not one in quotes or brackets."""
    cdef unsigned char state = 0
    while i < end:
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
