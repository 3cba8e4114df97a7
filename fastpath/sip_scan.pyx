"""A SIP request found in a datagram. What each function promises stands in sip_scan.pxd."""

from libc.stdint cimport int32_t, uint32_t
from libc.string cimport memchr, memcmp, memset

from callscreen.fastpath.sip_fields cimport (
    VIA_SOUND,
    VIA_UNUSABLE,
    Address,
    ViaVerdict,
    address,
    contact_ok,
    is_call_id,
    scan_via,
)
from callscreen.fastpath.sip_text cimport (
    C_DIGIT,
    C_TOKEN,
    Octets,
    Span,
    is_lws,
    number,
    same,
    skip,
    skip_lws,
)
from callscreen.fastpath.sip_uri cimport URI_BAD, URI_OTHER, Uri, scan_uri


cdef uint32_t scan(Octets data, size_t length, Request *out) noexcept nogil:
    """Fills `out` and answers its fault; SOUND where the request may be decided on."""
    cdef uint32_t start = 0, line, end
    memset(out, 0, <size_t>(<char *>&out.fields - <char *>out))
    if length > MESSAGE_OCTETS:
        out.fault = TOO_LARGE
        return out.fault
    end = <uint32_t>length
    while end - start > 1 and data[start] == c'\r' and data[start + 1] == c'\n':
        start += 2
    if start == end:
        out.fault = KEEPALIVE
    elif end - start > 3 and same(data, start, start + 4, "sip/", 4):
        out.fault = RESPONSE
    if out.fault:
        return out.fault
    memset(&out.first, 0xFF, sizeof(out.first))
    out.via.ttl = out.max_forwards = out.content_length = -1
    line = next_line(data, start, end, out)
    if line:
        start_line(data, start, line - 2, out)
        headers(data, line, end, out)
        required(data, out)
        if is_ack(data, start, line - 2) or SOUND < out.fault < START_LINE:
            out.answerable = False
    return out.fault


cdef void note(Request *out, uint32_t fault) noexcept nogil:
    """The lowest fault is the one that is told."""
    if not out.fault or fault < out.fault:
        out.fault = fault


cdef uint32_t next_line(Octets data, uint32_t i, uint32_t end, Request *out) noexcept nogil:
    """Position after the line end of the line at i; 0 where it has none, with the fault noted."""
    cdef Octets feed = <Octets>memchr(data + i, c'\n', end - i)
    cdef uint32_t stop = <uint32_t>(feed - data) if feed else end
    # A carriage return that is the last octet may yet be half a line end.
    cdef bint half = stop > i and data[stop - 1] == c'\r'
    if memchr(data + i, c'\r', stop - i - half) or (feed and not half):
        note(out, LINE_END)
    elif feed:
        return stop + 1
    else:
        note(out, TRUNCATED)
    return 0


