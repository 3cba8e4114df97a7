# What a decision reads: flat tables, found by position, lists and names by offset in the arena.
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t

from callscreen.fastpath.arena cimport Arena
from callscreen.fastpath.numbers cimport Mask
from callscreen.fastpath.plan cimport Plan
from callscreen.fastpath.prefixes cimport PrefixIndex


cdef enum:
    PCS_INDEX = 1  # model.PCS
    CIN_INDEX = 2


cdef struct NumberSlot:
    uint64_t number      # 0: free
    uint32_t subscriber  # row
    uint32_t lists       # CIN: vip and blocked


cdef struct NumberTable:
    NumberSlot* slots
    uint64_t last        # slots, less 1; a power of two less 1
    uint64_t count
    int shift            # 64 less the bits of a slot's position


cdef struct SubscriberRow:
    uint32_t provider    # row
    uint32_t lists
    uint32_t name        # text
    uint32_t voicemail   # text, 0 for none
    uint32_t numbers     # that name this row; a free row: the next free one
    uint32_t hash
    uint8_t product      # 0: free
    uint8_t disabled
    uint8_t override     # a bit a rule
    uint8_t unused


cdef struct SubscriberTable:
    SubscriberRow* rows  # from 1
    uint32_t size        # rows there is room for
    uint32_t top         # first row never used
    uint32_t free        # a free row, 0 for none
    uint32_t count
    uint32_t* directory  # rows by the hash of product, provider and name; 0 is free
    uint32_t last        # places of the directory, less 1


cdef struct ProviderRow:
    uint32_t lists
    uint32_t settings    # own row, 0: the platform's
    uint32_t references  # subscribers and criteria that name this row
    uint8_t planned
    uint8_t product      # 0: free
    Plan plan


cdef struct SettingsRow:  # rows 1 and 2 are the platform's, of PCS and CIN
    uint32_t lists        # list 0: protected numbers
    uint8_t default_treatment
    uint8_t drop_anonymous
    uint8_t anonymous_treatment
    uint8_t nomatch_treatment


cdef struct CodeRange:
    int32_t first
    int32_t last


cdef struct CriteriaRow:
    uint32_t provider
    uint32_t codes        # first country code
    uint32_t codes_end
    uint32_t ranges       # first range
    uint32_t ranges_end
    uint8_t codes_given
    uint8_t ranges_given


cdef struct Criteria:
    uint32_t count
    CriteriaRow* rows           # in order of (provider, group)
    Mask* codes                 # "+<code>*"
    CodeRange* ranges
    uint32_t* anywhere          # rows without an address
    uint32_t anywhere_count
    const PrefixIndex* prefixes # the other rows, by address


cdef struct Data:
    Arena arena
    NumberTable numbers[3]      # by product
    SubscriberTable subscribers
    ProviderRow* providers      # row 0: no provider
    uint32_t provider_count
    uint32_t settings_count
    SettingsRow* settings
    Criteria criteria


cdef inline uint64_t slot_of(const NumberTable* table, uint64_t number) noexcept nogil:
    return number * <uint64_t>0x9E3779B97F4A7C15 >> table.shift


# The slot of a number, NULL where it is not there.
cdef inline NumberSlot* find_number(const NumberTable* table, uint64_t number) noexcept nogil:
    cdef uint64_t place
    if table.count == 0 or number == 0:
        return NULL
    place = slot_of(table, number)
    while table.slots[place].number != number:
        if table.slots[place].number == 0:
            return NULL
        place = (place + 1) & table.last
    return &table.slots[place]


cdef int reserve_numbers(NumberTable* table, uint64_t count) except -1
# The number's slot, made where it is not there: then subscriber and lists are 0.
cdef NumberSlot* add_number(NumberTable* table, uint64_t number) except NULL
cdef void remove_number(NumberTable* table, NumberSlot* slot) noexcept nogil

# Row of a subscriber; where it is not there, 0 or with `add` a new row.
cdef uint32_t subscriber_row(
    Data* data, int product, uint32_t provider, str name, bint add
) except? 0
# Frees the row where nothing is said in it; true where it did.
cdef bint release_subscriber(Data* data, uint32_t row) noexcept nogil
