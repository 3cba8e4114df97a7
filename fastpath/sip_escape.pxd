"""Escaped text of a URI: octets, comparison, and parameters found by their names."""

from libc.stdint cimport uint32_t

from callscreen.fastpath.sip_text cimport Octets, Span


cdef inline uint32_t part_end(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    while i < end and data[i] != c';':
        i += 1
    return i


cdef inline unsigned char nibble(unsigned char octet) noexcept nogil:
    return octet & 15 if octet <= c'9' else (octet & 15) + 9


cdef inline unsigned char next_octet(
    Octets data, uint32_t *at, uint32_t end, bint escaped
) noexcept nogil:
    """The octet at a place, %HH as what it stands for; the place moves past it."""
    cdef uint32_t i = at[0]
    if escaped and data[i] == c'%' and end - i > 2:
        at[0] = i + 3
        return <unsigned char>(nibble(data[i + 1]) << 4 | nibble(data[i + 2]))
    at[0] = i + 1
    return data[i]


cdef inline uint32_t unescape(Octets data, Span text, unsigned char *out) noexcept nogil:
    """A text without its escapes, and its size; `out` has room for the text as it is."""
    cdef uint32_t i = text.start, size = 0
    while i < text.end:
        out[size] = next_octet(data, &i, text.end, True)
        size += 1
    return size


cdef inline bint same_unescaped(
    Octets data, Span text, const char *lower, uint32_t size
) noexcept nogil:
    """The text without its escapes is `lower`, with letters in any case."""
    cdef uint32_t i = text.start, k = 0
    cdef unsigned char octet
    while i < text.end:
        octet = next_octet(data, &i, text.end, True)
        if c'A' <= octet <= c'Z':
            octet |= 0x20
        if k == size or octet != <unsigned char>lower[k]:
            return False
        k += 1
    return k == size


cdef inline bint find_param(
    Octets data, Span params, const char *name, uint32_t size, Span *value
) noexcept nogil:
    """The first `;name` or `;name=value` of the name; the value is escaped still, or empty."""
    cdef uint32_t i = params.start, end
    cdef Span key
    while i < params.end:
        end = part_end(data, i, params.end)
        key.start = key.end = i
        while key.end < end and data[key.end] != c'=':
            key.end += 1
        if same_unescaped(data, key, name, size):
            value.start, value.end = key.end + (key.end < end), end
            return True
        i = end + 1
    return False
