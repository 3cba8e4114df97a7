"""A datagram on its way on. What each function promises stands in onward.pxd."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from callscreen.fastpath.answer_write cimport Out, into, put
from callscreen.fastpath.branches cimport is_looping
from callscreen.fastpath.counts cimport count
from callscreen.fastpath.forwarder cimport (
    CROWDED, EXTENSION, LOOPS, ONWARD_OCTETS, SENT_ON, TOO_LONG, Hop, Message, Onward, Refusal,
)
from callscreen.fastpath.hops cimport find_hop
from callscreen.fastpath.refusing cimport M_INVITE, begin_answer, end_answer
from callscreen.fastpath.relaying cimport put_relayed
from callscreen.fastpath.respond cimport (
    AT_ONCE, DROPPED, OVER_RATE, SEND_ON, VIA_TRUSTED, Desk, Work,
)
from callscreen.fastpath.rewriting cimport put_forwarded
from callscreen.fastpath.routes cimport Asked, Target, Text8, put_carried
from callscreen.fastpath.sent_on cimport recall, remember
from callscreen.fastpath.sip_scan cimport H_PROXY_REQUIRE, RESPONSE

__all__: list[str] = []

cdef enum:
    SECOND = 1000000000  # nanoseconds


cdef bint put_message(Desk *desk, Work *work, Text8 uri, const Hop *hop) noexcept nogil:
    """Whether the request as it goes on found room; it has `work.told`'s lines then."""
    cdef Message message
    message.data, message.size = work.data, work.size
    message.request, message.peer, message.key = &work.request, &work.peer, work.key
    message.uri, message.trusted = uri, work.traits & VIA_TRUSTED
    message.more.at, message.more.size = <const unsigned char *>b"", 0
    if work.told != NULL:
        message.more = work.told.lines
    work.answer.size = 0
    put_forwarded(&work.answer, desk.forwarder, &message)
    if work.answer.size > work.answer.room:
        work.answer.size = 0
        return False
    work.hop, work.doing, work.status = hop[0], SEND_ON, 0
    return True


cdef Refusal try_call(
    Desk *desk, Work *work, const Asked *asked, const Target *target, Text8 egress, uint64_t now_ns
) noexcept nogil:
    cdef char room[ONWARD_OCTETS]
    cdef Out uri = into(room, ONWARD_OCTETS)
    cdef Text8 text
    cdef Hop hop
    cdef Refusal refusal = find_hop(desk.forwarder, egress, &hop)
    if refusal:
        return refusal
    if work.request.first[<uint32_t>H_PROXY_REQUIRE] >= 0:
        return EXTENSION
    put_carried(&uri, asked, target)
    if uri.size > uri.room:
        return TOO_LONG
    text.at, text.size = <const unsigned char *>room, <uint32_t>uri.size
    if not put_message(desk, work, text, &hop):
        return TOO_LONG
    if remember(
        desk.forwarder.onwards, work.key, &hop, text, <uint32_t>(now_ns // SECOND),
        work.told != NULL and work.told.lines.size != 0
    ):
        return SENT_ON
    work.answer.size = 0
    return CROWDED


cdef void end_here(Work *work, uint32_t status, const char *reason, size_t size) noexcept nogil:
    """Refuses a call, with what was amiss with its identity (RFC 9410)."""
    begin_answer(work, status, reason, size)
    if work.told != NULL:
        put(&work.answer, work.told.always.at, work.told.always.size)
        work.granted += work.told.always.size
    end_answer(work)


cdef bint send_call(
    Desk *desk, Work *work, const Asked *asked, const Target *target, Text8 egress, uint64_t now_ns
) noexcept nogil:
    if work.request.max_forwards == 0:
        end_here(work, 483, b"Too Many Hops", 13)
        return True
    if is_looping(desk.forwarder, work.data, &work.request):
        work.refusal = LOOPS
        end_here(work, 482, b"Loop Detected", 13)
        return True
    work.refusal = <uint8_t>try_call(desk, work, asked, target, egress, now_ns)
    return work.refusal == SENT_ON


cdef inline bint waits(const Work *work) noexcept nogil:
    """An INVITE that is told again what it was told, so that it goes on with the same lines."""
    return (
        work.method == M_INVITE and work.told == NULL and not work.traits & (AT_ONCE | OVER_RATE)
    )


cdef bint send_after(Desk *desk, Work *work, uint64_t now_ns) noexcept nogil:
    cdef Onward onward
    cdef Text8 uri
    if work.request.max_forwards == 0:
        return False
    if not recall(desk.forwarder.onwards, work.key, <uint32_t>(now_ns // SECOND), &onward):
        return False
    if onward.told and waits(work):
        return False
    uri.at, uri.size = onward.uri, onward.size
    return put_message(desk, work, uri, &onward.hop)


cdef void relay(Desk *desk, Work *work) noexcept nogil:
    work.refusal = <uint8_t>put_relayed(
        &work.answer, desk.forwarder, work.data, work.size, &work.hop)
    if work.refusal or work.answer.size > work.answer.room:
        work.doing, work.dropped = DROPPED, RESPONSE
    else:
        work.doing, work.relays = SEND_ON, True


cdef void count_onward(Desk *desk, const Work *work) noexcept nogil:
    if work.refusal:
        count(&desk.forwarder.refused[work.refusal])
    if work.relays:
        count(&desk.forwarder.relayed)
    elif work.doing == SEND_ON:
        count(&desk.forwarder.sent)
