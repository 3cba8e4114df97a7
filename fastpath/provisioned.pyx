"""Providers, plans, subscribers, numbers and settings of the index, and how they change.

Invariants:
1. Objects may come in any order. What a number, subscriber or plan names and is not there has its
   defaults: service on, no lists, no voice mail, no plan.
2. Lists and plans are built aside and then switched to; a put that raises leaves what was there.
3. A row lives while something is said in it or something names it, and is then used again.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memset

from callscreen.fastpath.arena cimport close_arena, drop_text, get_text, open_arena, put_text
from callscreen.fastpath.lists cimport drop_lists, put_lists
from callscreen.fastpath.numbers cimport pack_text
from callscreen.fastpath.plan cimport Plan, compile_plan, override_bits, treatment_code
from callscreen.fastpath.tables cimport (
    CIN_INDEX, PCS_INDEX, NumberSlot, NumberTable, ProviderRow, SettingsRow, SubscriberRow,
    add_number, find_number, release_subscriber, remove_number, reserve_numbers, subscriber_row,
)

from .model import EMERGENCY_NUMBERS, EngineSettings


cdef int one_product(int product) except -1:
    if product != PCS_INDEX and product != CIN_INDEX:
        raise ValueError(f"a product is 1 (PCS) or 2 (CIN), not {product}")
    return product


cdef class Provisioned:
    def __cinit__(self):
        cdef int product
        memset(&self.data, 0, sizeof(self.data))
        open_arena(&self.data.arena)
        for product in range(3):
            reserve_numbers(&self.data.numbers[product], 0)
        self.data.providers = <ProviderRow*>calloc(1, sizeof(ProviderRow))
        self.data.settings = <SettingsRow*>calloc(3, sizeof(SettingsRow))
        if self.data.providers == NULL or self.data.settings == NULL:
            raise MemoryError
        self.data.provider_count = 1
        self.data.settings_count = 3
        self.revision = 0
        self.provider_rows = {}
        self.provider_names = [""]
        self.free_providers = []
        self.settings_rows = [None, None, None]
        self.default_ccs = ["", "", ""]
        for product in range(1, 3):
            self.put_platform(product, EngineSettings())

    def __dealloc__(self):
        cdef NumberTable* table
        cdef uint64_t i
        cdef uint32_t row
        cdef int product
        if self.data.arena.chunks == NULL:
            return
        for product in range(3):
            table = &self.data.numbers[product]
            if table.slots != NULL:
                for i in range(table.last + 1):
                    drop_lists(&self.data.arena, table.slots[i].lists)
            free(table.slots)
        for row in range(self.data.subscribers.top):
            drop_lists(&self.data.arena, self.data.subscribers.rows[row].lists)
        for row in range(self.data.provider_count):
            drop_lists(&self.data.arena, self.data.providers[row].lists)
        for row in range(self.data.settings_count):
            drop_lists(&self.data.arena, self.data.settings[row].lists)
        free(self.data.subscribers.rows)
        free(self.data.subscribers.directory)
        free(self.data.providers)
        free(self.data.settings)
        close_arena(&self.data.arena)

    cdef uint32_t lists_of(self, whitelist, blacklist) except? 0xFFFFFFFF:
        """The block of two lists; a `Block` in place of the first one is taken over."""
        cdef uint32_t offset
        if type(whitelist) is Block:
            offset = (<Block>whitelist).offset
            (<Block>whitelist).offset = 0
            return offset
        return put_lists(&self.data.arena, whitelist, blacklist)

    # Providers and their plans

    cdef uint32_t provider_row(self, int product, str name) except 0:
        """The row of a provider, made where it is not there."""
        cdef ProviderRow* grown
        cdef uint32_t row
        found = self.provider_rows.get((product, name))
        if found is not None:
            return found
        if self.free_providers:
            row = self.free_providers.pop()
            self.provider_names[row] = name
        else:
            row = <uint32_t>len(self.provider_names)
            if row & (row - 1) == 0:  # room doubles at each power of two
                grown = <ProviderRow*>realloc(
                    self.data.providers, 2 * <size_t>row * sizeof(ProviderRow))
                if grown == NULL:
                    raise MemoryError
                self.data.providers = grown
            self.provider_names.append(name)
            self.data.provider_count = row + 1
        memset(&self.data.providers[row], 0, sizeof(ProviderRow))
        self.data.providers[row].product = product
        self.provider_rows[product, name] = row
        return row

    cdef int release_provider(self, uint32_t row) except -1:
        """Gives a row up where nothing is said in it and nothing names it."""
        cdef ProviderRow* found = &self.data.providers[row]
        if not (found.lists or found.settings or found.references or found.planned):
            del self.provider_rows[found.product, self.provider_names[row]]
            self.provider_names[row] = ""
            self.free_providers.append(row)
        return 0

    def put_provider(self, int product, str name, whitelist, blacklist):
        cdef uint32_t lists = self.lists_of(whitelist, blacklist)
        cdef uint32_t row = self.provider_row(one_product(product), name)
        drop_lists(&self.data.arena, self.data.providers[row].lists)
        self.data.providers[row].lists = lists
        self.release_provider(row)

    def drop_provider(self, int product, str name):
        if (product, name) in self.provider_rows:
            self.put_provider(product, name, [], [])

    def put_plan(self, str name, steps, error_treatment):
        cdef Plan plan
        cdef uint32_t row
        compile_plan(&plan, steps, error_treatment)
        row = self.provider_row(PCS_INDEX, name)
        self.data.providers[row].plan = plan
        self.data.providers[row].planned = True

    def drop_plan(self, str name):
        cdef uint32_t row = self.provider_rows.get((PCS_INDEX, name), 0)
        if row:
            memset(&self.data.providers[row].plan, 0, sizeof(Plan))
            self.data.providers[row].planned = False
            self.release_provider(row)

    # Subscribers and numbers

    cdef int release_row(self, uint32_t subscriber) except -1:
        cdef uint32_t provider = self.data.subscribers.rows[subscriber].provider
        if release_subscriber(&self.data, subscriber):
            self.release_provider(provider)
        return 0

    def put_subscriber(self, int product, str provider, str name, bint enabled, override,
                       whitelist, blacklist, voicemail):
        cdef uint8_t bits = override_bits(override)
        cdef uint32_t lists = self.lists_of(whitelist, blacklist)
        cdef uint32_t mail = put_text(&self.data.arena, voicemail) if voicemail else 0
        cdef uint32_t owner = self.provider_row(one_product(product), provider)
        cdef uint32_t row = subscriber_row(&self.data, product, owner, name, True)
        cdef SubscriberRow* found = &self.data.subscribers.rows[row]
        drop_lists(&self.data.arena, found.lists)
        drop_text(&self.data.arena, found.voicemail)
        found.lists = lists
        found.voicemail = mail
        found.disabled = not enabled
        found.override = bits
        self.release_row(row)

    def drop_subscriber(self, int product, str provider, str name):
        if (product, provider) in self.provider_rows:
            self.put_subscriber(product, provider, name, True, (), [], [], None)

    def put_number(self, int product, str provider, str subscriber, str number,
                   whitelist, blacklist):
        cdef uint64_t packed = pack_text(number, "")
        cdef uint32_t lists, row, before
        cdef NumberSlot* slot
        if packed == 0:
            return
        lists = self.lists_of(whitelist, blacklist)
        row = self.provider_row(one_product(product), provider)
        row = subscriber_row(&self.data, product, row, subscriber, True)
        slot = add_number(&self.data.numbers[product], packed)
        before = slot.subscriber
        drop_lists(&self.data.arena, slot.lists)
        slot.lists = lists
        slot.subscriber = row
        self.data.subscribers.rows[row].numbers += 1
        if before:
            self.data.subscribers.rows[before].numbers -= 1
            self.release_row(before)

    def drop_number(self, int product, str number, owner=None):
        cdef NumberTable* table = &self.data.numbers[one_product(product)]
        cdef NumberSlot* slot = find_number(table, pack_text(number, ""))
        cdef uint32_t row
        if slot == NULL or (owner is not None and self.owner_of(product, number) != owner):
            return
        row = slot.subscriber
        drop_lists(&self.data.arena, slot.lists)
        remove_number(table, slot)
        self.data.subscribers.rows[row].numbers -= 1
        self.release_row(row)

    cdef tuple owner_of(self, int product, str number):
        cdef NumberSlot* slot = find_number(
            &self.data.numbers[one_product(product)], pack_text(number, ""))
        cdef SubscriberRow* row
        if slot == NULL:
            return None
        row = &self.data.subscribers.rows[slot.subscriber]
        return self.provider_names[row.provider], get_text(&self.data.arena, row.name)

    def owner(self, int product, str number):
        with self.lock:
            return self.owner_of(product, number)

    # Settings

    cdef int fill_settings(self, uint32_t row, object settings) except -1:
        cdef SettingsRow made
        made.default_treatment = treatment_code(settings.default_treatment)
        made.drop_anonymous = settings.drop_anonymous_calls
        made.anonymous_treatment = treatment_code(settings.anonymous_treatment)
        made.nomatch_treatment = treatment_code(settings.nomatch_treatment)
        made.lists = put_lists(&self.data.arena, settings.protected_numbers, [])
        drop_lists(&self.data.arena, self.data.settings[row].lists)
        self.data.settings[row] = made
        self.settings_rows[row] = settings
        return 0

    cdef int put_platform(self, int product, object settings) except -1:
        cdef int i
        self.fill_settings(product, settings)
        self.default_ccs[product] = settings.default_cc
        for i in range(2):
            self.emergency[product][i] = pack_text(EMERGENCY_NUMBERS[i], settings.default_cc)
        return 0

    def put_settings(self, int product, str provider, settings):
        cdef SettingsRow* grown
        cdef uint32_t row, place, size = <uint32_t>len(self.settings_rows)
        one_product(product)
        if provider == "":
            self.put_platform(product, settings)
            return
        row = self.provider_row(product, provider)
        place = self.data.providers[row].settings
        if place == 0:
            for place in range(3, size):
                if self.settings_rows[place] is None:
                    break
            else:
                grown = <SettingsRow*>realloc(
                    self.data.settings, (size + 1) * sizeof(SettingsRow))
                if grown == NULL:
                    raise MemoryError
                self.data.settings = grown
                place = size
                memset(&grown[place], 0, sizeof(SettingsRow))
                self.settings_rows.append(None)
                self.data.settings_count = size + 1
        try:
            self.fill_settings(place, settings)
            self.data.providers[row].settings = place
        finally:
            self.release_provider(row)

    def drop_settings(self, int product, str provider):
        cdef uint32_t row, place
        if provider == "":
            self.put_platform(one_product(product), EngineSettings())
            return
        row = self.provider_rows.get((product, provider), 0)
        place = self.data.providers[row].settings
        if row and place:
            drop_lists(&self.data.arena, self.data.settings[place].lists)
            memset(&self.data.settings[place], 0, sizeof(SettingsRow))
            self.settings_rows[place] = None
            self.data.providers[row].settings = 0
            self.release_provider(row)

    def settings(self, int product, str provider=""):
        cdef uint32_t row
        with self.lock:
            row = self.provider_rows.get((one_product(product), provider), 0)
            return self.settings_rows[self.data.providers[row].settings or <uint32_t>product]
