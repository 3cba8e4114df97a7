"""The index from a file. What stands in it: image.pxd, and its plain twin image_reference.py.

Invariants:
1. A file that is not whole, or says what no index can hold, raises ImageError; the index into which
   it was read is then of no use.
2. Nothing that a file says makes a reader leave its bounds, even where the checksums are right.
3. Records are looked at in groups before they are applied: what each needs lies far from the last.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset
from posix.stat cimport fstat, struct_stat

from callscreen.fastpath.arena cimport MAX_BLOCK, get_text, put_octets
from callscreen.fastpath.blocks cimport (
    DAMAGED, NO_MEMORY, NO_TROUBLE, BlockReader, close_reader, next_block, taken,
)
from callscreen.fastpath.image cimport (
    COUNT_WORDS, COUNTS, END, HEAD, NUMBER, OBJECT, PROVIDER, SUBSCRIBER, words_for,
)
from callscreen.fastpath.index cimport Index
from callscreen.fastpath.lists cimport Parsed, put_parsed
from callscreen.fastpath.numbers cimport Mask
from callscreen.fastpath.switching cimport count_held
from callscreen.fastpath.tables cimport (
    PROVIDER_BITS, Data, NumberSlot, SubscriberRow, add_number, find_number, hash_of,
    release_subscriber, reserve_numbers, reserve_subscribers, restore_subscriber,
)

from .routes_types import place_kind

__all__ = ["ImageError", "read_image"]


cdef extern from *:
    """
    #define CALLSCREEN_PREFETCH(where) __builtin_prefetch(where, 1)
    """
    void prefetch "CALLSCREEN_PREFETCH"(const void* where) noexcept nogil

cdef enum:
    TEXT_MOST = 8 * MAX_BLOCK - 1  # octets of a name, or of a place of voice mail
    GROUP = 32  # records that are looked at before the first of them is applied


class ImageError(ValueError):
    """The file is not whole, or is no image."""


cdef struct Held:            # a record, within the block; nothing in it was judged but its size
    const uint64_t* words
    const char* name         # UTF-8
    const char* mail
    uint64_t name_size
    uint64_t mail_size
    bint listed
    Parsed[2] lists
    uint32_t hashed          # of a subscriber

cdef struct Restored:
    Data* data
    uint32_t* providers      # row by position in the file; 0: none
    uint64_t provider_count  # positions
    uint64_t subscriber_count
    uint64_t subscribers_told # records of them that there can be
    uint64_t complete        # the revision at which it is whole


cdef int damaged() except -1:
    raise ImageError("the image says what cannot be")


cdef inline bint is_digits(uint64_t packed) noexcept nogil:
    """As many digits as the last four bits say, and nothing behind them."""
    cdef uint64_t digits = packed & ~<uint64_t>15
    return digits << 4 * (packed & 15) == 0 and (
        digits >> 3 & (digits >> 2 | digits >> 1) & <uint64_t>0x1111111111111111) == 0


cdef inline bint is_number(uint64_t packed) noexcept nogil:
    return packed & 15 and is_digits(packed)


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
    """Takes the next record of the block; false, and trouble, where it is not whole."""
    cdef uint64_t heads = 3 if into.kind == SUBSCRIBER else 2
    cdef const uint64_t* words = taken(into, heads)
    if words == NULL:
        return False
    record.words = words
    record.name_size = record.mail_size = 0
    if into.kind == NUMBER:
        record.listed = (words[1] >> 40) != 0
    elif into.kind == PROVIDER:
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


cdef int read_counts(BlockReader* into, Restored* made) except -1:
    cdef const uint64_t* counts = taken(into, COUNT_WORDS)
    cdef uint64_t least = into.left // 16  # what has a record of its own takes as much
    if (counts == NULL or made.providers != NULL or counts[4] >> 32
            or counts[3] > <uint64_t>1 << PROVIDER_BITS):
        damaged()
    made.provider_count = counts[3]
    made.subscriber_count = counts[4]
    made.providers = <uint32_t*>calloc(counts[3] + 1, sizeof(uint32_t))
    if made.providers == NULL:
        raise MemoryError
    made.subscribers_told = min(counts[2], least)
    # Some may have gone since they were counted.
    reserve_numbers(made.data, 1, min(counts[0], least))
    reserve_numbers(made.data, 2, min(counts[1], least))
    reserve_subscribers(made.data, made.subscribers_told)
    return 0


cdef int apply_provider(Held* record, Restored* made, Index index) except -1:
    cdef uint32_t position = <uint32_t>record.words[0], row
    cdef uint64_t product = record.words[0] >> 32
    cdef str name
    if position >= made.provider_count or not 1 <= product <= 2 or made.providers[position]:
        damaged()
    try:
        name = record.name[:record.name_size].decode("utf-8")
    except UnicodeDecodeError:
        damaged()
    row = index.provider_row(<int>product, name)
    made.providers[position] = row
    if record.listed:
        if made.data.providers[row].lists:
            damaged()
        made.data.providers[row].lists = put_parsed(&made.data.arena, record.lists)
        count_held(made.data, made.data.providers[row].lists, 1)
    return 0


cdef int check_text(const char* text, uint64_t size) except -1:
    """Whether it is UTF-8; what is ASCII is seen without making a text of it."""
    cdef uint64_t i
    cdef unsigned char seen = 0
    for i in range(size):
        seen |= <unsigned char>text[i]
    if seen & 0x80:
        try:
            text[:size].decode("utf-8")
        except UnicodeDecodeError:
            damaged()
    return 0


cdef int apply_subscriber(Held* record, Restored* made) except -1:
    cdef uint32_t position = <uint32_t>record.words[0], provider = record.words[0] >> 32
    cdef uint32_t flags = <uint32_t>record.words[1], row
    cdef SubscriberRow* found
    if (position >= made.subscriber_count or provider >= made.provider_count
            or made.providers[provider] == 0 or position < made.data.subscribers.top
            or position // 8 > made.subscribers_told + 1024
            or (flags & 0xFF) != made.data.providers[made.providers[provider]].product):
        damaged()
    check_text(record.name, record.name_size)
    check_text(record.mail, record.mail_size)
    row = restore_subscriber(
        made.data, position, flags & 0xFF, made.providers[provider], record.name,
        record.name_size, record.hashed)
    found = &made.data.subscribers.rows[row]
    found.disabled = (flags >> 8) & 1
    found.override = (flags >> 16) & 0xFF
    if record.mail_size:
        found.voicemail = put_octets(&made.data.arena, record.mail, record.mail_size)
        found.mail = place_kind(get_text(&made.data.arena, found.voicemail))
    if record.listed:
        found.lists = put_parsed(&made.data.arena, record.lists)
        count_held(made.data, found.lists, 1)
    return 0


cdef int apply_number(Held* record, Restored* made) except -1:
    cdef uint64_t number = record.words[0], product = (record.words[1] >> 32) & 0xFF
    cdef uint32_t owner = <uint32_t>record.words[1]
    cdef SubscriberRow* row
    cdef NumberSlot* slot
    if not is_number(number) or not 1 <= product <= 2 or owner >= made.data.subscribers.top:
        damaged()
    row = &made.data.subscribers.rows[owner]
    if row.product != product or find_number(made.data.numbers[product], number) != NULL:
        damaged()
    reserve_numbers(made.data, <int>product, made.data.numbers[product].count + 1)
    slot = add_number(made.data.numbers[product], number)
    slot.subscriber = owner
    row.numbers += 1
    if record.listed:
        slot.lists = put_parsed(&made.data.arena, record.lists)
        count_held(made.data, slot.lists, 1)
    return 0


cdef void expect(BlockReader* into, Held* record, const Restored* made) noexcept nogil:
    """Asks for the memory that a record will need, for it is far from that of the last."""
    cdef uint32_t provider
    if into.kind == NUMBER:
        if <uint32_t>record.words[1] < made.data.subscribers.top:
            prefetch(&made.data.subscribers.rows[<uint32_t>record.words[1]])
    elif into.kind == SUBSCRIBER:
        provider = record.words[0] >> 32
        if provider < made.provider_count:
            record.hashed = hash_of(
                record.words[1] & 0xFF, made.providers[provider], record.name, record.name_size)
            prefetch(&made.data.subscribers.directory[
                record.hashed & made.data.subscribers.last])


cdef int read_records(BlockReader* into, Restored* made, Index index) except -1:
    """Those of a block: a group is looked at first and applied then."""
    cdef Held[GROUP] records
    cdef int count, i
    while into.at < into.size:
        count = 0
        while count < GROUP and into.at < into.size:
            if not hold(into, &records[count]):
                damaged()
            expect(into, &records[count], made)
            count += 1
        for i in range(count):
            if into.kind == NUMBER:
                apply_number(&records[i], made)
            elif into.kind == SUBSCRIBER:
                apply_subscriber(&records[i], made)
            else:
                apply_provider(&records[i], made, index)
    return 0


cdef bytes read_octets(BlockReader* into):
    cdef const uint64_t* size = taken(into, 1)
    cdef const uint64_t* words
    if size == NULL or size[0] > 8 * (into.size - into.at):
        damaged()
    words = taken(into, words_for(size[0]))
    if words == NULL:
        damaged()
    return PyBytes_FromStringAndSize(<const char*>words, size[0])


cdef bytes read_blocks(BlockReader* into, Restored* made, Index index, list objects):
    """All blocks up to the end; the head."""
    cdef bytes head = None
    cdef bint more
    while True:
        with nogil:
            more = next_block(into)
        if not more:
            raise_trouble(into)
        # The head comes first, then the counts, then all else up to the end.
        if (into.kind == HEAD) != (into.place == 1) or (into.kind == COUNTS) != (into.place == 2):
            damaged()
        if into.kind == HEAD:
            head = read_octets(into)
        elif into.kind == COUNTS:
            read_counts(into, made)
        elif into.kind in (PROVIDER, SUBSCRIBER, NUMBER):
            read_records(into, made, index)
        elif into.kind == END and into.size == 2 and into.words[0] == into.place - 1:
            if into.left:
                damaged()
            made.complete = into.words[1]
            return head
        elif into.kind == OBJECT:
            while into.at < into.size:
                objects.append(read_octets(into))
        else:
            damaged()


cdef void sweep(Data* data) noexcept nogil:
    """Gives up rows of which nothing is said: of what was dropped while the file was written."""
    cdef uint32_t row
    for row in range(1, data.subscribers.top):
        if data.subscribers.rows[row].product:
            release_subscriber(data, row)


cdef int raise_trouble(const BlockReader* into) except -1:
    if into.trouble == DAMAGED:
        raise ImageError("the image is cut off or damaged")
    if into.trouble == NO_MEMORY:
        raise MemoryError
    raise OSError(into.code, "the image was not read")


def read_image(Index index, int fd):
    cdef BlockReader into
    cdef Restored made
    cdef struct_stat about
    cdef list objects = []
    if fstat(fd, &about) != 0:
        raise OSError("the image was not read")
    memset(&into, 0, sizeof(into))
    memset(&made, 0, sizeof(made))
    into.fd = fd
    into.left = <uint64_t>max(about.st_size, 0)
    made.data = &index.data
    try:
        with index.writing:
            if made.data.limbo.readers != NULL or made.data.subscribers.count:
                raise ValueError("an image is read into an index of its own")
            head = read_blocks(&into, &made, index, objects)
            sweep(made.data)
            return head, objects, made.complete
    finally:
        close_reader(&into)
        free(made.providers)
