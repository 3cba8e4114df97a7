"""Masks found by length and three leading digits, then scanned in the order they are to be tried.

Invariants:
1. A number is looked for in at most four buckets: its length and those digits, any length ("*")
   and those digits, and of both the masks that do not give the digits. The digits are the first
   three, or those after 1 to 3 digits of a country code, whichever makes the smallest buckets.
2. In a bucket masks stand in rank order, so the first that fits is the bucket's best.
3. A table never changes; another is built aside and takes its place.
"""

from libc.stdlib cimport calloc, free, malloc
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memset

from callscreen.fastpath.numbers cimport Mask, entry_text, fits, pack_text, parse_entry

cdef enum:
    FEW = 8          # masks that are scanned without buckets
    OPEN = 0xFFF     # in the place of three digits that are not all given
    USED = 0x10000   # marks a bucket's key as used


cdef inline uint32_t key_of(const Mask* mask, uint32_t skipped) noexcept nogil:
    cdef uint32_t length = mask.value & mask.care & 15
    cdef uint32_t digits = (mask.value >> (52 - 4 * skipped)) & 0xFFF
    cdef bint given = ((mask.care >> (52 - 4 * skipped)) & 0xFFF) == 0xFFF
    return USED | length << 12 | (digits if given and (mask.value & 15) >= 3 + skipped else OPEN)


cdef inline uint32_t slot_of(uint32_t key, uint32_t slots) noexcept nogil:
    return (key * <uint32_t>0x9E3779B1 >> 12) & slots


cdef Bucket* bucket_at(const MaskTable* table, uint32_t key) noexcept nogil:
    """The bucket of a key, or the free place where it belongs."""
    cdef uint32_t slot = slot_of(key, table.slots)
    while table.buckets[slot].key != 0 and table.buckets[slot].key != key:
        slot = (slot + 1) & table.slots
    return &table.buckets[slot]


cdef uint64_t count_buckets(MaskTable* table, const Mask* masks, uint32_t skipped) noexcept nogil:
    """Counts the masks of each bucket: the sum of squares, which is what look-ups cost."""
    cdef uint32_t i, key
    cdef uint64_t cost = 0
    cdef Bucket* bucket
    memset(table.buckets, 0, (table.slots + 1) * sizeof(Bucket))
    table.skipped = skipped
    for i in range(table.count):
        key = key_of(&masks[i], skipped)
        bucket = bucket_at(table, key)
        cost += 2 * bucket.end + 1
        if key & 0xFFF == OPEN:
            cost += table.count  # every number goes there
        bucket.key = key
        bucket.end += 1
    return cost


cdef void fill(MaskTable* table, const Mask* masks) noexcept nogil:
    """Gives each bucket its room, and puts the masks there in rank order."""
    cdef uint32_t i, place = 0, size, skipped = 0
    cdef uint64_t cost, least = <uint64_t>-1
    cdef Bucket* bucket
    for i in range(4):
        cost = count_buckets(table, masks, i)
        if cost < least:
            least = cost
            skipped = i
    count_buckets(table, masks, skipped)
    for i in range(table.slots + 1):
        size = table.buckets[i].end
        table.buckets[i].start = table.buckets[i].end = place
        place += size
    for i in range(table.count):
        bucket = bucket_at(table, key_of(&masks[i], skipped))
        table.masks[bucket.end] = masks[i]
        table.ranks[bucket.end] = i
        bucket.end += 1


cdef MaskTable* build_masks(const Mask* masks, uint32_t count) except NULL:
    cdef MaskTable* table = <MaskTable*>calloc(1, sizeof(MaskTable))
    cdef uint32_t i, size = 16
    if table == NULL:
        raise MemoryError
    table.count = count
    table.masks = <Mask*>malloc(max(count, 1) * sizeof(Mask))
    table.ranks = <uint32_t*>malloc(max(count, 1) * sizeof(uint32_t))
    if count > FEW:
        while size < 2 * count and size < 32768:  # keys are 16 bits, most of them in few areas
            size *= 2
        table.slots = size - 1
        table.buckets = <Bucket*>calloc(size, sizeof(Bucket))
    if table.masks == NULL or table.ranks == NULL or (count > FEW and table.buckets == NULL):
        free_masks(table)
        raise MemoryError
    if count > FEW:
        fill(table, masks)
    else:
        for i in range(count):
            table.masks[i] = masks[i]
            table.ranks[i] = i
    return table


cdef void free_masks(MaskTable* table) noexcept nogil:
    if table != NULL:
        free(table.buckets)
        free(table.masks)
        free(table.ranks)
        free(table)


cdef uint32_t find_mask(const MaskTable* table, uint64_t number) noexcept nogil:
    cdef uint32_t keys[4]
    cdef uint32_t i, place, best = NO_MASK, rank = NO_MASK
    cdef uint32_t length = <uint32_t>(number & 15) << 12
    cdef uint32_t first = (number >> (52 - 4 * table.skipped)) & 0xFFF
    cdef Bucket* bucket
    if table.buckets == NULL:
        for place in range(table.count):
            if fits(&table.masks[place], number):
                return place
        return NO_MASK
    keys[0] = USED | length | first
    keys[1] = USED | first
    keys[2] = USED | length | OPEN
    keys[3] = USED | OPEN
    for i in range(4):
        bucket = bucket_at(table, keys[i])
        if bucket.key == 0 or table.ranks[bucket.start] >= rank:
            continue
        for place in range(bucket.start, bucket.end):
            if fits(&table.masks[place], number):
                if table.ranks[place] < rank:
                    best = place
                    rank = table.ranks[place]
                break
    return best


cdef class MaskSet:
    def __cinit__(self, masks):
        cdef list texts = list(masks)
        cdef Mask* parsed = <Mask*>malloc(max(len(texts), 1) * sizeof(Mask))
        cdef uint32_t count = 0
        if parsed == NULL:
            raise MemoryError
        try:
            for text in texts:
                if parse_entry(text, "", &parsed[count]) >= 0:
                    count += 1
            self.table = build_masks(parsed, count)
        finally:
            free(parsed)

    def __dealloc__(self):
        free_masks(self.table)

    def __len__(self):
        return self.table.count

    cdef uint32_t place(self, uint64_t number) noexcept nogil:
        return find_mask(self.table, number)

    def find(self, str number):
        cdef uint64_t packed = pack_text(number, "")
        cdef uint32_t place = self.place(packed) if packed else NO_MASK
        if place == NO_MASK:
            return None
        return entry_text(self.table.masks[place]), self.table.ranks[place]
