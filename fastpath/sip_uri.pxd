"""The grammar of uri.py without the interpreter: a URI as spans of the datagram."""

from libc.stdint cimport uint32_t

from callscreen.fastpath.sip_text cimport (
    C_ALPHA,
    C_DIGIT,
    C_HEADER,
    C_HEX,
    C_PARAM,
    C_PASSWORD,
    C_TOKEN,
    C_URIC,
    C_USER,
    Octets,
    Span,
    number,
    same,
    sip_class,
    skip,
    skip_escaped,
    skip_host,
    valid_host,
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


cdef inline uint32_t skip_uri_params(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    """Position after `*(;name[=value])`; 0 where one is empty."""
    cdef uint32_t k
    while i < end and data[i] == c';':
        k = skip_escaped(data, i + 1, end, C_PARAM)
        if k == i + 1:
            return 0
        i = k
        if i < end and data[i] == c'=':
            k = skip_escaped(data, i + 1, end, C_PARAM)
            if k == i + 1:
                return 0
            i = k
    return i


cdef inline bint uri_headers_ok(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    cdef uint32_t k
    while True:
        k = skip_escaped(data, i, end, C_HEADER)
        if k == i or k >= end or data[k] != c'=':
            return False
        i = skip_escaped(data, k + 1, end, C_HEADER)
        if i == end:
            return True
        if data[i] != c'&':
            return False
        i += 1


cdef inline bint scan_tel(Octets data, uint32_t i, uint32_t end, Uri *out) noexcept nogil:
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
    return digit and skip_uri_params(data, i, end) == end


cdef inline bint scan_sip(Octets data, uint32_t i, uint32_t end, Uri *out) noexcept nogil:
    cdef uint32_t at = i, k
    cdef long port
    while at < end and data[at] != c'@':
        at += 1
    if at < end:
        out.user.start = i
        out.user.end = k = skip_escaped(data, i, at, C_USER)
        if k == i:
            return False
        if k < at and data[k] == c':':
            out.password.start = k + 1
            out.password.end = k = skip_escaped(data, k + 1, at, C_PASSWORD)
        if k != at:
            return False
        i = at + 1
    out.host.start = i
    out.host.end = i = skip_host(data, i, end)
    if not valid_host(data, out.host.start, out.host.end):
        return False
    if i < end and data[i] == c':':
        k = skip(data, i + 1, end, C_DIGIT)
        port = number(data, i + 1, k, 65535)
        if port < 1:
            return False
        out.port = <uint32_t>port
        i = k
    out.params.start = i
    out.params.end = i = skip_uri_params(data, i, end)
    if i < out.params.start:
        return False
    if i == end:
        return True
    out.headers.start = i + 1
    out.headers.end = end
    return data[i] == c'?' and uri_headers_ok(data, i + 1, end)


cdef inline UriKind scan_uri(Octets data, uint32_t start, uint32_t end, Uri *out) noexcept nogil:
    """What kind of URI the octets are, and for sip, sips and tel where its parts stand."""
    cdef uint32_t colon = start
    cdef bint fine
    out.kind = URI_BAD
    out.user.start = out.user.end = out.password.start = out.password.end = out.port = 0
    out.host.start = out.host.end = out.headers.start = out.headers.end = 0
    out.params.start = out.params.end = 0
    if start >= end or not sip_class[data[start]] & C_ALPHA:
        return URI_BAD
    while colon < end and (
        sip_class[data[colon]] & (C_ALPHA | C_DIGIT)
        or data[colon] == c'+' or data[colon] == c'-' or data[colon] == c'.'
    ):
        colon += 1
    if colon >= end or data[colon] != c':':
        return URI_BAD
    if same(data, start, colon, "sip", 3):
        out.kind = URI_SIP
    elif same(data, start, colon, "sips", 4):
        out.kind = URI_SIPS
    elif same(data, start, colon, "tel", 3):
        out.kind = URI_TEL
    else:
        out.kind = URI_OTHER
    if out.kind == URI_OTHER:
        fine = colon + 1 < end and skip_escaped(data, colon + 1, end, C_URIC) == end
    elif out.kind == URI_TEL:
        fine = scan_tel(data, colon + 1, end, out)
    else:
        fine = scan_sip(data, colon + 1, end, out)
    if not fine:
        out.kind = URI_BAD
    return out.kind
