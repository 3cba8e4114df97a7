"""A datagram on its way to its answer (RFC 3261 8.2, 8.2.7, 8.3, 18.2). respond.pxd says how.

1. One datagram gives at most one answer, or is dropped and named by kind; nothing raises.
2. A request sent again gets the same To tag, a keyed hash of what names the transaction, and the
   same answer, unless the data changed meanwhile.
3. An INVITE makes one record however often it is sent, within the bounds of `recent`.
4. An ACK is never answered, nor is a response, nor is a provisional response ever sent. Who sends
   nothing on reads an ACK's first line alone.
5. Over UDP an answer has at most ANSWER_MORE octets more than what it answers: nobody who writes
   another's address into a packet gets more sent there than that. A longer one is dropped.
6. No clock, socket or randomness is inside: they are arguments.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memcmp, memcpy, memset

from callscreen.fastpath.answer_peer cimport read_peer
from callscreen.fastpath.answer_write cimport into, tag_of
from callscreen.fastpath.arena cimport get_text
from callscreen.fastpath.callers cimport address_of, read_call
from callscreen.fastpath.counts cimport Counts, count, counted
from callscreen.fastpath.decide cimport prefetch, prefetch_lists, prefetch_rows
from callscreen.fastpath.extract_number cimport Found
from callscreen.fastpath.forwarding cimport Forwarding, NameTable
from callscreen.fastpath.hops cimport hop_words
from callscreen.fastpath.index cimport Index, number_text
from callscreen.fastpath.onward cimport count_onward, relay, send_after
from callscreen.fastpath.peers cimport PeerTable
from callscreen.fastpath.recent cimport RecentTable, fetch_recent, is_recent, note_recent
from callscreen.fastpath.refusing cimport (
    M_ACK, M_CANCEL, M_INVITE, M_OPTIONS, begin_answer, end_answer, inspect, method_of, no_dialog,
    not_ready, options, refuse,
)
from callscreen.fastpath.settling cimport settle_call
from callscreen.fastpath.sip_scan cimport RESPONSE, scan
from callscreen.fastpath.sip_text cimport Octets
from callscreen.fastpath.tables cimport Data

from .answer_types import plain_address, tag_key
from .counts_types import DROP_KINDS
from .respond_types import DIVERT, EDGE_OCTETS, SEED_OCTETS, SIGN, VERIFY, Responded, check_told

__all__ = ["Responded", "Responder"]

cdef enum:
    ACK_LEAST = 13  # octets of its first line, without its end

cdef inline bint is_ack(Octets data, uint32_t size) noexcept nogil:
    """Whether a first line says that this is an ACK, the only request that nothing follows from."""
    cdef const unsigned char *end
    cdef uint32_t i
    if size < ACK_LEAST or memcmp(data, b"ACK ", 4) != 0:
        return False
    end = <const unsigned char *>memchr(data, c'\n', size)
    if end == NULL:
        return False
    i = <uint32_t>(end - data)
    i -= data[i - 1] == c'\r'
    return i >= ACK_LEAST and memcmp(data + i - 8, b" SIP/2.0", 8) == 0


cdef void look(Desk *desk, const Data *data, Work *work, uint64_t now_ns) noexcept nogil:
    cdef uint32_t fault
    work.answer.size = work.record.size = 0
    work.doing = LOOKED
    work.decided = work.repeated = work.record_made = False
    work.status = work.dropped = work.granted = 0
    work.refusal = work.relays = 0
    if desk.forwarder == NULL and is_ack(work.data, work.size):
        work.doing, work.method = SWALLOWED, M_ACK
        return
    fault = scan(work.data, work.size, &work.request)
    if fault == RESPONSE and desk.forwarder != NULL:
        relay(desk, work)
        return
    if fault:
        refuse(desk, work, fault)
        return
    work.method = method_of(work.data, work.request.method)
    if work.method == M_ACK and desk.forwarder == NULL:
        work.doing = SWALLOWED
        return
    work.key = tag_of(work.data, &work.request, desk.tag_low, desk.tag_high)
    if desk.forwarder != NULL:
        work.traits |= PROXYING
        if work.method == M_ACK:
            if not send_after(desk, work, now_ns):
                work.doing = SWALLOWED
            return
    fetch_recent(desk.recent, work.key)
    if work.traits & OVER_RATE:
        if desk.forwarder == NULL or not send_after(desk, work, now_ns):
            not_ready(work)
    elif inspect(work):
        return
    elif work.method == M_CANCEL:
        return
    elif data == NULL:
        not_ready(work)
    elif work.method == M_OPTIONS:
        options(work)
    else:
        read_call(desk, data, work)
        prefetch(data, &work.call)


cdef void fetch(const Desk *desk, const Data *data, Work *work) noexcept nogil:
    if work.method == M_INVITE and data != NULL:
        prefetch_rows(data, &work.call)


cdef void fetch_lists(const Desk *desk, const Data *data, Work *work) noexcept nogil:
    if work.method == M_INVITE and data != NULL:
        prefetch_lists(data, &work.call)


cdef void settle(Desk *desk, const Data *data, Work *work, uint64_t now_ns) noexcept nogil:
    work.answer.size = work.record.size = work.granted = 0
    work.record_made = False
    if desk.forwarder != NULL and send_after(desk, work, now_ns):
        return
    if work.method == M_CANCEL:
        # RFC 3261 9.2: 200 where the INVITE is remembered, whose final answer stands, as it was
        # sent at once; 481 where it is not. Silence (8.2.7) would only bring the CANCEL again.
        if is_recent(desk.recent, work.key, <uint32_t>(now_ns // 1000000000)):
            begin_answer(work, 200, b"OK", 2)
            end_answer(work)
        else:
            no_dialog(work)
        return
    settle_call(desk, data, work, now_ns)


cdef void done(Desk *desk, Work *work, uint64_t now_ns) noexcept nogil:
    cdef Counts *counts = desk.counts
    if desk.forwarder != NULL:
        count_onward(desk, work)
    if work.doing == SWALLOWED:
        count(&counts.acknowledged)
    elif work.doing == DROPPED:
        count(&counts.dropped[work.dropped])
    elif work.doing == AWAITS:
        return
    elif work.doing == SEND_ON:
        count(&counts.forwarded)
    else:
        count(&counts.answered[work.status])
        if work.traits & OVER_RATE and work.status == 503:
            count(&counts.limited)
    if not work.decided:
        return
    if work.repeated:
        count(&counts.retransmitted)
        return
    note_recent(desk.recent, work.key, <uint32_t>(now_ns // 1000000000))
    count(&counts.calls[work.counted[0]][work.counted[1]][work.counted[2]])
    count(&counts.records_made if work.record_made else &counts.records_lost)


# For Python

cdef int fill_desk(Desk *desk, bytes secret, bytes seed, str edge, int product) except -1:
    """Sets what a desk is but for where its counters and memory are."""
    cdef uint64_t words[2]
    cdef bytes name = edge.encode()[:EDGE_OCTETS].decode("utf-8", "ignore").encode()
    cdef bytes key = tag_key(secret)
    if len(seed) != SEED_OCTETS:
        raise ValueError(f"a seed has {SEED_OCTETS} octets")
    if not 0 <= product <= 2:
        raise ValueError(f"a product is 0 (both), 1 (PCS) or 2 (CIN), not {product}")
    memset(desk, 0, sizeof(Desk))
    memcpy(words, PyBytes_AS_STRING(key), sizeof(words))
    desk.tag_low, desk.tag_high = words[0], words[1]
    memcpy(words, PyBytes_AS_STRING(seed), sizeof(words))
    desk.ids.low, desk.ids.high = words[0], words[1]
    desk.product = <uint8_t>product
    memcpy(desk.edge, PyBytes_AS_STRING(name), PyBytes_GET_SIZE(name))
    desk.edge_size = <uint32_t>PyBytes_GET_SIZE(name)
    return 0


cdef object new = tuple.__new__  # of a named tuple, without its slower constructor


cdef Text8 octets_of(bytes octets) noexcept:
    cdef Text8 out
    out.at = <const unsigned char *>PyBytes_AS_STRING(octets)
    out.size = <uint32_t>PyBytes_GET_SIZE(octets)
    return out


cdef str word_of(uint8_t awaits):
    """What a call awaits, as Responded names it."""
    return VERIFY if awaits == VERDICT else DIVERT if awaits == DIVERSION else SIGN


cdef str called_text(const Work *work):
    """The called number as screened; as it was read where it is no number."""
    cdef const Found *found = &work.called[work.counted[0]]
    cdef bytes text
    if not found.size:
        return ""
    text = found.text[:found.size]
    return number_text(work.call.called[work.counted[0]]) or text.decode("utf-8", "replace")


cdef class Responder:
    def __cinit__(
        self, index, bytes secret not None, *, bytes seed not None, RecentTable recent not None,
        str edge="", int product=0, Forwarding forwarding=None,
    ):
        fill_desk(&self.desk, secret, seed, edge, product)
        self.recent = recent
        self.desk.recent = &recent.recent
        self.desk.counts = &self.counters
        self.index = index
        self.forwarding = forwarding
        self.work.record = into(self.record, RECORD_ROOM)

    def __dealloc__(self):
        free(self.answer)

    def receive(
        self, bytes data not None, tuple source not None, str transport="udp", uint64_t now_ns=0,
        *, bint via_trusted=False, bint over_rate=False, told=None,
    ):
        cdef uint8_t traits = OVER_RATE if over_rate else 0
        self.take(data, source, transport, now_ns, traits | VIA_TRUSTED * via_trusted, told)
        return self.responded(source)

    cdef int take(
        self, bytes data, tuple source, str transport, uint64_t now_ns, uint8_t traits, object told
    ) except -1:
        cdef Work *work = &self.work
        cdef str host = plain_address(source[0])
        cdef bytes text = host.encode()
        cdef tuple held = self.learn(told)  # its octets stay until it is answered
        # A Via element of one octet and its comma come back as a line of eight octets.
        cdef size_t room = 4 * PyBytes_GET_SIZE(data) + ANSWER_ROOM
        # A stream's call is redirected: only a datagram is sent on.
        cdef Forwarding onward = self.forwarding if transport == "udp" else None
        cdef NameTable names = self.names
        cdef PeerTable peers = self.peers
        if onward is not None:
            onward.forwarder.names = NULL if names is None else &names.hops
            onward.forwarder.peers = NULL if peers is None else &peers.peers
        self.desk.forwarder = NULL if onward is None else &onward.forwarder
        if held is not None:
            room += self.learned.lines.size + self.learned.always.size
            room += self.learned.diversion.size
        free(self.answer)
        self.answer = <char *>malloc(room)
        if self.answer == NULL:
            raise MemoryError
        work.data, work.size = <Octets>PyBytes_AS_STRING(data), <uint32_t>PyBytes_GET_SIZE(data)
        work.traits = traits if transport == "udp" else traits | STREAM
        read_peer(&work.peer, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
        work.peer.port = source[1]
        work.source = address_of(work.peer.family, work.peer.octets)
        work.answer = into(self.answer, room)
        work.told = NULL if held is None else &self.learned
        count(&self.counters.received)
        try:
            self.run(now_ns)
        finally:
            work.told = NULL
            if onward is not None:  # its tables are held no longer
                onward.forwarder.names, onward.forwarder.peers = NULL, NULL
        return 0

    cdef tuple learn(self, object told):
        """Takes in what was found of a call: the octets that have to outlive it; None for none."""
        cdef Learned *out = &self.learned
        cdef bytes reason, lines, always, record, diversion
        if told is None:
            return None
        check_told(told)
        reason, lines, always, record = told.reason.encode(), told.lines, told.always, told.record
        diversion = told.diversion or b""
        out.diversion, out.diverted = octets_of(diversion), told.diversion is not None
        out.verdict, out.status = told.verdict, told.status
        out.reason, out.lines = octets_of(reason), octets_of(lines)
        out.always, out.record = octets_of(always), octets_of(record)
        return reason, lines, always, record, diversion

    cdef int run(self, uint64_t now_ns) except -1:
        cdef Index index = self.index
        if index is None:
            self.steps(NULL, now_ns)
            return 0
        with index.lock:
            self.steps(&index.data, now_ns)
            if self.work.doing == AWAITS:
                self.provider = index.provider_names[self.work.provider]
                self.signer = ""
                if self.work.awaits == DIVERSION:
                    self.signer = get_text(&index.data.arena, self.work.signer)
        return 0

    cdef void steps(self, const Data *data, uint64_t now_ns) noexcept nogil:
        look(&self.desk, data, &self.work, now_ns)
        if self.work.doing == LOOKED:
            fetch(&self.desk, data, &self.work)
            settle(&self.desk, data, &self.work, now_ns)
        done(&self.desk, &self.work, now_ns)

    cdef object responded(self, tuple source):
        cdef Work *work = &self.work
        cdef bytes answer = None, record = None
        cdef bint awaits = work.doing == AWAITS
        cdef bint diverts = awaits and work.awaits == DIVERSION
        cdef bint answered = work.doing == ANSWER, onward = work.doing == SEND_ON
        if answered or onward or diverts:
            answer = PyBytes_FromStringAndSize(work.answer.at, work.answer.size)
        if work.record_made:
            record = PyBytes_FromStringAndSize(work.record.at, work.record.size)
        return new(Responded, (
            answer if answered else None,
            (source[0], work.port) if answered else None,
            record,
            DROP_KINDS[work.dropped] if work.doing == DROPPED else None,
            work.status if answered else 0,
            word_of(work.awaits) if awaits else "",
            self.provider if awaits else "",
            number_text(work.call.calling[work.counted[0]]) if awaits else "",
            called_text(work) if awaits else "",
            answer if onward else None,
            hop_words(&work.hop) if onward else None,
            answer if diverts else b"",
            self.signer if diverts else "",
        ))

    def counts(self):
        return counted(&self.counters)
