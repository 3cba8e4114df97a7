"""Rows of CSV from stored objects, without making messages of them.

Invariants
1. A row made here is what csv.writer makes of the cells that schema.csv writes, octet for octet. An
   object that is not as most are goes to who can make its row: one that has a group, whose fields
   come in another form, or that is no message.
2. Nothing is read outside of an object's octets.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memmove, memset

from callscreen.fastpath.staged cimport Buffer, need, put_bytes
from callscreen.fastpath.wire cimport READ, Field, Octets, next_field, utf8

__all__ = ["BOOLEAN", "GROUP", "LINES", "LIST", "SECRET", "TEXT", "RowWriter"]

TEXT, LINES, LIST, BOOLEAN, GROUP, SECRET = range(6)  # LINES: text whose line breaks become bars

cdef enum:
    SORTS = 6
    LINED = 1
    ENTRIES = 2
    TRUTH = 3
    NESTED = 4
    HIDDEN = 5
    COLUMNS_MOST = 32
    NUMBERS_MOST = 64  # of a field that is a column, less one
    NUMBER = 0  # kinds of fields on the wire
    DELIMITED = 2


cdef struct Cell:
    uint64_t count  # of its field in the message
    uint64_t value  # of the last one
    Octets data
    uint64_t size
    Octets behind   # the first one


cdef struct Columns:
    int count
    int[COLUMNS_MOST] sorts
    int[NUMBERS_MOST] places  # by the field's number; -1 for what is no column
    Cell[COLUMNS_MOST] cells


cdef bint read_cells(Columns* columns, Octets at, Octets end) noexcept nogil:
    """Finds the fields of a body; false where it is not as most are."""
    cdef Field field
    cdef Cell* cell
    cdef int place, sort
    memset(columns.cells, 0, columns.count * sizeof(Cell))
    memset(&field, 0, sizeof(Field))
    while at < end:
        if next_field(&at, end, &field) != READ or field.number == 0:
            return False
        place = columns.places[field.number] if field.number < NUMBERS_MOST else -1
        if place < 0:
            continue
        sort = columns.sorts[place]
        if sort == NESTED or (field.kind == NUMBER) != (sort == TRUTH):
            return False
        if field.kind == DELIMITED and not utf8(field.data, field.size):
            return False
        cell = &columns.cells[place]
        if cell.count and sort == ENTRIES:  # the first, from which on all are found again
            cell.count += 1
            continue
        cell.count += 1
        cell.value, cell.data, cell.size, cell.behind = field.value, field.data, field.size, at
    return True


cdef char* put_text(char* out, Octets at, uint64_t size, bint lined, bint* quoted) noexcept nogil:
    """Writes a text as it stands in quotes, and says whether it must stand in them."""
    cdef uint64_t i
    cdef unsigned char octet
    for i in range(size):
        octet = at[i]
        if octet == c'\n' and lined:
            octet = c'|'
        if octet == c'"':
            out[0] = c'"'
            out += 1
            quoted[0] = True
        elif octet == c',' or octet == c'\n' or octet == c'\r':
            quoted[0] = True
        out[0] = <char>octet
        out += 1
    return out


cdef class RowWriter:
    cdef Columns _columns
    cdef uint64_t _body, _first
    cdef object _other

    def __init__(self, Py_ssize_t body, Py_ssize_t first, columns, other):
        cdef int place
        if not 1 <= len(columns) <= COLUMNS_MOST:
            raise ValueError(f"1 to {COLUMNS_MOST} columns are written")
        memset(&self._columns, 0, sizeof(Columns))
        for place in range(NUMBERS_MOST):
            self._columns.places[place] = -1
        for place, (number, sort) in enumerate(columns):
            if not 0 < number < NUMBERS_MOST or not 0 <= sort < SORTS:
                raise ValueError(f"no column: {number}, {sort}")
            self._columns.sorts[place] = sort
            if sort != HIDDEN:
                self._columns.places[number] = place
        self._columns.count = len(columns)
        self._body, self._first, self._other = body, first, other

    def write(self, values):
        cdef Buffer into
        cdef bytes value
        into.data = NULL
        into.size = into.room = 0
        try:
            for value in values:
                if value is None:
                    raise TypeError("octets are wanted")
                if not self.row(&into, value):
                    put_bytes(&into, self._other(value))
            return PyBytes_FromStringAndSize(into.data, into.size)
        finally:
            free(into.data)

    cdef bint row(self, Buffer* into, bytes value) except -1:
        """Adds a row; false where another has to make it."""
        cdef Octets at = <Octets>PyBytes_AS_STRING(value), end = at + PyBytes_GET_SIZE(value)
        cdef Octets body = NULL
        cdef uint64_t size = 0
        cdef Field field
        cdef char* out
        cdef char* begun
        cdef int place
        memset(&field, 0, sizeof(Field))
        while at < end:
            if next_field(&at, end, &field) != READ:
                return False
            if field.number == self._body:
                if body != NULL or field.kind != DELIMITED:
                    return False  # two are merged
                body, size = field.data, field.size
            elif field.number >= self._first or field.number == 0:
                return False  # it is of another kind
        if body == NULL or not read_cells(&self._columns, body, body + size):
            return False
        # Each octet twice where all are quotation marks; quotes, comma and words of each cell.
        need(into, 2 * <Py_ssize_t>size + 8 * COLUMNS_MOST + 2)
        begun = out = into.data + into.size
        for place in range(self._columns.count):
            if place:
                out[0] = c','
                out += 1
            out = self.cell(out, place, body + size)
        if self._columns.count == 1 and out == begun:  # else it were an empty line
            out[0] = out[1] = c'"'
            out += 2
        out[0], out[1] = c'\r', c'\n'
        into.size = out + 2 - into.data
        return True

    cdef char* cell(self, char* out, int place, Octets end) noexcept:
        cdef Cell* cell = &self._columns.cells[place]
        cdef int sort = self._columns.sorts[place]
        cdef bint quoted = False
        cdef char* begun = out
        cdef Octets at = cell.behind
        cdef Field field
        cdef uint64_t left = cell.count
        if not left:
            return out
        if sort == TRUTH:
            memcpy(out, b"true" if cell.value else b"false", 5)
            return out + (4 if cell.value else 5)
        out = put_text(out + 1, cell.data, cell.size, sort == LINED, &quoted)
        while sort == ENTRIES and left > 1 and next_field(&at, end, &field) == READ:
            if field.number < NUMBERS_MOST and self._columns.places[field.number] == place:
                out[0] = c';'
                out = put_text(out + 1, field.data, field.size, False, &quoted)
                left -= 1
        if quoted:
            begun[0] = out[0] = c'"'
            return out + 1
        memmove(begun, begun + 1, out - begun - 1)
        return out - 1
