"""Fields of a message on the wire, written one after another within the room that there is.

1. What finds no room is left out, and `full` is set; nothing past the room is written.
2. Lengths of inner messages are two octets wide, whatever they say.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from callscreen.fastpath.arena cimport Arena, at as block_at
from callscreen.fastpath.record_text cimport NUMBER_TEXT, write_number

cdef enum:
    WORD = 23  # octets of a word at most
    WIDE = 128 * 128 - 1  # the most that two octets of a length say

cdef struct Word:
    uint8_t size
    char text[WORD]

cdef struct Pen:
    char *at
    char *end
    bint full  # something found no room


cdef inline bint room(Pen *pen, uint32_t size) noexcept nogil:
    if pen.end - pen.at < <long>size:
        pen.full = True
        return False
    return True


cdef inline void put_size(Pen *pen, unsigned char tag, uint32_t size) noexcept nogil:
    """Tag and length of octets that follow; there is room."""
    pen.at[0] = <char>tag
    if size < 128:
        pen.at[1] = <char>size
        pen.at += 2
    else:
        pen.at[1] = <char>(size & 127 | 128)
        pen.at[2] = <char>(size >> 7)
        pen.at += 3


cdef inline void put_text(
    Pen *pen, unsigned char tag, const void *text, uint32_t size
) noexcept nogil:
    if size and size <= WIDE and room(pen, size + 3):
        put_size(pen, tag, size)
        memcpy(pen.at, text, size)
        pen.at += size


cdef inline void put_word(Pen *pen, unsigned char tag, const Word *word) noexcept nogil:
    if word.size and room(pen, WORD + 2):
        pen.at[0], pen.at[1] = <char>tag, <char>word.size
        memcpy(pen.at + 2, word.text, WORD)
        pen.at += 2 + word.size


cdef inline void put_varint(Pen *pen, unsigned char tag, uint64_t value) noexcept nogil:
    if value and room(pen, 11):
        pen.at[0] = <char>tag
        pen.at += 1
        while value > 127:
            pen.at[0] = <char>(value & 127 | 128)
            value >>= 7
            pen.at += 1
        pen.at[0] = <char>value
        pen.at += 1


cdef inline char *begin(Pen *pen, unsigned char tag) noexcept nogil:
    """Begins an inner message: where its octets start."""
    if room(pen, 3):
        pen.at[0] = <char>tag
        pen.at += 3
    return pen.at


cdef inline void end(Pen *pen, char *start) noexcept nogil:
    cdef uint32_t size = <uint32_t>(pen.at - start)
    if pen.full:
        return
    if size > WIDE:
        pen.full = True
    (start - 2)[0], (start - 1)[0] = <char>(size & 127 | 128), <char>(size >> 7)


cdef inline void put_arena(
    Pen *pen, unsigned char tag, const Arena *arena, uint32_t offset
) noexcept nogil:
    if offset:
        put_text(pen, tag, block_at(arena, offset) + 1, <uint32_t>block_at(arena, offset)[0])


cdef inline void put_packed(Pen *pen, unsigned char tag, uint64_t number) noexcept nogil:
    if number and room(pen, NUMBER_TEXT + 3):
        pen.at[0] = <char>tag
        pen.at[1] = <char>write_number(pen.at + 2, number)
        pen.at += 2 + pen.at[1]
