# distutils: extra_compile_args = -fno-tree-slp-vectorize
"""A SIP request found in a datagram. What each function promises stands in sip_scan.pxd.

A Field is four words written from four registers: gathered into a vector first they cost more.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcmp, memset

from callscreen.fastpath.marks cimport BARE_END, BEST, NO_END, find_marks
from callscreen.fastpath.sip_names cimport name_kind, names
from callscreen.fastpath.sip_required cimport note, required
from callscreen.fastpath.sip_text cimport (
    C_DIGIT, C_TOKEN, Marked, Octets, find, is_lws, next_mark, same, sip_class, sip_lowest, skip,
    skip_lws, skip_octets,
)
from callscreen.fastpath.sip_uri cimport URI_BAD, URI_OTHER, read_uri_text


cdef uint32_t scan(Octets data, size_t length, Request *out) noexcept nogil:
    """Fills `out` and answers its fault; SOUND where the request may be decided on."""
    cdef uint32_t start = 0, end
    memset(out, 0, <size_t>(<char *>&out.first - <char *>out))
    memset(&out.first, 0xFF, sizeof(out.first))
    out.via.ttl = out.max_forwards = out.content_length = -1
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
    else:
        head(data, start, end, out)
    return out.fault


cdef void head(Octets data, uint32_t start, uint32_t end, Request *out) noexcept nogil:
    """Every line from start on, and what they have to say together."""
    cdef uint64_t feeds[MARK_WORDS]
    cdef uint32_t stop = find_marks(data, start, end, out.marks, feeds, BEST), line
    cdef Marked text = marked(data, out)
    if stop == BARE_END:
        note(out, LINE_END)
        return
    if stop == NO_END:
        note(out, TRUNCATED)
    out.body.start, out.body.end = stop or end, end
    line = lines(text, feeds, start, stop or end, stop != NO_END, out)
    if line:
        required(text, out)
        if is_ack(data, start, line - 2):
            out.answerable = False


cdef uint32_t lines(
    Marked text, const uint64_t *feeds, uint32_t start, uint32_t stop, bint whole, Request *out
) noexcept nogil:
    """The start line and the fields before stop; position after the first, 0 without a line."""
    cdef Octets data = text.data
    cdef uint32_t base = start & ~<uint32_t>63, line = start, i = start, after = 0
    cdef uint32_t seen = 0, count = 0
    cdef uint64_t bits = feeds[base >> 6]
    cdef bint folded = False, ended = False
    while True:
        while not bits:
            base += 64
            if base >= stop:
                ended = True
                break
            bits = feeds[base >> 6]
        if ended:
            # No empty line: what comes last is whole only where its line has an end.
            if after and i > line:
                count += field(text, line, i - 2, folded, seen + 1, count, out)
            break
        i = base + sip_lowest(bits) + 1
        bits &= bits - 1
        if not after:
            start_line(text, start, i - 2, out)
            after = line = i
        elif i == stop and whole:
            break
        elif i != stop and data[i] <= c' ' and (data[i] == c' ' or data[i] == c'\t'):
            folded = True
        else:
            seen += 1
            count += field(text, line, i - 2, folded, seen, count, out)
            line = i
            folded = False
    out.count = count
    return after


cdef bint is_ack(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    return (
        end - i > 3 and memcmp(data + i, b"ACK", 3) == 0
        and not sip_class[data[i + 3]] & C_TOKEN
    ) or (end - i == 3 and memcmp(data + i, b"ACK", 3) == 0)


cdef void start_line(Marked text, uint32_t start, uint32_t end, Request *out) noexcept nogil:
    cdef Octets data = text.data
    cdef uint32_t i = skip(text, start, end, C_TOKEN), uri, k
    if i == start or i == end or data[i] != c' ':
        note(out, START_LINE)
        return
    uri = i + 1
    k = find(text, uri, end, c' ')
    if k == uri or not is_version(data, k + 1, end):
        note(out, START_LINE)
        return
    out.method.start, out.method.end = start, i
    out.uri.start, out.uri.end = uri, k
    if not same(data, k + 1, end, "sip/2.0", 7):
        note(out, VERSION)
    read_uri_text(text, uri, k, &out.parts)
    if out.parts.kind == URI_BAD or out.parts.headers.start:  # RFC 3261 19.1.1: no headers here
        note(out, REQUEST_URI)
    elif out.parts.kind == URI_OTHER:
        note(out, SCHEME)


cdef bint is_version(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    cdef uint32_t k
    if end < i + 4 or not same(data, i, i + 4, "sip/", 4):
        return False
    k = skip_octets(data, i + 4, end, C_DIGIT)
    if k == i + 4 or k == end or data[k] != c'.':
        return False
    i = k + 1
    k = skip_octets(data, i, end, C_DIGIT)
    return k > i and k == end


cdef inline bint field(
    Marked text, uint32_t start, uint32_t end, bint folded, uint32_t seen, uint32_t count,
    Request *out
) noexcept nogil:
    """Whether the octets, a line with its folds but without its end, are one more header field."""
    cdef Octets data = text.data
    cdef uint32_t i = next_mark(text.marks, start), name_end = i, kind
    cdef Field *made = &out.fields[count]
    if seen > HEADERS:
        note(out, TOO_MANY_HEADERS)
        return False
    if data[i] != c':':  # the name holds more than plain octets, or white space follows
        i = name_end = skip(text, start, end, C_TOKEN)
        while i < end and (data[i] == c' ' or data[i] == c'\t'):
            i += 1
        if i == end or data[i] != c':':
            note(out, HEADER)
            return False
    if name_end == start:
        note(out, HEADER)
        return False
    kind = name_kind(&names, data, start, name_end)
    i += 1
    if data[i] == c' ' and i < end:
        i += 1
    if data[i] <= c' ':
        i = skip_lws(data, i, end)
    if data[end - 1] <= c' ':
        while end > i and is_lws(data[end - 1]):
            end -= 1
    made.name.start, made.name.end = start, name_end
    made.value.start, made.value.end = i, end
    made.folded = folded
    if kind < KNOWN:
        made.known = kind
        made.next = NO_FIELD
        link(out, kind, count)
    else:
        made.known = H_OTHER
    return True


cdef inline void link(Request *out, uint32_t kind, uint32_t count) noexcept nogil:
    """Counts a field of a kind, and hangs it on the last before it."""
    cdef uint32_t times = out.times[kind]
    if times:
        out.fields[out.last[kind]].next = count
    else:
        out.first[kind] = count
    out.times[kind] = times + 1
    out.last[kind] = count
