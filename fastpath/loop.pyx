"""A worker of the edge. What it promises stands in loop.pxd."""

from libc.stdint cimport int32_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memset

from callscreen.fastpath.answer_write cimport into
from callscreen.fastpath.area cimport big_area, free_area
from callscreen.fastpath.callers cimport name_peer
from callscreen.fastpath.counts cimport (
    DROP_IGNORED, DROP_UNSENDABLE, DROP_UNTRUSTED, count, counted,
)
from callscreen.fastpath.epochs cimport Reader, abandon_reader
from callscreen.fastpath.forwarder cimport NamedHops
from callscreen.fastpath.forwarding cimport Forwarding, NameTable
from callscreen.fastpath.handing cimport hand_over, in_hands, wake_hands
from callscreen.fastpath.index cimport Index
from callscreen.fastpath.peers cimport (
    ADMITTED, IGNORED, LIMITED, UNTRUSTED, PeerRows, PeerTable, Toll, find_peer, take_call,
)
from callscreen.fastpath.prefixes cimport Address
from callscreen.fastpath.readers cimport reading, rested, same, stable
from callscreen.fastpath.recent cimport RecentTable
from callscreen.fastpath.respond cimport (
    ANSWER, ANSWER_ROOM, AT_ONCE, AWAITS, DROPPED, LOOKED, OVER_RATE, RECORD_ROOM, SEND_ON,
    VIA_TRUSTED, Work, done, fetch, fetch_lists, fill_desk, look, settle,
)
from callscreen.fastpath.ring cimport RingBuffer, ring_place, ring_publish, ring_wrote
from callscreen.fastpath.sending cimport flush, post
from callscreen.fastpath.sip_text cimport AF_INET6, Octets
from callscreen.fastpath.tables cimport Data
from callscreen.fastpath.tapping cimport WATCHED, set_tap, tap_work
from callscreen.fastpath.udp cimport (
    Place, close_inbox, next_datagram, open_inbox, place_address, place_for, receive,
)

from ipaddress import IPv4Address, IPv6Address

__all__ = ["SPAN_BOUNDS", "Worker"]

# Seconds; the last of `spans` are longer ones.
SPAN_BOUNDS = (
    10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 25e-3, 100e-3,
)
cdef uint64_t bounds[SPANS - 1]
for _place, _bound in enumerate(SPAN_BOUNDS):
    bounds[<int>_place] = <uint64_t>(_bound * 1e9)

cdef extern from *:
    """
    #include <stdint.h>
    #include <time.h>
    static uint64_t callscreen_now(int clock) {
        struct timespec now;
        clock_gettime(clock, &now);
        return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    }
    static void callscreen_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
    #define callscreen_get(at) __atomic_load_n(at, __ATOMIC_ACQUIRE)
    #define callscreen_set(at, value) __atomic_store_n(at, value, __ATOMIC_RELEASE)
    """
    int CLOCK_REALTIME, CLOCK_MONOTONIC
    uint64_t callscreen_now(int clock) noexcept nogil
    void callscreen_fence() noexcept nogil
    int callscreen_get_int "callscreen_get"(int *at) noexcept nogil
    uint64_t callscreen_get_word "callscreen_get"(uint64_t *at) noexcept nogil
    const NamedHops *callscreen_get_names "callscreen_get"(const NamedHops **at) noexcept nogil
    void callscreen_set_names "callscreen_set"(
        const NamedHops **at, const NamedHops *value) noexcept nogil
    const View *callscreen_get_view "callscreen_get"(const View **at) noexcept nogil
    PeerRows *callscreen_get_peers "callscreen_get"(PeerRows **at) noexcept nogil
    void callscreen_set_peers "callscreen_set"(PeerRows **at, PeerRows *value) noexcept nogil
    void callscreen_set_int "callscreen_set"(int *at, int value) noexcept nogil
    void callscreen_set_word "callscreen_set"(uint64_t *at, uint64_t value) noexcept nogil
    void callscreen_set_view "callscreen_set"(const View **at, const View *value) noexcept nogil


cdef void run_loop(Loop *loop) noexcept nogil:
    cdef uint64_t begun, now
    cdef uint32_t count
    while not callscreen_get_int(&loop.stopping):
        callscreen_set_word(&loop.turns, loop.turns + 1)
        if not receive(&loop.inbox, loop.file, &loop.counts):
            continue
        now, begun = callscreen_now(CLOCK_REALTIME), callscreen_now(CLOCK_MONOTONIC)
        while True:
            count = gather(loop)
            if not count:
                break
            answer_all(loop, count, now, begun)
        if in_hands(&loop.hands, now):
            loop.inbox.close = False  # the next is waited for asleep


cdef uint32_t gather(Loop *loop) noexcept nogil:
    """The next datagrams, each with room for its answer."""
    cdef uint32_t count = 0
    cdef Work *work
    cdef bint long = False
    while count < WORKS and not long:
        work = &loop.works[count]
        if not next_datagram(&loop.inbox, &work.data, &work.size, &loop.places[count]):
            break
        work.traits = 0
        work.answer = into(loop.answers + <size_t>count * ANSWER_STEP, ANSWER_ROOM)
        if work.size > LONG:  # there is room for the answer of one: the batch ends with it
            work.answer = into(loop.answers + <size_t>WORKS * ANSWER_STEP, LONG_ROOM)
            long = True
        name(loop, count)
        count += 1
    loop.counts.received += count
    return count


