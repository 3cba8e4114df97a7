"""Address prefixes: the longest match by binary search over sorted ranges.

Invariants:
1. Ranges are disjoint, cover every address from 0 on, and stand in rising order.
2. Prefixes nest or are apart, never overlap by half; so the chain of `around` from a range's own
   prefix names every prefix that holds its addresses, longest first.
3. An index never changes; another is built aside and takes its place. That is all C, for some ten
   thousand prefixes a few milliseconds; only a prefix in text is read by Python, once.
"""

import ipaddress

from libc.stdint cimport int32_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, qsort
from libc.string cimport memset

from . import plain


cdef extern from "<arpa/inet.h>" nogil:
    enum: AF_INET
    enum: AF_INET6
    int inet_pton(int family, const char* text, void* address)


cdef extern from *:
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL


cdef Address parse_address(str text) except *:
    cdef Address address
    cdef unsigned char octets[16]
    cdef char buffer[48]
    cdef const char* chars
    cdef Py_ssize_t size, i
    cdef bint colon = False
    memset(&address, 0, sizeof(Address))
    if not text.isascii():
        return address
    chars = PyUnicode_AsUTF8AndSize(text, &size)
    for i in range(min(size, 47)):
        if chars[i] == c'%' or chars[i] == 0:
            break
        colon = colon or chars[i] == c':'
        buffer[i] = chars[i]
    else:
        i = size
    if i > 46 or (i < size and chars[i] == 0):
        return address
    buffer[i] = 0
    if inet_pton(AF_INET6 if colon else AF_INET, buffer, octets) != 1:
        return address
    address.family = 6 if colon else 4
    for i in range(16 if colon else 4):
        if colon and i < 8:
            address.high = address.high << 8 | octets[i]
        else:
            address.low = address.low << 8 | octets[i]
    if colon and address.high == 0 and address.low >> 32 == 0xFFFF:
        address.family = 4
        address.low &= 0xFFFFFFFF
    return address


cdef int32_t find_range(const Ranges* ranges, uint64_t high, uint64_t low) noexcept nogil:
    """The prefix of the last range that starts at or before an address."""
    cdef uint32_t first = 0, size = ranges.count, half
    if size == 0:
        return NO_PREFIX
    while size > 1:
        half = size >> 1
        if ranges.high[first + half] < high or (
            ranges.high[first + half] == high and ranges.low[first + half] <= low
        ):
            first += half
        size -= half
    return ranges.prefix[first]


cdef int32_t find_prefix(const PrefixIndex* index, const Address* address) noexcept nogil:
    if address.family == 4:
        return find_range(&index.v4, 0, address.low)
    if address.family == 6:
        return find_range(&index.v6, address.high, address.low)
    return NO_PREFIX


cdef void free_ranges(Ranges* ranges) noexcept nogil:
    free(ranges.high)
    free(ranges.low)
    free(ranges.prefix)


cdef void free_prefixes(PrefixIndex* index) noexcept nogil:
    if index != NULL:
        free_ranges(&index.v4)
        free_ranges(&index.v6)
        free(index.prefixes)
        free(index.values)
        free(index)


cdef bint parse_prefix(object text, PrefixEntry* entry) except -1:
    network = plain.parse_prefix(text)
    if network is None:
        return False
    start = int(network.network_address)
    entry.high = start >> 64
    entry.low = start & 0xFFFFFFFFFFFFFFFF
    entry.family = network.version
    entry.length = network.prefixlen
    return True


cdef int compare_prefixes(const void* one, const void* other) noexcept nogil:
    cdef const PrefixEntry* left = <const PrefixEntry*>one
    cdef const PrefixEntry* right = <const PrefixEntry*>other
    if left.family != right.family:
        return -1 if left.family < right.family else 1
    if left.high != right.high:
        return -1 if left.high < right.high else 1
    if left.low != right.low:
        return -1 if left.low < right.low else 1
    return left.length - right.length


cdef int compare_entries(const void* one, const void* other) noexcept nogil:
    cdef int prefixes = compare_prefixes(one, other)
    cdef uint32_t left = (<const PrefixEntry*>one).place, right = (<const PrefixEntry*>other).place
    return prefixes if prefixes else (-1 if left < right else 1)


cdef struct Open:    # a prefix that is still open where the walk is
    uint64_t high    # its last address
    uint64_t low
    int32_t prefix


cdef void step(Ranges* ranges, uint64_t high, uint64_t low, int32_t prefix) noexcept nogil:
    """From this address on the longest prefix is another."""
    cdef uint32_t last = ranges.count - 1
    if ranges.high[last] == high and ranges.low[last] == low:
        ranges.prefix[last] = prefix
        return
    ranges.high[ranges.count] = high
    ranges.low[ranges.count] = low
    ranges.prefix[ranges.count] = prefix
    ranges.count += 1


cdef void end_of(const PrefixEntry* entry, Open* out) noexcept nogil:
    cdef int host = (32 if entry.family == 4 else 128) - entry.length
    out.high = entry.high
    if host >= 64:
        out.low = <uint64_t>-1
        out.high |= <uint64_t>-1 if host == 128 else (<uint64_t>1 << (host - 64)) - 1
    else:
        out.low = entry.low | ((<uint64_t>1 << host) - 1)


