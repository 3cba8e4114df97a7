"""What becomes of a call: decided, answered and recorded. respond_reference.py says what."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from callscreen.fastpath.answer_write cimport put
from callscreen.fastpath.decide cimport CALLER_VALID, Decision, decide
from callscreen.fastpath.onward cimport send_call
from callscreen.fastpath.originating cimport signs
from callscreen.fastpath.plan cimport (
    BLACKLIST, CALL_GUARDIAN, CONTINUE, NOT_PROVISIONED, PROVIDER_SCOPE, SERVICE_OFF, STIR_SHAKEN,
    VOICEMAIL,
)
from callscreen.fastpath.recent cimport is_recent
from callscreen.fastpath.record_text cimport NUMBER_TEXT, write_number
from callscreen.fastpath.recording cimport Told, write_record
from callscreen.fastpath.refusing cimport begin_answer, end_answer
from callscreen.fastpath.respond cimport (
    AT_ONCE, AWAITS, DIVERSION, NOTHING, SEND_ON, SIGNATURE, VERDICT, Desk, Work,
)
from callscreen.fastpath.routes cimport (
    CARRY_ON, NETWORK_BLOCK, NOT_THERE, SEND_TO, TURN_AWAY, Asked, Route, Target, Text8,
    find_target, put_place, put_target, read_asked, text_at,
)
from callscreen.fastpath.sip_scan cimport H_IDENTITY
from callscreen.fastpath.tables cimport (
    CIN_INDEX, PCS_INDEX, Data, SubscriberRow, may_sign,
)


cdef void follow(Decision *out, const Decision *before, const Decision *after) noexcept nogil:
    """The steps of one decision, then those of another."""
    cdef uint32_t i, count = before.count
    cdef Decision whole = after[0]
    for i in range(after.count):
        whole.trace[count + i] = after.trace[i]
    for i in range(count):
        whole.trace[i] = before.trace[i]
    whole.count = <uint8_t>(count + after.count)
    whole.awaits, whole.provider = before.awaits, before.provider
    whole.criteria = before.criteria
    whole.service = before.service
    out[0] = whole


cdef void decide_apart(const Data *data, Work *work, Decision *out) noexcept nogil:
    """PCS, then CIN where PCS lets the call go on: each asked with its own numbers."""
    cdef Decision cin
    cdef Decision pcs
    work.call.product = CIN_INDEX
    work.call.not_called = work.called[CIN_INDEX].size == 0
    decide(data, &work.call, &cin)
    work.call.product = PCS_INDEX
    work.call.not_called = work.called[PCS_INDEX].size == 0
    if work.call.not_called and cin.provisioned:
        out[0] = cin
        return
    decide(data, &work.call, &pcs)
    out[0] = pcs
    if pcs.treatment != CONTINUE or pcs.final or cin.reason == NOT_PROVISIONED:
        return
    if pcs.reason == NOT_PROVISIONED:
        out[0] = cin
        return
    follow(out, &pcs, &cin)
    if cin.reason == SERVICE_OFF:
        out.treatment, out.reason, out.product = pcs.treatment, pcs.reason, pcs.product
        out.provisioned, out.subscriber = pcs.provisioned, pcs.subscriber
        out.settings = pcs.settings


cdef bint is_network_block(const Decision *decision) noexcept nogil:
    """Turned away by the network and not by its subscriber."""
    if decision.reason == STIR_SHAKEN or decision.reason == CALL_GUARDIAN:
        return True
    return (
        decision.reason == BLACKLIST and decision.count
        and decision.trace[decision.count - 1].scope == PROVIDER_SCOPE
    )


cdef inline bint has_identity(const Work *work) noexcept nogil:
    return work.request.first[<uint32_t>H_IDENTITY] >= 0


cdef inline bint is_diverted(
    const Data *data, const Work *work, const Decision *decision
) noexcept nogil:
    """Whether a provider signs that it sends this call to voice mail (RFC 8946): it came signed."""
    return (
        decision.treatment == VOICEMAIL and has_identity(work) and decision.provider
        and data.settings[decision.settings].route.signer
    )


cdef inline uint8_t awaited(
    const Desk *desk, const Data *data, const Work *work, const Decision *decision
) noexcept nogil:
    """What the call waits for. What carries a signature is not signed again."""
    if work.told != NULL or work.traits & AT_ONCE:
        return NOTHING
    if decision.awaits or is_diverted(data, work, decision):
        return VERDICT
    if decision.treatment != CONTINUE or not may_sign(data) or desk.product == CIN_INDEX:
        return NOTHING
    return SIGNATURE if not has_identity(work) and signs(data, &work.call.source) else NOTHING


cdef void put_granted(Work *work, Text8 lines) noexcept nogil:
    """Ready header lines, which no limit of the answer counts."""
    put(&work.answer, lines.at, lines.size)
    work.granted += lines.size


cdef void begin_refusal(Work *work, const Decision *decision) noexcept nogil:
    """603, or what was found amiss with the caller's identity where that is why."""
    if decision.reason == STIR_SHAKEN and not has_identity(work):
        begin_answer(work, 428, b"Use Identity Header", 19)
    elif decision.reason == STIR_SHAKEN and work.told != NULL and work.told.status:
        begin_answer(
            work, work.told.status, <const char *>work.told.reason.at, work.told.reason.size)
    else:
        begin_answer(work, 603, b"Decline", 7)


