"""The decision on a call, over flat tables, without the GIL and without allocation.

reference.py states what it means; a test holds both together.

Invariants:
1. Data is only read, and only within it; a trace has at most MAX_TRACE steps: 13 in PCS, 5 in CIN.
2. Each step stands for one rule that looked, in order.
3. The subscriber's row and the lists of number and provider are fetched together, before one is used.
"""

from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t

from callscreen.fastpath.decide_ahead cimport callscreen_fetch, expect_lists, slot_for
from callscreen.fastpath.decide_plan cimport end_of_rules, run_plan
from callscreen.fastpath.decide_trace cimport add, end, name_entry
from callscreen.fastpath.lists cimport find_entry
from callscreen.fastpath.numbers cimport Mask
from callscreen.fastpath.plan cimport *
from callscreen.fastpath.routing cimport NO_CRITERIA, select_service
from callscreen.fastpath.sieves cimport may_have, sieve_bits
from callscreen.fastpath.tables cimport (
    CIN_INDEX, PCS_INDEX, Criteria, Data, NumberSlot, NumberTable, SettingsRow, SubscriberRow,
    criteria_of, find_number, numbers_of, slot_of,
)


cdef bint is_emergency(const Call* call, Decision* out) noexcept nogil:
    cdef uint64_t number
    cdef uint32_t i
    for i in range(2):
        number = call.calling[out.product] if i else call.called[out.product]
        if number == EMERGENCY_911 or number == EMERGENCY_112:
            add(out, EMERGENCY, CALLING_INPUT if i else CALLED_INPUT, PLATFORM_SCOPE, MATCH,
                CONTINUE)
            end(out, CONTINUE, EMERGENCY)
            out.final = True
            return True
    return False


cdef bint is_protected(
    const Data* data, uint32_t provider, const Call* call, Decision* out
) noexcept nogil:
    cdef uint64_t number
    cdef uint32_t own = data.providers[provider].settings, i, j, lists
    cdef Mask entry
    cdef Trace* step
    if data.settings[out.product].lists == 0 and (own == 0 or data.settings[own].lists == 0):
        return False
    for i in range(2):
        number = call.calling[out.product] if i else call.called[out.product]
        for j in range(2):
            if j and own == 0:
                continue
            lists = data.settings[own if j else out.product].lists
            if find_entry(&data.arena, lists, 0, number, &entry):
                step = add(out, PROTECTED, CALLING_INPUT if i else CALLED_INPUT,
                           PROVIDER_SCOPE if j else PLATFORM_SCOPE, MATCH, CONTINUE)
                name_entry(step, &entry)
                end(out, CONTINUE, PROTECTED)
                out.final = True
                return True
    return False


cdef uint32_t provider_of_call(
    const Data* data, const Call* call, uint32_t own, Decision* out
) noexcept nogil:
    """The provider whose plan, lists and settings hold."""
    cdef uint32_t provider = own
    cdef const Criteria* criteria = criteria_of(data)
    if criteria != NULL:
        out.criteria = select_service(
            criteria, call.called[PCS_INDEX], &call.source, call.point_code)
    if out.criteria != NO_CRITERIA:
        out.service = &criteria.rows[out.criteria]
        add(out, SERVICE_SELECTION, SOURCE_INPUT, PROVIDER_SCOPE, MATCH, NEXT)
        provider = out.service.provider
    out.settings = data.providers[provider].settings or PCS_INDEX
    out.provider = provider
    return provider


cdef bint no_number(
    const Data* data, uint32_t provider, Outcome which, Decision* out
) noexcept nogil:
    """What follows where a number is missing; false where the plan says to go on."""
    cdef uint8_t error = data.providers[provider].plan.error
    if error == 0:
        end_of_rules(data, which, out)
        return True
    add(out, ERROR_TREATMENT, NO_INPUT, PROVIDER_SCOPE, which, error - 1)
    if error - 1 == NEXT:
        return False
    end(out, error - 1, ERROR_TREATMENT)
    return True


cdef void decide_not_called(const Data* data, const Call* call, Decision* out) noexcept nogil:
    cdef uint32_t provider = provider_of_call(data, call, 0, out)
    if not is_protected(data, provider, call, out):
        if not no_number(data, provider, NO_CALLED_NUMBER, out):
            end_of_rules(data, NO_CALLED_NUMBER, out)


cdef inline bint service_off(const SubscriberRow* subscriber, Decision* out) noexcept nogil:
    if subscriber.disabled:
        add(out, SERVICE_ENABLED, SUBSCRIBER_INPUT, SUBSCRIBER_SCOPE, DISABLED, CONTINUE)
        end(out, CONTINUE, SERVICE_OFF)
        return True
    return False


cdef void decide_pcs(
    const Data* data, const Call* call, const NumberSlot* slot, Decision* out
) noexcept nogil:
    cdef const SubscriberRow* subscriber = &data.subscribers.rows[slot.subscriber]
    cdef uint64_t calling = call.calling[PCS_INDEX]
    cdef uint32_t provider
    cdef uint8_t drop
    expect_lists(data, subscriber, calling)
    provider = provider_of_call(data, call, subscriber.provider, out)
    if is_protected(data, provider, call, out) or service_off(subscriber, out):
        return
    if calling == 0 and not call.anonymous:
        if no_number(data, provider, NO_CALLING_NUMBER, out):
            return
    if call.anonymous:
        drop = data.settings[out.settings].drop_anonymous
        add(out, ANONYMOUS, CALLING_INPUT, NO_SCOPE, MATCH, TERMINATE if drop else NEXT)
        if drop:
            end(out, TERMINATE, ANONYMOUS)
            return
    run_plan(data, call, slot, subscriber, &data.providers[provider], out)


