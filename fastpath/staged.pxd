"""Staged blocks: rows in the making. What is promised stands in staged.pyx."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdlib cimport realloc
from libc.string cimport memcpy

cdef enum:
    LINE = 1
    AT = 2
    NAME = 3
    FIELD = 4
    SHOWN = 5
    UNIQUE = 6
    COLUMNS = 7
    AUDIT = 8
    SECTIONS = 9  # numbers of fields below this one, from 1


cdef struct Buffer:
    char* data
    Py_ssize_t size
    Py_ssize_t room


cdef struct Part:
    const char* at
    Py_ssize_t size


cdef inline int need(Buffer* buffer, Py_ssize_t size) except -1:
    """Makes room for so many octets more."""
    cdef char* grown
    cdef Py_ssize_t room
    if buffer.size + size > buffer.room:
        room = 2 * (buffer.size + size)
        grown = <char*>realloc(buffer.data, room)
        if grown == NULL:
            raise MemoryError
        buffer.data = grown
        buffer.room = room
    return 0


cdef inline int put(Buffer* buffer, const char* data, Py_ssize_t size) except -1:
    need(buffer, size)
    memcpy(buffer.data + buffer.size, data, size)
    buffer.size += size
    return 0


cdef inline int put_bytes(Buffer* buffer, bytes data) except -1:
    return put(buffer, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))


cdef inline int put_octet(Buffer* buffer, char octet) except -1:
    need(buffer, 1)
    buffer.data[buffer.size] = octet
    buffer.size += 1
    return 0


cdef inline int put_varint(Buffer* buffer, Py_ssize_t number) except -1:
    need(buffer, 10)
    while number > 0x7F:
        buffer.data[buffer.size] = <char>(number & 0x7F | 0x80)
        number >>= 7
        buffer.size += 1
    buffer.data[buffer.size] = <char>number
    buffer.size += 1
    return 0


cdef inline Py_ssize_t varint_size(Py_ssize_t number) noexcept nogil:
    cdef Py_ssize_t size = 1
    while number > 0x7F:
        number >>= 7
        size += 1
    return size


cdef class Pen:
    cdef Buffer sections[SECTIONS]
    cdef Py_ssize_t sizes[SECTIONS]  # where a row that is given up began
    cdef readonly Py_ssize_t count
    cdef bint differs

    # The head of one more entry of a section, whose octets are put next.
    cdef Buffer* entry(self, int section, Py_ssize_t size) except NULL
    cdef int begin(self, Py_ssize_t line) except -1
    cdef int give_up(self) except -1
