"""Which provider a call is for: records of criteria, laid out for one look-up.

Invariants:
1. Criteria are laid out anew, aside, at the end of a transaction that changes them: in C, from
   records that were read when they were put. Rows stand in order of (provider, group), so that of
   equally close ones the first counts.
2. A record of criteria that gives no kind selects no call and is left out.
3. A record holds its provider's row and its group's text for as long as it is there.
"""

from bisect import bisect_left

from libc.stdint cimport int32_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from callscreen.fastpath.arena cimport put_text
from callscreen.fastpath.numbers cimport Mask, fits, parse_entry
from callscreen.fastpath.prefixes cimport (
    NO_PREFIX, Address, Prefix, PrefixEntry, build_prefixes, find_prefix, free_prefixes,
    parse_prefix,
)
from callscreen.fastpath.switching cimport LEAVE, POINTER, Change
from callscreen.fastpath.tables cimport PCS_INDEX, CodeRange, Criteria, CriteriaRow

from . import plain


cdef struct Selector:
    uint64_t called
    int32_t point_code


cdef inline bint fits_criteria(
    const Criteria* criteria, const CriteriaRow* row, const Selector* call, int* code_length
) noexcept nogil:
    """Whether country code and point code hold; the length of the longest code that does."""
    cdef uint32_t i
    cdef int length = 0
    for i in range(row.codes, row.codes_end):
        if call.called and fits(&criteria.codes[i], call.called):
            length = max(length, <int>(criteria.codes[i].value & 15))
    if row.codes_given and length == 0:
        return False
    code_length[0] = length
    if not row.ranges_given:
        return True
    for i in range(row.ranges, row.ranges_end):
        if (call.point_code >= 0 and criteria.ranges[i].first <= call.point_code
                and call.point_code <= criteria.ranges[i].last):
            return True
    return False


cdef int32_t best_of(
    const Criteria* criteria, const Selector* call, const uint32_t* rows, uint32_t count
) noexcept nogil:
    """Of rows with one length of address prefix the one that fits most closely."""
    cdef int32_t best = NO_CRITERIA
    cdef int closest = -1, length = 0, closeness
    cdef uint32_t i
    for i in range(count):
        if fits_criteria(criteria, &criteria.rows[rows[i]], call, &length):
            closeness = 2 * length + criteria.rows[rows[i]].ranges_given
            if closeness > closest or (closeness == closest and <int32_t>rows[i] < best):
                closest = closeness
                best = rows[i]
    return best


cdef int32_t select_service(
    const Criteria* criteria, uint64_t called, const Address* source, int32_t point_code
) noexcept nogil:
    cdef Selector call = Selector(called=called, point_code=point_code)
    cdef int32_t at, best
    cdef const Prefix* prefix
    if criteria == NULL:
        return NO_CRITERIA
    at = find_prefix(criteria.prefixes, source)
    while at != NO_PREFIX:
        prefix = &criteria.prefixes.prefixes[at]
        best = best_of(criteria, &call, &criteria.prefixes.values[prefix.start],
                       prefix.end - prefix.start)
        if best != NO_CRITERIA:
            return best
        at = prefix.around
    return best_of(criteria, &call, criteria.anywhere, criteria.anywhere_count)


cdef void release_criteria(void* data, uint64_t address, uint64_t size) noexcept nogil:
    cdef Criteria* criteria = <Criteria*><size_t>address
    free_prefixes(criteria.prefixes)
    free(criteria.rows)
    free(criteria.codes)
    free(criteria.ranges)
    free(criteria.anywhere)
    free(criteria)


cdef void* some(size_t count, size_t size) except NULL:
    cdef void* made = calloc(count + 1, size)
    if made == NULL:
        raise MemoryError
    return made


cdef class Record:
    """A record of criteria, read."""

    cdef uint32_t provider, group
    cdef uint32_t prefixes, codes, ranges  # counts
    cdef PrefixEntry* prefix
    cdef Mask* code
    cdef CodeRange* range
    cdef bint addressed, coded, ranged     # kinds that are given
    cdef str name

    def __cinit__(self, prefixes, country_codes, point_codes):
        cdef list texts = list(prefixes), codes = list(country_codes), points = list(point_codes)
        self.prefix = <PrefixEntry*>some(len(texts), sizeof(PrefixEntry))
        self.code = <Mask*>some(len(codes), sizeof(Mask))
        self.range = <CodeRange*>some(len(points), sizeof(CodeRange))
        self.addressed, self.coded, self.ranged = bool(texts), bool(codes), bool(points)
        for text in texts:
            self.prefixes += parse_prefix(text, &self.prefix[self.prefixes])
        for text in codes:
            code = plain.country_code(text)
            if code:
                parse_entry(f"+{code}*", "", &self.code[self.codes])
                self.codes += 1
        for first, last in points:
            self.range[self.ranges].first = plain.parse_point_code(first)
            self.range[self.ranges].last = plain.parse_point_code(last)
            self.ranges += 1

    def __dealloc__(self):
        free(self.prefix)
        free(self.code)
        free(self.range)


