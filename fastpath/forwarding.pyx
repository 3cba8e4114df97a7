"""Sending on, for Python and for whoever makes a worker. forwarder.pxd says what it is."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from callscreen.fastpath.answer_peer cimport Peer, read_peer
from callscreen.fastpath.answer_write cimport Out, into, tag_of
from callscreen.fastpath.area cimport big_area, free_area
from callscreen.fastpath.branches cimport is_looping
from callscreen.fastpath.forwarder cimport (
    HOP_OCTETS, LOOPS, NAMES_MOST, ONWARDS, REFUSALS, TOO_LONG, Hop, Message, NamedHop, Onward,
    Refusal,
)
from callscreen.fastpath.hops cimport find_hop, hop_words, read_hop
from callscreen.fastpath.peers cimport PeerTable
from callscreen.fastpath.relaying cimport put_relayed
from callscreen.fastpath.rewriting cimport put_forwarded
from callscreen.fastpath.routes cimport Text8
from callscreen.fastpath.sent_on cimport recall, remember
from callscreen.fastpath.sip_scan cimport Request, scan
from callscreen.fastpath.sip_text cimport Octets

from .answer_types import plain_address, tag_key
from .forwarding_types import REFUSALS as REFUSAL_WORDS
from .forwarding_types import branch_key, parse_sent_by

__all__ = ["Forwarding", "NameTable", "OnwardTable"]

if len(REFUSAL_WORDS) != REFUSALS:
    raise ValueError("the refusals stand for other words than were compiled")

cdef enum:
    LIMIT_MOST = 1 << 24  # calls remembered


cdef class OnwardTable:
    def __cinit__(self, uint64_t limit):
        cdef uint64_t buckets = 1
        if not 1 <= limit <= LIMIT_MOST:
            raise ValueError(f"a table of 1 to {LIMIT_MOST} calls, not {limit}")
        while buckets * ONWARDS < limit:
            buckets *= 2
        self.onwards.entries = <Onward *>big_area(buckets * ONWARDS * sizeof(Onward))
        memset(self.onwards.entries, 0, buckets * ONWARDS * sizeof(Onward))
        self.onwards.last = buckets - 1

    def __dealloc__(self):
        if self.onwards.entries != NULL:
            free_area(
                self.onwards.entries, (self.onwards.last + 1) * ONWARDS * sizeof(Onward))

    def __len__(self):
        return (self.onwards.last + 1) * ONWARDS

    def note(self, uint64_t key, str egress not None, bytes uri not None, uint32_t second):
        cdef Hop hop
        cdef bytes text = egress.encode()
        cdef Text8 octets
        if not read_hop(<Octets>PyBytes_AS_STRING(text), <uint32_t>len(text), &hop):
            raise ValueError(f"no address: {egress!r}")
        octets.at = <const unsigned char *>PyBytes_AS_STRING(uri)
        octets.size = <uint32_t>PyBytes_GET_SIZE(uri)
        return remember(&self.onwards, key, &hop, octets, second, False)

    def find(self, uint64_t key, uint32_t second):
        cdef Onward onward
        if not recall(&self.onwards, key, second, &onward):
            return None
        return (*hop_words(&onward.hop), PyBytes_FromStringAndSize(
            <char *>onward.uri, onward.size))


cdef class NameTable:
    def __cinit__(self, dict names not None):
        cdef NamedHop *row
        cdef bytes text
        if len(names) > NAMES_MOST:
            raise ValueError(f"at most {NAMES_MOST} names")
        for name, egress in names.items():
            row = &self.hops.hops[self.hops.count]
            text = name.encode()
            if not 1 <= len(text) <= HOP_OCTETS:
                raise ValueError(f"no egress route: {name!r}")
            memcpy(row.text, PyBytes_AS_STRING(text), len(text))
            row.size = <uint32_t>len(text)
            text = egress.encode()
            if text and not read_hop(
                <Octets>PyBytes_AS_STRING(text), <uint32_t>len(text), &row.hop
            ):
                raise ValueError(f"no address: {egress!r}")
            self.hops.count += 1


cdef class Forwarding:
    def __cinit__(self, str via not None, bytes secret not None, OnwardTable onwards not None):
        cdef uint64_t words[2]
        cdef bytes key = branch_key(secret)
        sent_by = parse_sent_by(via)
        cdef bytes text = sent_by.text.encode()
        memcpy(words, PyBytes_AS_STRING(key), sizeof(words))
        self.forwarder.low, self.forwarder.high = words[0], words[1]
        self.onwards = onwards
        self.forwarder.onwards = &onwards.onwards
        memcpy(self.forwarder.sent_by, PyBytes_AS_STRING(text), len(text))
        self.forwarder.sent_by_size = <uint32_t>len(text)
        self.forwarder.host_size = <uint32_t>len(sent_by.host)
        self.forwarder.port = sent_by.port
        if not read_hop(<Octets>PyBytes_AS_STRING(text), <uint32_t>len(text), &self.forwarder.own):
            memset(&self.forwarder.own, 0, sizeof(Hop))

    def hop(self, str egress not None, NameTable names=None, PeerTable peers=None):
        cdef bytes text = egress.encode()
        cdef Text8 octets
        cdef Hop hop
        cdef Refusal refusal
        octets.at = <const unsigned char *>PyBytes_AS_STRING(text)
        octets.size = <uint32_t>PyBytes_GET_SIZE(text)
        self.forwarder.names = NULL if names is None else &names.hops
        self.forwarder.peers = NULL if peers is None else &peers.peers
        refusal = find_hop(&self.forwarder, octets, &hop)
        self.forwarder.names, self.forwarder.peers = NULL, NULL
        return REFUSAL_WORDS[<int>refusal] if refusal else hop_words(&hop)

    def forward(
        self, bytes data not None, tuple source not None, bytes uri not None,
        bytes more=b"", bytes secret=b"secret", bint trusted=False,
    ):
        cdef Request *request = <Request *>malloc(sizeof(Request))
        cdef Message message
        cdef Peer peer
        cdef bytes host = plain_address(source[0]).encode(), key = tag_key(secret)
        cdef size_t room = 3 * (PyBytes_GET_SIZE(data) + len(uri) + len(more)) + 1024
        cdef char *at = <char *>malloc(room)
        cdef Out out = into(at, room)
        cdef uint64_t words[2]
        memcpy(words, PyBytes_AS_STRING(key), sizeof(words))
        try:
            if at == NULL or request == NULL:
                raise MemoryError
            message.data, message.size = <Octets>PyBytes_AS_STRING(data), <uint32_t>len(data)
            message.request, message.peer, message.trusted = request, &peer, trusted
            read_peer(&peer, PyBytes_AS_STRING(host), PyBytes_GET_SIZE(host))
            peer.port = source[1]
            if scan(message.data, message.size, request):
                return None
            if is_looping(&self.forwarder, message.data, request):
                return REFUSAL_WORDS[<int>LOOPS]
            message.key = tag_of(message.data, request, words[0], words[1])
            message.uri.at, message.uri.size = <Octets>PyBytes_AS_STRING(uri), <uint32_t>len(uri)
            message.more.at = <Octets>PyBytes_AS_STRING(more)
            message.more.size = <uint32_t>len(more)
            put_forwarded(&out, &self.forwarder, &message)
            if out.size > out.room:
                return REFUSAL_WORDS[<int>TOO_LONG]
            return PyBytes_FromStringAndSize(at, <Py_ssize_t>out.size)
        finally:
            free(at)
            free(request)

    def relay(self, bytes data not None):
        cdef bytes room = bytes(len(data) + 1)
        cdef Out out = into(PyBytes_AS_STRING(room), len(data))
        cdef Hop hop
        cdef Refusal refusal = put_relayed(
            &out, &self.forwarder, <Octets>PyBytes_AS_STRING(data), <uint32_t>len(data), &hop)
        if refusal:
            return REFUSAL_WORDS[<int>refusal]
        return room[:out.size], hop_words(&hop)

    @property
    def sent(self):
        return self.forwarder.sent

    @property
    def relayed(self):
        return self.forwarder.relayed

    @property
    def refused(self):
        cdef int i
        return {
            REFUSAL_WORDS[i]: self.forwarder.refused[i]
            for i in range(1, REFUSALS) if self.forwarder.refused[i]
        }

    @property
    def wanted(self):
        cdef uint32_t size = min(self.forwarder.wanted_size, <uint32_t>HOP_OCTETS)
        return PyBytes_FromStringAndSize(self.forwarder.wanted, size).decode("ascii", "ignore")