cdef void answer_call(
    Desk *desk, const Data *data, Work *work, const Decision *decision, Asked *asked,
    uint64_t now_ns
) noexcept nogil:
    cdef const Route *route = &data.settings[decision.settings].route
    cdef Route onward
    cdef const SubscriberRow *subscriber
    cdef Target target
    cdef uint32_t mail = 0
    cdef uint8_t mail_kind = 0
    if decision.provisioned:
        subscriber = &data.subscribers.rows[decision.subscriber]
        mail, mail_kind = subscriber.voicemail, subscriber.mail
    if desk.forwarder != NULL and route.egress:
        onward = route[0]
        onward.use_contact = False  # nobody who calls chooses the next hop
        route = &onward
    read_asked(asked, work.data, &work.request)
    find_target(
        &data.arena, route, decision.treatment, is_network_block(decision), mail,
        mail_kind, asked, &target
    )
    if (target.verb == SEND_TO and work.told != NULL and work.told.verdict == CALLER_VALID
            and not work.told.diverted and is_diverted(data, work, decision)):
        put_place(&work.answer, asked, &target)
        work.doing, work.awaits, work.signer = AWAITS, DIVERSION, route.signer
        return
    if target.verb == CARRY_ON and desk.forwarder != NULL and send_call(
        desk, work, asked, &target, text_at(&data.arena, route.egress), now_ns
    ):
        return
    if target.verb == TURN_AWAY:
        begin_refusal(work, decision)
    elif target.verb == NETWORK_BLOCK:
        begin_answer(work, 603, b"Network Blocked", 15)
    elif target.verb == NOT_THERE:
        begin_answer(work, 404, b"Not Found", 9)
    else:
        begin_answer(work, 302, b"Moved Temporarily", 17)
    put_target(&work.answer, asked, &target)
    if work.told != NULL:
        if target.verb == CARRY_ON and target.status == 302:
            put_granted(work, work.told.lines)
        elif target.verb == SEND_TO:
            put_granted(work, work.told.diversion)
        put_granted(work, work.told.always)
    end_answer(work)


cdef void settle_call(Desk *desk, const Data *data, Work *work, uint64_t now_ns) noexcept nogil:
    cdef Decision decision
    cdef Asked asked
    cdef Told told
    cdef char number[NUMBER_TEXT + 1]
    if work.apart:
        decide_apart(data, work, &decision)
    else:
        decide(data, &work.call, &decision)
    work.awaits = awaited(desk, data, work, &decision)
    work.counted[0] = decision.product
    work.provider = decision.provider
    if work.awaits:
        work.doing = AWAITS
        return
    asked.called.at = <const unsigned char *>number
    asked.called.size = 0
    if work.called[decision.product].size:
        asked.called.size = write_number(number, work.call.called[decision.product])
        if not asked.called.size:
            asked.called.at = <const unsigned char *>work.called[decision.product].text
            asked.called.size = work.called[decision.product].size
    answer_call(desk, data, work, &decision, &asked, now_ns)
    if work.doing == AWAITS:
        return
    work.decided = True
    work.repeated = is_recent(desk.recent, work.key, <uint32_t>(now_ns // 1000000000))
    work.counted[0] = decision.product if decision.provisioned else desk.product
    work.counted[1], work.counted[2] = decision.treatment, decision.reason
    if work.repeated:
        return
    told.data, told.call, told.decision = data, &work.call, &decision
    told.called = work.called
    told.call_id.at = work.data + work.request.call_id.start
    told.call_id.size = work.request.call_id.end - work.request.call_id.start
    told.source = work.caller
    told.edge.at, told.edge.size = <const unsigned char *>desk.edge, desk.edge_size
    told.product, told.status, told.now_ns = desk.product, work.status, now_ns
    told.more.size = told.onward.size = 0
    if work.doing == SEND_ON:
        told.onward = text_at(&data.arena, data.settings[decision.settings].route.egress)
    if work.told != NULL:
        told.more = work.told.record
    write_record(&work.record, &desk.ids, &told)
    work.record_made = work.record.size <= work.record.room
