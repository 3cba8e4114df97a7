# Memory in 8-byte words, by offset, in chunks that never move: a block is 2 to 256 words long.
from libc.stdint cimport uint32_t, uint64_t

cdef enum:
    CHUNK_SHIFT = 18                   # 2 MiB a chunk, one huge page
    CHUNK_WORDS = 1 << CHUNK_SHIFT
    MAX_CHUNKS = 1 << (32 - CHUNK_SHIFT)
    MAX_BLOCK = 256                    # words
    SIZES = 129                        # of blocks, in pairs of words, 0 included


cdef struct Arena:
    uint64_t** chunks
    uint32_t count                     # of chunks
    uint32_t top                       # first word never used
    uint64_t live                      # words in blocks that are in use
    uint32_t free[SIZES]               # head of the free blocks of each size, in pairs of words


cdef inline uint64_t* at(const Arena* arena, uint32_t offset) noexcept nogil:
    return &arena.chunks[offset >> CHUNK_SHIFT][offset & (CHUNK_WORDS - 1)]


cdef int open_arena(Arena* arena) except -1
cdef void close_arena(Arena* arena) noexcept nogil
# Offset of a block of at least that many words; never 0.
cdef uint32_t take(Arena* arena, uint32_t words) except 0
cdef void give(Arena* arena, uint32_t offset, uint32_t words) noexcept nogil

# Text: a word that holds its length in octets, then UTF-8. Offset 0 is the empty text.
cdef uint32_t put_text(Arena* arena, str text) except? 0
cdef void drop_text(Arena* arena, uint32_t offset) noexcept nogil
cdef str get_text(const Arena* arena, uint32_t offset)
cdef bint same_text(
    const Arena* arena, uint32_t offset, const char* text, size_t size
) noexcept nogil

# A fresh area of zeroed octets on huge pages where the system has them; freed with free().
cdef void* big_area(size_t size) except NULL
