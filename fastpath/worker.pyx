"""A worker as Python starts, tells and stops it. What it promises stands in worker.pyi.

1. What another thread sets is whole, and what it was before is held until the loop has left it.
"""

from libc.stdint cimport uint64_t
from libc.string cimport memset

from callscreen.fastpath.area cimport big_area, free_area
from callscreen.fastpath.counts cimport counted
from callscreen.fastpath.epochs cimport abandon_reader
from callscreen.fastpath.forwarding cimport Forwarding, NameTable
from callscreen.fastpath.index cimport Index
from callscreen.fastpath.loop cimport (
    ANSWER_STEP, LONG_ROOM, SPANS, WORKS, Loop, View, run_loop,
)
from callscreen.fastpath.loop_words cimport (
    callscreen_fence, callscreen_get_word, callscreen_set_int, callscreen_set_names,
    callscreen_set_peers, callscreen_set_view,
)
from callscreen.fastpath.peers cimport PeerTable
from callscreen.fastpath.prefixes cimport Address
from callscreen.fastpath.recent cimport RecentTable
from callscreen.fastpath.respond cimport fill_desk
from callscreen.fastpath.ring cimport RingBuffer
from callscreen.fastpath.scheduling cimport callscreen_slice
from callscreen.fastpath.tapping cimport WATCHED, set_tap
from callscreen.fastpath.udp cimport close_inbox, open_inbox

from ipaddress import IPv4Address, IPv6Address

__all__ = ["Worker"]

cdef enum:
    SLICE_NS = 100000  # the shortest that there is


cdef class Worker:
    cdef Loop *loop
    cdef RecentTable recent
    cdef RingBuffer buffer, tapped, handed
    cdef View views[2]     # in turns: one answers, the other is being left
    cdef int turn
    cdef Index answering, leaving
    cdef uint64_t left     # turns of the loop when `leaving` was left
    cdef object running
    cdef PeerTable admitted
    cdef Forwarding onward
    cdef NameTable names
    cdef list left_names   # as left_tables
    cdef list left_tables  # those before it, with the turns of the loop when they were left

    def __cinit__(
        self, int file, bytes secret not None, *, bytes seed not None, RecentTable recent not None,
        RingBuffer records not None, str edge="", int product=0,
        bint segmenting=True, RingBuffer taps=None, unsigned int spin_us=0,
        RingBuffer handed=None, int wake=-1, Forwarding forwarding=None,
    ):
        self.loop = <Loop *>big_area(sizeof(Loop))
        memset(self.loop, 0, sizeof(Loop))
        self.loop.answers = <char *>big_area(WORKS * ANSWER_STEP + LONG_ROOM)
        memset(self.loop.answers, 0, WORKS * ANSWER_STEP + LONG_ROOM)
        open_inbox(&self.loop.inbox)
        self.loop.inbox.spin_ns = <uint64_t>spin_us * 1000
        fill_desk(&self.loop.desk, secret, seed, edge, product)
        self.recent, self.buffer, self.left_tables = recent, records, []
        self.onward, self.left_names = forwarding, []
        if forwarding is not None:
            self.loop.desk.forwarder = &forwarding.forwarder
        self.loop.desk.recent = &recent.recent
        self.loop.desk.counts = &self.loop.counts
        self.loop.ring = &records.ring
        self.tapped = taps
        if taps is not None:
            self.loop.tap.ring = &taps.ring
        self.handed = handed
        self.loop.hands.wake = wake
        if handed is not None:
            self.loop.hands.ring = &handed.ring
        self.loop.outbox.segmenting = segmenting
        self.loop.file = file

    def __dealloc__(self):
        if self.loop == NULL:
            return
        # It may end in the midst of a commit, whose lock is not to be waited for then.
        if self.leaving is not None:
            abandon_reader(self.views[1 - self.turn].reader)
        if self.answering is not None:
            abandon_reader(self.views[self.turn].reader)
        close_inbox(&self.loop.inbox)
        if self.loop.answers != NULL:
            free_area(self.loop.answers, WORKS * ANSWER_STEP + LONG_ROOM)
        free_area(self.loop, sizeof(Loop))

    def run(self):
        if self.running:
            raise RuntimeError("the worker runs already")
        self.running = True
        with nogil:
            callscreen_slice(SLICE_NS)
            run_loop(self.loop)
        self.running = False

    def stop(self):
        callscreen_set_int(&self.loop.stopping, 1)

    def answer_from(self, Index index not None):
        if index is self.answering:
            return True
        if not self.settled():
            return False
        self.leaving = self.answering
        self.turn = 1 - self.turn
        self.views[self.turn].data = &index.data
        self.views[self.turn].reader = index.add_reader()
        self.answering = index
        callscreen_set_view(&self.loop.view, &self.views[self.turn])
        callscreen_fence()  # first this is seen, and then turns are counted
        self.left = callscreen_get_word(&self.loop.turns)
        return True

    def admit(self, PeerTable table not None):
        cdef uint64_t turns
        if table is self.admitted:
            return
        callscreen_set_peers(&self.loop.peers, &table.peers)
        callscreen_fence()  # first this is seen, and then turns are counted
        turns = callscreen_get_word(&self.loop.turns)
        left = [(each, turn) for each, turn in self.left_tables if turns < turn + 2]
        self.left_tables = [*left, (self.admitted, turns)]
        self.admitted = table

    def resolve(self, NameTable names not None):
        cdef uint64_t turns
        callscreen_set_names(&self.loop.names, &names.hops)
        callscreen_fence()  # as in admit
        turns = callscreen_get_word(&self.loop.turns)
        left = [(each, turn) for each, turn in self.left_names if turns < turn + 2]
        self.left_names = [*left, (self.names, turns)]
        self.names = names

    @property
    def forwarding(self):
        return self.onward

    @property
    def stranger(self):
        cdef Address last = self.loop.stranger
        if not last.family:
            return ""
        if last.family == 4:
            return str(IPv4Address(last.low))
        return str(IPv6Address(<object>last.high << 64 | last.low))

    def settled(self):
        if self.leaving is None:
            return True
        if self.running and callscreen_get_word(&self.loop.turns) < self.left + 2:
            return False
        self.leaving.remove_reader(self.views[1 - self.turn].reader)
        self.leaving = None
        return True

    def counts(self):
        return counted(&self.loop.counts)

    def spans(self):
        cdef int i
        counts = [self.loop.spans.counts[i] for i in range(SPANS)]
        return counts, self.loop.spans.nanoseconds / 1e9

    def tap(self, int mode, watched=()):
        cdef uint64_t numbers[WATCHED]
        memset(numbers, 0, sizeof(numbers))
        if self.tapped is None or len(watched) > WATCHED:
            raise ValueError(f"at most {WATCHED} numbers are watched, by a worker with a tap")
        for place, number in enumerate(watched):
            numbers[<int>place] = number
        set_tap(&self.loop.tap, mode, numbers)

    @property
    def taps(self):
        return self.tapped

    @property
    def taps_lost(self):
        return self.loop.tap.lost

    @property
    def records(self):
        return self.buffer

    @property
    def segmenting(self):
        return bool(self.loop.outbox.segmenting)

    @property
    def messages(self):
        return self.loop.outbox.messages
