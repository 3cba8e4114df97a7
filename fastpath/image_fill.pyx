"""The tables of an index out of the records of an image.

Invariants:
1. A record is applied only where it fits what came before: its provider and subscriber are there,
   of the same product, and its position or number is new.
2. A record is looked at some records before it is applied: the rows that it needs lie far from those
   of the last, and are on their way meanwhile.
3. What is filled from its beginning on is touched ahead by another thread, as far as the rest of the
   file may need it.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free

from callscreen.fastpath.ahead cimport Stretch, begin_ahead, end_ahead, move_ahead
from callscreen.fastpath.area cimport Area, open_area
from callscreen.fastpath.arena cimport at, get_text, put_octets
from callscreen.fastpath.blocks cimport BlockReader, taken
from callscreen.fastpath.image cimport COUNT_WORDS, NUMBER, SUBSCRIBER
from callscreen.fastpath.image_take cimport Held, check_text, damaged, hold, is_number
from callscreen.fastpath.index cimport Index
from callscreen.fastpath.lists cimport Parsed, entries_of, put_parsed, sieve_of, taken_by
from callscreen.fastpath.switching cimport count_held
from callscreen.fastpath.tables cimport (
    PROVIDER_BITS, Data, NumberSlot, NumberTable, SubscriberRow, add_number, hash_of,
    release_subscriber, reserve_numbers, reserve_subscribers, restore_subscriber,
)

from .routes_types import place_kind


cdef extern from *:
    """
    #define CALLSCREEN_PREFETCH(where) __builtin_prefetch(where, 1)
    """
    void prefetch "CALLSCREEN_PREFETCH"(const void* where) noexcept nogil

cdef enum:
    SPAN = 32          # records between looking at one and applying it
    LEAD = 32 << 20    # octets of the arena, and of the rows, that are touched ahead
    OPENED = 4 * LEAD  # of the arena that are opened at a time: opening waits for the other thread
    LEAST = 16 << 20   # octets of a file that is worth that thread

cdef enum:  # places of the stretches; what is needed everywhere from the first record on comes first
    DIRECTORY, ROWS, ARENA, PCS_NUMBERS, CIN_NUMBERS


cdef int begin_filling(Filling* made, BlockReader* into) except -1:
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
    if into.left >= LEAST:
        lay_ahead(made)
        begin_ahead(&made.ahead)
    return 0


cdef void lay(Stretch* stretch, void* base, size_t size, size_t lead) noexcept nogil:
    stretch.base = <char*>base
    stretch.size = size
    stretch.lead = lead


cdef void lay_ahead(Filling* made) noexcept nogil:
    cdef Stretch* stretches = made.ahead.stretches
    cdef Data* data = made.data
    cdef size_t size = (<size_t>data.subscribers.last + 1) * sizeof(uint32_t)
    cdef int product
    lay(&stretches[DIRECTORY], data.subscribers.directory, size, size)
    lay(&stretches[ROWS], data.subscribers.rows,
        (made.subscribers_told + 1) * sizeof(SubscriberRow), LEAD)
    lay(&stretches[ARENA], data.arena.area.base, 0, LEAD)
    for product in range(1, 3):
        size = (data.numbers[product].last + 1) * sizeof(NumberSlot)
        lay(&stretches[PCS_NUMBERS + product - 1], data.numbers[product].slots, size, size)


cdef void keep(Stretch* stretch, const void* base, size_t at) noexcept nogil:
    """Moves on; or no more, where another table has taken its place."""
    move_ahead(stretch, at, stretch.size if stretch.base == base else 0)


cdef int go_ahead(Filling* made, const BlockReader* into) except -1:
    """Says how far all is filled before a block, and opens what may be needed of the arena."""
    cdef Stretch* stretches = made.ahead.stretches
    cdef Data* data = made.data
    cdef Area* area = &data.arena.area
    cdef size_t filled = <size_t>data.arena.top * sizeof(uint64_t)
    # A record takes about as much of the arena as of the file, at most.
    cdef size_t rest = min(into.left + 8 * into.size, area.limit - filled)
    cdef int product
    if made.ahead.thread == NULL:
        return 0
    if filled + min(rest, <size_t>LEAD) > area.opened:
        open_area(area, filled + min(rest, <size_t>OPENED))
    move_ahead(&stretches[ARENA], filled, min(area.opened, filled + rest))
    keep(&stretches[DIRECTORY], data.subscribers.directory, 0)
    keep(&stretches[ROWS], data.subscribers.rows, data.subscribers.top * sizeof(SubscriberRow))
    for product in range(1, 3):
        keep(&stretches[PCS_NUMBERS + product - 1], data.numbers[product].slots,
             made.place[product] * sizeof(NumberSlot))
    return 0


cdef uint32_t put_counted(Data* data, const Parsed* lists) except? 0xFFFFFFFF:
    """Lists in the arena; what they hold is counted."""
    cdef uint32_t offset = put_parsed(&data.arena, lists)
    cdef uint64_t head
    if offset:
        head = at(&data.arena, offset)[0]
        if head == <uint64_t>-1:
            count_held(data, offset, 1)
        else:
            data.held.entries += entries_of(head)
            data.held.inside += taken_by(head)
    return offset


cdef int apply_provider(Filling* made, const Held* record, Index index) except -1:
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
        made.data.providers[row].lists = put_counted(made.data, record.lists)
    return 0


cdef int apply_subscriber(Filling* made, const Held* record) except -1:
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
        found.lists = put_counted(made.data, record.lists)
        found.sieve = sieve_of(&made.data.arena, found.lists)
    return 0


cdef int apply_number(Filling* made, const Held* record) except -1:
    cdef uint64_t number = record.words[0], product = (record.words[1] >> 32) & 0xFF, count
    cdef uint32_t owner = <uint32_t>record.words[1]
    cdef NumberTable* table
    cdef NumberSlot* slot
    if not is_number(number) or not 1 <= product <= 2 or owner >= made.data.subscribers.top:
        damaged()
    if made.data.subscribers.rows[owner].product != product:
        damaged()
    count = made.data.numbers[product].count
    if 4 * (count + 1) > 3 * (made.data.numbers[product].last + 1):
        reserve_numbers(made.data, <int>product, count + 1)
    table = made.data.numbers[product]
    slot = add_number(table, number)
    if table.count == count:  # it was there
        damaged()
    slot.subscriber = owner
    slot.provider = made.data.subscribers.rows[owner].provider
    made.data.subscribers.rows[owner].numbers += 1
    made.place[product] = slot - table.slots
    if record.listed:
        slot.lists = put_counted(made.data, record.lists)
        slot.sieve = sieve_of(&made.data.arena, slot.lists)
    return 0


cdef void expect(const Filling* made, const BlockReader* into, Held* record) noexcept nogil:
    """Asks for the row that a record will need."""
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


cdef int fill(Filling* made, BlockReader* into, Index index) except -1:
    cdef Held[SPAN] records
    cdef Held* record
    cdef uint64_t held = 0, applied = 0
    go_ahead(made, into)
    while applied < held or into.at < into.size:
        while held < applied + SPAN and into.at < into.size:
            record = &records[held % SPAN]
            if not hold(into, record):
                damaged()
            expect(made, into, record)
            held += 1
        record = &records[applied % SPAN]
        if into.kind == NUMBER:
            apply_number(made, record)
        elif into.kind == SUBSCRIBER:
            apply_subscriber(made, record)
        else:
            apply_provider(made, record, index)
        applied += 1
    return 0


cdef void sweep(Filling* made) noexcept nogil:
    cdef const SubscriberRow* rows = made.data.subscribers.rows
    cdef uint32_t row
    for row in range(1, made.data.subscribers.top):
        if rows[row].product and not rows[row].numbers:
            release_subscriber(made.data, row)


cdef void end_filling(Filling* made) noexcept nogil:
    end_ahead(&made.ahead)
    free(made.providers)
    made.providers = NULL