cdef void close_until(
    Ranges* ranges, Open* stack, int* depth, const PrefixEntry* entry
) noexcept nogil:
    """Ends what is open and does not hold the entry; with NULL all of it."""
    cdef Open* top
    cdef int32_t around
    while depth[0]:
        top = &stack[depth[0] - 1]
        if entry != NULL and (top.high > entry.high
                              or (top.high == entry.high and top.low >= entry.low)):
            return
        depth[0] -= 1
        around = stack[depth[0] - 1].prefix if depth[0] else NO_PREFIX
        if top.low != <uint64_t>-1:
            step(ranges, top.high, top.low + 1, around)
        elif top.high != <uint64_t>-1:
            step(ranges, top.high + 1, 0, around)


cdef int open_ranges(Ranges* ranges, uint32_t prefixes) except -1:
    cdef size_t room = 2 * <size_t>prefixes + 1
    ranges.high = <uint64_t*>malloc(room * sizeof(uint64_t))
    ranges.low = <uint64_t*>malloc(room * sizeof(uint64_t))
    ranges.prefix = <int32_t*>malloc(room * sizeof(int32_t))
    if ranges.high == NULL or ranges.low == NULL or ranges.prefix == NULL:
        raise MemoryError
    ranges.count = 1
    ranges.high[0] = ranges.low[0] = 0
    ranges.prefix[0] = NO_PREFIX
    return 0


cdef void lay_out(
    PrefixIndex* index, const PrefixEntry* entries, uint32_t count, uint32_t* first
) noexcept nogil:
    """Prefixes, values and ranges, of entries in rising order."""
    cdef Open stack[130]
    cdef Ranges* ranges = &index.v4
    cdef Prefix* prefix
    cdef int depth = 0
    cdef uint32_t i
    for i in range(count):
        index.values[i] = entries[i].value
        if i and compare_prefixes(&entries[i], &entries[i - 1]) == 0:
            index.prefixes[index.count - 1].end = i + 1
            continue
        if entries[i].family == 6 and ranges == &index.v4:
            close_until(ranges, stack, &depth, NULL)
            ranges = &index.v6
        close_until(ranges, stack, &depth, &entries[i])
        prefix = &index.prefixes[index.count]
        prefix.around = stack[depth - 1].prefix if depth else NO_PREFIX
        prefix.length = entries[i].length
        prefix.start = i
        prefix.end = i + 1
        step(ranges, entries[i].high, entries[i].low, <int32_t>index.count)
        end_of(&entries[i], &stack[depth])
        stack[depth].prefix = <int32_t>index.count
        depth += 1
        if first != NULL:
            first[index.count] = i
        index.count += 1
    close_until(ranges, stack, &depth, NULL)


cdef PrefixIndex* build_prefixes(PrefixEntry* entries, uint32_t count, uint32_t* first) except NULL:
    cdef PrefixIndex* index = <PrefixIndex*>calloc(1, sizeof(PrefixIndex))
    cdef uint32_t i
    if index == NULL:
        raise MemoryError
    try:
        open_ranges(&index.v4, count)
        open_ranges(&index.v6, count)
        index.prefixes = <Prefix*>calloc(max(count, 1), sizeof(Prefix))
        index.values = <uint32_t*>calloc(max(count, 1), sizeof(uint32_t))
        if index.prefixes == NULL or index.values == NULL:
            raise MemoryError
    except MemoryError:
        free_prefixes(index)
        raise
    for i in range(count):
        entries[i].place = i
    qsort(entries, count, sizeof(PrefixEntry), compare_entries)
    lay_out(index, entries, count, first)
    return index


cdef class PrefixTable:
    def __cinit__(self, entries):
        cdef list held = list(entries)
        cdef PrefixEntry* read = <PrefixEntry*>malloc(max(len(held), 1) * sizeof(PrefixEntry))
        cdef uint32_t* first = <uint32_t*>malloc(max(len(held), 1) * sizeof(uint32_t))
        cdef uint32_t i, count = 0
        self.texts = []
        try:
            if read == NULL or first == NULL:
                raise MemoryError
            for text, value in held:
                if parse_prefix(text, &read[count]):
                    read[count].value = value
                    count += 1
            self.index = build_prefixes(read, count, first)
            for i in range(self.index.count):
                self.texts.append(prefix_text(&read[first[i]]))
        finally:
            free(read)
            free(first)

    def __dealloc__(self):
        free_prefixes(self.index)

    def __len__(self):
        return self.index.count

    def find(self, str address):
        cdef Address parsed = parse_address(address)
        cdef int32_t at = find_prefix(self.index, &parsed)
        cdef uint32_t i
        found = []
        while at != NO_PREFIX:
            for i in range(self.index.prefixes[at].start, self.index.prefixes[at].end):
                found.append((self.texts[at], self.index.values[i]))
            at = self.index.prefixes[at].around
        return found


cdef str prefix_text(const PrefixEntry* entry):
    start = <object>entry.high << 64 | entry.low
    make = ipaddress.IPv4Network if entry.family == 4 else ipaddress.IPv6Network
    return str(make((start, entry.length)))
