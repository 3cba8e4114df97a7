"""Which provider a call is for, and which source an outgoing call comes from.

Invariants:
1. Criteria are laid out anew, aside, after a change: at the end of its transaction. Records stand
   in order of (provider, group), so that of equally close ones the first counts.
2. A record of criteria that gives no kind selects no call and is left out.
3. Of two sources with one prefix the first by (provider, name) counts.
"""

from libc.stdint cimport int32_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from callscreen.fastpath.masks cimport NO_MASK, MaskSet
from callscreen.fastpath.numbers cimport Mask, entry_text, fits, pack_text, parse_entry
from callscreen.fastpath.prefixes cimport (
    NO_PREFIX, Address, Prefix, PrefixTable, find_prefix, parse_address,
)
from callscreen.fastpath.tables cimport PCS_INDEX, CodeRange, CriteriaRow, Data

from . import plain
from .model import Origination


cdef struct Selector:
    uint64_t called
    int32_t point_code


cdef inline bint fits_criteria(
    const Data* data, const CriteriaRow* row, const Selector* call, int* code_length
) noexcept nogil:
    """Whether country code and point code hold; the length of the longest code that does."""
    cdef uint32_t i
    cdef int length = 0
    for i in range(row.codes, row.codes_end):
        if call.called and fits(&data.criteria.codes[i], call.called):
            length = max(length, <int>(data.criteria.codes[i].value & 15))
    if row.codes_given and length == 0:
        return False
    code_length[0] = length
    if not row.ranges_given:
        return True
    for i in range(row.ranges, row.ranges_end):
        if (call.point_code >= 0 and data.criteria.ranges[i].first <= call.point_code
                and call.point_code <= data.criteria.ranges[i].last):
            return True
    return False


cdef int32_t best_of(
    const Data* data, const Selector* call, const uint32_t* rows, uint32_t count
) noexcept nogil:
    """Of rows with one length of address prefix the one that fits most closely."""
    cdef int32_t best = NO_CRITERIA
    cdef int closest = -1, length = 0, closeness
    cdef uint32_t i
    for i in range(count):
        if fits_criteria(data, &data.criteria.rows[rows[i]], call, &length):
            closeness = 2 * length + data.criteria.rows[rows[i]].ranges_given
            if closeness > closest or (closeness == closest and <int32_t>rows[i] < best):
                closest = closeness
                best = rows[i]
    return best


cdef int32_t select_service(
    const Data* data, uint64_t called, const Address* source, int32_t point_code
) noexcept nogil:
    cdef Selector call = Selector(called=called, point_code=point_code)
    cdef int32_t at, best
    cdef const Prefix* prefix
    if data.criteria.count == 0:
        return NO_CRITERIA
    at = find_prefix(data.criteria.prefixes, source)
    while at != NO_PREFIX:
        prefix = &data.criteria.prefixes.prefixes[at]
        best = best_of(data, &call, &data.criteria.prefixes.values[prefix.start],
                       prefix.end - prefix.start)
        if best != NO_CRITERIA:
            return best
        at = prefix.around
    return best_of(data, &call, data.criteria.anywhere, data.criteria.anywhere_count)


cdef class Signing:
    """An origination source, and the groups that its masks stand for."""

    cdef tuple prefixes
    cdef tuple own              # orig_id, attest, cert_name
    cdef MaskSet masks
    cdef list groups            # orig_id, attest, cert_name by rank of the mask


