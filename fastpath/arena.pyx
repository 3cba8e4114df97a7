"""Memory of the index: small blocks by offset, in chunks that never move.

Invariants:
1. Offset 0 is no block. A block stays where it is until it is given back.
2. A block given back is reused for one of the same size in pairs of words, at once.
3. Only the writer takes and gives. A reader without the GIL that is to be added later needs blocks
   to be given back only after it has left the revision in which it saw them.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset
from cpython.unicode cimport PyUnicode_AsUTF8AndSize


cdef extern from *:
    """
    #include <stdlib.h>
    #include <sys/mman.h>
    static void *callscreen_area(size_t size) {
        void *area = NULL;
        size_t huge = (size_t)2 << 20;
        if (posix_memalign(&area, size >= huge ? huge : 64, size) != 0) return NULL;
    #ifdef MADV_HUGEPAGE
        if (size >= huge) (void)madvise(area, size, MADV_HUGEPAGE);
    #endif
        return area;
    }
    """
    void* callscreen_area(size_t size) noexcept nogil


cdef void* big_area(size_t size) except NULL:
    cdef void* area = callscreen_area(size)
    if area == NULL:
        raise MemoryError
    memset(area, 0, size)
    return area


cdef int open_arena(Arena* arena) except -1:
    memset(arena, 0, sizeof(Arena))
    arena.chunks = <uint64_t**>calloc(MAX_CHUNKS, sizeof(uint64_t*))
    if arena.chunks == NULL:
        raise MemoryError
    arena.top = 2
    return 0


cdef void close_arena(Arena* arena) noexcept nogil:
    cdef uint32_t i
    for i in range(arena.count):
        free(arena.chunks[i])
    free(arena.chunks)
    arena.chunks = NULL
    arena.count = 0


cdef uint32_t take(Arena* arena, uint32_t words) except 0:
    cdef uint32_t pairs = (words + 1) // 2, offset
    if pairs >= SIZES:
        raise MemoryError(f"a block of {words} words")
    offset = arena.free[pairs]
    if offset:
        arena.free[pairs] = <uint32_t>at(arena, offset)[0]
    else:
        if (arena.top & (CHUNK_WORDS - 1)) + 2 * pairs > CHUNK_WORDS:
            arena.top = (arena.top | (CHUNK_WORDS - 1)) + 1  # a block does not cross chunks
        if arena.top >> CHUNK_SHIFT >= arena.count:
            if arena.count == MAX_CHUNKS - 1:
                raise MemoryError("the index holds its most: 32 GiB of lists and names")
            arena.chunks[arena.count] = <uint64_t*>big_area(CHUNK_WORDS * sizeof(uint64_t))
            arena.count += 1
        offset = arena.top
        arena.top += 2 * pairs
    arena.live += 2 * pairs
    return offset


cdef void give(Arena* arena, uint32_t offset, uint32_t words) noexcept nogil:
    cdef uint32_t pairs = (words + 1) // 2
    if offset:
        at(arena, offset)[0] = arena.free[pairs]
        arena.free[pairs] = offset
        arena.live -= 2 * pairs


cdef uint32_t put_text(Arena* arena, str text) except? 0:
    cdef Py_ssize_t size
    cdef const char* octets = PyUnicode_AsUTF8AndSize(text, &size)
    if size == 0:
        return 0
    cdef uint32_t offset = take(arena, <uint32_t>(1 + (size + 7) // 8))
    cdef uint64_t* block = at(arena, offset)
    block[0] = size
    memcpy(block + 1, octets, size)
    return offset


cdef void drop_text(Arena* arena, uint32_t offset) noexcept nogil:
    if offset:
        give(arena, offset, <uint32_t>(1 + (at(arena, offset)[0] + 7) // 8))


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
