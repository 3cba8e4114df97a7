"""A request sent on as a stateless proxy does, and its responses brought back (RFC 3261 16.11).

1. The branch of our Via is a keyed hash of what names the caller's transaction, and a second one of
   that and of where the caller is. Retransmission, CANCEL and ACK of a refusal get the same.
2. A response is relayed only to the host whose request it answers: nobody bounces a packet off us
   to somewhere else, for only who knows the key can write such a branch.
3. Where a call went is remembered, so that what belongs to it goes there whatever changes.
   The oldest is forgotten first, and any after ONWARD_SECONDS.
4. Of a request only the Request-URI, Via, Max-Forwards and a Route that names us change, and what
   a caller claims of its own verification is left out (3GPP TS 24.229 5.10); of a response only
   our Via. Nothing is allocated, no name is resolved.
   forwarding_reference.py means it.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from callscreen.fastpath.answer_peer cimport Peer
from callscreen.fastpath.peers cimport PeerRows
from callscreen.fastpath.routes cimport Text8
from callscreen.fastpath.sip_scan cimport Request
from callscreen.fastpath.sip_text cimport Octets

cdef enum:
    SENT_BY_OCTETS = 128  # of the host and port in our Via
    ONWARD_OCTETS = 208  # of a Request-URI that a call is sent on with
    ONWARD_SECONDS = 300  # that a call is remembered
    ONWARDS = 4  # entries of a bucket
    HOP_OCTETS = 256  # of an egress route
    PORT_MOST = 65535
    NAMES_MOST = 256  # egress routes that had to be resolved

cdef enum Refusal:  # why something is not sent on; the words are forwarding_types.REFUSALS
    SENT_ON
    NO_ROUTE
    UNRESOLVED
    NOT_A_PEER
    OWN_ADDRESS
    TOO_LONG  # the URI, or the whole for its room
    EXTENSION  # Proxy-Require
    CROWDED  # another thread writes the same place of the memory
    LOOPS
    RESPONSE_MALFORMED
    RESPONSE_NOT_OURS
    REFUSALS

cdef struct Hop:
    int family  # AF_INET, AF_INET6; 0: none
    uint32_t port
    unsigned char octets[16]

cdef struct Onward:  # four cache lines
    uint64_t sequence  # odd while it is written
    uint64_t key
    uint32_t second
    uint16_t size
    uint8_t told  # it went on with header lines that were found out about it
    Hop hop
    unsigned char uri[ONWARD_OCTETS]

cdef struct Onwards:
    Onward *entries
    uint64_t last  # buckets, less 1; a power of two less 1

cdef struct NamedHop:
    uint32_t size
    char text[HOP_OCTETS]
    Hop hop

cdef struct NamedHops:
    uint32_t count
    NamedHop hops[NAMES_MOST]

cdef struct Forwarder:  # one a worker
    uint64_t low, high  # key of the branches
    Onwards *onwards  # shared by all
    const PeerRows *peers  # NULL: everybody is one
    const NamedHops *names
    Hop own
    uint32_t sent_by_size, host_size, port  # of `sent_by`, and its parts
    char sent_by[SENT_BY_OCTETS]  # lower case
    uint64_t sent, relayed  # requests, responses
    uint64_t refused[REFUSALS]
    uint32_t wanted_size
    char wanted[HOP_OCTETS]  # the last egress route that nothing was known of

cdef struct Message:  # a request on its way on
    Octets data
    uint32_t size
    const Request *request
    const Peer *peer
    uint64_t key  # of the transaction
    Text8 uri
    Text8 more  # whole header lines, behind our Via
    bint trusted  # from a proxy of ours, which may say how a caller was verified
