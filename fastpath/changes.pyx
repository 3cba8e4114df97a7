"""Reads what a change does to the index straight from its octets, where it only puts numbers.

1. What it gives is what the loader makes of the same change as a message; a change that does
   anything else, or whose octets are not whole, gives None, and the message has to tell.
2. Field numbers are the caller's to say: nothing here knows of messages.
3. Texts stay where they are in the record; those that are not UTF-8 raise before anything is put.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcmp, memset

from callscreen.fastpath.wire cimport varint

__all__ = ["NumberPuts", "number_puts"]

cdef enum:
    VARINT = 0
    FIXED64 = 1
    DELIMITED = 2
    FIXED32 = 5
    PRODUCT = 4  # octets of a name that tell the product


cdef int next_field(Part* part, Part* held) noexcept nogil:
    """The number of the next field, its octets in `held` where it has a length; 0: not whole."""
    cdef uint64_t tag, size
    if not varint(&part.at, part.end, &tag):
        return 0
    held.at = held.end = NULL
    if tag & 7 == VARINT:
        if not varint(&part.at, part.end, &size):
            return 0
    elif tag & 7 == DELIMITED:
        if not varint(&part.at, part.end, &size) or size > <uint64_t>(part.end - part.at):
            return 0
        held.at = part.at
        part.at += size
        held.end = part.at
    elif tag & 7 == FIXED64 or tag & 7 == FIXED32:
        size = 8 if tag & 7 == FIXED64 else 4
        if size > <uint64_t>(part.end - part.at):
            return 0
        part.at += size
    else:
        return 0
    return <int>(tag >> 3) if tag >> 3 < 1 << 29 else 0


cdef str text_of(Part held):
    return PyUnicode_DecodeUTF8(<const char*>held.at, held.end - held.at, NULL)


cdef int check_text(Part held) except -1:
    """Raises UnicodeDecodeError where a text is no UTF-8."""
    cdef const uint8_t* at = held.at
    while at < held.end:
        if at[0] >= 0x80:
            text_of(held)
            return 0
        at += 1
    return 0


cdef bint read_number(NumberPuts into, Part body, int product) except -1:
    """Notes a number; false where its octets are not whole."""
    cdef const Layout* layout = &into.layout
    cdef NumberPut* put = into.add()
    cdef Part held
    cdef int field
    put.body, put.product = body, product
    while body.at < body.end:
        field = next_field(&body, &held)
        if field == 0:
            return False
        if held.at == NULL:
            continue
        if field == layout.number:
            put.number = held
        elif field == layout.subscriber:
            put.subscriber = held
        elif field == layout.provider:
            put.provider = held
        elif field == layout.lists[product - 1][0]:
            put.sizes[0] += 1
        elif field == layout.lists[product - 1][1]:
            put.sizes[1] += 1
        else:
            continue
        check_text(held)
    return True


cdef class NumberPuts:
    def __dealloc__(self):
        free(self.puts)
        free(self.entries)

    def __len__(self):
        return self.count

    def __iter__(self):
        cdef const NumberPut* put
        cdef size_t i
        for i in range(self.count):
            put = &self.puts[i]
            yield "put_number", (
                put.product, text_of(put.provider), text_of(put.subscriber), text_of(put.number),
                self.texts(i, 0), self.texts(i, 1))

    def texts(self, size_t place, int which):
        cdef const NumberPut* put = &self.puts[place]
        cdef const Part* entries
        cdef uint32_t i
        if place >= self.count or not put.sizes[which != 0]:
            return []
        entries = self.list_of(put, which != 0)
        return [text_of(entries[i]) for i in range(put.sizes[which != 0])]

    cdef NumberPut* add(self) except NULL:
        cdef NumberPut* grown
        cdef size_t room = 2 * self.room + 16
        if self.count == self.room:
            grown = <NumberPut*>realloc(self.puts, room * sizeof(NumberPut))
            if grown == NULL:
                raise MemoryError
            self.puts, self.room = grown, room
        grown = &self.puts[self.count]
        memset(grown, 0, sizeof(NumberPut))
        self.count += 1
        return grown

    cdef const Part* list_of(self, const NumberPut* put, int which) except NULL:
        cdef int wanted = self.layout.lists[put.product - 1][which]
        cdef Part body = put.body
        cdef Part held
        cdef Part* grown
        cdef size_t room = put.sizes[which], found = 0
        if room > self.entry_room or self.entries == NULL:
            grown = <Part*>realloc(self.entries, (2 * room + 16) * sizeof(Part))
            if grown == NULL:
                raise MemoryError
            self.entries, self.entry_room = grown, 2 * room + 16
        while body.at < body.end and found < room:
            if next_field(&body, &held) == wanted and held.at != NULL:
                self.entries[found] = held
                found += 1
        return self.entries


cdef bint read_mutation(NumberPuts into, Part mutation) except -1:
    """Notes the number that it puts; false where it does anything else."""
    cdef const Layout* layout = &into.layout
    cdef Part held, put, body
    cdef int field, product = 0
    put.at = put.end = body.at = body.end = NULL
    while mutation.at < mutation.end:
        field = next_field(&mutation, &held)
        if field == 0:
            return False
        if field == layout.put:
            if put.at != NULL:
                return False
            put = held
    while put.at < put.end:
        field = next_field(&put, &held)
        if field == 0:
            return False
        if field == layout.name and held.end - held.at > PRODUCT:
            if memcmp(held.at, b"pcs/", PRODUCT) == 0:
                product = 1
            elif memcmp(held.at, b"cin/", PRODUCT) == 0:
                product = 2
            else:
                return False
        elif field == layout.number_kind:
            if body.at != NULL:
                return False
            body = held
        elif field >= layout.first_kind:
            return False
    if body.at == NULL or product == 0:
        return False
    return read_number(into, body, product)


def number_puts(bytes record, layout):
    """The numbers of a change that only puts numbers; None for any other.

    `layout`: numbers of the fields mutations of a change, name and put of a mutation, the first of
    an object's kinds, number among them; number, subscriber and provider of a number, and its two
    lists of PCS and of CIN. An object's name has the number of a mutation's.
    """
    cdef NumberPuts found = NumberPuts()
    cdef Layout* numbers = &found.layout
    cdef Part change, held
    cdef int field
    (numbers.mutations, numbers.name, numbers.put, numbers.first_kind, numbers.number_kind,
     numbers.number, numbers.subscriber, numbers.provider, numbers.lists[0][0],
     numbers.lists[0][1], numbers.lists[1][0], numbers.lists[1][1]) = layout
    found.record = record
    change.at = <const uint8_t*>PyBytes_AS_STRING(record)
    change.end = change.at + PyBytes_GET_SIZE(record)
    while change.at < change.end:
        field = next_field(&change, &held)
        if field == 0:
            return None
        if field == numbers.mutations and (held.at == NULL or not read_mutation(found, held)):
            return None
    return found
