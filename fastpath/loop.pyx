"""What a worker of the edge does all the time. What it promises stands in loop.pxd."""

from libc.stdint cimport int32_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp

from callscreen.fastpath.answer_write cimport into
from callscreen.fastpath.callers cimport name_peer
from callscreen.fastpath.counts cimport (
    DROP_IGNORED, DROP_UNSENDABLE, DROP_UNTRUSTED, count,
)
from callscreen.fastpath.handing cimport hand_over, in_hands, wake_hands
from callscreen.fastpath.loop_words cimport (
    callscreen_get_int, callscreen_get_names, callscreen_get_peers, callscreen_get_view,
    callscreen_set_word,
)
from callscreen.fastpath.peers cimport (
    ADMITTED, IGNORED, LIMITED, UNTRUSTED, PeerRows, Toll, find_peer, take_call,
)
from callscreen.fastpath.readers cimport reading, rested, same, stable
from callscreen.fastpath.respond cimport (
    ANSWER, ANSWER_ROOM, AT_ONCE, AWAITS, DROPPED, LOOKED, OVER_RATE, RECORD_ROOM, SEND_ON,
    VIA_TRUSTED, Work, done, fetch, fetch_lists, look, settle,
)
from callscreen.fastpath.ring cimport ring_place, ring_publish, ring_wrote
from callscreen.fastpath.sending cimport flush, post
from callscreen.fastpath.sip_text cimport AF_INET6
from callscreen.fastpath.tables cimport Data
from callscreen.fastpath.tapping cimport tap_work
from callscreen.fastpath.udp cimport (
    Place, next_datagram, place_address, place_for, receive,
)

__all__ = ["SPAN_BOUNDS"]

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
    """
    int CLOCK_REALTIME, CLOCK_MONOTONIC
    uint64_t callscreen_now(int clock) noexcept nogil


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
