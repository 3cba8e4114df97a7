"""Tables of numbers and subscribers: hashing, growth, and reuse of what is given up.

Invariants:
1. A number stands at or after its own slot with no free slot between; taking one out moves those
   behind it up, so no tombstone is left.
2. A row of a subscriber lives while a number names it or something in it is not the default.
3. Growth fills a table aside and then switches to it.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memset

from callscreen.fastpath.arena cimport big_area, drop_text, put_text, same_text


cdef extern from *:
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL


cdef void place_number(NumberTable* table, const NumberSlot* slot) noexcept nogil:
    cdef uint64_t place = slot_of(table, slot.number)
    while table.slots[place].number != 0:
        place = (place + 1) & table.last
    table.slots[place] = slot[0]


cdef int reserve_numbers(NumberTable* table, uint64_t count) except -1:
    """Makes room for that many numbers, with a quarter of the slots free."""
    cdef NumberTable grown
    cdef uint64_t i, size = 64
    cdef int bits = 6
    while size * 3 < count * 4:
        size *= 2
        bits += 1
    if table.slots != NULL and size <= table.last + 1:
        return 0
    grown.slots = <NumberSlot*>big_area(size * sizeof(NumberSlot))
    grown.last = size - 1
    grown.count = table.count
    grown.shift = 64 - bits
    if table.slots != NULL:
        for i in range(table.last + 1):
            if table.slots[i].number != 0:
                place_number(&grown, &table.slots[i])
    free(table.slots)
    table[0] = grown
    return 0


cdef NumberSlot* add_number(NumberTable* table, uint64_t number) except NULL:
    cdef NumberSlot* found = find_number(table, number)
    cdef uint64_t place
    if found != NULL:
        return found
    reserve_numbers(table, table.count + 1)
    place = slot_of(table, number)
    while table.slots[place].number != 0:
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


cdef uint32_t hash_of(
    int product, uint32_t provider, const char* name, Py_ssize_t size
) noexcept nogil:
    """FNV-1a, then mixed."""
    cdef uint64_t value = <uint64_t>0xCBF29CE484222325 ^ (<uint64_t>provider << 2 | product)
    cdef Py_ssize_t i
    for i in range(size):
        value = (value ^ <unsigned char>name[i]) * <uint64_t>0x100000001B3
    value ^= value >> 32
    value *= <uint64_t>0x9E3779B97F4A7C15
    return <uint32_t>(value >> 32)


cdef int grow_directory(SubscriberTable* table) except -1:
    cdef uint32_t size = 2 * (table.last + 1) if table.directory != NULL else 64, row, place
    cdef uint32_t* grown = <uint32_t*>calloc(size, sizeof(uint32_t))
    if grown == NULL:
        raise MemoryError
    for row in range(1, table.top):
        if table.rows[row].product:
            place = table.rows[row].hash & (size - 1)
            while grown[place]:
                place = (place + 1) & (size - 1)
            grown[place] = row
    free(table.directory)
    table.directory = grown
    table.last = size - 1
    return 0


cdef int grow_rows(SubscriberTable* table) except -1:
    cdef uint32_t size = table.size * 2 if table.size else 64
    cdef SubscriberRow* grown = <SubscriberRow*>realloc(table.rows, size * sizeof(SubscriberRow))
    if grown == NULL:
        raise MemoryError
    table.rows = grown
    table.size = size
    if table.top == 0:
        memset(&table.rows[0], 0, sizeof(SubscriberRow))
        table.top = 1
    return 0


cdef uint32_t subscriber_row(
    Data* data, int product, uint32_t provider, str name, bint add
) except? 0:
    cdef SubscriberTable* table = &data.subscribers
    cdef Py_ssize_t size
    cdef const char* text = PyUnicode_AsUTF8AndSize(name, &size)
    cdef uint32_t hashed = hash_of(product, provider, text, size), place, row, label
    cdef SubscriberRow* found
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
        grow_directory(table)
    if table.free == 0 and table.top >= table.size:
        grow_rows(table)
    label = put_text(&data.arena, name)
    if table.free:
        row = table.free
        table.free = table.rows[row].numbers
    else:
        row = table.top
        table.top += 1
    found = &table.rows[row]
    memset(found, 0, sizeof(SubscriberRow))
    found.provider = provider
    found.product = product
    found.name = label
    found.hash = hashed
    data.providers[provider].references += 1
    place = hashed & table.last
    while table.directory[place]:
        place = (place + 1) & table.last
    table.directory[place] = row
    table.count += 1
    return row


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


cdef bint release_subscriber(Data* data, uint32_t row) noexcept nogil:
    cdef SubscriberTable* table = &data.subscribers
    cdef SubscriberRow* found = &table.rows[row]
    if found.numbers or found.lists or found.voicemail or found.disabled or found.override:
        return False
    leave_directory(table, row)
    drop_text(&data.arena, found.name)
    data.providers[found.provider].references -= 1
    memset(found, 0, sizeof(SubscriberRow))
    found.numbers = table.free
    table.free = row
    table.count -= 1
    return True
