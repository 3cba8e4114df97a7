"""Address prefixes: the longest match by binary search over sorted ranges.

Invariants:
1. Ranges are disjoint, cover every address from 0 on, and stand in rising order.
2. Prefixes nest or are apart, never overlap by half; so the chain of `around` from a range's own
   prefix names every prefix that holds its addresses, longest first.
3. A table never changes; another is built aside and takes its place.
"""

cimport cython
from libc.stdint cimport int32_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
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


cdef int fill_ranges(Ranges* ranges, list points) except -1:
    """Takes (start, prefix) in rising order."""
    cdef uint32_t i, size = <uint32_t>len(points)
    ranges.high = <uint64_t*>malloc(max(size, 1) * sizeof(uint64_t))
    ranges.low = <uint64_t*>malloc(max(size, 1) * sizeof(uint64_t))
    ranges.prefix = <int32_t*>malloc(max(size, 1) * sizeof(int32_t))
    if ranges.high == NULL or ranges.low == NULL or ranges.prefix == NULL:
        raise MemoryError
    for i in range(size):
        start, prefix = points[i]
        ranges.high[i] = start >> 64
        ranges.low[i] = start & 0xFFFFFFFFFFFFFFFF
        ranges.prefix[i] = prefix
    ranges.count = size
    return 0


@cython.wraparound(True)
def _points(list networks):
    """Where the longest prefix changes, of (network, prefix) sorted by start and length.

    Gives (start, prefix) in rising order, and the prefix around each.
    """
    points = [(0, NO_PREFIX)]
    around = {}
    stack = []  # (first address after it, prefix)

    def step(start, prefix):
        if points[-1][0] == start:
            points.pop()
        points.append((start, prefix))

    for network, prefix in networks:
        start = int(network.network_address)
        while stack and stack[-1][0] <= start:
            after = stack.pop()[0]
            step(after, stack[-1][1] if stack else NO_PREFIX)
        around[prefix] = stack[-1][1] if stack else NO_PREFIX
        step(start, prefix)
        stack.append((start + network.num_addresses, prefix))
    while stack:
        after = stack.pop()[0]
        step(after, stack[-1][1] if stack else NO_PREFIX)
    return points, around


cdef class PrefixTable:
    def __cinit__(self, entries):
        cdef uint32_t place = 0
        cdef Prefix* prefix
        memset(&self.index, 0, sizeof(PrefixIndex))
        values = {}
        for text, value in entries:
            network = plain.parse_prefix(text)
            if network is not None:
                values.setdefault(network, []).append(value)
        networks = sorted(
            values, key=lambda each: (each.version, int(each.network_address), each.prefixlen)
        )
        self.texts = [str(network) for network in networks]
        numbered = list(zip(networks, range(len(networks))))
        v4, around4 = _points([each for each in numbered if each[0].version == 4])
        v6, around6 = _points([each for each in numbered if each[0].version == 6])
        fill_ranges(&self.index.v4, v4)
        fill_ranges(&self.index.v6, [point for point in v6 if point[0] < 1 << 128])
        self.index.prefixes = <Prefix*>calloc(max(len(networks), 1), sizeof(Prefix))
        count = sum(len(each) for each in values.values())
        self.index.values = <uint32_t*>calloc(max(count, 1), sizeof(uint32_t))
        if self.index.prefixes == NULL or self.index.values == NULL:
            raise MemoryError
        for network, i in numbered:
            prefix = &self.index.prefixes[<int>i]
            prefix.around = (around4 if network.version == 4 else around6)[i]
            prefix.length = network.prefixlen
            prefix.start = place
            for value in values[network]:
                self.index.values[place] = value
                place += 1
            prefix.end = place

    def __dealloc__(self):
        free_ranges(&self.index.v4)
        free_ranges(&self.index.v6)
        free(self.index.prefixes)
        free(self.index.values)

    def __len__(self):
        return len(self.texts)

    def find(self, str address):
        cdef Address parsed = parse_address(address)
        cdef int32_t at = find_prefix(&self.index, &parsed)
        cdef uint32_t i
        found = []
        while at != NO_PREFIX:
            for i in range(self.index.prefixes[at].start, self.index.prefixes[at].end):
                found.append((self.texts[at], self.index.values[i]))
            at = self.index.prefixes[at].around
        return found
