# Origination sources: how outgoing calls are signed.
from callscreen.fastpath.configured cimport Configured
from callscreen.fastpath.prefixes cimport PrefixIndex


cdef class Originating(Configured):
    cdef dict sources                 # (provider, name) -> Signing
    cdef list source_keys             # in order
    cdef list source_rows             # and themselves
    cdef list source_order            # of one item: those in force, by value in source_prefixes
    cdef PrefixIndex* source_prefixes
    cdef bint sources_changed

    cdef int set_source(
        self, str provider, str name, prefixes, orig_id, attest, cert_name, numbers
    ) except -1
    cdef int unset_source(self, str provider, str name) except -1
    cdef int build_sources(self) except -1
    cdef object find_origination(self, str source_ip, str calling)
