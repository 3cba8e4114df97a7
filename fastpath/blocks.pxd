# A file of blocks, each with a checksum: how an image of the index stands on disk.
#
#   block   MAGIC, kind (4 octets each), place among the blocks, octets of the payload, checksum of
#           all of that (8 each), payload: whole words of 8 octets, little-endian
from libc.stdint cimport uint32_t, uint64_t

cdef enum:
    BLOCK_WORDS = 1 << 17  # of a payload, unless one record alone is longer
    HEAD_WORDS = 4

cdef enum Trouble:
    NO_TROUBLE, NOT_WRITTEN, NOT_READ, NO_MEMORY, DAMAGED


cdef struct BlockWriter:
    int fd
    Trouble trouble
    int code            # errno of NOT_WRITTEN
    uint32_t kind
    uint64_t place      # blocks written
    uint64_t* words     # head and payload of the block under way
    uint64_t size       # words of the payload
    uint64_t room       # words there is room for
    uint64_t octets     # written


cdef struct BlockReader:
    int fd
    Trouble trouble
    int code            # errno of NOT_READ
    uint32_t kind
    uint64_t place
    uint64_t* words     # the payload
    uint64_t size       # words in it
    uint64_t at         # the next that is read
    uint64_t room
    uint64_t left       # octets of the file after this block


# Room for a record of that many words in a block of a kind; NULL where there is trouble.
cdef uint64_t* room_for(BlockWriter* out, uint32_t kind, uint64_t words) noexcept nogil
# Writes the block under way; false where there is trouble.
cdef bint flush_block(BlockWriter* out) noexcept nogil
cdef void close_writer(BlockWriter* out) noexcept nogil

# Reads the next block; false where there is trouble. The kind is END's or another.
cdef bint next_block(BlockReader* into) noexcept nogil
cdef void close_reader(BlockReader* into) noexcept nogil

# The next words of the block; NULL, and trouble, where it has not so many.
cdef inline const uint64_t* taken(BlockReader* into, uint64_t words) noexcept nogil:
    if words > into.size - into.at:
        into.trouble = DAMAGED
        return NULL
    into.at += words
    return into.words + into.at - words
