"""History-Info of an answer (RFC 7044): what came is given back.

Whoever follows the 302 adds the entry of the next hop.
"""

from libc.stdint cimport uint32_t
from libc.string cimport memchr, memcmp

from callscreen.fastpath.answer_write cimport Out, put, put_folded
from callscreen.fastpath.put_uri cimport put_text8, text_of
from callscreen.fastpath.routes cimport Asked
from callscreen.fastpath.sip_list cimport next_in_list
from callscreen.fastpath.sip_scan cimport H_HISTORY_INFO, NO_FIELD, Request
from callscreen.fastpath.sip_text cimport C_DIGIT, Octets, Span, is_lws, same, sip_class

cdef enum:
    INDEX_OCTETS = 64  # of an index that is heeded

cdef struct History:
    bint told  # an entry came
    bint indexed  # the last has an index
    bint added  # an entry for the Request-URI is to be added
    Span index


cdef inline bint next_entry(const Asked *asked, int *field, uint32_t *at, Span *out) noexcept nogil:
    """The next entry of any History-Info field."""
    cdef const Request *request = asked.request
    while 0 <= field[0] < NO_FIELD:
        if not at[0]:
            at[0] = request.fields[field[0]].value.start
        if next_in_list(asked.data, request.fields[field[0]].value, at, out):
            return True
        field[0] = request.fields[field[0]].next
        at[0] = 0
    return False


cdef inline uint32_t backwards(
    Octets data, uint32_t start, uint32_t end, unsigned char octet
) noexcept nogil:
    """The place after the last such octet, or the start."""
    while end > start and data[end - 1] != octet:
        end -= 1
    return end


cdef inline bint read_entry(const Asked *asked, Span entry, Span *uri, Span *index) noexcept nogil:
    """Of an entry the URI, less its headers, and the index: digits with dots between them."""
    cdef Octets data = asked.data
    cdef uint32_t i
    cdef bint digit = False
    uri.start = backwards(data, entry.start, entry.end, c'<')
    uri.end = uri.start
    while uri.end < entry.end and data[uri.end] != c'>' and data[uri.end] != c'?':
        uri.end += 1
    i = backwards(data, uri.end, entry.end, c'>')
    while i < entry.end and not same(data, i, min(i + 7, entry.end), ";index=", 7):
        i += 1
    index.start = index.end = i + 7
    while index.end < entry.end and data[index.end] != c';':
        if sip_class[data[index.end]] & C_DIGIT:
            digit = True
        elif not digit or data[index.end] != c'.':
            return False
        else:
            digit = False
        index.end += 1
    return digit and uri.end > uri.start and index.end - index.start <= INDEX_OCTETS


cdef inline bint is_printable(Octets data, Span entry) noexcept nogil:
    """Whether no control octet is in an entry, but for a line's fold and tabs beside it."""
    cdef uint32_t i
    for i in range(entry.start, entry.end):
        if (data[i] < 0x20 and not is_lws(data[i])) or data[i] == 0x7F:
            return False
    return True


cdef inline void read_history(const Asked *asked, History *out) noexcept nogil:
    cdef Span entry, last, uri, asked_uri = asked.request.uri
    cdef int field = asked.request.first[<uint32_t>H_HISTORY_INFO]
    cdef uint32_t at = 0
    out.indexed = out.added = out.told = False
    while next_entry(asked, &field, &at, &entry):
        if not is_printable(asked.data, entry):
            out.told = False
            return
        out.told = True
        last = entry
    if not out.told:
        return
    entry = last
    out.indexed = read_entry(asked, entry, &uri, &out.index)
    out.added = out.indexed and not (
        uri.end - uri.start == asked_uri.end - asked_uri.start and memcmp(
            asked.data + uri.start, asked.data + asked_uri.start, uri.end - uri.start
        ) == 0
    )


cdef inline void put_index(Out *out, const Asked *asked, const History *history) noexcept nogil:
    """The index of what was asked for."""
    put(out, asked.data + history.index.start, history.index.end - history.index.start)
    if history.added:
        put(out, b".1", 2)


cdef inline void spaces_for_tabs(Out *out, size_t start) noexcept nogil:
    cdef char *tab
    while out.size <= out.room and start < out.size:
        tab = <char *>memchr(out.at + start, c'\t', out.size - start)
        if tab == NULL:
            return
        tab[0] = c' '
        start = <size_t>(tab - out.at) + 1


cdef inline void put_history(Out *out, const Asked *asked, const History *history) noexcept nogil:
    """The entries that came, and one for the Request-URI where it is not the last of them."""
    cdef int field = asked.request.first[<uint32_t>H_HISTORY_INFO]
    cdef uint32_t at = 0
    cdef size_t start
    cdef Span entry
    cdef bint first = True
    put(out, b"History-Info: ", 14)
    while next_entry(asked, &field, &at, &entry):
        put(out, b", ", 0 if first else 2)
        start = out.size
        put_folded(out, asked.data, entry)
        spaces_for_tabs(out, start)
        first = False
    if history.added:
        put(out, b", <", 3)
        put_text8(out, text_of(asked.data, asked.request.uri))
        put(out, b">;index=", 8)
        put_index(out, asked, history)
    put(out, b"\r\n", 2)
