"""The grammar of uri.py without the interpreter: a URI as spans of the datagram."""

from libc.stdint cimport uint32_t
from libc.string cimport memset

from callscreen.fastpath.sip_host cimport shaped_host_ok, skip_host
from callscreen.fastpath.sip_text cimport (
    C_ALPHA,
    C_DIGIT,
    C_HEADER,
    C_HEX,
    C_PARAM,
    C_PASSWORD,
    C_URIC,
    C_USER,
    Marked,
    Octets,
    Span,
    find,
    next_mark,
    read_number,
    same,
    sip_class,
    skip_escaped,
    unmarked,
)

cdef enum UriKind:
    URI_BAD = 0
    URI_SIP = 1
    URI_SIPS = 2
    URI_TEL = 3
    URI_OTHER = 4  # sound, of a scheme that is not served

cdef struct Uri:
    UriKind kind
    Span user  # of a tel URI the number; a user part's own parameters included otherwise
    Span password
    Span host
    uint32_t port  # 0: none
    Span params  # from the first semicolon
    Span headers  # after the question mark


cdef inline uint32_t skip_uri_params(
    Marked text, uint32_t i, uint32_t end
) noexcept nogil:
    """Position after `*(;name[=value])`; 0 where one is empty."""
    cdef Octets data = text.data
    cdef uint32_t k
    while i < end and data[i] == c';':
        k = skip_escaped(text, i + 1, end, C_PARAM)
        if k == i + 1:
            return 0
        i = k
        if i < end and data[i] == c'=':
            k = skip_escaped(text, i + 1, end, C_PARAM)
            if k == i + 1:
                return 0
            i = k
    return i


cdef inline bint uri_headers_ok(Marked text, uint32_t i, uint32_t end) noexcept nogil:
    cdef Octets data = text.data
    cdef uint32_t k
    while True:
        k = skip_escaped(text, i, end, C_HEADER)
        if k == i or k >= end or data[k] != c'=':
            return False
        i = skip_escaped(text, k + 1, end, C_HEADER)
        if i == end:
            return True
        if data[i] != c'&':
            return False
        i += 1


cdef inline bint scan_tel(
    Marked text, uint32_t i, uint32_t end, Uri *out
) noexcept nogil:
    cdef Octets data = text.data
    cdef bint is_global = i < end and data[i] == c'+'
    cdef bint digit = False
    out.user.start = i
    if is_global:
        i += 1
    while i < end:
        if sip_class[data[i]] & C_DIGIT:
            digit = True
        elif not is_global and (sip_class[data[i]] & C_HEX or data[i] == c'*' or data[i] == c'#'):
            digit = True
        elif not (data[i] == c'-' or data[i] == c'.' or data[i] == c'(' or data[i] == c')'):
            break
        i += 1
    out.user.end = i
    out.params.start = i
    out.params.end = end
    return digit and skip_uri_params(text, i, end) == end


cdef inline bint scan_sip(
    Marked text, uint32_t i, uint32_t end, Uri *out
) noexcept nogil:
    cdef Octets data = text.data
    cdef uint32_t k = skip_escaped(text, i, end, C_USER), at, port
    # Where the user part ends otherwise than at the first '@', a password comes, or there is none.
    at = k if k < end and data[k] == c'@' else find(text, k, end, c'@')
    if at < end:
        out.user.start, out.user.end = i, k
        if k == i:
            return False
        if k < at and data[k] == c':':
            out.password.start = k + 1
            out.password.end = k = skip_escaped(text, k + 1, at, C_PASSWORD)
        if k != at:
            return False
        i = at + 1
    out.host.start = i
    out.host.end = i = skip_host(text, i, end)
    if not shaped_host_ok(data, out.host.start, out.host.end):
        return False
    if i < end and data[i] == c':':
        i = read_number(data, i + 1, end, 65535, &port)
        if port < 1 or port > 65535:
            return False
        out.port = port
    out.params.start = i
    out.params.end = i = skip_uri_params(text, i, end)
    if i < out.params.start:
        return False
    if i == end:
        return True
    out.headers.start = i + 1
    out.headers.end = end
    return data[i] == c'?' and uri_headers_ok(text, i + 1, end)


cdef inline UriKind scheme(Octets data, uint32_t start, uint32_t end) noexcept nogil:
    """The kind of URI that begins with the scheme data[start:end]."""
    if same(data, start, end, "sip", 3):
        return URI_SIP
    if same(data, start, end, "tel", 3):
        return URI_TEL
    return URI_SIPS if same(data, start, end, "sips", 4) else URI_OTHER


cdef inline UriKind read_uri_text(
    Marked text, uint32_t start, uint32_t end, Uri *out
) noexcept nogil:
    """What kind of URI the octets are, and for sip, sips and tel where its parts stand."""
    cdef Octets data = text.data
    cdef uint32_t colon = start
    cdef bint fine
    memset(out, 0, sizeof(Uri))
    if start >= end or not sip_class[data[start]] & C_ALPHA:
        return URI_BAD
    if text.marks != NULL:
        colon = next_mark(text.marks, start)
        out.kind = scheme(data, start, colon)
    if out.kind == URI_OTHER or text.marks == NULL or data[colon] != c':':  # sip+x:
        colon = start
        while colon < end and (
            sip_class[data[colon]] & (C_ALPHA | C_DIGIT)
            or data[colon] == c'+' or data[colon] == c'-' or data[colon] == c'.'
        ):
            colon += 1
        out.kind = scheme(data, start, colon)
    if colon >= end or data[colon] != c':':
        out.kind = URI_BAD
        return URI_BAD
    if out.kind == URI_OTHER:
        fine = colon + 1 < end and skip_escaped(text, colon + 1, end, C_URIC) == end
    elif out.kind == URI_TEL:
        fine = scan_tel(text, colon + 1, end, out)
    else:
        fine = scan_sip(text, colon + 1, end, out)
    if not fine:
        out.kind = URI_BAD
    return out.kind


cdef inline UriKind scan_uri(Octets data, uint32_t start, uint32_t end, Uri *out) noexcept nogil:
    """The same of a text without marks."""
    return read_uri_text(unmarked(data), start, end, out)
