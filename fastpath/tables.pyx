"""Tables of numbers and subscribers: hashing, growth, and reuse of what is given up.

Invariants:
1. A number stands at or after its own slot with no free slot between; taking one out moves those
   behind it up, so no tombstone is left. A quarter of the slots is free, so a search ends.
2. A row of a subscriber lives while a number names it or something in it is not the default. It is
   used again when no reader is left that may have found it.
3. Rows never move. A table of numbers grows aside, and is switched to as it is.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from callscreen.fastpath.area cimport big_area, close_area, free_area, open_area, reserve_area
from callscreen.fastpath.arena cimport close_arena, drop_text, open_arena, put_octets, same_text
from callscreen.fastpath.epochs cimport close_limbo, give_up, reserve_limbo


cdef extern from *:
    """
    #include <stdint.h>
    /* All that was written before is seen by whoever sees what is written after. */
    static inline void callscreen_release(void) { __atomic_thread_fence(__ATOMIC_RELEASE); }
    """
    void callscreen_release() noexcept nogil

cdef enum:
    ARENA_BITS = 32        # of words: 32 GiB
    SUBSCRIBER_BITS = 27   # of rows, as of the next and of PROVIDER_BITS
    SETTINGS_BITS = 22


cdef int open_tables(Data* data) except -1:
    cdef int product
    memset(data, 0, sizeof(Data))
    data.turn.epoch = 1
    open_arena(&data.arena, <uint64_t>1 << ARENA_BITS)
    reserve_area(&data.subscribers.area, sizeof(SubscriberRow) << SUBSCRIBER_BITS)
    data.subscribers.rows = <SubscriberRow*>data.subscribers.area.base
    open_area(&data.subscribers.area, sizeof(SubscriberRow))
    data.subscribers.top = 1
    reserve_area(&data.provider_area, sizeof(ProviderRow) << PROVIDER_BITS)
    data.providers = <ProviderRow*>data.provider_area.base
    reserve_area(&data.settings_area, sizeof(SettingsRow) << SETTINGS_BITS)
    data.settings = <SettingsRow*>data.settings_area.base
    open_providers(data, 1)
    open_settings(data, 3)
    for product in range(3):
        reserve_numbers(data, product, 0)
    return 0


cdef void close_tables(Data* data) noexcept nogil:
    cdef int product
    close_limbo(&data.limbo, data)
    for product in range(3):
        release_numbers(data, <uint64_t><size_t>data.numbers[product], 0)
        data.numbers[product] = NULL
    free_directory(&data.subscribers)
    close_area(&data.subscribers.area)
    close_area(&data.provider_area)
    close_area(&data.settings_area)
    close_arena(&data.arena)


cdef int open_providers(Data* data, uint32_t count) except -1:
    open_area(&data.provider_area, count * sizeof(ProviderRow))
    data.provider_count = count
    return 0


cdef int open_settings(Data* data, uint32_t count) except -1:
    open_area(&data.settings_area, count * sizeof(SettingsRow))
    data.settings_count = count
    return 0


# Numbers


cdef void release_numbers(void* data, uint64_t what, uint64_t size) noexcept nogil:
    cdef NumberTable* table = <NumberTable*><size_t>what
    if table != NULL:
        free_area(table.slots, (table.last + 1) * sizeof(NumberSlot))
        free(table)


cdef void place_number(NumberTable* table, const NumberSlot* slot) noexcept nogil:
    cdef uint64_t place = slot_of(table, slot.number)
    while table.slots[place].number != 0:
        place = (place + 1) & table.last
    table.slots[place] = slot[0]


cdef int reserve_numbers(Data* data, int product, uint64_t count) except -1:
    cdef NumberTable* grown
    reserve_limbo(&data.limbo, 1)
    grow_numbers(data, product, count, &grown)
    if grown != NULL:
        use_numbers(data, product, grown)
    return 0


cdef void use_numbers(Data* data, int product, NumberTable* grown) noexcept nogil:
    cdef NumberTable* before = data.numbers[product]
    callscreen_release()
    data.numbers[product] = grown
    if before != NULL:
        give_up(&data.limbo, &data.turn, data, release_numbers, <uint64_t><size_t>before, 0)


cdef int grow_numbers(Data* data, int product, uint64_t count, NumberTable** made) except -1:
    """Leaves a quarter of the slots free. Other threads run while a table is filled."""
    cdef NumberTable* before = data.numbers[product]
    cdef NumberTable* grown
    cdef uint64_t i, size = 64
    cdef int bits = 6
    made[0] = NULL
    while size * 3 < count * 4:
        size *= 2
        bits += 1
    if before != NULL and size <= before.last + 1:
        return 0
    grown = <NumberTable*>malloc(sizeof(NumberTable))
    if grown == NULL:
        raise MemoryError
    try:
        grown.slots = <NumberSlot*>big_area(size * sizeof(NumberSlot))
    except MemoryError:
        free(grown)
        raise
    grown.last = size - 1
    grown.count = 0
    grown.shift = 64 - bits
    if before != NULL:
        grown.count = before.count
        with nogil:
            for i in range(before.last + 1):
                if before.slots[i].number != 0:
                    place_number(grown, &before.slots[i])
    made[0] = grown
    return 0


cdef NumberSlot* add_number(NumberTable* table, uint64_t number) noexcept nogil:
    cdef uint64_t place = slot_of(table, number)
    while table.slots[place].number != 0:
        if table.slots[place].number == number:
            return &table.slots[place]
        place = (place + 1) & table.last
    table.slots[place].number = number
    table.count += 1
    return &table.slots[place]


cdef void remove_number(NumberTable* table, NumberSlot* slot) noexcept nogil:
    cdef uint64_t hole = slot - table.slots, place = hole, home
    while True:
        place = (place + 1) & table.last
        if table.slots[place].number == 0:
            break
        home = slot_of(table, table.slots[place].number)
        if ((place - home) & table.last) >= ((place - hole) & table.last):
            table.slots[hole] = table.slots[place]
            hole = place
    memset(&table.slots[hole], 0, sizeof(NumberSlot))
    table.count -= 1


# Subscribers


cdef inline uint64_t mixed(uint64_t value) noexcept nogil:
    value *= <uint64_t>0x9E3779B97F4A7C15
    return value ^ value >> 32


cdef uint32_t hash_of(int product, uint32_t provider, const char* name, size_t size) noexcept nogil:
    """Of a word after the other, each mixed into all bits of the next."""
    cdef uint64_t value = <uint64_t>0xCBF29CE484222325 ^ (<uint64_t>provider << 2 | product), word
    cdef size_t i
    value ^= <uint64_t>size << 32
    for i in range(size // 8):
        memcpy(&word, name + 8 * i, 8)
        value = mixed(value ^ word)
    if size % 8:
        word = 0
        memcpy(&word, name + size // 8 * 8, size % 8)
        value = mixed(value ^ word)
    return <uint32_t>(mixed(value) >> 32)


cdef void free_directory(SubscriberTable* table) noexcept nogil:
    if table.directory != NULL:
        free_area(table.directory, (<size_t>table.last + 1) * sizeof(uint32_t))


cdef int grow_directory(SubscriberTable* table, uint64_t count) except -1:
    cdef uint32_t size = table.last + 1 if table.directory != NULL else 64, row, place
    cdef uint32_t* grown
    while 3 * <uint64_t>size < 4 * count:
        size *= 2
    if table.directory != NULL and size <= table.last + 1:
        return 0
    grown = <uint32_t*>big_area(size * sizeof(uint32_t))
    with nogil:
        for place in range(table.last + 1 if table.directory != NULL else 0):
            row = table.directory[place]
            if row:
                enter_directory(grown, size - 1, table.rows[row].hash, row)
    free_directory(table)
    table.directory = grown
    table.last = size - 1
    return 0


cdef inline void enter_directory(
    uint32_t* directory, uint32_t last, uint32_t hashed, uint32_t row
) noexcept nogil:
    cdef uint32_t place = hashed & last
    while directory[place]:
        place = (place + 1) & last
    directory[place] = row


cdef uint32_t subscriber_row(
    Data* data, int product, uint32_t provider, const char* text, size_t size, bint add
) except? 0xFFFFFFFF:
    cdef SubscriberTable* table = &data.subscribers
    cdef uint32_t hashed = hash_of(product, provider, text, size), place, row, label
    cdef const SubscriberRow* found
    if table.directory != NULL:
        place = hashed & table.last
        while table.directory[place]:
            row = table.directory[place]
            found = &table.rows[row]
            if (found.hash == hashed and found.product == product and found.provider == provider
                    and same_text(&data.arena, found.name, text, size)):
                return row
            place = (place + 1) & table.last
    if not add:
        return 0
    if table.directory == NULL or 4 * (table.count + 1) > 3 * (table.last + 1):
        grow_directory(table, table.count + 1)
    if table.free == 0:
        open_area(&table.area, (<size_t>table.top + 1) * sizeof(SubscriberRow))
    label = put_octets(&data.arena, text, size)
    if table.free:
        row = table.free
        table.free = table.rows[row].numbers
    else:
        row = table.top
        table.top += 1
    fill_row(data, row, product, provider, label, hashed)
    return row


cdef inline void fill_row(
    Data* data, uint32_t row, int product, uint32_t provider, uint32_t label, uint32_t hashed
) noexcept nogil:
    cdef SubscriberTable* table = &data.subscribers
    cdef SubscriberRow* found = &table.rows[row]
    memset(found, 0, sizeof(SubscriberRow))
    found.provider = provider
    found.product = product
    found.name = label
    found.hash = hashed
    data.providers[provider].references += 1
    enter_directory(table.directory, table.last, hashed, row)
    table.count += 1


cdef int reserve_subscribers(Data* data, uint64_t count) except -1:
    if count >> SUBSCRIBER_BITS:
        raise MemoryError(f"the index holds no {count} subscribers")
    open_area(&data.subscribers.area, (count + 1) * sizeof(SubscriberRow))
    return grow_directory(&data.subscribers, count)


cdef uint32_t restore_subscriber(
    Data* data, uint32_t position, int product, uint32_t provider, const char* name, size_t size,
    uint32_t hashed
) except 0:
    cdef SubscriberTable* table = &data.subscribers
    cdef uint32_t label
    if position < table.top:
        raise ValueError(f"row {position} of a subscriber comes too late")
    if 4 * (<uint64_t>table.count + 1) > 3 * (<uint64_t>table.last + 1):
        grow_directory(table, table.count + 1)
    if (<size_t>position + 1) * sizeof(SubscriberRow) > table.area.opened:
        open_area(&table.area, (<size_t>position + 1) * sizeof(SubscriberRow))
    label = put_octets(&data.arena, name, size)
    while table.top < position:
        table.rows[table.top].numbers = table.free
        table.free = table.top
        table.top += 1
    table.top = position + 1
    fill_row(data, position, product, provider, label, hashed)
    return position


cdef void leave_directory(SubscriberTable* table, uint32_t row) noexcept nogil:
    cdef uint32_t place = table.rows[row].hash & table.last, hole, home
    while table.directory[place] != row:
        place = (place + 1) & table.last
    hole = place
    while True:
        place = (place + 1) & table.last
        if table.directory[place] == 0:
            break
        home = table.rows[table.directory[place]].hash & table.last
        if ((place - home) & table.last) >= ((place - hole) & table.last):
            table.directory[hole] = table.directory[place]
            hole = place
    table.directory[hole] = 0


cdef void release_row(void* data, uint64_t row, uint64_t size) noexcept nogil:
    cdef SubscriberTable* table = &(<Data*>data).subscribers
    drop_text(&(<Data*>data).arena, table.rows[row].name)
    memset(&table.rows[row], 0, sizeof(SubscriberRow))
    table.rows[row].numbers = table.free
    table.free = <uint32_t>row


cdef bint release_subscriber(Data* data, uint32_t row) noexcept nogil:
    cdef SubscriberTable* table = &data.subscribers
    cdef SubscriberRow* found = &table.rows[row]
    if (found.numbers or found.lists or found.voicemail or found.disabled or found.override
            or not found.product):
        return False
    leave_directory(table, row)
    data.providers[found.provider].references -= 1
    found.product = 0
    table.count -= 1
    give_up(&data.limbo, &data.turn, data, release_row, row, 0)
    return True
