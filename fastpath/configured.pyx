"""Settings of the platform and of providers, and where numbers are looked for.

Invariants:
1. Rows 1 and 2 are the platform's of PCS and CIN, and always filled.
2. A row of settings is made aside, lists and route included, and exchanged with the one in force.
3. `settings_rows`, `default_ccs` and `sources_of` change with the switch; what a transaction has
   said so far stands in `places`, `next_ccs` and `next_sources`.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free

from callscreen.fastpath.lists cimport drop_lists, put_lists
from callscreen.fastpath.plan cimport treatment_code
from callscreen.fastpath.provisioned cimport one_product
from callscreen.fastpath.routes cimport drop_route, fill_route
from callscreen.fastpath.sources cimport make_reading
from callscreen.fastpath.switching cimport (
    EXCHANGE, OCTET, POINTER, SETTINGS_OF, Change, release_memory,
)
from callscreen.fastpath.tables cimport Data, SettingsRow, open_settings

from .extract import NumberSources
from .extract_types import DEFAULT_CALLED, DEFAULT_CALLING
from .model import EngineSettings, StirSettings


cdef void release_settings(void* data, uint64_t address, uint64_t size) noexcept nogil:
    cdef SettingsRow* row = <SettingsRow*><size_t>address
    drop_lists(&(<Data*>data).arena, row.lists)
    drop_route(&(<Data*>data).arena, &row.route)
    free(row)


cdef class Configured(Provisioned):
    def __cinit__(self):
        cdef int product
        defaults = NumberSources(DEFAULT_CALLED), NumberSources(DEFAULT_CALLING)
        self.settings_rows = [None, None, None]
        self.default_ccs = ["", "", ""]
        self.next_ccs = ["", "", ""]
        self.sources_of = [None, defaults, defaults]
        self.next_sources = [None, defaults, defaults]
        self.stir_settings_of = [StirSettings()]
        self.places = {}
        self.free_places = []
        for product in range(1, 3):
            self.set_platform(product, EngineSettings())
        self.ready()
        self.finish(0)

    def __dealloc__(self):
        cdef uint32_t row
        if self.data.arena.words == NULL:
            return
        for row in range(self.data.settings_count):
            drop_lists(&self.data.arena, self.data.settings[row].lists)
        for row in range(3):
            free(self.data.readings[row])

    cdef int fill_settings(self, uint32_t row, object settings) except -1:
        """Notes the exchange of a row; of None for an empty one."""
        cdef SettingsRow* made = <SettingsRow*>calloc(1, sizeof(SettingsRow))
        cdef Change* change = self.change(EXCHANGE)
        change.release = release_settings
        change.made = made
        if made == NULL:
            raise MemoryError
        change.into = &self.data.settings[row]
        change.size = sizeof(SettingsRow)
        self.pending.append((self.settings_rows, row, settings))
        if settings is None:
            return 0
        made.default_treatment = treatment_code(settings.default_treatment)
        made.drop_anonymous = settings.drop_anonymous_calls
        made.anonymous_treatment = treatment_code(settings.anonymous_treatment)
        made.nomatch_treatment = treatment_code(settings.nomatch_treatment)
        made.lists = put_lists(&self.data.arena, settings.protected_numbers, [])
        return fill_route(&self.data.arena, &made.route, settings)

    cdef int set_platform(self, int product, object settings) except -1:
        self.fill_settings(product, settings)
        self.next_ccs[product] = settings.default_cc
        self.pending.append((self.default_ccs, product, settings.default_cc))
        return self.set_reading(product)

    cdef int set_reading(self, int product) except -1:
        """What a call reads its numbers by, of the sources and the country code to come."""
        cdef Change* change = self.change(POINTER)
        called, calling = self.next_sources[product]
        change.release = release_memory
        change.into = &self.data.readings[product]
        change.made = make_reading(called, calling, self.next_ccs[product])
        change = self.change(OCTET)
        change.into = &self.data.apart
        change.override = (self.next_sources[1] != self.next_sources[2]
                           or self.next_ccs[1] != self.next_ccs[2])
        return 0

    cdef int abandon(self) except -1:
        self.next_ccs[:] = self.default_ccs
        self.next_sources[:] = self.sources_of
        return Provisioned.abandon(self)

    cdef int set_number_sources(self, int product, called, calling) except -1:
        ready = NumberSources(called or DEFAULT_CALLED), NumberSources(calling or DEFAULT_CALLING)
        self.next_sources[one_product(product)] = ready
        self.pending.append((self.sources_of, product, ready))
        return self.set_reading(product)

    cdef int set_stir_settings(self, object settings) except -1:
        cdef Change* change = self.change(OCTET)
        change.into = &self.data.require_identity
        change.override = bool(settings.require_identity)
        self.pending.append((self.stir_settings_of, 0, settings))
        return 0

    def stir_settings(self):
        with self.lock:
            return self.stir_settings_of[0]

    def number_sources(self, int product):
        with self.lock:
            called, calling = self.sources_of[one_product(product)]
            return tuple(called), tuple(calling)

    cdef int set_settings(self, int product, str provider, settings) except -1:
        cdef uint32_t row, place
        cdef Change* change
        if provider == "":
            return self.set_platform(one_product(product), settings)
        row = self.provider_row(one_product(product), provider)
        place = self.places.get(row, 0)
        if place == 0 and self.free_places:
            place = self.free_places.pop()
        elif place == 0:
            place = <uint32_t>len(self.settings_rows)
            open_settings(&self.data, place + 1)
            self.settings_rows.append(None)
        self.places[row] = place
        self.fill_settings(place, settings)
        change = self.change(SETTINGS_OF)
        change.row = row
        change.text = place
        return 0

    cdef int unset_settings(self, int product, str provider) except -1:
        cdef uint32_t row, place
        if provider == "":
            return self.set_platform(one_product(product), EngineSettings())
        row = self.provider_rows.get((one_product(product), provider), 0)
        place = self.places.pop(row, 0)
        if place:
            self.fill_settings(place, None)
            self.change(SETTINGS_OF).row = row
            self.free_places.append(place)
        return 0

    def settings(self, int product, str provider=""):
        cdef uint32_t row
        with self.lock:
            row = self.provider_rows.get((one_product(product), provider), 0)
            return self.settings_rows[self.data.providers[row].settings or <uint32_t>product]
