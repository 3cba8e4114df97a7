# The two lists of an owner (a number, a subscriber, a provider): one block in the arena.
#   few entries   counts in the first word (16 bits each: numbers of list 0, of list 1, masks of
#                 list 0, of list 1), then the numbers, then the masks, best first
#   many          first word all ones, second word the address of a pair of BigList
from libc.stdint cimport uint32_t, uint64_t

from callscreen.fastpath.arena cimport Arena, at
from callscreen.fastpath.changes cimport Part
from callscreen.fastpath.masks cimport MaskTable
from callscreen.fastpath.numbers cimport Mask, fits
from callscreen.fastpath.sieves cimport word_bits

cdef enum:
    FEW_NUMBERS = 32  # of one list in a block
    FEW_MASKS = 16
    BUCKET = 8        # numbers in a bucket of a long list


cdef struct BigList:
    uint64_t* buckets  # of 8 numbers, 64 octets; 0 is free
    uint64_t size      # buckets
    uint64_t* sieve
    uint64_t words     # of the sieve
    uint64_t count     # numbers
    MaskTable* masks


cdef struct Parsed:    # a list that was read
    uint32_t numbers
    uint32_t masks
    uint64_t* number
    Mask* mask         # best first


cdef struct ListCount:
    uint64_t entries
    uint64_t inside    # octets in the arena
    uint64_t outside   # and beside it


# Of the first word of a block: the words of the block, the octets that it takes in the arena, and the
# entries in it, of few.
cdef inline uint32_t words_of(uint64_t head) noexcept nogil:
    if head == <uint64_t>-1:
        return 2
    return <uint32_t>(1 + (head & 0xFFFF) + ((head >> 16) & 0xFFFF)
                      + 2 * (((head >> 32) & 0xFFFF) + (head >> 48)))


cdef inline uint64_t taken_by(uint64_t head) noexcept nogil:
    return 8 * <uint64_t>((words_of(head) + 1) & ~<uint32_t>1)


cdef inline uint64_t entries_of(uint64_t head) noexcept nogil:
    return ((head & 0xFFFF) + ((head >> 16) & 0xFFFF)
            + ((head >> 32) & 0xFFFF) + (head >> 48))


# Offset of a new block with two lists that were read before; 0 where both are empty.
cdef uint32_t put_parsed(Arena* arena, const Parsed* lists) except? 0xFFFFFFFF
# Offset of a new block with the lists, 0 where both are empty. The old block stays.
cdef uint32_t put_lists(Arena* arena, object first, object second) except? 0xFFFFFFFF
# The same of entries where they stand: reads one list, to be freed, and puts both.
cdef int parse_parts(const Part* texts, uint32_t size, Parsed* parsed) except -1
cdef void free_parsed(Parsed* parsed) noexcept nogil
# What the entries of a block set: all bits where one is a mask or they are many, none of no block.
cdef uint32_t sieve_of(const Arena* arena, uint32_t offset) noexcept nogil
cdef void drop_lists(Arena* arena, uint32_t offset) noexcept nogil
cdef void count_lists(const Arena* arena, uint32_t offset, ListCount* into) noexcept nogil
cdef bint find_big(const BigList* found, uint64_t number, Mask* entry) noexcept nogil


cdef extern from *:
    """
    #define callscreen_prefetch(address) __builtin_prefetch((const void *)(address))
    """
    void callscreen_prefetch(const void* address) noexcept nogil


# Of so many places the one where a number belongs.
cdef inline uint64_t place_of(uint64_t number, uint64_t places) noexcept nogil:
    return (number * <uint64_t>0x9E3779B97F4A7C15 >> 32) * places >> 32


cdef inline bint passes(const BigList* list, uint64_t number) noexcept nogil:
    cdef uint64_t bits = word_bits(number)
    return list.sieve[place_of(number, list.words)] & bits == bits


# Fetches what tells whether a long list has a number.
cdef inline void fetch_sieve(const BigList* list, uint64_t number) noexcept nogil:
    callscreen_prefetch(&list.sieve[place_of(number, list.words)])


# And where it has it, if it may.
cdef inline void fetch_bucket(const BigList* list, uint64_t number) noexcept nogil:
    if passes(list, number):
        callscreen_prefetch(&list.buckets[place_of(number, list.size) * BUCKET])


# Whether list 0 or 1 of a block has a number, and its entry.
cdef inline bint find_entry(
    const Arena* arena, uint32_t offset, uint32_t which, uint64_t number, Mask* entry
) noexcept nogil:
    cdef uint64_t* block
    cdef uint64_t head
    cdef uint64_t* numbers
    cdef Mask* masks
    cdef uint32_t i, count
    if offset == 0 or number == 0:
        return False
    block = at(arena, offset)
    head = block[0]
    if head == <uint64_t>-1:
        return find_big(&(<BigList*><size_t>block[1])[which], number, entry)
    numbers = block + 1 + (head & 0xFFFF if which else 0)
    count = (head >> (16 * which)) & 0xFFFF
    for i in range(count):
        if numbers[i] == number:
            entry.value = number
            entry.care = <uint64_t>-1
            return True
    count = (head >> (32 + 16 * which)) & 0xFFFF
    if count == 0:
        return False
    masks = <Mask*>(block + 1 + (head & 0xFFFF) + ((head >> 16) & 0xFFFF))
    if which:
        masks += (head >> 32) & 0xFFFF
    for i in range(count):
        if fits(&masks[i], number):
            entry[0] = masks[i]
            return True
    return False


cdef class ListPair:
    cdef Arena arena
    cdef uint32_t offset