cdef inline void name(Loop *loop, uint32_t at) noexcept nogil:
    """Tells a Work its peer; that of the datagram before is not spelled again."""
    cdef Work *work = &loop.works[at]
    cdef Work *before = &loop.works[at - 1]
    cdef const unsigned char *octets
    cdef uint32_t port
    cdef bint v6
    if at and loop.places[at] == loop.places[at - 1]:
        work.source = before.source
        work.peer = before.peer  # its text stays in the Work before
        return
    octets = place_address(loop.places[at], &v6, &port)
    name_peer(work, octets, v6, port)


cdef bint admit(Loop *loop, PeerRows *peers, Work *work, uint64_t now) noexcept nogil:
    """Whether a datagram is looked at: it is a peer's, and no call far above the peer's rate."""
    cdef int32_t row = find_peer(peers, &work.source)
    cdef Toll toll = ADMITTED
    cdef uint32_t at = 0
    if row == UNTRUSTED:
        loop.stranger = work.source
        return drop(work, DROP_UNTRUSTED)
    if peers.rows[row].proxy:
        work.traits |= VIA_TRUSTED
    while at + 1 < work.size and work.data[at] == c'\r' and work.data[at + 1] == c'\n':
        at += 2
    if work.size - at > 7 and memcmp(work.data + at, b"INVITE ", 7) == 0:
        toll = take_call(peers, row, now)
    if toll == LIMITED:
        work.traits |= OVER_RATE
    return toll != IGNORED or drop(work, DROP_IGNORED)


cdef bint drop(Work *work, uint16_t kind) noexcept nogil:
    work.doing, work.dropped = DROPPED, kind
    work.decided = work.record_made = False
    work.refusal = work.relays = 0
    return False


cdef void answer_all(Loop *loop, uint32_t count, uint64_t now, uint64_t begun) noexcept nogil:
    cdef const View *view = callscreen_get_view(&loop.view)
    cdef PeerRows *peers = callscreen_get_peers(&loop.peers)
    cdef const Data *data = NULL
    cdef uint64_t sequence = 0, calls
    cdef uint32_t i
    if loop.desk.forwarder != NULL:
        loop.desk.forwarder.peers = peers
        loop.desk.forwarder.names = callscreen_get_names(&loop.names)
    if view != NULL:
        data = view.data
        reading(data, view.reader)
        sequence = stable(data)
    for i in range(count):
        if peers == NULL or admit(loop, peers, &loop.works[i], now):
            look(&loop.desk, data, &loop.works[i], now)
    for i in range(count):
        if loop.works[i].doing == LOOKED:
            fetch(&loop.desk, data, &loop.works[i])
    for i in range(count):
        if loop.works[i].doing == LOOKED:
            fetch_lists(&loop.desk, data, &loop.works[i])
    calls = 0
    for i in range(count):
        finish(loop, data, sequence, i, now)
        calls += loop.works[i].decided
        if loop.works[i].doing == ANSWER:
            post(
                &loop.outbox, loop.places[i], loop.works[i].port, loop.works[i].answer.at,
                loop.works[i].answer.size)
        elif loop.works[i].doing == SEND_ON:
            send_on(loop, i)
    if view != NULL:
        rested(view.reader)
    ring_publish(loop.ring)  # first: who has an answer finds its record
    flush(&loop.outbox, loop.file, &loop.counts)
    wake_hands(&loop.hands)
    if calls:
        observe(&loop.spans, calls, callscreen_now(CLOCK_MONOTONIC) - begun)


cdef void send_on(Loop *loop, uint32_t at) noexcept nogil:
    cdef Work *work = &loop.works[at]
    cdef Place place
    if place_for(&place, loop.places[at], work.hop.family == AF_INET6, work.hop.octets):
        post(&loop.outbox, &place, work.hop.port, work.answer.at, work.answer.size)
    else:
        count(&loop.counts.dropped[<int>DROP_UNSENDABLE])


cdef inline void finish(
    Loop *loop, const Data *data, uint64_t sequence, uint32_t at, uint64_t now
) noexcept nogil:
    """Settles what was looked at, again from the beginning where the data changed meanwhile."""
    cdef Work *work = &loop.works[at]
    cdef char *place = NULL
    while work.doing == LOOKED:
        place = ring_place(loop.ring, RECORD_ROOM)
        work.record = into(place, 0 if place == NULL else RECORD_ROOM)
        settle(&loop.desk, data, work, now)
        if data == NULL or same(data, sequence):
            if work.doing == AWAITS and not handed_over(loop, at, now):
                work.traits |= AT_ONCE
                work.doing = LOOKED
                continue
            break
        sequence = stable(data)
        look(&loop.desk, data, work, now)
    done(&loop.desk, work, now)
    if work.record_made:
        ring_wrote(loop.ring, work.record.size)
    if callscreen_get_int(&loop.tap.mode):
        tap_work(&loop.tap, work, now)


cdef bint handed_over(Loop *loop, uint32_t at, uint64_t now) noexcept nogil:
    """Whether a call that awaits something found room; else it is settled as it stands."""
    if hand_over(&loop.hands, &loop.works[at], loop.places[at], now):
        loop.counts.handed += 1
        return True
    loop.counts.identity_overflow += 1
    return False


cdef void observe(Spans *spans, uint64_t calls, uint64_t nanoseconds) noexcept nogil:
    cdef int i = 0
    while i < SPANS - 1 and nanoseconds > bounds[i]:
        i += 1
    spans.counts[i] += calls
    spans.nanoseconds += calls * nanoseconds


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