cdef bint is_ack(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    return skip(data, i, end, C_TOKEN) - i == 3 and memcmp(data + i, b"ACK", 3) == 0


cdef void start_line(Octets data, uint32_t start, uint32_t end, Request *out) noexcept nogil:
    cdef uint32_t i = skip(data, start, end, C_TOKEN), uri, k
    cdef Uri parts
    if i == start or i == end or data[i] != c' ':
        note(out, START_LINE)
        return
    uri = k = i + 1
    while k < end and data[k] != c' ':
        k += 1
    if k == uri or not is_version(data, k + 1, end):
        note(out, START_LINE)
        return
    out.method.start, out.method.end = start, i
    out.uri.start, out.uri.end = uri, k
    if not same(data, k + 1, end, "sip/2.0", 7):
        note(out, VERSION)
    scan_uri(data, uri, k, &parts)
    if parts.kind == URI_BAD or parts.headers.start:  # RFC 3261 19.1.1: no headers here
        note(out, REQUEST_URI)
    elif parts.kind == URI_OTHER:
        note(out, SCHEME)


cdef bint is_version(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    cdef uint32_t k
    if end < i + 4 or not same(data, i, i + 4, "sip/", 4):
        return False
    k = skip(data, i + 4, end, C_DIGIT)
    if k == i + 4 or k == end or data[k] != c'.':
        return False
    i = k + 1
    k = skip(data, i, end, C_DIGIT)
    return k > i and k == end


cdef void headers(Octets data, uint32_t i, uint32_t end, Request *out) noexcept nogil:
    """Every header field from i to the empty line; sets the body."""
    cdef uint32_t line, following
    cdef uint32_t seen = 0
    out.body.start = out.body.end = end
    while True:
        line = i
        following = next_line(data, i, end, out)
        if not following:
            return
        if following == line + 2:
            out.body.start = following
            return
        while following < end and (data[following] == c' ' or data[following] == c'\t'):
            i = next_line(data, following, end, out)
            if not i:
                break
            following = i
        else:
            i = following
        seen += 1
        if seen > HEADERS:
            note(out, TOO_MANY_HEADERS)
        else:
            header(data, line, following - 2, out)
        if not i:
            return


cdef void header(Octets data, uint32_t start, uint32_t end, Request *out) noexcept nogil:
    cdef Field *field = &out.fields[out.count]
    cdef uint32_t i = skip(data, start, end, C_TOKEN)
    field.name.start, field.name.end = start, i
    while i < end and (data[i] == c' ' or data[i] == c'\t'):
        i += 1
    if field.name.end == start or i == end or data[i] != c':':
        note(out, HEADER)
        return
    i = skip_lws(data, i + 1, end)
    while end > i and is_lws(data[end - 1]):
        end -= 1
    field.value.start, field.value.end = i, end
    field.known = known(data, start, field.name.end)
    if field.known < KNOWN:
        if out.first[<uint32_t>field.known] < 0:
            out.first[<uint32_t>field.known] = out.count
        out.times[<uint32_t>field.known] += 1
    out.count += 1


cdef Known known(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    cdef uint32_t length = end - i
    cdef unsigned char letter = data[i] | 0x20
    if length == 1:
        return (
            H_VIA if letter == c'v' else H_FROM if letter == c'f' else H_TO if letter == c't'
            else H_CALL_ID if letter == c'i' else H_CONTENT_LENGTH if letter == c'l'
            else H_CONTACT if letter == c'm' else H_OTHER
        )
    if length == 2:
        return H_TO if same(data, i, end, "to", 2) else H_OTHER
    if length == 3:
        return H_VIA if same(data, i, end, "via", 3) else H_OTHER
    if length == 4:
        return (
            H_FROM if same(data, i, end, "from", 4)
            else H_CSEQ if same(data, i, end, "cseq", 4) else H_OTHER
        )
    if length == 7:
        return (
            H_CALL_ID if same(data, i, end, "call-id", 7)
            else H_CONTACT if same(data, i, end, "contact", 7) else H_OTHER
        )
    if length == 12:
        return H_MAX_FORWARDS if same(data, i, end, "max-forwards", 12) else H_OTHER
    if length == 14:
        return H_CONTENT_LENGTH if same(data, i, end, "content-length", 14) else H_OTHER
    return H_OTHER


cdef Span value_of(Request *out, Known kind) noexcept nogil:
    return out.fields[out.first[<uint32_t>kind]].value


cdef void required(Octets data, Request *out) noexcept nogil:
    """Counts and reads the fields a decision needs."""
    cdef uint32_t i
    cdef long value
    cdef Span text
    cdef ViaVerdict via
    for i in range(5):  # Via, From, To, Call-ID, CSeq
        if not out.times[i]:
            note(out, NO_VIA + i)
    for i in range(1, 6):  # From, To, Call-ID, CSeq, Max-Forwards
        if out.times[i] > 1:
            note(out, TWO_FROM + i - 1)
    if out.times[<uint32_t>H_VIA]:
        via = scan_via(data, value_of(out, H_VIA), &out.via)
        out.answerable = via != VIA_UNUSABLE
        if via != VIA_SOUND:
            note(out, BAD_VIA)
    if out.times[<uint32_t>H_FROM] and not address(data, value_of(out, H_FROM), &out.sender):
        memset(&out.sender, 0, sizeof(Address))
        note(out, BAD_FROM)
    if out.times[<uint32_t>H_TO] and not address(data, value_of(out, H_TO), &out.to):
        memset(&out.to, 0, sizeof(Address))
        note(out, BAD_TO)
    if out.times[<uint32_t>H_CALL_ID]:
        text = value_of(out, H_CALL_ID)
        if is_call_id(data, text.start, text.end):
            out.call_id = text
        else:
            note(out, BAD_CALL_ID)
    if out.times[<uint32_t>H_CSEQ]:
        cseq(data, value_of(out, H_CSEQ), out)
    if out.times[<uint32_t>H_MAX_FORWARDS]:
        text = value_of(out, H_MAX_FORWARDS)
        value = number(data, text.start, text.end, MAX_FORWARDS_MOST)
        out.max_forwards = <int32_t>value
        if value < 0:
            note(out, BAD_MAX_FORWARDS)
    content_length(data, out)
    if out.times[<uint32_t>H_CONTACT]:
        for i in range(<uint32_t>out.first[<uint32_t>H_CONTACT], out.count):
            if out.fields[i].known == H_CONTACT and not contact_ok(data, out.fields[i].value):
                note(out, BAD_CONTACT)


cdef void cseq(Octets data, Span text, Request *out) noexcept nogil:
    cdef uint32_t i = skip(data, text.start, text.end, C_DIGIT)
    cdef uint32_t method = skip_lws(data, i, text.end)
    cdef long value = number(data, text.start, i, CSEQ_MOST)
    cdef uint32_t length = out.method.end - out.method.start
    if (
        value < 0 or method == i or method == text.end
        or skip(data, method, text.end, C_TOKEN) != text.end
    ):
        note(out, BAD_CSEQ)
        return
    out.cseq = <uint32_t>value
    out.cseq_method.start, out.cseq_method.end = method, text.end
    if length and (
        text.end - method != length or memcmp(data + method, data + out.method.start, length) != 0
    ):
        note(out, BAD_CSEQ)


cdef void content_length(Octets data, Request *out) noexcept nogil:
    cdef long length = -1, value
    cdef uint32_t i
    cdef bint some = False
    if not out.times[<uint32_t>H_CONTENT_LENGTH]:
        return
    for i in range(<uint32_t>out.first[<uint32_t>H_CONTENT_LENGTH], out.count):
        if out.fields[i].known != H_CONTENT_LENGTH:
            continue
        value = number(data, out.fields[i].value.start, out.fields[i].value.end, MESSAGE_OCTETS)
        if value < 0 or value > out.body.end - out.body.start or (some and value != length):
            note(out, BAD_CONTENT_LENGTH)
            return
        length = value
        some = True
    out.content_length = <int32_t>length
    out.body.end = out.body.start + <uint32_t>length
