"""Staged blocks, read as what a transaction puts.

1. A block is the message StagedBlock as staged.pyx writes it. What a block does not know it passes
   over; one that is not whole, or whose fields are not in order, raises ValueError.
2. What is made of a row is octet for octet what a single write of the same object makes.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcmp, memcpy

from callscreen.fastpath.staged cimport (
    AT, AUDIT, COLUMNS, FIELD, LINE, NAME, SECTIONS, SHOWN, UNIQUE, Buffer, Part, need,
    varint_size,
)
from callscreen.fastpath.wire cimport varint

__all__ = ["Block"]

cdef enum:
    KEPT = 9  # the field of what lines keep
    NAME_TAG = 0x0A  # of an Object, and of a Mutation
    PUT_TAG = 0x12  # of a Mutation
    MUTATION_TAG = 0x22  # of a Change
    DELIMITED = 2


cdef inline bytes octets_of(Part part):
    return PyBytes_FromStringAndSize(part.at, part.size)


cdef inline char* varint_at(char* to, Py_ssize_t number) noexcept nogil:
    while number > 0x7F:
        to[0] = <char>(number & 0x7F | 0x80)
        number >>= 7
        to += 1
    to[0] = <char>number
    return to + 1


cdef inline char* text_at(char* to, const char* data, Py_ssize_t size) noexcept nogil:
    memcpy(to, data, size)
    return to + size


cdef class Block:
    """A block that is read. Each of its fields is a list, made when it is asked for."""

    cdef readonly bytes octets
    cdef Part* parts
    cdef Py_ssize_t room
    cdef Py_ssize_t starts[SECTIONS + 1]  # of each section's parts
    cdef readonly bint keeps  # some of its lines keep what stands
    cdef list made  # of each section, once it was asked for

    def __cinit__(self, bytes octets not None):
        """Raises ValueError."""
        cdef const unsigned char* begin = <const unsigned char*>PyBytes_AS_STRING(octets)
        cdef const unsigned char* end = begin + PyBytes_GET_SIZE(octets)
        cdef const unsigned char* at = begin
        cdef uint64_t tag, size
        cdef Py_ssize_t count = 0
        cdef int section = 0, number
        cdef bint whole = True
        self.octets = octets
        self.made = [None] * SECTIONS
        while at < end:
            if not (varint(&at, end, &tag) and tag & 7 == DELIMITED
                    and varint(&at, end, &size) and size <= <uint64_t>(end - at)):
                raise ValueError("the block is not whole")
            number = <int>(tag >> 3) if tag >> 3 <= KEPT else KEPT + 1
            if number == KEPT:
                self.keeps = True
            if LINE <= number < SECTIONS:
                if number < section or (number == LINE and section == LINE):
                    raise ValueError("the block's fields are not in order")
                while section < number:
                    section += 1
                    self.starts[section] = count
                if count == self.room:
                    self.grow()
                self.parts[count].at = <const char*>at
                self.parts[count].size = <Py_ssize_t>size
                count += 1
            at += size
        while section < SECTIONS:
            section += 1
            self.starts[section] = count
        self.check()

    def __dealloc__(self):
        free(self.parts)

    def __len__(self):
        return self.size(AT)

    def __eq__(self, other):
        return isinstance(other, Block) and self.octets == (<Block>other).octets

    cdef int grow(self) except -1:
        cdef Py_ssize_t room = 2 * self.room + 1024
        cdef Part* grown = <Part*>realloc(self.parts, room * sizeof(Part))
        if grown == NULL:
            raise MemoryError
        self.parts, self.room = grown, room
        return 0

    cdef Py_ssize_t size(self, int section) noexcept:
        return self.starts[section + 1] - self.starts[section]

    cdef Part* of(self, int section) noexcept:
        return self.parts + self.starts[section]

    cdef int check(self) except -1:
        """Every section has an entry a row, or as many a row. Raises ValueError."""
        cdef Py_ssize_t rows = self.size(AT)
        cdef int section
        for section in (NAME, FIELD, SHOWN, UNIQUE, COLUMNS, AUDIT):
            if section <= FIELD and self.size(section) != rows:
                raise ValueError("a row of the block has no name or no object")
            if self.size(section) and (not rows or self.size(section) % rows):
                raise ValueError("a section of the block does not fit its rows")
        for section in (SHOWN, AUDIT):
            if self.size(section) not in (0, rows):
                raise ValueError("a section of the block does not fit its rows")
        return 0

    cdef list all_of(self, int section):
        cdef Py_ssize_t i
        cdef Part* parts = self.of(section)
        if self.made[section] is None:
            self.made[section] = [octets_of(parts[i]) for i in range(self.size(section))]
        return self.made[section]

    def ascends(self):
        """Whether the keys rise from row to row, and the unique values as well: none is twice."""
        cdef int section
        cdef Py_ssize_t i, size
        cdef Part* parts
        cdef int order
        for section in (AT, UNIQUE):
            parts = self.of(section)
            for i in range(1, self.size(section)):
                size = min(parts[i - 1].size, parts[i].size)
                order = memcmp(parts[i - 1].at, parts[i].at, size)
                if order > 0 or (order == 0 and parts[i - 1].size >= parts[i].size):
                    return False
        return True

    @property
    def line(self):
        cdef list lines = []
        cdef uint64_t number
        cdef const unsigned char* at
        cdef const unsigned char* end
        if self.size(LINE):
            at = <const unsigned char*>self.of(LINE).at
            end = at + self.of(LINE).size
            while at < end and varint(&at, end, &number):
                lines.append(number)
        return lines

    @property
    def at(self):
        return self.all_of(AT)

    @property
    def name(self):
        return self.all_of(NAME)

    @property
    def field(self):
        return self.all_of(FIELD)

    @property
    def unique(self):
        return self.all_of(UNIQUE)

    @property
    def columns(self):
        return self.all_of(COLUMNS)

    def places(self):
        """Keys less their last part, where that is not the same as in the row before.

        A key's parts end in a zero octet, which stands nowhere else in it.
        """
        cdef list found = []
        cdef Part* parts = self.of(AT)
        cdef const char* last = NULL
        cdef Py_ssize_t i, size, before = -1
        for i in range(self.size(AT)):
            size = parts[i].size - 1
            while size > 0 and parts[i].at[size - 1] != 0:
                size -= 1
            if size != before or memcmp(parts[i].at, last, size) != 0:
                found.append(PyBytes_FromStringAndSize(parts[i].at, size))
            last, before = parts[i].at, size
        return found

    def put(self, bytes stamps not None, bint published, rows=None):
        """What a transaction puts of these rows, or of all of them, that nobody holds yet.

        `stamps` are the encoded stamps of each object. Gives a list of pairs for the objects, the
        unique values and the columns each, the mutations of a Change, none where they are not
        `published`, and the middles of the audit rows.
        """
        cdef Py_ssize_t count = self.size(AT), i, turn, row
        cdef Py_ssize_t marks = self.size(UNIQUE) // count if count else 0
        cdef Py_ssize_t columns = self.size(COLUMNS) // count if count else 0
        cdef list objects = [], unique = [], cells = [], audit = []
        cdef list keys = self.all_of(AT), values = self.all_of(UNIQUE)
        cdef bytes name, nothing = b""
        cdef Part* part
        cdef Buffer told
        told.data = NULL
        told.size = told.room = 0
        if self.size(AUDIT) != count:
            raise ValueError("the rows of the block cannot be put as they stand")
        try:
            for i in range(count if rows is None else len(rows)):
                row = i if rows is None else rows[i]
                if not 0 <= row < count:
                    raise IndexError(row)
                part = self.of(NAME) + row
                name = octets_of(part[0])
                objects.append((keys[row], stored(part[0], stamps, self.of(FIELD)[row])))
                for turn in range(row * marks, row * marks + marks):
                    unique.append((values[turn], name))
                for turn in range(row * columns, row * columns + columns):
                    cells.append((octets_of(self.of(COLUMNS)[turn]), nothing))
                audit.append(octets_of(self.of(AUDIT)[row]))
                if published:
                    mutate(&told, part[0], stamps,
                           self.of(SHOWN)[row] if self.size(SHOWN) else self.of(FIELD)[row])
            mutations = PyBytes_FromStringAndSize(told.data, told.size)
        finally:
            free(told.data)
        return objects, unique, cells, mutations, audit


cdef bytes stored(Part name, bytes stamps, Part field):
    """An object: its name, its stamps and its body."""
    cdef Py_ssize_t stamped = PyBytes_GET_SIZE(stamps)
    cdef bytes made = PyBytes_FromStringAndSize(
        NULL, 1 + varint_size(name.size) + name.size + stamped + field.size)
    write_object(PyBytes_AS_STRING(made), name, stamps, field)
    return made


cdef char* write_object(char* to, Part name, bytes stamps, Part field) noexcept:
    to[0] = NAME_TAG
    to = text_at(varint_at(to + 1, name.size), name.at, name.size)
    to = text_at(to, PyBytes_AS_STRING(stamps), PyBytes_GET_SIZE(stamps))
    return text_at(to, field.at, field.size)


cdef int mutate(Buffer* into, Part name, bytes stamps, Part shown) except -1:
    """Adds the mutation of a Change that puts an object."""
    cdef Py_ssize_t head = 1 + varint_size(name.size) + name.size
    cdef Py_ssize_t put = head + PyBytes_GET_SIZE(stamps) + shown.size
    cdef Py_ssize_t whole = head + 1 + varint_size(put) + put
    cdef char* to
    need(into, 1 + varint_size(whole) + whole)
    to = into.data + into.size
    to[0] = MUTATION_TAG
    to = varint_at(to + 1, whole)
    to[0] = NAME_TAG
    to = text_at(varint_at(to + 1, name.size), name.at, name.size)
    to[0] = PUT_TAG
    to = write_object(varint_at(to + 1, put), name, stamps, shown)
    into.size = to - into.data
    return 0
