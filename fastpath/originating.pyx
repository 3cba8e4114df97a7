"""Which source an outgoing call comes from, and how its calls are signed.

Invariants:
1. Sources are found by their prefixes, laid out anew, aside, at the end of a transaction that
   changes them: in C, from prefixes that were read when they were put.
2. Of two sources with one prefix the first by (provider, name) counts.
3. A Signing never changes.
"""

from bisect import bisect_left

from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc

from callscreen.fastpath.masks cimport NO_MASK, MaskSet
from callscreen.fastpath.numbers cimport entry_text, pack_text
from callscreen.fastpath.prefixes cimport (
    NO_PREFIX, Address, PrefixEntry, PrefixIndex, build_prefixes, find_prefix, free_prefixes,
    parse_address, parse_prefix,
)
from callscreen.fastpath.switching cimport POINTER, Change
from callscreen.fastpath.tables cimport PCS_INDEX, Data, Sources, sources_of

from .model import UNSIGNED_ATTEST, Origination
from .numbers import normalise_entry


cdef void release_sources(void* data, uint64_t address, uint64_t size) noexcept nogil:
    cdef Sources* sources = <Sources*><size_t>address
    free_prefixes(sources.prefixes)
    free(sources.signs)
    free(sources)


cdef bint signs(const Data* data, const Address* address) noexcept nogil:
    cdef const Sources* sources = sources_of(data)
    cdef int32_t prefix
    if sources == NULL:
        return False
    prefix = find_prefix(sources.prefixes, address)
    if prefix == NO_PREFIX:
        return False
    return sources.signs[sources.prefixes.values[sources.prefixes.prefixes[prefix].start]]


cdef class Signing:
    """An origination source, and the groups that its masks stand for."""

    cdef tuple key              # provider, name
    cdef PrefixEntry* prefix
    cdef uint32_t prefixes
    cdef object whole           # Origination of numbers that no mask holds
    cdef MaskSet masks
    cdef list groups            # orig_id, attest, cert_name by rank of the mask
    cdef bint signs             # some of its calls

    def __cinit__(self, key, prefixes, own, numbers):
        cdef list texts = list(prefixes), masks = []
        cdef list attests = [own[1], *(group.attest for group in numbers)]
        self.signs = any(attest != UNSIGNED_ATTEST for attest in attests)
        self.key = key
        self.whole = Origination(*key, *own, "")
        self.prefix = <PrefixEntry*>calloc(len(texts) + 1, sizeof(PrefixEntry))
        if self.prefix == NULL:
            raise MemoryError
        for text in texts:
            self.prefixes += parse_prefix(text, &self.prefix[self.prefixes])
        self.groups = []
        for group in sorted(numbers, key=lambda each: each.priority):
            held = [mask for text in group.masks if (mask := normalise_entry(text))]
            masks += held
            self.groups += [(group.orig_id, group.attest, group.cert_name)] * len(held)
        self.masks = MaskSet(masks)

    def __dealloc__(self):
        free(self.prefix)


cdef class Originating(Configured):
    def __cinit__(self):
        self.sources = {}
        self.source_keys = []
        self.source_rows = []
        self.source_order = [[]]

    def __dealloc__(self):
        if self.data.sources != NULL:
            release_sources(NULL, <uint64_t><size_t>self.data.sources, 0)

    cdef int set_source(
        self, str provider, str name, prefixes, orig_id, attest, cert_name, numbers
    ) except -1:
        key = provider, name
        signing = Signing(key, prefixes, (orig_id, attest, cert_name), numbers)
        place = bisect_left(self.source_keys, key)
        if key in self.sources:
            self.source_rows[place] = signing
        else:
            self.source_keys.insert(place, key)
            self.source_rows.insert(place, signing)
        self.sources[key] = signing
        self.sources_changed = True
        return 0

    cdef int unset_source(self, str provider, str name) except -1:
        key = provider, name
        if self.sources.pop(key, None) is not None:
            place = bisect_left(self.source_keys, key)
            del self.source_keys[place]
            del self.source_rows[place]
            self.sources_changed = True
        return 0

    cdef int build_sources(self) except -1:
        """Notes the switch to prefixes laid out anew."""
        cdef Sources* made = <Sources*>calloc(1, sizeof(Sources))
        cdef Change* change
        cdef PrefixEntry* entries
        cdef Signing signing
        cdef uint32_t count = 0, row = 0, i
        if made == NULL:
            raise MemoryError
        change = self.change(POINTER)
        change.into = &self.data.sources
        change.made = made
        change.release = release_sources
        made.signs = <uint8_t*>calloc(len(self.source_rows) + 1, 1)
        if made.signs == NULL:
            raise MemoryError
        for signing in self.source_rows:
            count += signing.prefixes
        entries = <PrefixEntry*>malloc((count + 1) * sizeof(PrefixEntry))
        if entries == NULL:
            raise MemoryError
        count = 0
        for signing in self.source_rows:
            for i in range(signing.prefixes):
                entries[count] = signing.prefix[i]
                entries[count].value = row
                count += 1
            made.signs[row] = signing.signs
            made.any |= signing.signs
            row += 1
        try:
            made.prefixes = build_prefixes(entries, count, NULL)
        finally:
            free(entries)
        self.pending.append((self.source_order, 0, list(self.source_rows)))
        self.sources_changed = False
        return 0

    cdef object origination_at(self, const Address* source, str calling):
        cdef uint64_t number = pack_text(calling, self.default_ccs[PCS_INDEX])
        cdef uint32_t place, rank
        cdef int32_t prefix
        cdef Signing signing
        cdef const PrefixIndex* prefixes
        if self.data.sources == NULL:
            return None
        prefixes = self.data.sources.prefixes
        prefix = find_prefix(prefixes, source)
        if prefix == NO_PREFIX:
            return None
        place = prefixes.values[prefixes.prefixes[prefix].start]
        signing = self.source_order[0][place]
        place = signing.masks.place(number) if number else NO_MASK
        if place == NO_MASK:
            return signing.whole
        rank = signing.masks.table.ranks[place]
        return Origination(
            *signing.key, *signing.groups[rank], entry_text(signing.masks.table.masks[place]))

    def origination(self, str source_ip, str calling):
        cdef Address address = parse_address(source_ip)
        with self.lock:
            return self.origination_at(&address, calling)

    def signs(self, str source_ip):
        cdef Address address = parse_address(source_ip)
        with self.lock:
            return signs(&self.data, &address)
