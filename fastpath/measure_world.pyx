"""A world of numbers and lists for the benchmarks, made in C: of any size, and told again by place.

Invariants:
1. Number, lists and caller at a place follow from the place and the salt alone.
2. It is provisioned through the same transactions as any other change.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.string cimport memset
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec

from callscreen.fastpath.area cimport big_area, free_area
from callscreen.fastpath.decide cimport Call
from callscreen.fastpath.index cimport Index
from callscreen.fastpath.lists cimport Parsed, put_parsed
from callscreen.fastpath.measure cimport Calls
from callscreen.fastpath.switching cimport PUT_NUMBER, PUT_SUBSCRIBER, Change, put_in
from callscreen.fastpath.tables cimport PCS_INDEX, subscriber_row

from .numbers import unpack

cdef enum:
    TURN = 10000  # numbers in a transaction
    OWN = 4       # entries of a number, two in each list
    SHARED = 1    # and of its subscriber


cdef uint64_t mixed(uint64_t value) noexcept nogil:
    """SplitMix64."""
    value = (value + 1) * <uint64_t>0x9E3779B97F4A7C15
    value = (value ^ (value >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    value = (value ^ (value >> 27)) * <uint64_t>0x94D049BB133111EB
    return value ^ (value >> 31)


cdef uint64_t number_at(uint64_t place, uint64_t salt) noexcept nogil:
    """+1 and ten digits."""
    cdef uint64_t rest = mixed(place * 16 + salt) % <uint64_t>8000000000 + <uint64_t>2000000000
    cdef uint64_t packed = 11
    cdef int i
    for i in range(10):
        packed |= (rest % 10) << (20 + 4 * i)
        rest //= 10
    return packed | (<uint64_t>1 << 60)


cdef int provision(Index index, uint64_t first, uint64_t end, uint32_t providers) except -1:
    """Numbers from a place to another, each of a subscriber of its own."""
    cdef uint64_t entries[OWN + SHARED]
    cdef Parsed own[2]
    cdef Parsed shared[2]
    cdef Change* change
    cdef uint64_t place
    cdef uint32_t provider, row
    cdef char name[24]
    cdef int size, i
    for i in range(2):
        own[i] = Parsed(numbers=OWN // 2, masks=0, number=&entries[i * (OWN // 2)], mask=NULL)
        shared[i] = Parsed(numbers=SHARED if i else 0, masks=0, number=&entries[OWN], mask=NULL)
    for place in range(first, end):
        for i in range(OWN + SHARED):
            entries[i] = number_at(place, i + 1)
        provider = index.provider_row(PCS_INDEX, f"provider{place % providers}")
        size = snprintf(name, sizeof(name), b"s%llu", <unsigned long long>place)
        row = subscriber_row(&index.data, PCS_INDEX, provider, name, size, True)
        index.room_for_number(PCS_INDEX)
        change = index.change(PUT_NUMBER)
        change.product = PCS_INDEX
        change.number = number_at(place, 0)
        change.row = row
        put_in(change, &index.data, put_parsed(&index.data.arena, own))
        change = index.change(PUT_SUBSCRIBER)
        change.row = row
        put_in(change, &index.data, put_parsed(&index.data.arena, shared))
    return 0


def fill(Index index, uint64_t numbers, uint32_t providers):
    cdef uint64_t first
    with index.writing:
        for first in range(0, numbers, TURN):
            provision(index, first, min(first + TURN, numbers), providers)
            index.ready()
            index.finish(index.data.revision)


def calls(Index index, uint64_t numbers, Py_ssize_t count, uint64_t salt):
    cdef Calls made = Calls(index, count)
    cdef uint64_t place, chance
    cdef Call* call
    cdef Py_ssize_t i
    for i in range(count):
        chance = mixed(i * 16 + salt)
        place = mixed(chance) % numbers
        call = &made.calls[i]
        call.product = PCS_INDEX
        call.point_code = -1
        call.called[PCS_INDEX] = number_at(place, 0)
        call.calling[PCS_INDEX] = number_at(
            place if chance & 1 else chance, 1 + (chance >> 8) % (OWN + SHARED))
    return made


def memory_access(uint64_t octets, int count):
    """Nanoseconds of one access after the other to places at random in so much memory."""
    cdef uint64_t size = octets // sizeof(uint64_t), place = 0
    cdef uint64_t* words = <uint64_t*>big_area(octets)
    cdef timespec start, end
    cdef int i
    with nogil:
        memset(words, 0, octets)
        clock_gettime(CLOCK_MONOTONIC, &start)
        for i in range(count):
            place = mixed(place + <uint64_t>i + words[place]) % size
        clock_gettime(CLOCK_MONOTONIC, &end)
        words[place] = 1  # so that no compiler leaves the loop out
    free_area(words, octets)
    return ((end.tv_sec - start.tv_sec) * 1e9 + end.tv_nsec - start.tv_nsec) / count


def entries(uint64_t first, uint64_t count):
    cdef uint64_t place
    return [unpack(number_at(place, 15)) for place in range(first, first + count)]
