"""Numbers to be put, read from the octets of a change. What is promised stands in changes.pyx."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

cdef struct Part:
    const uint8_t* at
    const uint8_t* end


cdef struct Layout:
    int mutations, name, put, first_kind, number_kind
    int number, subscriber, provider
    int lists[2][2]  # of each product


cdef struct NumberPut:
    Part body         # the message
    Part number
    Part subscriber
    Part provider
    uint32_t sizes[2] # entries of its lists
    int product


cdef class NumberPuts:
    cdef bytes record  # holds all the parts
    cdef Layout layout
    cdef NumberPut* puts
    cdef size_t count, room
    cdef Part* entries
    cdef size_t entry_room

    cdef NumberPut* add(self) except NULL
    # The entries of a list, good until the next are asked for.
    cdef const Part* list_of(self, const NumberPut* put, int which) except NULL
