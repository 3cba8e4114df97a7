"""URIs in an answer: what a caller or an administrator wrote is escaped (RFC 3261 25.1)."""

from libc.stdint cimport uint32_t

from callscreen.fastpath.answer_write cimport Out, put, put_number
from callscreen.fastpath.routes cimport Text8
from callscreen.fastpath.sip_text cimport Octets, Span

cdef extern from *:
    """
    /* Octets of a user part that need no escape; 2: and in a target parameter these neither. */
    static const unsigned char callscreen_plain[256] = {
        ['0' ... '9'] = 1, ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1,
        ['+'] = 1, ['*'] = 1, ['-'] = 1, ['_'] = 1, ['.'] = 1, ['!'] = 1, ['~'] = 1,
        ['('] = 1, [')'] = 1, ['\\''] = 1, [':'] = 2, ['['] = 2, [']'] = 2,
    };
    """
    const unsigned char callscreen_plain[256]


cdef inline Text8 text_of(Octets data, Span span) noexcept nogil:
    cdef Text8 out
    out.at, out.size = data + span.start, span.end - span.start
    return out


cdef inline void put_text8(Out *out, Text8 text) noexcept nogil:
    put(out, text.at, text.size)


cdef inline void put_escaped(Out *out, Text8 text, unsigned char most) noexcept nogil:
    """Text of a user part; what is not plain, up to a class, as %HH of its octets."""
    cdef uint32_t i = 0, begin = 0
    cdef char escape[3]
    escape[0] = c'%'
    while i < text.size:
        if not 0 < callscreen_plain[text.at[i]] <= most:
            put(out, text.at + begin, i - begin)
            escape[1] = (<const char *>b"0123456789ABCDEF")[text.at[i] >> 4]
            escape[2] = (<const char *>b"0123456789ABCDEF")[text.at[i] & 15]
            put(out, escape, 3)
            begin = i + 1
        i += 1
    put(out, text.at + begin, text.size - begin)


cdef inline void put_host(Out *out, Text8 host, uint32_t port) noexcept nogil:
    put_text8(out, host)
    if port:
        put(out, b":", 1)
        put_number(out, port)


cdef inline void put_at_host(Out *out, Text8 user, Text8 host, uint32_t port) noexcept nogil:
    put(out, b"sip:", 4)
    if user.size:
        put_escaped(out, user, 1)
        put(out, b"@", 1)
    put_host(out, host, port)
