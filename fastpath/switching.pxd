# A transaction, once it is prepared: what is exchanged in the tables, in order, and what follows.
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from callscreen.fastpath.epochs cimport Release
from callscreen.fastpath.lists cimport sieve_of
from callscreen.fastpath.tables cimport Data

cdef enum Kind:
    PUT_NUMBER       # product, number, row, lists
    DROP_NUMBER      # product, number; row: only where it is that subscriber's, 0: whose ever
    PUT_SUBSCRIBER   # row, lists, text, disabled, override, mail
    PUT_PROVIDER     # row, lists
    PUT_PLAN         # row; made: a Plan or NULL
    SETTINGS_OF      # row; text: the row of settings
    EXCHANGE         # into, made: as many octets as `size`
    POINTER          # into, made: a pointer
    OCTET            # into, override: its value
    LEAVE            # row: a provider that is named once less; text

cdef struct Change:
    uint64_t number
    uint32_t row
    uint32_t before  # whose the number was
    uint32_t lists   # to be put; then what was there, to be given up, as text and made
    uint32_t text
    void* into
    void* made
    uint64_t size
    Release release  # of what was in the place of `made`
    uint32_t owners[2]  # rows of providers of which something was given up
    uint32_t counted    # lists that were put
    uint32_t sieve      # of them
    uint8_t kind
    uint8_t product
    uint8_t disabled
    uint8_t override
    uint8_t mail


# Lists that a change is to put.
cdef inline void put_in(Change* change, const Data* data, uint32_t lists) noexcept nogil:
    change.lists = change.counted = lists
    change.sieve = sieve_of(&data.arena, lists)


# Reads where the changes will go, so that the switch finds it near.
cdef void approach(const Data* data, const Change* changes, size_t count) noexcept nogil
# The switch itself: between an odd sequence number and the next even one.
cdef void switch_over(
    Data* data, Change* changes, size_t count, uint64_t revision
) noexcept nogil
# Counts, gives up what was replaced, and frees what no reader reaches. Room in limbo is reserved.
cdef void settle(Data* data, Change* changes, size_t count) noexcept nogil
# In the place of a switch: frees what was made for it.
cdef void forget(Data* data, Change* changes, size_t count) noexcept nogil

# Adds what lists hold to what all hold, or with a negative sign takes it off.
cdef void count_held(Data* data, uint32_t lists, int sign) noexcept nogil

cdef void release_lists(void* data, uint64_t offset, uint64_t size) noexcept nogil
cdef void release_text(void* data, uint64_t offset, uint64_t size) noexcept nogil
cdef void release_memory(void* data, uint64_t address, uint64_t size) noexcept nogil
