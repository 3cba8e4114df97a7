"""Header fields that a decision reads, out of their values: Via, From, To, Call-ID, Contact.

1. A value is a span without white space at its ends; folds inside count as white space.
2. The twin that states the meaning is sip_reference.py.
"""

from libc.stdint cimport int32_t, uint32_t
from libc.string cimport memcmp, memset

from callscreen.fastpath.sip_host cimport shaped_host_ok, skip_host, valid_host
from callscreen.fastpath.sip_text cimport (
    C_TOKEN,
    C_WORD,
    Marked,
    Octets,
    Span,
    find,
    is_lws,
    next_mark,
    number,
    read_number,
    same,
    skip,
    skip_lws,
    skip_param,
    skip_quoted,
    unmarked,
)
from callscreen.fastpath.sip_uri cimport URI_BAD, Uri, read_uri_text

cdef enum:  # as in sip_types.py
    PORT_MOST = 65535
    TTL_MOST = 255

cdef enum ViaVerdict:
    VIA_UNUSABLE  # no host to answer
    VIA_BAD  # the host is known, the rest is not as it should be
    VIA_SOUND

cdef struct Address:
    Span display  # quotes included
    Span uri
    Span tag
    Uri parts  # of uri; kind URI_BAD: there is no address

cdef struct Via:
    Span transport
    Span host
    uint32_t port  # 0: none
    Span branch
    bint rport  # asked for, with or without a value
    Span received
    Span maddr
    int32_t ttl  # -1: none
    # Of a sound Via, for the answer: where its element ends, and its parameters rport and received
    # with their semicolons, up to the next. Both 0: not sound.
    uint32_t start, end
    Span rport_part, received_part


cdef inline bint is_call_id(Marked text, uint32_t i, uint32_t end) noexcept nogil:
    cdef uint32_t k = skip(text, i, end, C_WORD)
    if k == i:
        return False
    if k < end and text.data[k] == c'@':
        i = k + 1
        k = skip(text, i, end, C_WORD)
        return k > i and k == end
    return k == end


cdef inline bint address_params(
    Marked text, uint32_t i, uint32_t end, Address *out
) noexcept nogil:
    cdef Octets data = text.data
    cdef Span name, value
    i = skip_lws(data, i, end)
    while i < end:
        if data[i] != c';':
            return False
        i = skip_param(text, i, end, &name, &value)
        if not i:
            return False
        if same(data, name.start, name.end, "tag", 3):
            if out.tag.start or not value.start or data[value.start] == c'"':
                return False
            out.tag = value
        i = skip_lws(data, i, end)
    return True


cdef inline bint read_address_text(
    Marked text, Span value, Address *out
) noexcept nogil:
    """A name-addr or addr-spec with its parameters (RFC 3261 20.10); `out` is empty before."""
    cdef Octets data = text.data
    cdef uint32_t i = value.start, end = value.end, k
    if i == end:
        return False
    if data[i] == c'"':
        k = skip_quoted(text, i, end)
        out.display.start, out.display.end = i, k
        i = skip_lws(data, k, end)
        if not k or i == end or data[i] != c'<':
            return False
    elif data[i] != c'<':
        k = i
        while True:
            k = skip(text, k, end, C_TOKEN)
            if k == end or not is_lws(data[k]):
                break
            k = skip_lws(data, k, end)
        if k < end and data[k] == c'<':
            out.display.start, out.display.end = i, k
            while out.display.end > i and is_lws(data[out.display.end - 1]):
                out.display.end -= 1
            i = k
    out.uri.start = i
    if data[i] == c'<':
        out.uri.start = i + 1
        k = find(text, i + 1, end, c'>')
        if k == end:
            return False
        i = k + 1
    else:
        k = i
        while k < end and not (
            is_lws(data[k]) or data[k] == c';' or data[k] == c',' or data[k] == c'?'
            or data[k] == c'<' or data[k] == c'"'
        ):
            k += 1
        i = k
    out.uri.end = k
    if read_uri_text(text, out.uri.start, out.uri.end, &out.parts) == URI_BAD:
        return False
    return address_params(text, i, end, out)


cdef inline bint address(Octets data, Span value, Address *out) noexcept nogil:
    """The same of a text without marks."""
    return read_address_text(unmarked(data), value, out)


cdef inline uint32_t via_slash(Octets data, uint32_t i, uint32_t k, uint32_t end) noexcept nogil:
    """Position of what follows the slash after the token data[i:k]; 0 where there is neither."""
    cdef uint32_t slash = skip_lws(data, k, end)
    if k == i or slash == end or data[slash] != c'/':
        return 0
    return skip_lws(data, slash + 1, end)


cdef inline uint32_t via_protocol(
    Marked text, uint32_t i, uint32_t end, bint *version
) noexcept nogil:
    """Position after `SIP/2.0/`, with spaces or not; 0 where there are no two tokens."""
    cdef Octets data = text.data
    cdef uint32_t k
    if end - i > 8 and memcmp(data + i, b"SIP/2.0/", 8) == 0:
        version[0] = True
        return skip_lws(data, i + 8, end)
    k = skip(text, i, end, C_TOKEN)
    version[0] = same(data, i, k, "sip", 3)
    i = via_slash(data, i, k, end)
    if not i:
        return 0
    k = skip(text, i, end, C_TOKEN)
    version[0] = version[0] and same(data, i, k, "2.0", 3)
    return via_slash(data, i, k, end)


