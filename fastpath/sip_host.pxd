"""Hosts of SIP: names, IPv4 addresses, and IPv6 addresses in brackets (RFC 3261 25.1).

1. A host is looked at 16 octets at once where 16 stand before its end; else octet by octet.
"""

from libc.stdint cimport uint32_t
from libc.string cimport memcpy

from callscreen.fastpath.sip_text cimport (
    AF_INET6,
    C_DIGIT,
    C_HEX,
    C_HOST,
    Marked,
    Octets,
    inet_pton,
    sip_class,
    sip_lowest,
    skip,
)

cdef extern from *:
    """
    #if defined(__x86_64__) && defined(__SSE2__)
    #include <emmintrin.h>
    #endif

    /* Of the `size` octets, 1 to 16, that end at `end`, with 16 to be read before it: a bit for
       each dot, hyphen and digit, the first octet lowest. */
    static inline void sip_host_bits(
        const unsigned char *end, uint32_t size, uint32_t *dots, uint32_t *hyphens, uint32_t *digits
    ) {
    #if defined(__x86_64__) && defined(__SSE2__)
        __m128i v = _mm_loadu_si128((const __m128i *)(end - 16));
        __m128i digit = _mm_sub_epi8(v, _mm_set1_epi8('0'));
        digit = _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit);
        *dots = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('.'))) >> (16 - size);
        *hyphens =
            (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('-'))) >> (16 - size);
        *digits = (uint32_t)_mm_movemask_epi8(digit) >> (16 - size);
    #else
        *dots = *hyphens = *digits = 0;
        for (uint32_t i = 0; i < size; i++) {
            unsigned char octet = (end - size)[i];
            *dots |= (uint32_t)(octet == '.') << i;
            *hyphens |= (uint32_t)(octet == '-') << i;
            *digits |= (uint32_t)(octet >= '0' && octet <= '9') << i;
        }
    #endif
    }
    """
    void sip_host_bits(
        const unsigned char *end, uint32_t size, uint32_t *dots, uint32_t *hyphens, uint32_t *digits
    ) noexcept nogil

cdef enum:
    HOST_OCTETS = 255  # as MAX_HOST in sip_types.py


cdef inline uint32_t skip_host(Marked text, uint32_t i, uint32_t end) noexcept nogil:
    """Position after what is shaped like a host; i where nothing is."""
    cdef Octets data = text.data
    cdef uint32_t begin = i
    if i < end and data[i] == c'[':
        i += 1
        while i < end and (sip_class[data[i]] & C_HEX or data[i] == c':' or data[i] == c'.'):
            i += 1
        return i + 1 if i > begin + 1 and i < end and data[i] == c']' else begin
    return skip(text, i, end, C_HOST)


cdef inline bint valid_ipv6(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    cdef char text[64]
    cdef unsigned char out[16]
    if end - i >= sizeof(text):
        return False
    memcpy(text, data + i, end - i)
    text[end - i] = 0
    return inet_pton(AF_INET6, text, out) == 1


cdef inline bint read_ipv4(
    Octets data, uint32_t i, uint32_t end, unsigned char *out
) noexcept nogil:
    """Four numbers of at most three digits, without zeros before them, as inet_pton reads them."""
    cdef uint32_t part, value, begin
    for part in range(4):
        if part:
            if i >= end or data[i] != c'.':
                return False
            i += 1
        begin, value = i, 0
        while i < end and i - begin < 4 and data[i] - <uint32_t>c'0' <= 9:
            value = value * 10 + (data[i] - <uint32_t>c'0')
            i += 1
        if i == begin or value > 255 or (data[begin] == c'0' and i > begin + 1):
            return False
        out[part] = <unsigned char>value
    return i == end


cdef inline bint valid_host(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    """A host name, an IPv4 address, or an IPv6 address in brackets."""
    cdef bint numeric = True, sound = True, label = False  # label: past the first octet of one
    cdef unsigned char address[4]
    cdef uint32_t k
    if i >= end or end - i > HOST_OCTETS:
        return False
    if data[i] == c'[':
        return data[end - 1] == c']' and valid_ipv6(data, i + 1, end - 1)
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
    return read_ipv4(data, i, end, address) if numeric else sound


cdef inline bint ipv4_ok(Octets data, uint32_t i, uint32_t end, uint32_t dots) noexcept nogil:
    """read_ipv4 of digits and dots, with a bit for each dot from i on."""
    cdef uint32_t part, stop
    for part in range(4):
        if (dots == 0) != (part == 3):
            return False
        stop = i + sip_lowest(dots) if part < 3 else end
        if stop - i > 3 or stop == i:
            return False
        if stop - i > 1 and data[i] == c'0':
            return False
        if stop - i == 3 and data[i] >= c'2' and (
            data[i] > c'2' or data[i + 1] > c'5' or (data[i + 1] == c'5' and data[i + 2] > c'5')
        ):
            return False
        dots = dots >> (stop - i) >> 1
        i = stop + 1
    return True


cdef inline bint shaped_host_ok(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    """valid_host of what skip_host has passed over; looks at 16 octets at once."""
    cdef uint32_t dots, hyphens, digits, size = end - i
    if end < 16 or size > 16 or size == 0 or data[i] == c'[':
        return valid_host(data, i, end)
    sip_host_bits(data + end, size, &dots, &hyphens, &digits)
    if dots & (dots << 1 | 1):
        return False  # an empty label
    if (dots | digits) == (<uint32_t>1 << size) - 1:
        return ipv4_ok(data, i, end, dots)
    return not hyphens & (dots << 1 | 1)
