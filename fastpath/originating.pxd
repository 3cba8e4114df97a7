# Origination sources: how outgoing calls are signed.
from callscreen.fastpath.configured cimport Configured
from callscreen.fastpath.prefixes cimport Address
from callscreen.fastpath.tables cimport Data


# Whether some calls that come from an address are to be signed.
cdef bint signs(const Data* data, const Address* address) noexcept nogil

cdef class Originating(Configured):
    cdef dict sources                 # (provider, name) -> Signing
    cdef list source_keys             # in order
    cdef list source_rows             # and themselves
    cdef list source_order            # of one item: those in force, by value in data.sources
    cdef bint sources_changed

    cdef int set_source(
        self, str provider, str name, prefixes, orig_id, attest, cert_name, numbers
    ) except -1
    cdef int unset_source(self, str provider, str name) except -1
    cdef int build_sources(self) except -1
    # Under the lock; None where no source has the address.
    cdef object origination_at(self, const Address* source, str calling)