cdef void decide_cin(
    const Data* data, const Call* call, const NumberSlot* slot, Decision* out
) noexcept nogil:
    cdef const SubscriberRow* subscriber = &data.subscribers.rows[slot.subscriber]
    cdef uint64_t calling = call.calling[CIN_INDEX]
    cdef const SettingsRow* settings
    cdef bint listed = may_have(slot.sieve, sieve_bits(calling))
    cdef Mask entry
    cdef uint8_t treatment
    cdef Rule rule
    out.settings = data.providers[subscriber.provider].settings or CIN_INDEX
    settings = &data.settings[out.settings]
    if is_protected(data, subscriber.provider, call, out) or service_off(subscriber, out):
        return
    for which in range(2):
        rule = BLOCKED if which else VIP
        if listed and find_entry(&data.arena, slot.lists, which, calling, &entry):
            treatment = CONTINUE
            if which:
                treatment = VOICEMAIL if subscriber.voicemail else TERMINATE
            name_entry(add(out, rule, CALLING_INPUT, NUMBER_SCOPE, MATCH, treatment), &entry)
            end(out, treatment, rule)
            return
        add(out, rule, CALLING_INPUT, NO_SCOPE, NO_MATCH, NEXT)
    rule = ANONYMOUS if call.anonymous else NOMATCH_TREATMENT
    treatment = settings.anonymous_treatment if call.anonymous else settings.nomatch_treatment
    add(out, rule, CALLING_INPUT, NO_SCOPE, MATCH if call.anonymous else NO_MATCH, treatment)
    end(out, treatment, rule)


cdef void own(const Data* data, const NumberSlot* slot, int product, Decision* out) noexcept nogil:
    """The verdict is for a called number of this product."""
    out.product = product
    out.provisioned = slot != NULL
    out.subscriber = slot.subscriber if slot != NULL else 0
    out.settings = product


cdef void add_cin(
    const Data* data, const Call* call, const NumberSlot* slot, Decision* out
) noexcept nogil:
    """CIN after a PCS that continued: its verdict holds, unless its service is off."""
    cdef Decision before
    before.reason = out.reason
    before.settings = out.settings
    before.subscriber = out.subscriber
    own(data, slot, CIN_INDEX, out)
    decide_cin(data, call, slot, out)
    if out.reason == SERVICE_OFF:
        out.reason = before.reason
        out.settings = before.settings
        out.subscriber = before.subscriber
        out.product = PCS_INDEX


cdef void decide(const Data* data, const Call* call, Decision* out) noexcept nogil:
    cdef const NumberSlot* pcs = slot_for(data, call, PCS_INDEX)
    cdef const NumberSlot* cin = slot_for(data, call, CIN_INDEX)
    cdef uint32_t own_settings
    out.final = out.count = out.awaits = 0
    out.provider = 0
    out.criteria = NO_CRITERIA
    out.service = NULL
    if pcs != NULL:
        own(data, pcs, PCS_INDEX, out)
    elif cin != NULL:
        own(data, cin, CIN_INDEX, out)
    else:
        own(data, NULL, call.product or PCS_INDEX, out)
    if is_emergency(call, out):
        if out.provisioned:
            own_settings = data.providers[data.subscribers.rows[out.subscriber].provider].settings
            out.settings = own_settings or out.product
    elif pcs != NULL:
        decide_pcs(data, call, pcs, out)
        if cin != NULL and out.treatment == CONTINUE and not out.final:
            add_cin(data, call, cin, out)
    elif cin != NULL:
        decide_cin(data, call, cin, out)
    elif call.not_called and call.product != CIN_INDEX:
        decide_not_called(data, call, out)
    else:
        add(out, CALLED_NUMBER, TEXT_INPUT, NO_SCOPE, UNKNOWN_NUMBER, CONTINUE)
        end(out, CONTINUE, NOT_PROVISIONED)


cdef void prefetch(const Data* data, const Call* call) noexcept nogil:
    cdef const NumberTable* table
    cdef const char* slot
    cdef int product
    for product in range(1, 3):
        if not call.product or call.product == product:
            table = numbers_of(data, product)
            if table.count:
                slot = <const char*>&table.slots[slot_of(table, call.called[product])]
                callscreen_fetch(slot)
                callscreen_fetch(slot + sizeof(NumberSlot) - 1)


cdef void prefetch_rows(const Data* data, const Call* call) noexcept nogil:
    slot_for(data, call, PCS_INDEX)
    slot_for(data, call, CIN_INDEX)


cdef void prefetch_lists(const Data* data, const Call* call) noexcept nogil:
    """And what rows lead to."""
    cdef const NumberSlot* slot
    if call.product != CIN_INDEX:
        slot = find_number(numbers_of(data, PCS_INDEX), call.called[PCS_INDEX])
        if slot != NULL:
            expect_lists(
                data, &data.subscribers.rows[slot.subscriber], call.calling[PCS_INDEX])