cdef inline bint ends_via(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    """The topmost Via ends at i: with the value, or with the comma before the next."""
    return i == end or data[i] == c','


cdef inline uint32_t via_sent_by(
    Marked text, uint32_t i, uint32_t end, Via *via
) noexcept nogil:
    """Position of the first parameter after transport, host and port, or end; 0 if they are bad."""
    cdef Octets data = text.data
    cdef uint32_t k = skip(text, i, end, C_TOKEN), port
    via.transport.start, via.transport.end = i, k
    via.host.start = skip_lws(data, k, end)
    via.host.end = skip_host(text, via.host.start, end)
    if (
        k == i or via.host.start == k
        or not shaped_host_ok(data, via.host.start, via.host.end)
    ):
        return 0
    via.end = via.host.end
    i = skip_lws(data, via.host.end, end)
    if i < end and data[i] == c':':
        i = skip_lws(data, i + 1, end)
        via.end = read_number(data, i, end, PORT_MOST, &port)
        if port < 1 or port > PORT_MOST:
            return 0
        via.port = port
        i = skip_lws(data, via.end, end)
    return i if ends_via(data, i, end) or data[i] == c';' else 0


cdef inline bint via_param(Octets data, Span name, Span value, Via *via) noexcept nogil:
    cdef bint plain = value.start and data[value.start] != c'"'
    if same(data, name.start, name.end, "rport", 5):
        if via.rport or (value.start and number(data, value.start, value.end, PORT_MOST) < 1):
            return False
        via.rport = True
    elif same(data, name.start, name.end, "branch", 6):
        if via.branch.start or not plain:
            return False
        via.branch = value
    elif same(data, name.start, name.end, "received", 8):
        if via.received.start or not plain:
            return False
        via.received = value
    elif same(data, name.start, name.end, "maddr", 5):
        if via.maddr.start or not plain or not valid_host(data, value.start, value.end):
            return False
        via.maddr = value
    elif same(data, name.start, name.end, "ttl", 3):
        if via.ttl >= 0:
            return False
        via.ttl = <int32_t>number(data, value.start, value.end, TTL_MOST)
        return via.ttl >= 0
    return True


cdef inline bint via_params(
    Marked text, uint32_t i, uint32_t end, Via *via
) noexcept nogil:
    """Reads the parameters when all are sound, else leaves what stands before them."""
    cdef Octets data = text.data
    cdef Span name, value, transport = via.transport, host = via.host
    cdef uint32_t begin, port = via.port
    cdef bint fine = True
    while fine and not ends_via(data, i, end):
        begin = i
        if data[i] != c';':
            fine = False
            break
        via.end = skip_param(text, i, end, &name, &value)
        fine = via.end and via_param(data, name, value, via)
        i = skip_lws(data, via.end, end)
        if via.rport and not via.rport_part.end:
            via.rport_part.start, via.rport_part.end = begin, i
        elif via.received.start and not via.received_part.end:
            via.received_part.start, via.received_part.end = begin, i
    if fine:
        return True
    memset(via, 0, sizeof(Via))
    via.transport, via.host, via.port, via.ttl = transport, host, port, -1
    return False


cdef inline ViaVerdict read_via_text(Marked text, Span value, Via *via) noexcept nogil:
    """The first element of a Via value (RFC 3261 20.42, RFC 3581)."""
    cdef uint32_t i, end = value.end
    cdef bint version
    i = via_protocol(text, value.start, end, &version)
    if i:
        i = via_sent_by(text, i, end, via)
    if not i:
        memset(via, 0, sizeof(Via))
        via.ttl = -1
        return VIA_UNUSABLE
    if not via_params(text, i, end, via):
        return VIA_BAD
    via.start = value.start
    return VIA_SOUND if version else VIA_BAD


cdef inline ViaVerdict scan_via(Octets data, Span value, Via *via) noexcept nogil:
    """The same of a text without marks."""
    return read_via_text(unmarked(data), value, via)


cdef inline bint contact_ok(Marked text, Span value) noexcept nogil:
    """Quotes and brackets close, and a URI with a question mark stands in brackets."""
    cdef Octets data = text.data
    cdef uint32_t i = value.start
    cdef unsigned char state = 0
    cdef bint bracket = False, question = False
    while i < value.end:
        if text.marks != NULL:
            i = next_mark(text.marks, i)
            if i >= value.end:
                break
        if state == c'"':
            if data[i] == c'\\':
                i += 1
            elif data[i] == c'"':
                state = 0
        elif state == c'<':
            if data[i] == c'>':
                state = 0
        elif data[i] == c',':
            if question and not bracket:
                return False
            bracket = question = False
        elif data[i] == c'"' or data[i] == c'<':
            state = data[i]
            bracket = bracket or state == c'<'
        elif data[i] == c'?':
            question = True
        i += 1
    return not state and (bracket or not question)
