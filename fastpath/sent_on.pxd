"""Where calls went that were sent on lately; shared by all workers, without a lock.

1. A reader that meets a writer finds nothing, and a second writer of one place gives up.
"""

from libc.stdint cimport uint32_t, uint64_t

from callscreen.fastpath.forwarder cimport Hop, Onward, Onwards
from callscreen.fastpath.routes cimport Text8


# Whether a call could be remembered; in place of the oldest of its bucket.
cdef bint remember(
    Onwards *onwards, uint64_t key, const Hop *hop, Text8 uri, uint32_t second, bint told
) noexcept nogil
# Whether a call is remembered that went on within ONWARD_SECONDS.
cdef bint recall(const Onwards *onwards, uint64_t key, uint32_t second, Onward *out) noexcept nogil
