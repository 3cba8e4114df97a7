"""Records of an image out of a block: where each of their parts stands, and whether it could be so.

Invariants:
1. Nothing that a record says makes a reader leave the block.
2. Nothing is copied: a record is good as long as its block.
3. Lists that were taken are such as an index could hold.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint32_t, uint64_t

from callscreen.fastpath.arena cimport MAX_BLOCK
from callscreen.fastpath.blocks cimport NO_TROUBLE, BlockReader, taken
from callscreen.fastpath.image cimport NUMBER, PROVIDER, SUBSCRIBER, words_for
from callscreen.fastpath.lists cimport Parsed
from callscreen.fastpath.numbers cimport Mask

__all__ = ["ImageError"]

cdef enum:
    TEXT_MOST = 8 * (MAX_BLOCK - 1)  # octets of a name, or of a place of voice mail


class ImageError(ValueError):
    """The file is not whole, or is no image."""


cdef int damaged() except -1:
    raise ImageError("the image says what cannot be")


cdef inline bint is_mask(const Mask* mask) noexcept nogil:
    """Digits that are given wholly or not at all; one that gives all of them is a number."""
    cdef uint64_t given = mask.care & ~<uint64_t>15
    return (
        is_digits(mask.value) and mask.care != <uint64_t>-1
        and (mask.care ^ mask.care >> 1) & <uint64_t>0x7777777777777777 == 0
        and given << 4 * (mask.value & 15) == 0 and mask.value & ~given & ~<uint64_t>15 == 0
    )


cdef bint are_entries(const Parsed* lists) noexcept nogil:
    """Whether an index could hold them: what it builds of them relies on that."""
    cdef uint32_t i
    for i in range(lists.numbers):
        if not is_number(lists.number[i]):
            return False
    for i in range(lists.masks):
        if not is_mask(&lists.mask[i]):
            return False
    return True


cdef bint hold_lists(BlockReader* into, Parsed* lists) noexcept nogil:
    cdef const uint64_t* head = taken(into, 2)
    cdef const uint64_t* words
    if head == NULL:
        return False
    lists[0].numbers = <uint32_t>head[0]
    lists[1].numbers = <uint32_t>(head[0] >> 32)
    lists[0].masks = <uint32_t>head[1]
    lists[1].masks = <uint32_t>(head[1] >> 32)
    words = taken(into, <uint64_t>lists[0].numbers + lists[1].numbers
                  + 2 * (<uint64_t>lists[0].masks + lists[1].masks))
    if words == NULL:
        return False
    lists[0].number = <uint64_t*>words  # they are read only
    lists[1].number = lists[0].number + lists[0].numbers
    lists[0].mask = <Mask*>(lists[1].number + lists[1].numbers)
    lists[1].mask = lists[0].mask + lists[0].masks
    return are_entries(&lists[0]) and are_entries(&lists[1])


cdef bint hold(BlockReader* into, Held* record) noexcept nogil:
    cdef uint64_t heads = 3 if into.kind == SUBSCRIBER else 2
    cdef const uint64_t* words = taken(into, heads)
    if words == NULL:
        return False
    record.words = words
    record.name_size = record.mail_size = 0
    if into.kind == NUMBER:
        record.listed = (words[1] >> 40) != 0
        return not record.listed or hold_lists(into, record.lists)
    if into.kind == PROVIDER:
        record.listed = (words[1] >> 32) != 0
        record.name_size = <uint32_t>words[1]
    else:
        record.listed = (words[2] >> 32) != 0
        record.name_size = words[1] >> 32
        record.mail_size = <uint32_t>words[2]
    if record.name_size > TEXT_MOST or record.mail_size > TEXT_MOST:
        return False
    record.name = <const char*>taken(into, words_for(record.name_size))
    record.mail = <const char*>taken(into, words_for(record.mail_size))
    return into.trouble == NO_TROUBLE and (not record.listed or hold_lists(into, record.lists))


cdef int check_text(const char* text, uint64_t size) except -1:
    """What is ASCII is seen without making a text of it."""
    cdef const uint64_t* words = <const uint64_t*>text
    cdef uint64_t seen = 0, i
    for i in range(words_for(size)):
        seen |= words[i]
    if seen & <uint64_t>0x8080808080808080:
        try:
            text[:size].decode("utf-8")
        except UnicodeDecodeError:
            damaged()
    return 0


cdef bytes take_octets(BlockReader* into):
    cdef const uint64_t* size = taken(into, 1)
    cdef const uint64_t* words
    if size == NULL or size[0] > 8 * (into.size - into.at):
        damaged()
    words = taken(into, words_for(size[0]))
    if words == NULL:
        damaged()
    return PyBytes_FromStringAndSize(<const char*>words, size[0])