cdef class Routing(Originating):
    def __cinit__(self):
        self.criteria = {}
        self.criteria_keys = []
        self.criteria_records = []
        self.criteria_names = [[]]

    def __dealloc__(self):
        if self.data.criteria != NULL:
            release_criteria(NULL, <uint64_t><size_t>self.data.criteria, 0)

    cdef int set_criteria(
        self, str provider, str group, prefixes, country_codes, point_codes
    ) except -1:
        cdef Record record = Record(prefixes, country_codes, point_codes)
        key = provider, group
        self.unset_criteria(provider, group)
        record.name = f"{provider}/{group}"
        record.provider = self.provider_row(PCS_INDEX, provider)
        record.group = put_text(&self.data.arena, group)
        self.data.providers[record.provider].references += 1
        self.criteria[key] = record
        if record.addressed or record.coded or record.ranged:
            place = bisect_left(self.criteria_keys, key)
            self.criteria_keys.insert(place, key)
            self.criteria_records.insert(place, record)
        self.criteria_changed = True
        return 0

    cdef int unset_criteria(self, str provider, str group) except -1:
        cdef Change* change
        cdef Record record
        key = provider, group
        found = self.criteria.pop(key, None)
        if found is None:
            return 0
        record = found
        place = bisect_left(self.criteria_keys, key)
        if place < len(self.criteria_keys) and self.criteria_keys[place] == key:
            del self.criteria_keys[place]
            del self.criteria_records[place]
        change = self.change(LEAVE)
        change.row = record.provider
        change.text = record.group
        self.criteria_changed = True
        return 0

    cdef int build_criteria(self) except -1:
        """Notes the switch to criteria laid out anew."""
        cdef Criteria* made = <Criteria*>some(0, sizeof(Criteria))
        cdef Change* change = self.change(POINTER)
        cdef PrefixEntry* entries = NULL
        cdef size_t prefixes = 0, codes = 0, ranges = 0
        cdef Record record
        change.into = &self.data.criteria
        change.made = made
        change.release = release_criteria
        for record in self.criteria_records:
            prefixes += record.prefixes
            codes += record.codes
            ranges += record.ranges
        made.rows = <CriteriaRow*>some(len(self.criteria_records), sizeof(CriteriaRow))
        made.codes = <Mask*>some(codes, sizeof(Mask))
        made.ranges = <CodeRange*>some(ranges, sizeof(CodeRange))
        made.anywhere = <uint32_t*>some(len(self.criteria_records), sizeof(uint32_t))
        entries = <PrefixEntry*>some(prefixes, sizeof(PrefixEntry))
        try:
            prefixes = self.lay_out(made, entries)
            made.prefixes = build_prefixes(entries, <uint32_t>prefixes, NULL)
        finally:
            free(entries)
        names = [(<Record>each).name for each in self.criteria_records]
        self.pending.append((self.criteria_names, 0, names))
        self.criteria_changed = False
        return 0

    cdef size_t lay_out(self, Criteria* made, PrefixEntry* entries) except? 0:
        """Fills rows, codes and ranges, and the entries of their prefixes: how many there are."""
        cdef Record record
        cdef CriteriaRow* row
        cdef size_t prefixes = 0
        cdef uint32_t i, codes = 0, ranges = 0
        for record in self.criteria_records:
            row = &made.rows[made.count]
            row.provider = record.provider
            row.group = record.group
            row.codes_given = record.coded
            row.ranges_given = record.ranged
            row.codes = codes
            memcpy(&made.codes[codes], record.code, record.codes * sizeof(Mask))
            codes += record.codes
            row.codes_end = codes
            row.ranges = ranges
            memcpy(&made.ranges[ranges], record.range, record.ranges * sizeof(CodeRange))
            ranges += record.ranges
            row.ranges_end = ranges
            for i in range(record.prefixes):
                entries[prefixes] = record.prefix[i]
                entries[prefixes].value = made.count
                prefixes += 1
            if not record.addressed:
                made.anywhere[made.anywhere_count] = made.count
                made.anywhere_count += 1
            made.count += 1
        return prefixes
