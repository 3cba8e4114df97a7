# Address prefixes as sorted, disjoint ranges; each knows the longest prefix that holds it, and each
# prefix the next longer one around it.
from libc.stdint cimport int32_t, uint32_t, uint64_t

cdef enum:
    NO_PREFIX = -1


cdef struct Address:
    uint64_t high
    uint64_t low    # IPv4: in the lowest 32 bits
    int family      # 4, 6, or 0 for none


cdef struct Prefix:
    int32_t around  # the longest prefix that holds this one, or NO_PREFIX
    int32_t length
    uint32_t start  # its values
    uint32_t end


cdef struct Ranges:
    uint32_t count
    uint64_t* high
    uint64_t* low
    int32_t* prefix


cdef struct PrefixIndex:
    Ranges v4
    Ranges v6
    uint32_t count
    Prefix* prefixes
    uint32_t* values


cdef struct PrefixEntry:  # a prefix on its way into an index
    uint64_t high         # its first address
    uint64_t low
    int32_t family
    int32_t length
    uint32_t value
    uint32_t place        # among those given: values of one prefix stand in this order


# An address in text; IPv4 within IPv6 is IPv4.
cdef Address parse_address(str text) except *
# Reads a prefix as held; false where it is none.
cdef bint parse_prefix(object text, PrefixEntry* entry) except -1
# An index of its own memory; sorts the entries. `first`, unless NULL: the entry of each prefix.
cdef PrefixIndex* build_prefixes(PrefixEntry* entries, uint32_t count, uint32_t* first) except NULL
cdef void free_prefixes(PrefixIndex* index) noexcept nogil
# The longest prefix that holds an address, or NO_PREFIX.
cdef int32_t find_prefix(const PrefixIndex* index, const Address* address) noexcept nogil


cdef class PrefixTable:
    cdef PrefixIndex* index
    cdef object texts
