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
    Prefix* prefixes
    uint32_t* values


# An address in text; IPv4 within IPv6 is IPv4.
cdef Address parse_address(str text) except *
# The longest prefix that holds an address, or NO_PREFIX.
cdef int32_t find_prefix(const PrefixIndex* index, const Address* address) noexcept nogil


cdef class PrefixTable:
    cdef PrefixIndex index
    cdef object texts
