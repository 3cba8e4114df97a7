"""What a decision reads, asked for before it is read: rows of numbers and subscribers, and lists."""

from libc.stdint cimport uint32_t, uint64_t

from callscreen.fastpath.arena cimport at
from callscreen.fastpath.decide cimport EMERGENCY_112, EMERGENCY_911, Call
from callscreen.fastpath.lists cimport BigList, fetch_bucket, fetch_sieve
from callscreen.fastpath.sieves cimport may_have, sieve_bits
from callscreen.fastpath.tables cimport (
    PCS_INDEX, Data, NumberSlot, SubscriberRow, find_number, numbers_of,
)

cdef enum:
    LATER = 5  # words: where a block of a few entries may be in its next cache line

cdef extern from *:
    """
    #define callscreen_fetch(address) __builtin_prefetch((const void *)(address))
    """
    void callscreen_fetch(const void* address) noexcept nogil


cdef inline const BigList* long_list(const Data* data, uint32_t provider) noexcept nogil:
    """What a provider's subscribers want nobody on, NULL where it is not long."""
    cdef uint32_t lists = data.providers[provider].lists
    cdef const uint64_t* block = at(&data.arena, lists)
    return &(<const BigList*><size_t>block[1])[1] if lists and block[0] == <uint64_t>-1 else NULL


cdef inline void expect_lists(
    const Data* data, const SubscriberRow* subscriber, uint64_t calling
) noexcept nogil:
    """Asks for what a subscriber's row and the sieve of a long list lead to."""
    cdef const BigList* listed = long_list(data, subscriber.provider)
    if listed != NULL:
        fetch_bucket(listed, calling)
    if may_have(subscriber.sieve, sieve_bits(calling)):
        callscreen_fetch(at(&data.arena, subscriber.lists))


cdef inline const NumberSlot* slot_for(
    const Data* data, const Call* call, int product
) noexcept nogil:
    """The called number's slot in a product, NULL where the call does not ask for that product."""
    cdef uint64_t called = call.called[product]
    cdef const NumberSlot* slot
    cdef const BigList* listed
    if call.product and call.product != product:
        return NULL
    if called == EMERGENCY_911 or called == EMERGENCY_112:
        return NULL
    slot = find_number(numbers_of(data, product), called)
    if slot != NULL:
        callscreen_fetch(&data.subscribers.rows[slot.subscriber])
        if may_have(slot.sieve, sieve_bits(call.calling[product])):
            callscreen_fetch(at(&data.arena, slot.lists))
            callscreen_fetch(at(&data.arena, slot.lists) + LATER)
        if product == PCS_INDEX:
            listed = long_list(data, slot.provider)
            if listed != NULL:
                fetch_sieve(listed, call.calling[product])
    return slot
