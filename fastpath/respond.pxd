"""A datagram on its way to its answer: look, fetch, settle, without interpreter or allocation.

    for each datagram   work.data, size, peer, source, flags set; answer and record given room
                        look(desk, data, work, now)
    for each LOOKED     fetch(desk, data, work)
    for each            settle(desk, data, work, now), where it is LOOKED; done(desk, work, now);
                        then what `doing` says

1. `data` is NULL before there is any: calls and OPTIONS are then answered 503. From `look` to the
   end of `settle` a reader holds it. Where it changed meanwhile, look and settle are called again
   for that Work: until `done` nothing is counted or remembered.
2. A Work is used again as it is: look sets all that it reads, but for what its caller sets.
3. What it means stands in respond_reference.py.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from callscreen.fastpath.answer_peer cimport Peer
from callscreen.fastpath.answer_write cimport Out
from callscreen.fastpath.counts cimport Counts
from callscreen.fastpath.decide cimport Call
from callscreen.fastpath.extract_number cimport Found
from callscreen.fastpath.forwarder cimport Forwarder, Hop
from callscreen.fastpath.prefixes cimport Address
from callscreen.fastpath.recent cimport Recent, RecentTable
from callscreen.fastpath.record_text cimport Ids
from callscreen.fastpath.routes cimport Text8
from callscreen.fastpath.sip_scan cimport Request
from callscreen.fastpath.sip_text cimport Octets
from callscreen.fastpath.tables cimport Data

cdef enum:
    HOST_TEXT = 48  # octets of an address in text
    EDGE_TEXT = 256  # octets of an edge's name
    ANSWER_MORE = 1024  # octets that an answer may be longer than what it answers, over UDP
    ANSWER_ROOM = 4096  # octets: usual room for an answer
    RECORD_ROOM = 8192  # octets: room for any record

cdef enum Doing:
    LOOKED  # settle has to tell
    ANSWER  # `answer` goes to the source address, port `port`
    DROPPED  # nothing is sent; counted
    SWALLOWED  # an ACK
    SEND_ON  # `answer` goes to `hop`: a request or a response on its way
    AWAITS  # nothing yet: a call that is settled once what `awaits` says was found

cdef enum Trait:  # of a Work, set by its caller
    STREAM = 1  # TCP or TLS: no limit on the answer's size
    VIA_TRUSTED = 2  # from a proxy of ours: the call's source is the next Via's
    OVER_RATE = 4  # no call is decided: 503
    AT_ONCE = 8  # nothing is awaited: it is settled with what is known
    PROXYING = 16  # set by look: a Require is not for us (RFC 3261 16.3)

cdef enum Awaited:
    NOTHING
    VERDICT  # on the caller's identity
    SIGNATURE  # of a call that goes on
    DIVERSION  # its signature, of a call whose caller was verified and that is sent elsewhere

cdef struct Learned:  # what was found of a call that awaited it; as respond_types.Told
    uint8_t verdict
    uint16_t status
    Text8 reason
    Text8 lines
    Text8 always
    Text8 record
    Text8 diversion
    bint diverted  # whether `diversion` was asked for: it may be empty

cdef struct Desk:  # one a worker
    uint64_t tag_low, tag_high  # key of the To tags, the same at every worker
    uint8_t product  # of the listener: 0 both, 1 PCS, 2 CIN
    uint32_t edge_size
    Recent *recent  # shared by all
    Counts *counts
    Forwarder *forwarder  # NULL: calls are redirected
    Ids ids
    char edge[EDGE_TEXT]  # name in the records, UTF-8

cdef struct Work:
    # What its caller sets before look. peer.host may point to `host`: see callers.pxd.
    Octets data
    uint32_t size
    uint8_t traits
    Peer peer
    Address source  # of the packet, to screen by
    char host[HOST_TEXT]
    Out answer  # into(buffer, ANSWER_ROOM or more)
    Out record  # into(buffer, RECORD_ROOM)
    const Learned *told  # NULL: nothing was found yet
    # What becomes of it.
    uint8_t doing
    uint8_t record_made  # `record` holds one; where record.size > record.room it found no room
    uint16_t status
    uint16_t dropped  # Drop, of DROPPED
    uint32_t port  # of the answer's destination over UDP
    Hop hop  # of SEND_ON
    uint8_t refusal  # Refusal: why it is not sent on
    uint8_t relays  # a response on its way
    # Between look and settle.
    uint8_t method
    uint8_t awaits  # Awaited, of AWAITS
    uint8_t apart  # the products read their numbers in different places
    uint8_t decided  # an INVITE that a treatment was found for
    uint8_t repeated  # one that came before
    uint8_t counted[3]  # product, treatment and reason of the decision
    uint32_t provider  # row, of AWAITS: whose rules hold
    uint32_t signer  # text, of DIVERSION: the certificate; where to stands in `answer`
    uint32_t granted  # octets that the answer has by what was found: no limit counts them
    Text8 caller  # address of the call's source in text
    uint64_t key  # of the transaction; the To tag in hexadecimal
    Call call
    Found called[3]  # by product
    Request request


cdef void look(Desk *desk, const Data *data, Work *work, uint64_t now_ns) noexcept nogil
cdef void fetch(const Desk *desk, const Data *data, Work *work) noexcept nogil
cdef void fetch_lists(const Desk *desk, const Data *data, Work *work) noexcept nogil
cdef void settle(Desk *desk, const Data *data, Work *work, uint64_t now_ns) noexcept nogil
# Counts what became of it, and remembers a call that was answered.
cdef void done(Desk *desk, Work *work, uint64_t now_ns) noexcept nogil

# Sets what a desk is but for where its counters and memory are. ValueError: bad secret or seed.
cdef int fill_desk(Desk *desk, bytes secret, bytes seed, str edge, int product) except -1


cdef class Responder:  # one datagram after another, for streams and tests
    cdef Desk desk
    cdef Work work
    cdef Counts counters
    cdef RecentTable recent
    cdef public object index
    cdef char record[RECORD_ROOM]
    cdef Learned learned
    cdef public object names  # where egress routes lead; None: nothing is known
    cdef public object peers  # who may be sent calls; None: everybody
    cdef public object forwarding  # None: calls are redirected
    cdef str provider  # of a call that awaits
    cdef str signer  # and its certificate, of a diversion
    cdef char *answer  # the last one: it stays until the next

    cdef int take(
        self, bytes data, tuple source, str transport, uint64_t now_ns, uint8_t traits, object told
    ) except -1
    cdef tuple learn(self, object told)
    cdef int run(self, uint64_t now_ns) except -1
    cdef void steps(self, const Data *data, uint64_t now_ns) noexcept nogil
    cdef object responded(self, tuple source)
