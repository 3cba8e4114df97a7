"""Protocol Buffers on the wire: fields one by one, each within the octets given.

1. A field of another type than a number or octets is REFUSED; what is cut off is BROKEN.
"""

from libc.stdint cimport uint64_t

ctypedef const unsigned char *Octets


cdef enum State:
    READ
    REFUSED
    BROKEN  # no message at all


cdef struct Field:
    uint64_t number, value
    int kind
    Octets data
    uint64_t size


cdef inline bint varint(Octets *at, Octets end, uint64_t *value) noexcept nogil:
    cdef int shift = 0
    value[0] = 0
    while at[0] < end and shift < 64:
        value[0] |= <uint64_t>(at[0][0] & 0x7F) << shift
        at[0] += 1
        if (at[0] - 1)[0] < 0x80:
            return True
        shift += 7
    return False


cdef inline State next_field(Octets *at, Octets end, Field *field) noexcept nogil:
    """Reads one more whole field before the end; no field of these messages has another type."""
    cdef uint64_t tag
    if not varint(at, end, &tag):
        return BROKEN
    field.number, field.kind = tag >> 3, tag & 7
    field.size = field.value = 0
    if field.kind == 0:
        return READ if varint(at, end, &field.value) else BROKEN
    if field.kind != 2:
        return REFUSED
    if not varint(at, end, &field.size) or field.size > <uint64_t>(end - at[0]):
        return BROKEN
    field.data = at[0]
    at[0] += field.size
    return READ


cdef inline bint utf8(Octets at, uint64_t size) noexcept nogil:
    """Whether the octets are UTF-8 (RFC 3629): no overlong form, no surrogate, nothing above."""
    cdef Octets end = at + size
    cdef int more
    cdef unsigned char low, high
    while at < end:
        if at[0] < 0x80:
            at += 1
            continue
        low, high = 0x80, 0xBF  # bounds of the second octet
        if 0xC2 <= at[0] <= 0xDF:
            more = 1
        elif 0xE0 <= at[0] <= 0xEF:
            more = 2
            if at[0] == 0xE0:
                low = 0xA0
            elif at[0] == 0xED:
                high = 0x9F
        elif 0xF0 <= at[0] <= 0xF4:
            more = 3
            if at[0] == 0xF0:
                low = 0x90
            elif at[0] == 0xF4:
                high = 0x8F
        else:
            return False
        if end - at <= more:
            return False
        at += 1
        while more:
            if not low <= at[0] <= high:
                return False
            low, high = 0x80, 0xBF
            at += 1
            more -= 1
    return True


cdef inline bint once(Field *field, uint64_t last, uint64_t *seen) noexcept nogil:
    """Whether the field's number is known, up to `last`, and has not been seen before."""
    cdef uint64_t bit
    if field.number == 0 or field.number > last:
        return False
    bit = <uint64_t>1 << field.number
    if seen[0] & bit:
        return False
    seen[0] |= bit
    return True
