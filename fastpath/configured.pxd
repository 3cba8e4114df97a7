# Settings of the platform and of providers, and where numbers are looked for.
from libc.stdint cimport uint32_t

from callscreen.fastpath.provisioned cimport Provisioned


cdef class Configured(Provisioned):
    cdef list settings_rows           # EngineSettings by row, None where free
    cdef list default_ccs             # by product
    cdef list stir_settings_of        # of one item: StirSettings
    cdef list sources_of              # by product: NumberSources called, calling
    cdef list next_ccs                # the same two with what is being prepared
    cdef list next_sources
    cdef dict places                  # row of a provider -> its row of settings
    cdef list free_places

    cdef int fill_settings(self, uint32_t row, object settings) except -1
    cdef int set_platform(self, int product, object settings) except -1
    cdef int set_reading(self, int product) except -1
    cdef int set_number_sources(self, int product, called, calling) except -1
    cdef int set_stir_settings(self, object settings) except -1
    cdef int set_settings(self, int product, str provider, settings) except -1
    cdef int unset_settings(self, int product, str provider) except -1
