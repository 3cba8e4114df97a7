"""Identifiers of call records. What they promise stands in record_text.pxd."""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy

from callscreen.fastpath.answer_hash cimport Hash, hash_begin, hash_end, hash_octet

cdef enum:
    FIRST_COUNT_BITS = 41  # as in recording_reference.py
    LOW_BITS = 30


cdef uint64_t draw(Ids *ids) noexcept nogil:
    """The next word of the randomness: SipHash of how many were drawn."""
    cdef Hash hash
    cdef int i
    hash_begin(&hash, ids.low, ids.high)
    for i in range(8):
        hash_octet(&hash, <unsigned char>(ids.drawn >> (8 * i)))
    ids.drawn += 1
    return hash_end(&hash)


cdef void write_id(Ids *ids, uint64_t now_ns, char *out) noexcept nogil:
    cdef uint64_t millisecond = now_ns // 1000000, high, low
    cdef char digits[32]
    if millisecond > ids.millisecond:
        ids.millisecond = millisecond
        ids.count = draw(ids) & ((<uint64_t>1 << FIRST_COUNT_BITS) - 1)
        ids.tail = <uint32_t>draw(ids)
    else:
        ids.count += 1
    high = ids.millisecond << 16 | <uint64_t>7 << 12 | ids.count >> LOW_BITS & 0xFFF
    low = ids.count & ((<uint64_t>1 << LOW_BITS) - 1) | <uint64_t>2 << LOW_BITS
    write_nibbles(high, digits, True)
    write_nibbles(low << 32 | ids.tail, digits + 16, True)
    memcpy(out, digits, 8)
    memcpy(out + 9, digits + 8, 4)
    memcpy(out + 14, digits + 12, 4)
    memcpy(out + 19, digits + 16, 4)
    memcpy(out + 24, digits + 20, 12)
    out[8] = out[13] = out[18] = out[23] = c'-'
