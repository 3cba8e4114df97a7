"""Where a treatment sends a call, and the header lines that say so.

routes_reference.py is the plain twin.

1. What is configured is parsed when it is put; a call allocates nothing.
2. Nothing that came in a datagram stands in an answer unescaped.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t

from callscreen.fastpath.answer_write cimport Out
from callscreen.fastpath.arena cimport Arena
from callscreen.fastpath.sip_scan cimport Request
from callscreen.fastpath.sip_text cimport Octets
from callscreen.fastpath.sip_uri cimport Uri

cdef enum:
    USER_OCTETS = 250  # of a user part that a call is sent on to
    DIVERTING_OCTETS = 1280  # of a URI of a user and a host, escaped

cdef enum PlaceKind:  # as in routes_types.py
    NOWHERE
    PLACE_URI
    PLACE_TEL
    PLACE_USER
    PLACE_NUMBER
    PLACE_HOST
    PLACE_ADDRESS

cdef struct Route:  # of a row of settings; texts in the arena, 0 for none
    uint32_t egress  # host[:port]
    uint32_t prefix
    uint32_t voicemail
    uint32_t menu
    uint32_t redress  # field of the Reason text of a network's block
    uint32_t signer  # name of the certificate that signs diversions
    uint8_t voicemail_kind
    uint8_t menu_kind
    uint8_t use_contact

cdef struct Text8:  # octets somewhere
    const unsigned char *at
    uint32_t size

cdef struct Asked:  # what of the INVITE an answer needs
    Octets data
    const Request *request
    Text8 called  # as screened, E.164; empty where no source had a number
    Text8 user  # of the Request-URI, without escapes
    Uri uri  # the Request-URI
    unsigned char user_text[USER_OCTETS]

cdef enum Verb:
    TURN_AWAY  # 603
    NETWORK_BLOCK  # 603 with the Reason of ATIS-1000099
    NOT_THERE  # 404
    CARRY_ON  # 302 to the called number
    SEND_TO  # 302 to a place

cdef struct Target:
    Verb verb
    uint16_t status
    uint8_t kind  # of the place
    bint diverts
    bint mail  # with target and cause of RFC 4458
    Text8 place
    Text8 prefix
    Text8 host  # of CARRY_ON and PLACE_NUMBER
    uint32_t port  # of that host, 0: none, or in the text


cdef int fill_route(Arena *arena, Route *out, object settings) except -1
cdef void drop_route(Arena *arena, Route *route) noexcept nogil
# Fills in what was asked; `called` is set by the caller.
cdef void read_asked(Asked *out, Octets data, const Request *request) noexcept nogil
# Where a call goes that was decided so; mail is the subscriber's own voice mail.
cdef void find_target(
    const Arena *arena, const Route *route, uint8_t treatment, bint network, uint32_t mail,
    uint8_t mail_kind, const Asked *asked, Target *out
) noexcept nogil
# The URI of a call that is carried on.
cdef void put_carried(Out *out, const Asked *asked, const Target *target) noexcept nogil
# Text of the arena, empty for none.
cdef Text8 text_at(const Arena *arena, uint32_t offset) noexcept nogil
# The URI of a place that a call is sent to.
cdef void put_place(Out *out, const Asked *asked, const Target *target) noexcept nogil
# The header lines of the target, after CSeq.
cdef void put_target(Out *out, const Asked *asked, const Target *target) noexcept nogil
