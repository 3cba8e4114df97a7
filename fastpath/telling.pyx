"""Takes lines of cells that are all as they are held, and writes them down as staged rows.

1. A line that is taken is a row as StagedBlock has it; one that is not leaves no trace. Not taken
   are lines with a cell that is not as its column wants it, with another number of cells, with a
   list that has an entry twice, with a key that is too long.
2. What is made of a line depends on that line and on what the teller was made of alone.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdlib cimport free
from libc.string cimport memchr, memcmp

from callscreen.fastpath.staged cimport (
    AT, AUDIT, COLUMNS, FIELD, NAME, SHOWN, UNIQUE, Buffer, Part, Pen, put, put_bytes, put_octet,
    put_varint, varint_size,
)
from callscreen.fastpath.telling_cells cimport (
    entries_of, is_number, is_text, put_list, put_quoted,
)

__all__ = ["Teller"]

cdef enum:
    TEXT = 0
    LIST = 1
    BOOLEAN = 2
    NUMBER = 3
    NOTHING = 4  # an empty cell
    ONE = 5  # an empty cell, or a certain text
    WIDTH = 64  # columns at most
    CUT = 0xFF  # ends a cell of an index that was cut


cdef struct Column:
    int sort
    Py_ssize_t low, high  # characters of a text, or entries of a list
    bint required


cdef class Teller:
    """What takes the lines of one file. See telling.pyi for what it is made of."""

    cdef Column columns[WIDTH]
    cdef Part cells[WIDTH]
    cdef int width
    cdef tuple ones, parts, fits, key, unique, indexed
    cdef int outer_parts, depth
    cdef object outer
    cdef Py_ssize_t shown, key_room, name_room, text_room
    cdef bytes tag, end
    cdef bint secret
    cdef Buffer message, json, quoted, held
    # What is below the same as the line before begins so too.
    cdef list above
    cdef tuple heads

    def __cinit__(self, **made):
        cdef int sort
        cdef Py_ssize_t low, high
        cdef bint required
        columns = made["columns"]
        if len(columns) > WIDTH:
            raise ValueError("too many columns")
        self.width = len(columns)
        for place, (sort, low, high, required) in enumerate(columns):
            self.columns[<int>place].sort = sort
            self.columns[<int>place].required = required
            self.columns[<int>place].low, self.columns[<int>place].high = low, high
        self.ones, self.parts, self.fits = made["ones"], made["parts"], made["fits"]
        self.key, self.depth, self.outer = made["key"], made["depth"], made["outer"]
        self.unique, self.indexed = made["unique"], made["indexed"]
        self.tag, self.end, self.secret = made["tag"], made["end"], made["secret"]
        self.shown, self.key_room = made["list_entries"], made["key_octets"]
        self.name_room, self.text_room = made["name_chars"], made["text_octets"]
        self.above, self.heads = None, None

    def __dealloc__(self):
        free(self.message.data)
        free(self.json.data)
        free(self.quoted.data)
        free(self.held.data)

    def take_all(self, bytes piece, Py_ssize_t number, Pen into, other):
        """Takes whole lines, the first of which has that number; `other` gets those not taken.

        It is called with the line's number and its octets, without the line's end.
        """
        cdef const char* at = PyBytes_AS_STRING(piece)
        cdef const char* end = at + PyBytes_GET_SIZE(piece)
        cdef const char* stop
        while at < end:
            stop = <const char*>memchr(at, c"\n", end - at)
            if stop == NULL:
                stop = end
            if not self.take(number, at, stop, into):
                other(number, PyBytes_FromStringAndSize(at, stop - at))
            number += 1
            at = stop + 1

    cdef bint take(self, Py_ssize_t number, const char* at, const char* end, Pen into) except -1:
        if not self.split(at, end):
            return False
        into.begin(number)
        if self.row(into):
            return True
        into.give_up()
        return False

    cdef bint split(self, const char* at, const char* end) except -1:
        """Notes the cells; whether each is as its column wants it."""
        cdef int place = 0
        cdef const char* stop
        while True:
            stop = <const char*>memchr(at, c",", end - at) if at < end else NULL
            if stop == NULL:
                stop = end
            if place == self.width or not self.stands(place, at, stop):
                return False
            self.cells[place].at, self.cells[place].size = at, stop - at
            place += 1
            if stop == end:
                return place == self.width
            at = stop + 1

    cdef bint stands(self, int place, const char* at, const char* end) except -1:
        cdef Column* column = &self.columns[place]
        cdef Py_ssize_t size = end - at
        cdef bytes one
        if column.sort == NUMBER:
            return is_number(at, end, False)
        if size == 0:
            return not column.required
        if column.sort == TEXT:
            return column.low <= size <= column.high and is_text(at, end)
        if column.sort == LIST:
            return 0 < entries_of(at, end) <= column.high
        if column.sort == BOOLEAN:
            return ((size == 4 and memcmp(at, b"true", 4) == 0)
                    or (size == 5 and memcmp(at, b"false", 5) == 0))
        if column.sort == ONE:
            one = self.ones[place]
            return size == PyBytes_GET_SIZE(one) and memcmp(at, PyBytes_AS_STRING(one), size) == 0
        return False

    cdef Part part_of(self, int which):
        """A part of the key."""
        cdef int place = self.key[which][0]
        cdef bytes given = self.key[which][1]
        cdef Part part
        if place >= 0 and self.cells[place].size:
            return self.cells[place]
        part.at, part.size = PyBytes_AS_STRING(given), PyBytes_GET_SIZE(given)
        return part

    cdef bint same_above(self) except -1:
        cdef int which
        cdef Part part
        cdef bytes held
        if self.above is None:
            return False
        for which in range(<int>len(self.key) - 1):
            part, held = self.part_of(which), self.above[which]
            if part.size != PyBytes_GET_SIZE(held) or memcmp(
                    part.at, PyBytes_AS_STRING(held), part.size) != 0:
                return False
        return True

    cdef bint row(self, Pen into) except -1:
        """Writes the row down; false, perhaps half-way, where it is not to be taken here."""
        cdef Part last = self.part_of(<int>len(self.key) - 1), part
        cdef bytes at, name, head, start
        cdef int place, which
        cdef Py_ssize_t size
        if not self.same_above():
            above = []
            for which in range(<int>len(self.key) - 1):
                part = self.part_of(which)
                above.append(PyBytes_FromStringAndSize(part.at, part.size))
            self.above, self.heads = above, self.outer(tuple(above))
        if self.heads is None:
            return False
        for place, fits in self.fits:
            part = self.cells[place]
            if part.size and not fits(PyBytes_FromStringAndSize(part.at, part.size)):
                return False
        at, name, head, starts = self.heads
        self.quoted.size = 0
        put_quoted(&self.quoted, last.at, last.size)
        size = PyBytes_GET_SIZE(at) + last.size + 1
        if size > self.key_room or len(name) + self.quoted.size > self.name_room:
            return False
        put_bytes(into.entry(AT, size), at)
        put(&into.sections[AT], last.at, last.size)
        put_octet(&into.sections[AT], 0)
        put_bytes(into.entry(NAME, len(name) + self.quoted.size), name)
        put(&into.sections[NAME], self.quoted.data, self.quoted.size)
        if not self.tell():
            return False
        self.field(into.entry(FIELD, self.field_size()))
        if self.secret:
            self.field(into.entry(SHOWN, self.field_size()))
        for start, which in self.unique:
            part = self.part_of(which)
            put_bytes(into.entry(UNIQUE, len(start) + part.size), start)
            put(&into.sections[UNIQUE], part.at, part.size)
        if self.indexed:
            self.index(into, starts)
        formula = len(self.key) == 1 and self.quoted.data[0] == c"-"
        size = len(head) + formula + self.quoted.size + len(self.end) + self.json.size + 1
        put_bytes(into.entry(AUDIT, size), head)
        if formula:
            put_octet(&into.sections[AUDIT], c"'")
        put(&into.sections[AUDIT], self.quoted.data, self.quoted.size)
        put_bytes(&into.sections[AUDIT], self.end)
        put(&into.sections[AUDIT], self.json.data, self.json.size)
        put_octet(&into.sections[AUDIT], c"}")
        return True

    cdef Py_ssize_t field_size(self):
        return len(self.tag) + varint_size(self.message.size) + self.message.size

    cdef int field(self, Buffer* into) except -1:
        put_bytes(into, self.tag)
        put_varint(into, self.message.size)
        return put(into, self.message.data, self.message.size)

    cdef int index(self, Pen into, list starts) except -1:
        """The entries of the columns, whose beginnings these are."""
        cdef Part part
        cdef bytes start, held
        cdef int place, which
        cdef Py_ssize_t turn = 0
        self.held.size = 0
        for which in range(self.depth, <int>len(self.key)):
            part = self.part_of(which)
            put(&self.held, part.at, part.size)
            put_octet(&self.held, 0)
        for place, held in self.indexed:
            start = starts[turn]
            turn += 1
            part.at, part.size = PyBytes_AS_STRING(held), PyBytes_GET_SIZE(held)
            if place >= 0:
                part = self.cells[place]
            size = len(start) + 1 + self.held.size
            if part.size:
                size += min(part.size, self.text_room) + 1
            put_bytes(into.entry(COLUMNS, size), start)
            put_octet(&into.sections[COLUMNS], part.size != 0)
            if part.size > self.text_room:
                put(&into.sections[COLUMNS], part.at, self.text_room)
                put_octet(&into.sections[COLUMNS], <char>CUT)
            elif part.size:
                put(&into.sections[COLUMNS], part.at, part.size)
                put_octet(&into.sections[COLUMNS], 0)
            put(&into.sections[COLUMNS], self.held.data, self.held.size)
        return 0

    cdef bint tell(self) except -1:
        """Puts the message and the JSON between its braces together; false for a list that repeats.
        """
        cdef int place, sort
        cdef bytes tag, name, message, json
        cdef Part cell
        self.message.size = self.json.size = 0
        for place, sort, tag, name, message, json in self.parts:
            if place < 0 or self.cells[place].size == 0:
                if not message:
                    continue
                if self.json.size:
                    put_octet(&self.json, c",")
                put_bytes(&self.message, message)
                put_bytes(&self.json, json)
                continue
            cell = self.cells[place]
            if self.json.size:
                put_octet(&self.json, c",")
            put_bytes(&self.json, name)
            if sort == LIST:
                if not put_list(&self.message, &self.json, cell.at, cell.at + cell.size, tag,
                                self.shown):
                    return False
            elif sort == BOOLEAN:
                put_bytes(&self.message, tag)
                put_octet(&self.message, cell.at[0] == c"t")
                put(&self.json, cell.at, cell.size)
            else:
                put_bytes(&self.message, tag)
                put_varint(&self.message, cell.size)
                put(&self.message, cell.at, cell.size)
                put(&self.json, b'""', 2)
                put(&self.json, cell.at, cell.size)
                put(&self.json, b'""', 2)
            put_octet(&self.json, c"]")
        return True
