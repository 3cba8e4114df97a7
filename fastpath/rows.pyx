"""Rows of call records, sorted, merged and chosen without the GIL.

1. It promises what rows_reference.py promises; one suite holds them together.
2. Sorting compares octets alone, and is stable: of equal identifiers the first row stays.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint32_t
from libc.stdlib cimport free, malloc, qsort
from libc.string cimport memcmp, memcpy

__all__ = [
    "bounds",
    "by_time",
    "lower",
    "merge",
    "placed",
    "postings",
    "select",
    "sort",
    "spans",
    "without",
]

cdef enum:
    ID = 16
    BLOCK = 16
    START = 32
    TIME = 9
    TIMED = 26  # what rows compare by in the order of a time: unset or not, time, identifier
    DIGEST = 12
    ENTRY = 16
    ROW = 98
    CONDITIONS = 16  # more than there are columns to ask about, twice

ctypedef const unsigned char[::1] View
ctypedef const unsigned char *Octets


cdef struct Place:
    unsigned char id[ID]
    uint32_t row


cdef struct Timed:
    unsigned char key[TIMED]
    uint32_t row


cdef struct Asked:
    Py_ssize_t offset, size
    Octets low
    Octets high


cdef extern from *:
    """
    static int callscreen_by_place(const void *left, const void *right) {
        int order = memcmp(left, right, 16);
        uint32_t a, b;
        if (order) return order;
        memcpy(&a, (const char *)left + 16, 4);
        memcpy(&b, (const char *)right + 16, 4);
        return a < b ? -1 : a > b;
    }
    static int callscreen_by_timed(const void *left, const void *right) {
        return memcmp(left, right, 26);
    }
    static int callscreen_by_octets(const void *left, const void *right) {
        return memcmp(left, right, 16);
    }
    """
    int callscreen_by_place(const void *left, const void *right) noexcept nogil
    int callscreen_by_timed(const void *left, const void *right) noexcept nogil
    int callscreen_by_octets(const void *left, const void *right) noexcept nogil


cdef inline Octets begin(View view) noexcept nogil:
    return &view[0] if view.shape[0] else NULL


cdef inline unsigned char *inside(bytes data) noexcept:
    return <unsigned char *>PyBytes_AS_STRING(data)


cdef bytes taken(unsigned char *data, Py_ssize_t size):
    """The octets as an object of their own; what held them is freed."""
    try:
        return PyBytes_FromStringAndSize(<char *>data, size)
    finally:
        free(data)


cdef unsigned char *room(Py_ssize_t size) except NULL:
    cdef unsigned char *data = <unsigned char *>malloc(size if size > 0 else 1)
    if data == NULL:
        raise MemoryError
    return data


def sort(View rows not None):
    cdef Py_ssize_t count = rows.shape[0] // ROW, i, kept = 0
    cdef Octets data = begin(rows)
    cdef Place *places = <Place *>room(count * sizeof(Place))
    cdef unsigned char *out
    try:
        out = room(count * ROW)
    except MemoryError:
        free(places)
        raise
    with nogil:
        for i in range(count):
            memcpy(places[i].id, data + i * ROW, ID)
            places[i].row = <uint32_t>i
        qsort(places, count, sizeof(Place), callscreen_by_place)
        for i in range(count):
            if i and memcmp(places[i].id, places[i - 1].id, ID) == 0:
                continue
            memcpy(out + kept * ROW, data + <Py_ssize_t>places[i].row * ROW, ROW)
            kept += 1
        free(places)
    return taken(out, kept * ROW)


cdef Py_ssize_t first_at(Octets rows, Py_ssize_t count, Octets id) noexcept nogil:
    cdef Py_ssize_t low = 0, middle
    while low < count:
        middle = (low + count) >> 1
        if memcmp(rows + middle * ROW, id, ID) < 0:
            low = middle + 1
        else:
            count = middle
    return low


def merge(View rows not None, View others not None):
    cdef Py_ssize_t count = rows.shape[0] // ROW, more = others.shape[0] // ROW
    cdef Py_ssize_t i, j = 0, kept
    cdef Octets left = begin(rows), right = begin(others)
    cdef unsigned char *out = room((count + more) * ROW)
    cdef int order
    with nogil:
        i = first_at(left, count, right) if more else count
        memcpy(out, left, i * ROW)
        kept = i
        while i < count or j < more:
            if i == count:
                order = 1
            elif j == more:
                order = -1
            else:
                order = memcmp(left + i * ROW, right + j * ROW, ID)
            if order <= 0:
                memcpy(out + kept * ROW, left + i * ROW, ROW)
                i += 1
                j += order == 0
            else:
                memcpy(out + kept * ROW, right + j * ROW, ROW)
                j += 1
            kept += 1
    return taken(out, kept * ROW)


def without(View rows not None, View others not None):
    cdef Py_ssize_t count = rows.shape[0] // ROW, more = others.shape[0] // ROW
    cdef Py_ssize_t i, at, kept = 0
    cdef Octets data = begin(rows), known = begin(others)
    cdef unsigned char *out = room(count * ROW)
    with nogil:
        for i in range(count):
            at = first_at(known, more, data + i * ROW)
            if at < more and memcmp(known + at * ROW, data + i * ROW, ID) == 0:
                continue
            memcpy(out + kept * ROW, data + i * ROW, ROW)
            kept += 1
    return taken(out, kept * ROW)


def lower(View rows not None, bytes id not None):
    if len(id) != ID:
        raise ValueError("an identifier has 16 octets")
    return first_at(begin(rows), rows.shape[0] // ROW, inside(id))


def placed(View rows not None, block):
    cdef bytes number = block.to_bytes(8, "big")
    cdef bytes out = PyBytes_FromStringAndSize(<char *>begin(rows), rows.shape[0])
    cdef unsigned char *at
    cdef Py_ssize_t i
    if not len(out):
        return out
    # A new object of one row or more, which nobody else has seen yet.
    at = inside(out)
    for i in range(rows.shape[0] // ROW):
        memcpy(at + i * ROW + BLOCK, inside(number), 8)
    return out


def spans(View rows not None):
    cdef Py_ssize_t count = rows.shape[0] // ROW, i
    cdef Octets data = begin(rows), at
    cdef unsigned char found[4 * TIME]
    cdef unsigned char *low
    cdef int column
    if not count:
        raise ValueError("no rows")
    with nogil:
        for column in range(2):
            low = found + 2 * TIME * column
            memcpy(low, data + START + TIME * column, TIME)
            memcpy(low + TIME, low, TIME)
            for i in range(1, count):
                at = data + i * ROW + START + TIME * column
                if memcmp(at, low, TIME) < 0:
                    memcpy(low, at, TIME)
                elif memcmp(at, low + TIME, TIME) > 0:
                    memcpy(low + TIME, at, TIME)
    return PyBytes_FromStringAndSize(<char *>found, 4 * TIME)


def by_time(View rows not None, Py_ssize_t offset, bint descending):
    cdef Py_ssize_t count = rows.shape[0] // ROW, i
    cdef Octets data = begin(rows), at
    cdef Timed *places
    cdef unsigned char *out
    cdef unsigned char flip = 0xFF if descending else 0
    cdef int octet
    cdef bint unset
    if not 0 <= offset <= ROW - TIME:
        raise ValueError("no such column")
    places = <Timed *>room(count * sizeof(Timed))
    try:
        out = room(count * ROW)
    except MemoryError:
        free(places)
        raise
    with nogil:
        for i in range(count):
            at = data + i * ROW + offset
            unset = True
            for octet in range(TIME):
                places[i].key[1 + octet] = at[octet] ^ flip
                unset = unset and at[octet] == 0xFF
            places[i].key[0] = unset == descending
            for octet in range(ID):
                places[i].key[1 + TIME + octet] = data[i * ROW + octet] ^ 0xFF
            places[i].row = <uint32_t>i
        qsort(places, count, sizeof(Timed), callscreen_by_timed)
        for i in range(count):
            memcpy(out + i * ROW, data + <Py_ssize_t>places[i].row * ROW, ROW)
        free(places)
    return taken(out, count * ROW)


def postings(View rows not None, Py_ssize_t offset):
    cdef Py_ssize_t count = rows.shape[0] // ROW, i
    cdef Octets data = begin(rows)
    cdef unsigned char *out
    cdef unsigned char *entry
    if not 0 <= offset <= ROW - DIGEST:
        raise ValueError("no such column")
    out = room(count * ENTRY)
    with nogil:
        for i in range(count):
            entry = out + i * ENTRY
            memcpy(entry, data + i * ROW + offset, DIGEST)
            entry[DIGEST] = <unsigned char>(i >> 24)
            entry[DIGEST + 1] = <unsigned char>(i >> 16)
            entry[DIGEST + 2] = <unsigned char>(i >> 8)
            entry[DIGEST + 3] = <unsigned char>i
        qsort(out, count, ENTRY, callscreen_by_octets)
    return taken(out, count * ENTRY)


cdef Py_ssize_t bound(Octets entries, Py_ssize_t count, Octets digest, int least) noexcept nogil:
    """How many entries compare with the digest below `least`."""
    cdef Py_ssize_t low = 0, middle
    while low < count:
        middle = (low + count) >> 1
        if memcmp(entries + middle * ENTRY, digest, DIGEST) < least:
            low = middle + 1
        else:
            count = middle
    return low


def bounds(View entries not None, bytes digest not None):
    cdef Py_ssize_t count = entries.shape[0] // ENTRY
    if len(digest) != DIGEST:
        raise ValueError("a digest has 12 octets")
    return (
        bound(begin(entries), count, inside(digest), 0),
        bound(begin(entries), count, inside(digest), 1),
    )


def select(View rows not None, conditions):
    cdef Asked asked[CONDITIONS]
    cdef Py_ssize_t count = rows.shape[0] // ROW, i, found = 0
    cdef int number = 0, each
    cdef Octets data = begin(rows), at
    cdef uint32_t *places
    if len(conditions) > CONDITIONS:
        raise ValueError("too many conditions")
    for offset, low, high in conditions:
        asked[number].offset, asked[number].size = offset, len(<bytes?>low)
        if len(<bytes?>high) != len(low) or not 0 <= offset <= ROW - len(low):
            raise ValueError("no such column")
        asked[number].low, asked[number].high = inside(low), inside(high)
        number += 1
    places = <uint32_t *>room(count * sizeof(uint32_t))
    with nogil:
        for i in range(count):
            for each in range(number):
                at = data + i * ROW + asked[each].offset
                if (memcmp(at, asked[each].low, asked[each].size) < 0
                        or memcmp(at, asked[each].high, asked[each].size) > 0):
                    break
            else:
                places[found] = <uint32_t>i
                found += 1
    try:
        return [places[i] for i in range(found)]
    finally:
        free(places)
