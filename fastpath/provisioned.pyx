"""Providers, plans, subscribers and numbers of the index, and how they change.

Invariants:
1. Objects may come in any order. What a number, subscriber or plan names and is not there has its
   defaults: service on, no lists, no voice mail, no plan.
2. `set_` and `unset_` only prepare: they make lists, texts and rows aside, and note the change.
3. A row lives while something is said in it or something names it, and is then used again.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport malloc
from libc.string cimport memcmp, memset
from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_DecodeUTF8

from callscreen.fastpath.arena cimport get_text, put_text
from callscreen.fastpath.epochs cimport give_up, reserve_limbo
from callscreen.fastpath.changes cimport NumberPut, NumberPuts, Part
from callscreen.fastpath.lists cimport (
    Parsed, drop_lists, free_parsed, parse_parts, put_lists, put_parsed,
)
from callscreen.fastpath.numbers cimport pack_plain, pack_text
from callscreen.fastpath.plan cimport Plan, compile_plan, override_bits
from callscreen.fastpath.switching cimport (
    DROP_NUMBER, PUT_NUMBER, PUT_PLAN, PUT_PROVIDER, PUT_SUBSCRIBER, Change, put_in,
    release_memory, release_text,
)
from callscreen.fastpath.tables cimport (
    CIN_INDEX, PCS_INDEX, NumberSlot, NumberTable, ProviderRow, SubscriberRow, find_number,
    open_providers, subscriber_row,
)

from .model import STIR_RULE, StirRule
from .routes_types import place_kind


cdef extern from *:
    """
    /* All that was written before is seen by whoever sees what is written after. */
    static inline void callscreen_release(void) { __atomic_thread_fence(__ATOMIC_RELEASE); }
    """
    void callscreen_release() noexcept nogil


cdef inline bint same_part(Part one, Part other) noexcept nogil:
    cdef size_t size = one.end - one.at
    return size == <size_t>(other.end - other.at) and (
        size == 0 or memcmp(one.at, other.at, size) == 0)


cdef str text_of_part(Part part):
    return PyUnicode_DecodeUTF8(<const char*>part.at, part.end - part.at, NULL)


cdef int one_product(int product) except -1:
    if product != PCS_INDEX and product != CIN_INDEX:
        raise ValueError(f"a product is 1 (PCS) or 2 (CIN), not {product}")
    return product


cdef class Provisioned(Transaction):
    def __cinit__(self):
        self.provider_rows = {}
        self.provider_names = [""]
        self.free_providers = []
        self.trusted = [""]

    def __dealloc__(self):
        cdef NumberTable* table
        cdef uint64_t i
        cdef uint32_t row
        cdef int product
        if self.data.arena.words == NULL:
            return
        for product in range(3):  # for the long lists, which lie beside the arena
            table = self.data.numbers[product]
            for i in range(table.last + 1 if table != NULL else 0):
                drop_lists(&self.data.arena, table.slots[i].lists)
        for row in range(self.data.subscribers.top):
            drop_lists(&self.data.arena, self.data.subscribers.rows[row].lists)
        for row in range(self.data.provider_count):
            drop_lists(&self.data.arena, self.data.providers[row].lists)

    # Providers and their plans

    cdef uint32_t provider_row(self, int product, str name) except 0:
        """The row of a provider, made where it is not there."""
        cdef uint32_t row, label
        found = self.provider_rows.get((product, name))
        if found is not None:
            return found
        label = put_text(&self.data.arena, name)
        if self.free_providers:
            row = self.free_providers.pop()
            self.provider_names[row] = name
        else:
            row = <uint32_t>len(self.provider_names)
            open_providers(&self.data, row + 1)
            self.provider_names.append(name)
            self.trusted.append("")
        callscreen_release()
        memset(&self.data.providers[row], 0, sizeof(ProviderRow))
        self.data.providers[row].product = product
        self.data.providers[row].name = label
        self.provider_rows[product, name] = row
        return row

    cdef int release_unused(self, uint32_t row) except -1:
        cdef ProviderRow* found = &self.data.providers[row]
        if found.product and not (found.lists or found.settings or found.references
                                  or found.planned):
            reserve_limbo(&self.data.limbo, 1)
            del self.provider_rows[found.product, self.provider_names[row]]
            self.provider_names[row] = ""
            found.product = 0
            if found.name:
                give_up(&self.data.limbo, &self.data.turn, &self.data, release_text, found.name, 0)
            self.free_providers.append(row)
        return 0

    cdef int set_provider(self, int product, str name, whitelist, blacklist) except -1:
        cdef uint32_t row = self.provider_row(one_product(product), name)
        cdef Change* change = self.change(PUT_PROVIDER)
        change.row = row
        return self.list_in(self.change_count - 1, whitelist, blacklist)

    cdef int list_in(self, size_t place, whitelist, blacklist) except -1:
        """Makes the lists of a change that is noted, so that they are given back if all is not."""
        cdef uint32_t lists
        if whitelist or blacklist:
            lists = put_lists(&self.data.arena, whitelist, blacklist)
            put_in(&self.changes[place], &self.data, lists)
        return 0

    cdef int unset_provider(self, int product, str name) except -1:
        if (product, name) in self.provider_rows:
            self.set_provider(product, name, None, None)
        return 0

    cdef int set_plan(self, str name, steps, error_treatment) except -1:
        cdef uint32_t row = self.provider_row(PCS_INDEX, name)
        cdef Change* change = self.change(PUT_PLAN)
        change.row = row
        change.release = release_memory
        change.made = malloc(sizeof(Plan))
        if change.made == NULL:
            raise MemoryError
        compile_plan(<Plan*>change.made, steps, error_treatment)
        trusted = [step.auth_address for step in steps if step.rule == STIR_RULE]
        self.pending.append((self.trusted, row, trusted[0] if trusted else ""))
        return 0

    def stir(self, str provider):
        with self.lock:
            return StirRule(self.trusted[self.provider_rows.get((PCS_INDEX, provider), 0)])

    cdef int unset_plan(self, str name) except -1:
        cdef uint32_t row = self.provider_rows.get((PCS_INDEX, name), 0)
        if row:
            self.change(PUT_PLAN).row = row
            self.pending.append((self.trusted, row, ""))
        return 0

    # Subscribers and numbers

    cdef uint32_t row_of(
        self, int product, uint32_t provider, str name, bint add
    ) except? 0xFFFFFFFF:
        cdef Py_ssize_t size
        cdef const char* text = PyUnicode_AsUTF8AndSize(name, &size)
        return subscriber_row(&self.data, product, provider, text, size, add)

    cdef int set_subscriber(self, int product, str provider, str name, bint enabled, override,
                            whitelist, blacklist, voicemail) except -1:
        cdef uint32_t owner = self.provider_row(one_product(product), provider)
        cdef uint32_t row = self.row_of(product, owner, name, True)
        cdef Change* change = self.change(PUT_SUBSCRIBER)
        change.row = row
        change.disabled = not enabled
        change.override = override_bits(override)
        change.mail = place_kind(voicemail) if voicemail else 0
        change.text = put_text(&self.data.arena, voicemail) if voicemail else 0
        return self.list_in(self.change_count - 1, whitelist, blacklist)

    cdef int unset_subscriber(self, int product, str provider, str name) except -1:
        cdef uint32_t owner = self.provider_rows.get((one_product(product), provider), 0)
        if owner and self.row_of(product, owner, name, False):
            self.set_subscriber(product, provider, name, True, (), None, None, None)
        return 0

    cdef int set_number(self, int product, str provider, str subscriber, str number,
                        whitelist, blacklist) except -1:
        cdef uint64_t packed = pack_text(number, "")
        cdef uint32_t row
        cdef Change* change
        if packed == 0:
            return 0
        row = self.provider_row(one_product(product), provider)
        row = self.row_of(product, row, subscriber, True)
        self.room_for_number(product)
        change = self.change(PUT_NUMBER)
        change.product = product
        change.number = packed
        change.row = row
        return self.list_in(self.change_count - 1, whitelist, blacklist)

    cdef int set_numbers(self, NumberPuts puts) except -1:
        """As `set_number` of each."""
        cdef const NumberPut* put
        cdef uint64_t packed
        cdef uint32_t provider = 0, row
        cdef int product = 0
        cdef Part of
        cdef Change* change
        cdef size_t i
        of.at = of.end = NULL
        for i in range(puts.count):
            put = &puts.puts[i]
            packed = pack_plain(<const char*>put.number.at, put.number.end - put.number.at)
            if packed == 0:
                continue
            if put.product != product or not same_part(put.provider, of):
                provider = self.provider_row(put.product, text_of_part(put.provider))
                product, of = put.product, put.provider
            row = subscriber_row(
                &self.data, put.product, provider, <const char*>put.subscriber.at,
                put.subscriber.end - put.subscriber.at, True)
            self.room_for_number(put.product)
            change = self.change(PUT_NUMBER)
            change.product = put.product
            change.number = packed
            change.row = row
            self.parts_in(self.change_count - 1, puts, put)
        return 0

    cdef int parts_in(self, size_t place, NumberPuts puts, const NumberPut* put) except -1:
        """As `list_in`, of entries where they stand."""
        cdef Parsed lists[2]
        cdef uint32_t offset
        if not (put.sizes[0] or put.sizes[1]):
            return 0
        parse_parts(puts.list_of(put, 0), put.sizes[0], &lists[0])
        try:
            parse_parts(puts.list_of(put, 1), put.sizes[1], &lists[1])
            try:
                offset = put_parsed(&self.data.arena, lists)
            finally:
                free_parsed(&lists[1])
        finally:
            free_parsed(&lists[0])
        put_in(&self.changes[place], &self.data, offset)
        return 0

    cdef int unset_number(self, int product, str number, owner) except -1:
        cdef uint64_t packed = pack_text(number, "")
        cdef uint32_t row = 0
        cdef Change* change
        one_product(product)
        if packed == 0:
            return 0
        if owner is not None:
            row = self.provider_rows.get((product, owner[0]), 0)
            row = self.row_of(product, row, owner[1], False) if row else 0
            if row == 0:
                return 0
        change = self.change(DROP_NUMBER)
        change.product = product
        change.number = packed
        change.row = row
        return 0

    cdef tuple owner_of(self, int product, str number):
        cdef NumberSlot* slot = find_number(
            self.data.numbers[one_product(product)], pack_text(number, ""))
        cdef SubscriberRow* row
        if slot == NULL:
            return None
        row = &self.data.subscribers.rows[slot.subscriber]
        return self.provider_names[row.provider], get_text(&self.data.arena, row.name)

    def owner(self, int product, str number):
        with self.lock:
            return self.owner_of(product, number)
