"""Reads what a change does to the index straight from its octets, where it only puts numbers.

1. What it gives is what the loader makes of the same change as a message; a change that does
   anything else, or whose octets are not whole, gives None, and the message has to tell.
2. Field numbers are the caller's to say: nothing here knows of messages.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcmp

__all__ = ["number_puts"]

cdef enum:
    VARINT = 0
    FIXED64 = 1
    DELIMITED = 2
    FIXED32 = 5
    PRODUCT = 4  # octets of a name that tell the product


cdef struct Part:
    const uint8_t* at
    const uint8_t* end


cdef struct Layout:
    int mutations, name, put, first_kind, number_kind
    int number, subscriber, provider
    int lists[2][2]  # of each product


cdef bint read_varint(Part* part, uint64_t* value) noexcept nogil:
    cdef int shift = 0
    cdef uint8_t octet
    value[0] = 0
    while part.at < part.end and shift < 64:
        octet = part.at[0]
        part.at += 1
        value[0] |= <uint64_t>(octet & 0x7F) << shift
        if octet < 0x80:
            return True
        shift += 7
    return False


cdef int next_field(Part* part, Part* held) noexcept nogil:
    """The number of the next field, its octets in `held` where it has a length; 0: not whole."""
    cdef uint64_t tag, size
    if not read_varint(part, &tag):
        return 0
    held.at = held.end = NULL
    if tag & 7 == VARINT:
        if not read_varint(part, &size):
            return 0
    elif tag & 7 == DELIMITED:
        if not read_varint(part, &size) or size > <uint64_t>(part.end - part.at):
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


cdef tuple read_number(Part body, int product, const Layout* layout):
    cdef Part held
    cdef int field
    cdef str number = "", subscriber = "", provider = ""
    cdef list first = [], second = []
    while body.at < body.end:
        field = next_field(&body, &held)
        if field == 0:
            return None
        if held.at == NULL:
            continue
        if field == layout.number:
            number = text_of(held)
        elif field == layout.subscriber:
            subscriber = text_of(held)
        elif field == layout.provider:
            provider = text_of(held)
        elif field == layout.lists[product - 1][0]:
            first.append(text_of(held))
        elif field == layout.lists[product - 1][1]:
            second.append(text_of(held))
    return "put_number", (product, provider, subscriber, number, first, second)


cdef tuple read_mutation(Part mutation, const Layout* layout):
    cdef Part held, put, body
    cdef int field, product = 0
    put.at = put.end = body.at = body.end = NULL
    while mutation.at < mutation.end:
        field = next_field(&mutation, &held)
        if field == 0:
            return None
        if field == layout.put:
            if put.at != NULL:
                return None
            put = held
    while put.at < put.end:
        field = next_field(&put, &held)
        if field == 0:
            return None
        if field == layout.name and held.end - held.at > PRODUCT:
            if memcmp(held.at, b"pcs/", PRODUCT) == 0:
                product = 1
            elif memcmp(held.at, b"cin/", PRODUCT) == 0:
                product = 2
            else:
                return None
        elif field == layout.number_kind:
            if body.at != NULL:
                return None
            body = held
        elif field >= layout.first_kind:
            return None
    if body.at == NULL or product == 0:
        return None
    return read_number(body, product, layout)


def number_puts(bytes record, layout):
    """The operations of a change that only puts numbers; None for any other.

    `layout`: numbers of the fields mutations of a change, name and put of a mutation, the first of
    an object's kinds, number among them; number, subscriber and provider of a number, and its two
    lists of PCS and of CIN. An object's name has the number of a mutation's.
    """
    cdef Layout numbers
    cdef Part change, held
    cdef int field
    cdef list operations = []
    (numbers.mutations, numbers.name, numbers.put, numbers.first_kind, numbers.number_kind,
     numbers.number, numbers.subscriber, numbers.provider, numbers.lists[0][0],
     numbers.lists[0][1], numbers.lists[1][0], numbers.lists[1][1]) = layout
    change.at = <const uint8_t*>PyBytes_AS_STRING(record)
    change.end = change.at + PyBytes_GET_SIZE(record)
    while change.at < change.end:
        field = next_field(&change, &held)
        if field == 0:
            return None
        if field == numbers.mutations:
            if held.at == NULL:
                return None
            operation = read_mutation(held, &numbers)
            if operation is None:
                return None
            operations.append(operation)
    return operations
