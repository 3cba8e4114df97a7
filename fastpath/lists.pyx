"""Lists of numbers and masks: a handful beside each other, a multitude in buckets of 64 octets.

Invariants:
1. An entry that is a number beats a mask; of masks the one with more given digits counts, then the
   earlier.
2. A number stands in the first bucket of its probe sequence that had room, and nothing is ever
   taken out of a bucket, so a bucket with a free place ends the search. Its bits are in the sieve.
3. A block never changes; `put_lists` makes another, and the owner's offset is switched over to it.
4. While a long list is read and built other threads run; the arena is not touched meanwhile.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc

from callscreen.fastpath.area cimport big_area, free_area
from callscreen.fastpath.arena cimport Arena, at, close_arena, give, open_arena, take
from callscreen.fastpath.masks cimport (
    NO_MASK, Bucket, MaskTable, build_masks, find_mask, free_masks,
)
from callscreen.fastpath.changes cimport Part
from callscreen.fastpath.numbers cimport Mask, entry_text, pack_text, parse_entry, read_entry
from callscreen.fastpath.sieves cimport SIEVED, sieve_bits, word_bits

cdef enum:
    FILL = 6    # of them used on average
    PAIR_WORDS = 1 << 17 # of the arena of two lists alone
    TURN = 8192 # entries read between two looks at whether another thread waits


cdef void free_parsed(Parsed* parsed) noexcept nogil:
    free(parsed.number)
    free(parsed.mask)


cdef int sort_masks(Parsed* parsed, const uint8_t* given) except -1:
    """Puts the masks with more given digits first, and keeps the order of equals."""
    cdef uint32_t starts[17]
    cdef uint32_t i
    cdef Mask* ordered = <Mask*>malloc(max(parsed.masks, 1) * sizeof(Mask))
    if ordered == NULL:
        raise MemoryError
    for i in range(17):
        starts[i] = 0
    for i in range(parsed.masks):
        starts[16 - given[i]] += 1  # given is at most 15: place 0 stays free
    for i in range(1, 17):
        starts[i] += starts[i - 1]
    for i in range(parsed.masks):
        ordered[starts[15 - given[i]]] = parsed.mask[i]
        starts[15 - given[i]] += 1
    free(parsed.mask)
    parsed.mask = ordered
    return 0


cdef int parse_list(object texts, Parsed* parsed) except -1:
    """Reads a list; what is no entry is passed over. Frees what it took where it raises."""
    cdef Py_ssize_t size = len(texts), seen = 0
    cdef int given
    cdef Mask mask
    cdef uint8_t* digits = NULL
    parsed.numbers = parsed.masks = 0
    parsed.number = NULL
    parsed.mask = NULL
    if size == 0:
        return 0
    parsed.number = <uint64_t*>malloc(size * sizeof(uint64_t))
    try:
        if parsed.number == NULL:
            raise MemoryError
        for text in texts:
            if seen == size:  # it grew while others ran
                break
            seen += 1
            if seen % TURN == 0:
                with nogil:
                    pass
            given = parse_entry(text, "", &mask)
            if given < 0:
                continue
            if mask.care == <uint64_t>-1:
                parsed.number[parsed.numbers] = mask.value
                parsed.numbers += 1
                continue
            if parsed.mask == NULL:
                parsed.mask = <Mask*>malloc(size * sizeof(Mask))
                digits = <uint8_t*>malloc(size)
                if parsed.mask == NULL or digits == NULL:
                    raise MemoryError
            parsed.mask[parsed.masks] = mask
            digits[parsed.masks] = given
            parsed.masks += 1
        if parsed.masks > 1:
            sort_masks(parsed, digits)
    except BaseException:
        free_parsed(parsed)
        raise
    finally:
        free(digits)
    return 0


cdef int parse_parts(const Part* texts, uint32_t size, Parsed* parsed) except -1:
    """As parse_list, which tells what is kept."""
    cdef uint8_t* digits = NULL
    cdef uint32_t i
    cdef int given
    cdef Mask mask
    parsed.numbers = parsed.masks = 0
    parsed.number = NULL
    parsed.mask = NULL
    if size == 0:
        return 0
    parsed.number = <uint64_t*>malloc(size * sizeof(uint64_t))
    parsed.mask = <Mask*>malloc(size * sizeof(Mask))
    digits = <uint8_t*>malloc(size)
    try:
        if parsed.number == NULL or parsed.mask == NULL or digits == NULL:
            raise MemoryError
        for i in range(size):
            given = read_entry(<const char*>texts[i].at, texts[i].end - texts[i].at, &mask)
            if given < 0:
                continue
            if mask.care == <uint64_t>-1:
                parsed.number[parsed.numbers] = mask.value
                parsed.numbers += 1
            else:
                parsed.mask[parsed.masks] = mask
                digits[parsed.masks] = given
                parsed.masks += 1
        if parsed.masks > 1:
            sort_masks(parsed, digits)
    except BaseException:
        free_parsed(parsed)
        raise
    finally:
        free(digits)
    return 0


cdef void insert(BigList* into, uint64_t number) noexcept nogil:
    cdef uint64_t bucket = place_of(number, into.size)
    cdef uint64_t* places
    cdef int i
    into.sieve[place_of(number, into.words)] |= word_bits(number)
    while True:
        places = &into.buckets[bucket * BUCKET]
        for i in range(BUCKET):
            if places[i] == 0:
                places[i] = number
                into.count += 1
                return
            if places[i] == number:
                return
        bucket = bucket + 1 if bucket + 1 < into.size else 0


cdef int build_big(BigList* into, const Parsed* parsed) except -1:
    cdef uint32_t i
    into.size = parsed.numbers // FILL + 1
    into.words = parsed.numbers // SIEVED + 1
    into.buckets = <uint64_t*>big_area(into.size * BUCKET * sizeof(uint64_t))
    into.sieve = <uint64_t*>big_area(into.words * sizeof(uint64_t))
    with nogil:
        for i in range(parsed.numbers):
            insert(into, parsed.number[i])
    into.masks = build_masks(parsed.mask, parsed.masks)
    return 0


cdef void free_big(BigList* pair) noexcept nogil:
    cdef int i
    for i in range(2):
        free_area(pair[i].buckets, pair[i].size * BUCKET * sizeof(uint64_t))
        free_area(pair[i].sieve, pair[i].words * sizeof(uint64_t))
        free_masks(pair[i].masks)
    free(pair)


cdef uint64_t big_octets(const BigList* pair) noexcept nogil:
    cdef uint64_t octets = 0
    cdef int i
    for i in range(2):
        octets += sizeof(BigList) + sizeof(MaskTable) + 8 * (pair[i].size * BUCKET + pair[i].words)
        octets += pair[i].masks.count * <uint64_t>(sizeof(Mask) + 4)
        if pair[i].masks.buckets != NULL:
            octets += (pair[i].masks.slots + 1) * sizeof(Bucket)
    return octets


cdef bint in_buckets(const BigList* found, uint64_t number) noexcept nogil:
    cdef uint64_t bucket = place_of(number, found.size)
    cdef const uint64_t* places
    cdef int i
    while True:
        places = &found.buckets[bucket * BUCKET]
        for i in range(BUCKET):
            if places[i] == number:
                return True
        if places[BUCKET - 1] == 0:
            return False
        bucket = bucket + 1 if bucket + 1 < found.size else 0


cdef bint find_big(const BigList* found, uint64_t number, Mask* entry) noexcept nogil:
    cdef uint32_t place
    if passes(found, number) and in_buckets(found, number):
        entry.value = number
        entry.care = <uint64_t>-1
        return True
    if found.masks.count == 0:
        return False
    place = find_mask(found.masks, number)
    if place == NO_MASK:
        return False
    entry[0] = found.masks.masks[place]
    return True


cdef uint32_t put_few(Arena* arena, const Parsed* lists) except 0:
    cdef uint64_t head = (lists[0].numbers | <uint64_t>lists[1].numbers << 16
                          | <uint64_t>lists[0].masks << 32 | <uint64_t>lists[1].masks << 48)
    cdef uint32_t offset = take(arena, words_of(head))
    cdef uint64_t* word = at(arena, offset)
    cdef uint32_t i, which
    word[0] = head
    word += 1
    for which in range(2):
        for i in range(lists[which].numbers):
            word[0] = lists[which].number[i]
            word += 1
    for which in range(2):
        for i in range(lists[which].masks):
            word[0] = lists[which].mask[i].value
            word[1] = lists[which].mask[i].care
            word += 2
    return offset


cdef uint32_t put_many(Arena* arena, const Parsed* lists) except 0:
    cdef BigList* pair = <BigList*>calloc(2, sizeof(BigList))
    cdef uint32_t offset
    if pair == NULL:
        raise MemoryError
    try:
        build_big(&pair[0], &lists[0])
        build_big(&pair[1], &lists[1])
        offset = take(arena, 2)
    except BaseException:
        free_big(pair)
        raise
    at(arena, offset)[0] = <uint64_t>-1
    at(arena, offset)[1] = <uint64_t><size_t>pair
    arena.outside += big_octets(pair)
    return offset


cdef uint32_t put_parsed(Arena* arena, const Parsed* lists) except? 0xFFFFFFFF:
    cdef bint few = True
    cdef int i
    if not (lists[0].numbers or lists[0].masks or lists[1].numbers or lists[1].masks):
        return 0
    for i in range(2):
        few = few and lists[i].numbers <= FEW_NUMBERS and lists[i].masks <= FEW_MASKS
    return put_few(arena, lists) if few else put_many(arena, lists)


cdef uint32_t put_lists(Arena* arena, object first, object second) except? 0xFFFFFFFF:
    cdef Parsed lists[2]
    parse_list(first, &lists[0])
    try:
        parse_list(second, &lists[1])
    except BaseException:
        free_parsed(&lists[0])
        raise
    try:
        return put_parsed(arena, lists)
    finally:
        free_parsed(&lists[0])
        free_parsed(&lists[1])


cdef uint32_t sieve_of(const Arena* arena, uint32_t offset) noexcept nogil:
    cdef const uint64_t* block
    cdef uint32_t sieve = 0, i
    if offset == 0:
        return 0
    block = at(arena, offset)
    if block[0] >> 32:  # masks, or a long list
        return <uint32_t>-1
    for i in range(1, words_of(block[0])):
        sieve |= sieve_bits(block[i])
    return sieve


cdef void drop_lists(Arena* arena, uint32_t offset) noexcept nogil:
    cdef uint64_t* block
    if offset == 0:
        return
    block = at(arena, offset)
    cdef uint32_t words = words_of(block[0])
    if block[0] == <uint64_t>-1:
        arena.outside -= big_octets(<BigList*><size_t>block[1])
        free_big(<BigList*><size_t>block[1])
    give(arena, offset, words)


cdef void count_lists(const Arena* arena, uint32_t offset, ListCount* into) noexcept nogil:
    cdef uint64_t* block
    cdef BigList* big
    cdef int i
    if offset == 0:
        return
    block = at(arena, offset)
    if block[0] == <uint64_t>-1:
        into.outside += big_octets(<BigList*><size_t>block[1])
    into.inside += taken_by(block[0])
    if block[0] != <uint64_t>-1:
        into.entries += entries_of(block[0])
        return
    for i in range(2):
        big = &(<BigList*><size_t>block[1])[i]
        into.entries += big.count + big.masks.count


cdef class ListPair:
    def __cinit__(self, first, second):
        open_arena(&self.arena, PAIR_WORDS)
        self.offset = put_lists(&self.arena, first, second)

    def __dealloc__(self):
        if self.arena.words != NULL:
            drop_lists(&self.arena, self.offset)
            close_arena(&self.arena)

    def find(self, int which, str number):
        cdef Mask entry
        cdef uint64_t packed = pack_text(number, "")
        if find_entry(&self.arena, self.offset, which != 0, packed, &entry):
            return entry_text(entry)
        return ""

    def octets(self):
        cdef ListCount count = ListCount(entries=0, inside=0, outside=0)
        count_lists(&self.arena, self.offset, &count)
        return count.inside + count.outside
