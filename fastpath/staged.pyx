"""Staged rows, written by the block as a message.

1. A block is the message StagedBlock: its fields stand in the order of their numbers, each as many
   times as its rows have it.
2. A row is there whole in the block, or not at all.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdlib cimport free

__all__ = ["Pen"]

cdef enum:
    DELIMITED = 2


cdef class Pen:
    """A block in the making."""

    def __cinit__(self):
        cdef int section
        for section in range(SECTIONS):
            self.sections[section].data = NULL
            self.sections[section].size = self.sections[section].room = 0
        self.count = 0
        self.differs = False

    def __dealloc__(self):
        cdef int section
        for section in range(SECTIONS):
            free(self.sections[section].data)

    cdef Buffer* entry(self, int section, Py_ssize_t size) except NULL:
        cdef Buffer* into = &self.sections[section]
        put_octet(into, <char>(section << 3 | DELIMITED))
        put_varint(into, size)
        return into

    cdef int begin(self, Py_ssize_t line) except -1:
        cdef int section
        for section in range(SECTIONS):
            self.sizes[section] = self.sections[section].size
        put_varint(&self.sections[LINE], line)
        self.count += 1
        return 0

    cdef int give_up(self) except -1:
        cdef int section
        for section in range(SECTIONS):
            self.sections[section].size = self.sizes[section]
        self.count -= 1
        return 0

    def add(self, Py_ssize_t line, bytes at, bytes name, bytes field, bytes shown=None,
            unique=(), columns=(), bytes audit=None):
        """Adds a row; `shown` where it may be told otherwise than `field`."""
        cdef bytes each
        self.begin(line)
        put_bytes(self.entry(AT, len(at)), at)
        put_bytes(self.entry(NAME, len(name)), name)
        put_bytes(self.entry(FIELD, len(field)), field)
        if shown is not None:
            put_bytes(self.entry(SHOWN, len(shown)), shown)
            self.differs = self.differs or shown != field
        for each in unique:
            put_bytes(self.entry(UNIQUE, len(each)), each)
        for each in columns:
            put_bytes(self.entry(COLUMNS, len(each)), each)
        if audit is not None:
            put_bytes(self.entry(AUDIT, len(audit)), audit)

    def whole(self):
        """The block, encoded."""
        cdef Buffer head
        cdef int section
        cdef list parts = []
        head.data = NULL
        head.size = head.room = 0
        if self.count:
            try:
                put_octet(&head, LINE << 3 | DELIMITED)
                put_varint(&head, self.sections[LINE].size)
                parts.append(PyBytes_FromStringAndSize(head.data, head.size))
            finally:
                free(head.data)
        for section in range(LINE, SECTIONS):
            if self.sections[section].size and (section != SHOWN or self.differs):
                parts.append(PyBytes_FromStringAndSize(
                    self.sections[section].data, self.sections[section].size))
        return b"".join(parts)
