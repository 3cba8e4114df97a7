"""Switching the tables over to a transaction that was prepared aside, and what follows.

Invariants:
1. The switch only exchanges what was made before: it allocates nothing, waits for nobody, calls no
   Python, and ends in the time of a table access a change.
2. What was exchanged is kept in the change, and given up after the switch, once.
3. Reference counts are the writer's alone and are settled after the switch: a row is given up only
   when all of the transaction is in force.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

from callscreen.fastpath.arena cimport Arena, at, drop_text
from callscreen.fastpath.epochs cimport (
    begin_turn, end_turn, give_up, next_epoch, tidy_limbo,
)
from callscreen.fastpath.lists cimport ListCount, count_lists, drop_lists
from callscreen.fastpath.plan cimport Plan
from callscreen.fastpath.tables cimport (
    NumberSlot, NumberTable, ProviderRow, SubscriberRow, add_number, find_number,
    release_subscriber, remove_number, slot_of,
)


cdef extern from *:
    """
    #define callscreen_near(address) __builtin_prefetch((const void *)(address), 1)
    """
    void callscreen_near(const void* address) noexcept nogil

cdef enum:
    SPAN = 16  # changes between asking for a slot and reading it


cdef void release_lists(void* data, uint64_t offset, uint64_t size) noexcept nogil:
    drop_lists(&(<Data*>data).arena, <uint32_t>offset)


cdef void release_text(void* data, uint64_t offset, uint64_t size) noexcept nogil:
    drop_text(&(<Data*>data).arena, <uint32_t>offset)


cdef void release_memory(void* data, uint64_t address, uint64_t size) noexcept nogil:
    free(<void*><size_t>address)


cdef void approach(const Data* data, const Change* changes, size_t count) noexcept nogil:
    cdef const NumberTable* table
    cdef const NumberSlot* slot
    cdef size_t i
    for i in range(count + SPAN):
        if i < count and changes[i].kind <= DROP_NUMBER:
            table = data.numbers[changes[i].product]
            callscreen_near(&table.slots[slot_of(table, changes[i].number)])
        if i >= SPAN and changes[i - SPAN].kind <= DROP_NUMBER:
            slot = find_number(data.numbers[changes[i - SPAN].product], changes[i - SPAN].number)
            if slot != NULL and slot.lists:
                callscreen_near(at(&data.arena, slot.lists))


cdef inline void exchange(uint32_t* one, uint32_t* other) noexcept nogil:
    cdef uint32_t value = one[0]
    one[0] = other[0]
    other[0] = value


cdef inline void put_number(Data* data, Change* change) noexcept nogil:
    cdef NumberSlot* slot = add_number(data.numbers[change.product], change.number)
    change.before = slot.subscriber
    slot.subscriber = change.row
    exchange(&slot.lists, &change.lists)
    slot.provider = data.subscribers.rows[change.row].provider
    slot.sieve = change.sieve


cdef inline void drop_number(Data* data, Change* change) noexcept nogil:
    cdef NumberTable* table = data.numbers[change.product]
    cdef NumberSlot* slot = find_number(table, change.number)
    if slot == NULL or (change.row and slot.subscriber != change.row):
        return
    change.before = slot.subscriber
    change.lists = slot.lists
    remove_number(table, slot)


cdef inline void put_subscriber(Data* data, Change* change) noexcept nogil:
    cdef SubscriberRow* row = &data.subscribers.rows[change.row]
    exchange(&row.lists, &change.lists)
    row.sieve = change.sieve
    exchange(&row.voicemail, &change.text)
    row.mail = change.mail
    row.disabled = change.disabled
    row.override = change.override


cdef inline void put_plan(Data* data, const Change* change) noexcept nogil:
    cdef ProviderRow* row = &data.providers[change.row]
    row.planned = change.made != NULL
    if change.made != NULL:
        row.plan = (<Plan*>change.made)[0]
    else:
        memset(&row.plan, 0, sizeof(Plan))


cdef inline void exchange_octets(uint8_t* one, uint8_t* other, size_t size) noexcept nogil:
    cdef uint8_t held[64]
    cdef size_t some
    while size:
        some = min(size, sizeof(held))
        memcpy(held, one, some)
        memcpy(one, other, some)
        memcpy(other, held, some)
        one += some
        other += some
        size -= some


cdef void switch_one(Data* data, Change* change) noexcept nogil:
    cdef void* pointer
    if change.kind == PUT_NUMBER:
        put_number(data, change)
    elif change.kind == DROP_NUMBER:
        drop_number(data, change)
    elif change.kind == PUT_SUBSCRIBER:
        put_subscriber(data, change)
    elif change.kind == PUT_PROVIDER:
        exchange(&data.providers[change.row].lists, &change.lists)
    elif change.kind == PUT_PLAN:
        put_plan(data, change)
    elif change.kind == SETTINGS_OF:
        data.providers[change.row].settings = change.text
        change.text = 0
    elif change.kind == EXCHANGE:
        exchange_octets(<uint8_t*>change.into, <uint8_t*>change.made, change.size)
    elif change.kind == POINTER:
        pointer = (<void**>change.into)[0]
        (<void**>change.into)[0] = change.made
        change.made = pointer
    elif change.kind == OCTET:
        (<uint8_t*>change.into)[0] = change.override


cdef void switch_over(
    Data* data, Change* changes, size_t count, uint64_t revision
) noexcept nogil:
    cdef size_t i
    begin_turn(&data.turn)
    for i in range(count):
        switch_one(data, &changes[i])
    data.revision = revision
    end_turn(&data.turn)


# After the switch


cdef void count_held(Data* data, uint32_t lists, int sign) noexcept nogil:
    cdef ListCount count = ListCount(entries=0, inside=0, outside=0)
    count_lists(&data.arena, lists, &count)
    if sign > 0:
        data.held.entries += count.entries
        data.held.inside += count.inside
        data.held.outside += count.outside
    else:
        data.held.entries -= count.entries
        data.held.inside -= count.inside
        data.held.outside -= count.outside


cdef void give_up_all(Data* data, Change* change) noexcept nogil:
    """All that the switch took out; and what the lists that were put hold is counted."""
    if change.counted:
        count_held(data, change.counted, 1)
    if change.lists:
        count_held(data, change.lists, -1)
        give_up(&data.limbo, &data.turn, data, release_lists, change.lists, 0)
    if change.text and (change.kind == PUT_SUBSCRIBER or change.kind == LEAVE):
        give_up(&data.limbo, &data.turn, data, release_text, change.text, 0)
    if change.made != NULL:
        give_up(&data.limbo, &data.turn, data, change.release, <uint64_t><size_t>change.made,
                change.size)


cdef void release_owner(Data* data, Change* change, uint32_t subscriber, int at) noexcept nogil:
    cdef uint32_t provider = data.subscribers.rows[subscriber].provider
    if release_subscriber(data, subscriber):
        change.owners[at] = provider


cdef void settle(Data* data, Change* changes, size_t count) noexcept nogil:
    cdef Change* change
    cdef size_t i
    for i in range(count):
        change = &changes[i]
        give_up_all(data, change)
        if change.kind == PUT_NUMBER:
            data.subscribers.rows[change.row].numbers += 1
        elif change.kind == LEAVE:
            data.providers[change.row].references -= 1
        if change.kind <= DROP_NUMBER and change.before:
            data.subscribers.rows[change.before].numbers -= 1
    for i in range(count):
        change = &changes[i]
        if change.kind <= DROP_NUMBER and change.before:
            release_owner(data, change, change.before, 0)
        elif change.kind == PUT_SUBSCRIBER:
            release_owner(data, change, change.row, 0)
        elif PUT_PROVIDER <= change.kind <= SETTINGS_OF or change.kind == LEAVE:
            change.owners[0] = change.row
    next_epoch(&data.turn)
    tidy_limbo(&data.limbo, data)


cdef void forget(Data* data, Change* changes, size_t count) noexcept nogil:
    cdef Change* change
    cdef size_t i
    for i in range(count):
        change = &changes[i]
        drop_lists(&data.arena, change.lists)
        if change.kind == PUT_SUBSCRIBER:
            drop_text(&data.arena, change.text)
        if change.made != NULL:
            change.release(data, <uint64_t><size_t>change.made, change.size)
    for i in range(count):
        change = &changes[i]
        if change.kind == PUT_NUMBER or change.kind == PUT_SUBSCRIBER:
            release_owner(data, change, change.row, 0)
        elif PUT_PROVIDER <= change.kind <= SETTINGS_OF:
            change.owners[0] = change.row
