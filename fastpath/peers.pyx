"""Whose datagrams are answered. What it promises stands in peers.pxd; peers_reference.py means it."""

from libc.stdint cimport int32_t, uint32_t, uint64_t
from libc.string cimport memset

from callscreen.fastpath.area cimport big_area, free_area
from callscreen.fastpath.prefixes cimport Address, PrefixTable, find_prefix, parse_address

from .peers_types import LOOPBACK, check_peers

__all__ = ["PeerTable"]

cdef extern from *:
    """
    #include <stdint.h>
    #define callscreen_read(at) __atomic_load_n(at, __ATOMIC_RELAXED)
    #define callscreen_add(at) (void)__atomic_fetch_add(at, 1, __ATOMIC_RELAXED)
    #define callscreen_swap(at, seen, value) \
        __atomic_compare_exchange_n(at, seen, value, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
    """
    uint64_t callscreen_read(uint64_t *at) noexcept nogil
    void callscreen_add(uint64_t *at) noexcept nogil
    int callscreen_swap(uint64_t *at, uint64_t *seen, uint64_t value) noexcept nogil

cdef enum:
    SECOND = 1000000000  # nanoseconds


cdef int32_t find_peer(const PeerRows *peers, const Address *source) noexcept nogil:
    cdef int32_t prefix = find_prefix(peers.index, source)
    if prefix < 0:
        return UNTRUSTED
    return <int32_t>peers.index.values[peers.index.prefixes[prefix].start]


cdef bint take(Bucket *bucket, uint64_t now) noexcept nogil:
    """Whether one more fits now; it is taken then."""
    cdef uint64_t due, after
    if not bucket.interval:
        return True
    due = callscreen_read(&bucket.due)
    while True:
        # A clock that stepped back leaves nothing that would be due for long.
        after = now if due < now or due > now + bucket.tolerance + bucket.interval else due
        after += bucket.interval
        if after > now + bucket.tolerance:
            return False
        if callscreen_swap(&bucket.due, &due, after):
            return True


cdef Toll take_call(PeerRows *peers, int32_t row, uint64_t now_ns) noexcept nogil:
    cdef PeerRow *own = &peers.rows[row]
    cdef PeerRow *full = own  # whose bucket has no room
    if take(&own.calls, now_ns):
        if take(&peers.rows[0].calls, now_ns):
            callscreen_add(&own.admitted)
            return ADMITTED
        full = &peers.rows[0]
    if take(&full.refusals, now_ns):
        callscreen_add(&own.limited)
        return LIMITED
    callscreen_add(&own.ignored)
    return IGNORED


cdef void fill(PeerRow *row, int rate, int burst) noexcept nogil:
    """Sets what the buckets hold; what is in them stays."""
    cdef uint64_t interval = SECOND // <uint64_t>rate if rate else 0  # 0: any number
    row.calls.interval = row.refusals.interval = interval
    row.calls.tolerance = row.refusals.tolerance = interval * <uint64_t>(burst or rate)


cdef class PeerTable:
    def __cinit__(self, peers=(LOOPBACK,), int ceiling=0, PeerTable before=None):
        cdef uint32_t row, old
        cdef dict rows
        self.given, self.ceiling = tuple(peers), ceiling
        check_peers(self.given, ceiling)
        self.prefixes = PrefixTable(
            (address, place + 1)
            for place, peer in enumerate(self.given) for address in peer.addresses
        )
        self.peers.index = (<PrefixTable>self.prefixes).index
        self.peers.count = <uint32_t>len(self.given) + 1
        self.peers.rows = <PeerRow *>big_area(self.peers.count * sizeof(PeerRow))
        memset(self.peers.rows, 0, self.peers.count * sizeof(PeerRow))
        if before is not None:
            self.peers.rows[0] = before.peers.rows[0]
        fill(&self.peers.rows[0], ceiling, 0)
        rows = {} if before is None else {peer.name: i + 1 for i, peer in enumerate(before.given)}
        for row, peer in enumerate(self.given, 1):
            old = rows.get(peer.name, 0)
            if old:  # its counters go on, and so does a bucket that is as full as it was
                self.peers.rows[row] = before.peers.rows[old]
            fill(&self.peers.rows[row], peer.rate, peer.burst)
            self.peers.rows[row].proxy = peer.proxy

    def __dealloc__(self):
        if self.peers.rows != NULL:
            free_area(self.peers.rows, self.peers.count * sizeof(PeerRow))

    def find(self, str address not None):
        cdef Address source = parse_address(address)
        cdef int32_t row = find_peer(&self.peers, &source)
        return None if row < 0 else self.given[row - 1]

    def take(self, str address not None, uint64_t now_ns):
        cdef Address source = parse_address(address)
        cdef int32_t row = find_peer(&self.peers, &source)
        if row < 0:
            return "untrusted"
        return ("admitted", "limited", "ignored")[<int>take_call(&self.peers, row, now_ns)]

    def counts(self):
        cdef uint32_t row
        return {
            peer.name: (
                callscreen_read(&self.peers.rows[row].admitted),
                callscreen_read(&self.peers.rows[row].limited),
                callscreen_read(&self.peers.rows[row].ignored),
            )
            for row, peer in enumerate(self.given, 1)
        }
