"""Memory of the index: small blocks by offset, in an area that never moves.

Invariants:
1. Offset 0 is no block. A block stays where it is until it is given back, and is not written to
   once its offset is known to readers.
2. A block given back is reused for one of the same size in pairs of words, at once.
3. Only the writer takes and gives. What readers may still reach goes through `give_up` of epochs,
   which gives it back when they have left.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset
from cpython.unicode cimport PyUnicode_AsUTF8AndSize

from callscreen.fastpath.area cimport close_area, open_area, reserve_area


cdef int open_arena(Arena* arena, uint64_t words) except -1:
    memset(arena, 0, sizeof(Arena))
    reserve_area(&arena.area, words * sizeof(uint64_t))
    arena.words = <uint64_t*>arena.area.base
    arena.size = min(words, <uint64_t>(arena.area.limit // sizeof(uint64_t)))
    arena.top = 2
    return 0


cdef void close_arena(Arena* arena) noexcept nogil:
    close_area(&arena.area)
    arena.words = NULL


cdef uint32_t take(Arena* arena, uint32_t words) except 0:
    cdef uint32_t pairs = (words + 1) // 2, offset
    cdef uint64_t end
    if pairs >= SIZES:
        raise MemoryError(f"a block of {words} words")
    offset = arena.free[pairs]
    if offset:
        arena.free[pairs] = <uint32_t>at(arena, offset)[0]
    else:
        end = <uint64_t>arena.top + 2 * pairs
        if end >= arena.size:
            raise MemoryError(f"the index holds at most {arena.size} words of lists and names")
        if end * sizeof(uint64_t) > arena.area.opened:
            open_area(&arena.area, end * sizeof(uint64_t))
        offset = arena.top
        arena.top = <uint32_t>end
    arena.live += 2 * pairs
    return offset


cdef void give(Arena* arena, uint32_t offset, uint32_t words) noexcept nogil:
    cdef uint32_t pairs = (words + 1) // 2
    if offset:
        at(arena, offset)[0] = arena.free[pairs]
        arena.free[pairs] = offset
        arena.live -= 2 * pairs


cdef uint32_t put_octets(Arena* arena, const char* octets, size_t size) except? 0:
    cdef uint32_t offset
    cdef uint64_t* block
    if size == 0:
        return 0
    if size >= MAX_BLOCK * sizeof(uint64_t):
        raise MemoryError(f"a text of {size} octets")
    offset = take(arena, <uint32_t>(1 + (size + 7) // 8))
    block = at(arena, offset)
    block[0] = size
    block[(size + 7) // 8] = 0  # what is beyond the text in its last word
    memcpy(block + 1, octets, size)
    return offset


cdef uint32_t put_text(Arena* arena, str text) except? 0:
    cdef Py_ssize_t size
    cdef const char* octets = PyUnicode_AsUTF8AndSize(text, &size)
    return put_octets(arena, octets, size)


cdef uint32_t text_words(const Arena* arena, uint32_t offset) noexcept nogil:
    return <uint32_t>(1 + (at(arena, offset)[0] + 7) // 8)


cdef void drop_text(Arena* arena, uint32_t offset) noexcept nogil:
    if offset:
        give(arena, offset, text_words(arena, offset))


cdef str get_text(const Arena* arena, uint32_t offset):
    if offset == 0:
        return ""
    cdef uint64_t* block = at(arena, offset)
    return (<char*>(block + 1))[:block[0]].decode("utf-8")


cdef bint same_text(
    const Arena* arena, uint32_t offset, const char* text, size_t size
) noexcept nogil:
    cdef uint64_t* block
    if offset == 0:
        return size == 0
    block = at(arena, offset)
    return block[0] == size and memcmp(block + 1, text, size) == 0
