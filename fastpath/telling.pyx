"""Tells a line of cells twice: as the fields of a message, and as JSON inside a quoted cell.

1. A line is ASCII, holds no quotes and has as many cells as columns: whoever calls has looked.
2. A list that has an entry twice is not told: None.
3. What is told of a line depends on that line and its parts alone.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdlib cimport free, realloc
from libc.string cimport memchr, memcmp, memcpy

__all__ = ["Teller"]

cdef enum:
    TEXT = 0
    LIST = 1
    BOOLEAN = 2
    COLUMNS = 64  # of a line at most
    FEW = 24  # entries of a list that are compared each with each


cdef struct Buffer:
    char* data
    Py_ssize_t size
    Py_ssize_t room


cdef int put(Buffer* buffer, const char* data, Py_ssize_t size) except -1:
    cdef char* grown
    cdef Py_ssize_t room
    if buffer.size + size > buffer.room:
        room = 2 * (buffer.size + size)
        grown = <char*>realloc(buffer.data, room)
        if grown == NULL:
            raise MemoryError
        buffer.data = grown
        buffer.room = room
    memcpy(buffer.data + buffer.size, data, size)
    buffer.size += size
    return 0


cdef int put_bytes(Buffer* buffer, bytes data) except -1:
    return put(buffer, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))


cdef int put_varint(Buffer* buffer, Py_ssize_t number) except -1:
    cdef char octets[10]
    cdef int size = 0
    while number > 0x7F:
        octets[size] = <char>(number & 0x7F | 0x80)
        number >>= 7
        size += 1
    octets[size] = <char>number
    return put(buffer, octets, size + 1)


cdef bint repeats(const char* at, const char* end, Py_ssize_t count):
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


cdef class Teller:
    """`parts`: for each field in order (place of its cell or -1, kind, tag, name in JSON, and what
    is told where the cell is empty: of the message, of the JSON). Kinds: 0 text, 1 list, 2 boolean.
    Lists longer than `shown` are told by the number of their entries.
    """

    cdef tuple parts
    cdef Py_ssize_t shown
    cdef Buffer message
    cdef Buffer json

    def __cinit__(self, parts, Py_ssize_t shown):
        self.parts = tuple(parts)
        self.shown = shown
        self.message.data = self.json.data = NULL
        self.message.size = self.message.room = self.json.size = self.json.room = 0

    def __dealloc__(self):
        free(self.message.data)
        free(self.json.data)

    cdef int put_list(self, const char* at, const char* end, bytes tag) except -1:
        """Tells a list; 1 where an entry repeats."""
        cdef const char* stop = at
        cdef Py_ssize_t count = 1
        while stop < end:
            count += stop[0] == c";"
            stop += 1
        if repeats(at, end, count):
            return 1
        if count > self.shown:
            put_bytes(&self.json, b'{""entries"":%d}' % count)
        else:
            put(&self.json, b"[", 1)
        while at <= end:
            stop = <const char*>memchr(at, c";", end - at) if at < end else NULL
            if stop == NULL:
                stop = end
            put_bytes(&self.message, tag)
            put_varint(&self.message, stop - at)
            put(&self.message, at, stop - at)
            if count <= self.shown:
                put(&self.json, b'""', 2)
                put(&self.json, at, stop - at)
                if stop == end:
                    put(&self.json, b'""]', 3)
                else:
                    put(&self.json, b'"",', 3)
            at = stop + 1
        return 0

    def tell(self, bytes line):
        """The cells, the message and the JSON between its braces; None for a list that repeats."""
        cdef const char* starts[COLUMNS]
        cdef const char* ends[COLUMNS]
        cdef const char* at = PyBytes_AS_STRING(line)
        cdef const char* end = at + PyBytes_GET_SIZE(line)
        cdef int columns = 0, place, kind
        cdef bytes tag, name, message, json
        cdef list cells = []
        while columns < COLUMNS:
            starts[columns] = at
            at = <const char*>memchr(at, c",", end - at) if at < end else NULL
            ends[columns] = end if at == NULL else at
            cells.append(PyBytes_FromStringAndSize(
                starts[columns], ends[columns] - starts[columns]))
            columns += 1
            if at == NULL:
                break
            at += 1
        self.message.size = self.json.size = 0
        for place, kind, tag, name, message, json in self.parts:
            if place >= columns:
                raise IndexError("a line has less cells than columns")
            if place < 0 or starts[place] == ends[place]:
                if not message:
                    continue
                if self.json.size:
                    put(&self.json, b",", 1)
                put_bytes(&self.message, message)
                put_bytes(&self.json, json)
                continue
            if self.json.size:
                put(&self.json, b",", 1)
            put_bytes(&self.json, name)
            if kind == LIST:
                if self.put_list(starts[place], ends[place], tag):
                    return None
            elif kind == BOOLEAN:
                put_bytes(&self.message, tag)
                put(&self.message, b"\x01" if starts[place][0] == c"t" else b"\x00", 1)
                put(&self.json, starts[place], ends[place] - starts[place])
            else:
                put_bytes(&self.message, tag)
                put_varint(&self.message, ends[place] - starts[place])
                put(&self.message, starts[place], ends[place] - starts[place])
                put(&self.json, b'""', 2)
                put(&self.json, starts[place], ends[place] - starts[place])
                put(&self.json, b'""', 2)
            put(&self.json, b"]", 1)
        return (
            cells,
            PyBytes_FromStringAndSize(self.message.data, self.message.size),
            PyBytes_FromStringAndSize(self.json.data, self.json.size),
        )
