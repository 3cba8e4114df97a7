"""Where calls went. What each function promises stands in sent_on.pxd."""

from libc.stdint cimport uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from callscreen.fastpath.forwarder cimport (
    ONWARD_OCTETS, ONWARD_SECONDS, ONWARDS, Hop, Onward, Onwards,
)
from callscreen.fastpath.routes cimport Text8

__all__: list[str] = []

cdef extern from *:
    """
    #include <stdint.h>
    #define onward_load(place) __atomic_load_n(place, __ATOMIC_ACQUIRE)
    #define onward_store(place, word) __atomic_store_n(place, word, __ATOMIC_RELEASE)
    static inline int onward_take(uint64_t *place, uint64_t seen) {
        return __atomic_compare_exchange_n(
            place, &seen, seen + 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
    }
    #define onward_fence() __atomic_thread_fence(__ATOMIC_ACQUIRE)
    #define onward_begun() __atomic_thread_fence(__ATOMIC_RELEASE)
    """
    uint64_t onward_load(const uint64_t *place) noexcept nogil
    void onward_store(uint64_t *place, uint64_t word) noexcept nogil
    int onward_take(uint64_t *place, uint64_t seen) noexcept nogil
    void onward_fence() noexcept nogil
    void onward_begun() noexcept nogil


cdef inline Onward *onward_bucket(const Onwards *onwards, uint64_t key) noexcept nogil:
    return onwards.entries + ONWARDS * (key & onwards.last)


cdef bint remember(
    Onwards *onwards, uint64_t key, const Hop *hop, Text8 uri, uint32_t second, bint told
) noexcept nogil:
    cdef Onward *bucket = onward_bucket(onwards, key)
    cdef Onward *place = bucket
    cdef uint64_t sequence
    cdef uint32_t i, age, oldest = 0
    for i in range(ONWARDS):
        if bucket[i].key == key:
            place = &bucket[i]
            break
        age = second - bucket[i].second if bucket[i].key else 0xFFFFFFFF
        if age > oldest:
            oldest, place = age, &bucket[i]
    sequence = onward_load(&place.sequence)
    if uri.size > ONWARD_OCTETS or sequence & 1 or not onward_take(&place.sequence, sequence):
        return False
    onward_begun()
    place.key, place.second, place.hop = key, second, hop[0]
    place.size, place.told = <uint16_t>uri.size, told
    memcpy(place.uri, uri.at, uri.size)
    onward_store(&place.sequence, sequence + 2)
    return True


cdef bint recall(const Onwards *onwards, uint64_t key, uint32_t second, Onward *out) noexcept nogil:
    cdef Onward *bucket = onward_bucket(onwards, key)
    cdef uint64_t sequence
    cdef uint32_t i
    for i in range(ONWARDS):
        sequence = onward_load(&bucket[i].sequence)
        if sequence & 1 or not sequence or bucket[i].key != key:
            continue
        out[0] = bucket[i]
        onward_fence()
        if onward_load(&bucket[i].sequence) == sequence and out.key == key:
            return second - out.second <= ONWARD_SECONDS
    return False
