"""What a decision reads, asked for before it is read: rows of numbers and subscribers, and lists."""

from libc.stdint cimport uint32_t, uint64_t

from callscreen.fastpath.arena cimport at
from callscreen.fastpath.decide cimport EMERGENCY_112, EMERGENCY_911, Call
from callscreen.fastpath.lists cimport BigList, fetch_big
from callscreen.fastpath.tables cimport (
    Data, NumberSlot, SubscriberRow, find_number, numbers_of,
)

cdef enum:
    LATER = 5  # words: where a block of a few entries may be in its next cache line

cdef extern from *:
    """
    #define callscreen_fetch(address) __builtin_prefetch((const void *)(address))
    """
    void callscreen_fetch(const void* address) noexcept nogil


cdef inline void fetch_lists(const Data* data, uint32_t lists, uint64_t number) noexcept nogil:
    """A block of lists, or where it is a long one the bucket of a number."""
    cdef const uint64_t* block
    if lists:
        block = at(&data.arena, lists)
        if block[0] == <uint64_t>-1:
            fetch_big(&(<const BigList*><size_t>block[1])[1], number)


cdef inline void expect_lists(
    const Data* data, const SubscriberRow* subscriber, uint64_t calling
) noexcept nogil:
    """Asks at once for what the rules will look through one after the other."""
    if subscriber.lists:
        callscreen_fetch(at(&data.arena, subscriber.lists))
    fetch_lists(data, data.providers[subscriber.provider].lists, calling)


cdef inline const NumberSlot* slot_for(
    const Data* data, const Call* call, int product
) noexcept nogil:
    """The called number's slot in a product, NULL where the call does not ask for that product."""
    cdef uint64_t called = call.called[product]
    cdef const NumberSlot* slot
    if call.product and call.product != product:
        return NULL
    if called == EMERGENCY_911 or called == EMERGENCY_112:
        return NULL
    slot = find_number(numbers_of(data, product), called)
    if slot != NULL:
        callscreen_fetch(&data.subscribers.rows[slot.subscriber])
        if slot.lists:
            callscreen_fetch(at(&data.arena, slot.lists))
            callscreen_fetch(at(&data.arena, slot.lists) + LATER)
    return slot
