"""The elements of a comma list in a header value, one after another."""

from libc.stdint cimport uint32_t

from callscreen.fastpath.sip_text cimport Marked, Octets, Span, element_end, is_lws, unmarked


cdef inline bint next_listed(
    Marked text, Span value, uint32_t *at, Span *out
) noexcept nogil:
    """The next element that is not empty, without white space around; `at` moves past it."""
    cdef Octets data = text.data
    while at[0] < value.end:
        out.start = at[0]
        out.end = element_end(text, at[0], value.end)
        at[0] = out.end + 1
        while out.start < out.end and is_lws(data[out.start]):
            out.start += 1
        while out.end > out.start and is_lws(data[out.end - 1]):
            out.end -= 1
        if out.end > out.start:
            return True
    return False


cdef inline bint next_in_list(Octets data, Span value, uint32_t *at, Span *out) noexcept nogil:
    """The same of a text without marks."""
    return next_listed(unmarked(data), value, at, out)
