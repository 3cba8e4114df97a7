# Memory in 8-byte words, by offset, in one area that never moves: a block is 2 to 256 words long.
from libc.stdint cimport uint32_t, uint64_t

from callscreen.fastpath.area cimport Area

cdef enum:
    MAX_BLOCK = 256                    # words
    SIZES = 129                        # of blocks, in pairs of words, 0 included


cdef struct Arena:
    uint64_t* words                    # NULL: closed
    uint32_t top                       # first word never used
    uint32_t free[SIZES]               # head of the free blocks of each size, in pairs of words
    uint64_t live                      # words in blocks that are in use
    uint64_t size                      # words that there may be
    uint64_t outside                   # octets of long lists, which are beside it
    Area area


cdef inline uint64_t* at(const Arena* arena, uint32_t offset) noexcept nogil:
    return &arena.words[offset]


# Room for as many words, at most 2 ** 32, of which only those in use cost memory.
cdef int open_arena(Arena* arena, uint64_t words) except -1
cdef void close_arena(Arena* arena) noexcept nogil
# Offset of a block of at least that many words; never 0.
cdef uint32_t take(Arena* arena, uint32_t words) except 0
cdef void give(Arena* arena, uint32_t offset, uint32_t words) noexcept nogil

# Text: a word that holds its length in octets, then UTF-8. Offset 0 is the empty text.
cdef uint32_t put_text(Arena* arena, str text) except? 0
cdef uint32_t put_octets(Arena* arena, const char* octets, size_t size) except? 0
cdef uint32_t text_words(const Arena* arena, uint32_t offset) noexcept nogil
cdef void drop_text(Arena* arena, uint32_t offset) noexcept nogil
cdef str get_text(const Arena* arena, uint32_t offset)
cdef bint same_text(
    const Arena* arena, uint32_t offset, const char* text, size_t size
) noexcept nogil
