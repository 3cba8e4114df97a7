"""What two threads of an edge look at: words that one of them sets and the other reads.

1. Who reads a word that was set reads too what was written before that.
"""

from libc.stdint cimport uint64_t

from callscreen.fastpath.forwarder cimport NamedHops
from callscreen.fastpath.loop cimport View
from callscreen.fastpath.peers cimport PeerRows

cdef extern from *:
    """
    #include <stdint.h>
    static inline void callscreen_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
    #define callscreen_get(at) __atomic_load_n(at, __ATOMIC_ACQUIRE)
    #define callscreen_set(at, value) __atomic_store_n(at, value, __ATOMIC_RELEASE)
    """
    void callscreen_fence() noexcept nogil
    int callscreen_get_int "callscreen_get"(int *at) noexcept nogil
    uint64_t callscreen_get_word "callscreen_get"(uint64_t *at) noexcept nogil
    const NamedHops *callscreen_get_names "callscreen_get"(const NamedHops **at) noexcept nogil
    const View *callscreen_get_view "callscreen_get"(const View **at) noexcept nogil
    PeerRows *callscreen_get_peers "callscreen_get"(PeerRows **at) noexcept nogil
    void callscreen_set_int "callscreen_set"(int *at, int value) noexcept nogil
    void callscreen_set_word "callscreen_set"(uint64_t *at, uint64_t value) noexcept nogil
    void callscreen_set_names "callscreen_set"(
        const NamedHops **at, const NamedHops *value) noexcept nogil
    void callscreen_set_view "callscreen_set"(const View **at, const View *value) noexcept nogil
    void callscreen_set_peers "callscreen_set"(PeerRows **at, PeerRows *value) noexcept nogil