cdef class Routing(Provisioned):
    def __cinit__(self):
        self.criteria = {}
        self.criteria_names = []
        self.criteria_providers = []
        self.sources = {}

    def __dealloc__(self):
        self.clear_criteria()

    # Service selection

    def put_criteria(self, str provider, str group, prefixes, country_codes, point_codes):
        self.criteria[provider, group] = (
            tuple(prefixes),
            tuple([code for text in country_codes if (code := plain.country_code(text))]),
            tuple([(plain.parse_point_code(first), plain.parse_point_code(last))
                   for first, last in point_codes]),
            bool(country_codes),
        )
        self.criteria_changed = True

    def drop_criteria(self, str provider, str group):
        self.criteria_changed |= self.criteria.pop((provider, group), None) is not None

    cdef int clear_criteria(self) except -1:
        free(self.data.criteria.rows)
        free(self.data.criteria.codes)
        free(self.data.criteria.ranges)
        free(self.data.criteria.anywhere)
        memset(&self.data.criteria, 0, sizeof(self.data.criteria))
        return 0

    cdef int build_criteria(self) except -1:
        """Lays the records out in order of (provider, group). A record of no kind is left out."""
        cdef CriteriaRow* row
        cdef uint32_t i = 0, codes = 0, ranges = 0
        keys = [key for key in sorted(self.criteria) if any(self.criteria[key])]
        records = [self.criteria[key] for key in keys]
        addresses = [(text, i) for i, record in enumerate(records) for text in record[0]]
        held = self.criteria_providers
        self.clear_criteria()
        self.criteria_prefixes = PrefixTable(addresses)
        self.criteria_providers = [self.provider_row(PCS_INDEX, key[0]) for key in keys]
        self.criteria_names = ["/".join(key) for key in keys]
        into = &self.data.criteria
        into.rows = <CriteriaRow*>calloc(len(keys) + 1, sizeof(CriteriaRow))
        into.codes = <Mask*>calloc(sum([len(each[1]) for each in records]) + 1, sizeof(Mask))
        into.ranges = <CodeRange*>calloc(sum([len(each[2]) for each in records]) + 1,
                                         sizeof(CodeRange))
        into.anywhere = <uint32_t*>calloc(len(keys) + 1, sizeof(uint32_t))
        if into.rows == NULL or into.codes == NULL or into.ranges == NULL or into.anywhere == NULL:
            self.clear_criteria()
            raise MemoryError
        into.prefixes = &self.criteria_prefixes.index
        for i in range(len(keys)):
            record = records[i]
            row = &into.rows[i]
            row.provider = self.criteria_providers[i]
            self.data.providers[row.provider].references += 1
            row.codes_given = record[3]
            row.ranges_given = bool(record[2])
            row.codes = codes
            for code in record[1]:
                parse_entry(f"+{code}*", "", &into.codes[codes])
                codes += 1
            row.codes_end = codes
            row.ranges = ranges
            for first, last in record[2]:
                into.ranges[ranges] = CodeRange(first=first, last=last)
                ranges += 1
            row.ranges_end = ranges
            if not record[0]:
                into.anywhere[into.anywhere_count] = i
                into.anywhere_count += 1
        into.count = <uint32_t>len(keys)
        for provider in held:
            self.data.providers[<uint32_t>provider].references -= 1
        for provider in set(held):
            self.release_provider(provider)
        self.criteria_changed = False
        return 0

    # Origination

    def put_source(self, str provider, str name, prefixes, orig_id, attest, cert_name, numbers):
        cdef Signing signing = Signing()
        masks = []
        signing.groups = []
        for group in sorted(numbers, key=lambda each: each.priority):
            held = [mask for text in group.masks if (mask := plain.normalise_entry(text))]
            masks += held
            signing.groups += [(group.orig_id, group.attest, group.cert_name)] * len(held)
        signing.masks = MaskSet(masks)
        signing.prefixes = tuple(prefixes)
        signing.own = orig_id, attest, cert_name
        self.sources[provider, name] = signing
        self.source_prefixes = None

    def drop_source(self, str provider, str name):
        if self.sources.pop((provider, name), None) is not None:
            self.source_prefixes = None

    cdef object find_origination(self, str source_ip, str calling):
        cdef Address address = parse_address(source_ip)
        cdef uint64_t number = pack_text(calling, self.default_ccs[PCS_INDEX])
        cdef uint32_t place, rank
        cdef int32_t prefix
        cdef Signing signing
        if self.source_prefixes is None:
            self.source_order = sorted(self.sources)
            self.source_prefixes = PrefixTable([
                (text, i) for i, key in enumerate(self.source_order)
                for text in (<Signing>self.sources[key]).prefixes
            ])
        prefix = find_prefix(&self.source_prefixes.index, &address)
        if prefix == NO_PREFIX:
            return None
        place = self.source_prefixes.index.values[
            self.source_prefixes.index.prefixes[prefix].start]
        key = self.source_order[place]
        signing = self.sources[key]
        place = signing.masks.place(number) if number else NO_MASK
        if place == NO_MASK:
            return Origination(*key, *signing.own, "")
        rank = signing.masks.table.ranks[place]
        return Origination(
            *key, *signing.groups[rank], entry_text(signing.masks.table.masks[place]))

    def origination(self, str source_ip, str calling):
        with self.lock:
            return self.find_origination(source_ip, calling)
