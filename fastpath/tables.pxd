# What a decision reads: flat tables, found by position, lists and names by offset in the arena.
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t

from callscreen.fastpath.area cimport Area
from callscreen.fastpath.arena cimport Arena
from callscreen.fastpath.epochs cimport Limbo, Turn
from callscreen.fastpath.numbers cimport Mask
from callscreen.fastpath.plan cimport Plan
from callscreen.fastpath.prefixes cimport PrefixIndex
from callscreen.fastpath.routes cimport Route
from callscreen.fastpath.sources cimport Reading


cdef enum:
    PCS_INDEX = 1  # model.PCS
    CIN_INDEX = 2

cdef enum:
    PROVIDER_BITS = 22   # of rows that there may be


cdef struct NumberSlot:
    uint64_t number      # 0: free
    uint32_t subscriber  # row
    uint32_t lists       # CIN: vip and blocked
    uint32_t provider    # the subscriber's, so that its lists need not wait for that row
    uint32_t sieve       # of the lists


cdef struct NumberTable: # grows by another one that is filled aside
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
    uint8_t mail         # routes.PlaceKind of the voice mail
    uint32_t sieve       # of the lists. 32 octets: two rows a cache line, none across two


cdef struct SubscriberTable:
    SubscriberRow* rows  # from 1; they never move
    uint32_t top         # first row never used
    uint32_t free        # a free row, 0 for none
    uint32_t count
    uint32_t* directory  # rows by the hash of product, provider and name; 0 is free
    uint32_t last        # places of the directory, less 1
    Area area


cdef struct ProviderRow:
    uint32_t lists
    uint32_t settings    # own row, 0: the platform's
    uint32_t references  # subscribers and criteria that name this row
    uint32_t name        # text
    uint8_t planned
    uint8_t product      # 0: free
    Plan plan


cdef struct SettingsRow:  # rows 1 and 2 are the platform's, of PCS and CIN
    uint32_t lists        # list 0: protected numbers
    uint8_t default_treatment
    uint8_t drop_anonymous
    uint8_t anonymous_treatment
    uint8_t nomatch_treatment
    Route route


cdef struct CodeRange:
    int32_t first
    int32_t last


cdef struct CriteriaRow:
    uint32_t provider
    uint32_t group        # text
    uint32_t codes        # first country code
    uint32_t codes_end
    uint32_t ranges       # first range
    uint32_t ranges_end
    uint8_t codes_given
    uint8_t ranges_given


cdef struct Criteria:           # never changes: another is laid out aside
    uint32_t count
    CriteriaRow* rows           # in order of (provider, group)
    Mask* codes                 # "+<code>*"
    CodeRange* ranges
    uint32_t* anywhere          # rows without an address
    uint32_t anywhere_count
    PrefixIndex* prefixes       # the other rows, by address


cdef struct Sources:            # of outgoing calls; never changes: another is laid out aside
    PrefixIndex* prefixes       # of rows
    uint8_t* signs              # by row: some of its calls are signed
    uint8_t any                 # some row's are


cdef struct Held:        # what the lists in force hold
    uint64_t entries
    uint64_t inside       # octets in the arena
    uint64_t outside      # and beside it


cdef struct Data:
    Arena arena
    NumberTable* numbers[3]     # by product
    SubscriberTable subscribers
    ProviderRow* providers      # row 0: no provider; they never move
    SettingsRow* settings       # nor do these
    uint32_t provider_count
    uint32_t settings_count
    const Criteria* criteria    # NULL: none
    const Sources* sources      # NULL: none
    Reading* readings[3]        # where each product looks for its numbers
    uint64_t revision
    uint8_t apart               # the two products look for theirs in different places
    uint8_t require_identity    # a call without one counts as one whose is not valid
    Turn turn
    # Of the writer alone.
    Limbo limbo
    Held held
    Area provider_area
    Area settings_area


cdef extern from *:
    """
    #define callscreen_load(place) __atomic_load_n(&(place), __ATOMIC_RELAXED)
    """
    NumberTable* callscreen_load_table "callscreen_load"(NumberTable* place) noexcept nogil
    const Criteria* callscreen_load_criteria "callscreen_load"(const Criteria* place) noexcept nogil
    const Sources* callscreen_load_sources "callscreen_load"(const Sources* place) noexcept nogil


# What is switched as a whole is read once, and then used.
cdef inline const NumberTable* numbers_of(const Data* data, int product) noexcept nogil:
    return callscreen_load_table(data.numbers[product])


cdef inline const Criteria* criteria_of(const Data* data) noexcept nogil:
    return callscreen_load_criteria(data.criteria)


cdef inline const Sources* sources_of(const Data* data) noexcept nogil:
    return callscreen_load_sources(data.sources)


# Whether any source signs; most platforms have none that a call could come from.
cdef inline bint may_sign(const Data* data) noexcept nogil:
    cdef const Sources* sources = sources_of(data)
    return sources != NULL and sources.any


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


cdef int open_tables(Data* data) except -1
# For when nobody reads any more; not what lies in blocks beside the arena.
cdef void close_tables(Data* data) noexcept nogil
# A table with the same numbers and room for so many, filled aside; NULL where there is room.
cdef int grow_numbers(Data* data, int product, uint64_t count, NumberTable** grown) except -1
# Puts it in force; room in limbo is reserved.
cdef void use_numbers(Data* data, int product, NumberTable* grown) noexcept nogil
# Both, for an index that nobody reads yet.
cdef int reserve_numbers(Data* data, int product, uint64_t count) except -1
# The number's slot, made where it is not there: then subscriber and lists are 0. Room is reserved.
cdef NumberSlot* add_number(NumberTable* table, uint64_t number) noexcept nogil
cdef void remove_number(NumberTable* table, NumberSlot* slot) noexcept nogil

# Row of a subscriber; where it is not there, 0 or with `add` a new row.
cdef uint32_t subscriber_row(
    Data* data, int product, uint32_t provider, const char* name, size_t size, bint add
) except? 0xFFFFFFFF
cdef uint32_t hash_of(int product, uint32_t provider, const char* name, size_t size) noexcept nogil
# For a whole index that is read in: room for so many, then each at its position, in rising order.
cdef int reserve_subscribers(Data* data, uint64_t count) except -1
cdef uint32_t restore_subscriber(
    Data* data, uint32_t position, int product, uint32_t provider, const char* name, size_t size,
    uint32_t hashed
) except 0
# Gives the row up where nothing is said in it; true where it did.
cdef bint release_subscriber(Data* data, uint32_t row) noexcept nogil
# Rows of providers or settings: lets as many be used.
cdef int open_providers(Data* data, uint32_t count) except -1
cdef int open_settings(Data* data, uint32_t count) except -1
