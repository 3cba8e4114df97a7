"""Cells of a line: what they may be, and how a list is told."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.string cimport memchr, memcmp

from callscreen.fastpath.staged cimport Buffer, need, put, put_bytes, put_octet, put_varint

cdef enum:
    FEW = 24  # entries of a list that are compared each with each
    DIGITS = 15  # of a number


cdef inline bint repeats(const char* at, const char* end, Py_ssize_t count):
    """Whether one of so many entries is there twice."""
    cdef const char* starts[FEW]
    cdef Py_ssize_t sizes[FEW]
    cdef const char* stop
    cdef Py_ssize_t n = 0, i
    if count > FEW:
        entries = PyBytes_FromStringAndSize(at, end - at).split(b";")
        return len(set(entries)) != count
    while at <= end:
        stop = <const char*>memchr(at, c";", end - at) if at < end else NULL
        if stop == NULL:
            stop = end
        starts[n] = at
        sizes[n] = stop - at
        for i in range(n):
            if sizes[i] == sizes[n] and memcmp(starts[i], at, sizes[n]) == 0:
                return True
        n += 1
        at = stop + 1
    return False


cdef inline bint is_number(const char* at, const char* end, bint entry) noexcept nogil:
    """`+` and 1 to 15 digits; of an entry any of them may be x, and an asterisk may follow."""
    if entry and end > at and (end - 1)[0] == c"*":
        end -= 1
    if not 2 <= end - at <= DIGITS + 1 or at[0] != c"+":
        return False
    at += 1
    while at < end:
        if not (c"0" <= at[0] <= c"9" or (entry and at[0] == c"x")):
            return False
        at += 1
    return True


cdef inline Py_ssize_t entries_of(const char* at, const char* end) noexcept nogil:
    """How many entries a list has; 0 where one is none."""
    cdef const char* stop
    cdef Py_ssize_t count = 0
    while at <= end:
        stop = at
        while stop < end and stop[0] != c";":
            stop += 1
        if not is_number(at, stop, True):
            return 0
        count += 1
        at = stop + 1
    return count


cdef inline bint is_text(const char* at, const char* end) noexcept nogil:
    """Whether all stands for itself in CSV and in JSON."""
    while at < end:
        if not 0x20 <= at[0] < 0x7F or at[0] in (c'"', c",", c"\\", c"|"):
            return False
        at += 1
    return True


cdef inline bint is_open(unsigned char octet) noexcept nogil:
    """Whether a resource name holds it as it is."""
    return (c"a" <= octet <= c"z" or c"A" <= octet <= c"Z" or c"0" <= octet <= c"9"
            or octet in (c"-", c".", c"_", c"~"))


cdef inline int put_quoted(Buffer* into, const char* at, Py_ssize_t size) except -1:
    """A part of a resource name, percent-encoded."""
    cdef const char* digits = "0123456789ABCDEF"
    cdef Py_ssize_t i
    cdef unsigned char octet
    need(into, 3 * size)
    for i in range(size):
        octet = <unsigned char>at[i]
        if is_open(octet):
            into.data[into.size] = <char>octet
            into.size += 1
        else:
            into.data[into.size] = c"%"
            into.data[into.size + 1] = digits[octet >> 4]
            into.data[into.size + 2] = digits[octet & 15]
            into.size += 3
    return 0


cdef inline bint put_list(
    Buffer* message, Buffer* json, const char* at, const char* end, bytes tag, Py_ssize_t shown
) except -1:
    """Tells a list, by the number of its entries if more than `shown`; false where one repeats."""
    cdef const char* stop = at
    cdef Py_ssize_t count = 1
    while stop < end:
        count += stop[0] == c";"
        stop += 1
    if repeats(at, end, count):
        return False
    if count > shown:
        put_bytes(json, b'{""entries"":%d}' % count)
    else:
        put_octet(json, c"[")
    while at <= end:
        stop = <const char*>memchr(at, c";", end - at) if at < end else NULL
        if stop == NULL:
            stop = end
        put_bytes(message, tag)
        put_varint(message, stop - at)
        put(message, at, stop - at)
        if count <= shown:
            put(json, b'""', 2)
            put(json, at, stop - at)
            if stop == end:
                put(json, b'""]', 3)
            else:
                put(json, b'"",', 3)
        at = stop + 1
    return True
