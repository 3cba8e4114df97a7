"""The rules of a provider's plan, one after the other until one decides."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from callscreen.fastpath.decide cimport (
    CALLER_INVALID, CALLER_UNASKED, CALLER_UNSIGNED, CALLER_VALID, CALLING_INPUT, NO_INPUT, Call,
    Decision, Trace,
)
from callscreen.fastpath.decide_trace cimport add, end, name_entry
from callscreen.fastpath.lists cimport find_entry
from callscreen.fastpath.numbers cimport Mask
from callscreen.fastpath.plan cimport *
from callscreen.fastpath.sieves cimport may_have, sieve_bits
from callscreen.fastpath.tables cimport (
    PCS_INDEX, Data, NumberSlot, ProviderRow, SubscriberRow,
)


cdef inline void end_of_rules(const Data* data, Outcome outcome, Decision* out) noexcept nogil:
    cdef uint8_t treatment = data.settings[out.settings].default_treatment
    add(out, DEFAULT_TREATMENT, NO_INPUT, NO_SCOPE, outcome, treatment)
    end(out, treatment, DEFAULT_TREATMENT)


cdef inline Outcome identity_of(const Call* call, Decision* out) noexcept nogil:
    """What a rule that asks for the caller's identity is told."""
    if call.verdict == CALLER_UNSIGNED:
        return UNSIGNED
    if call.verdict == CALLER_VALID:
        return SIGNED_WELL
    if call.verdict == CALLER_INVALID:
        return SIGNED_BADLY
    out.awaits |= call.verdict == CALLER_UNASKED
    return UNVERIFIED


cdef inline uint8_t run_stir(
    const CompiledStep* step, const Call* call, Decision* out
) noexcept nogil:
    cdef Outcome outcome = identity_of(call, out)
    cdef uint8_t treatment = step.match if outcome == SIGNED_BADLY else <uint8_t>NEXT
    add(out, STIR_SHAKEN, NO_INPUT, NO_SCOPE, outcome, treatment)
    return treatment


cdef inline uint8_t run_list(
    const Data* data, const CompiledStep* step, const Call* call, const NumberSlot* slot,
    const SubscriberRow* subscriber, const ProviderRow* provider, Decision* out
) noexcept nogil:
    cdef uint64_t calling = call.calling[PCS_INDEX]
    cdef uint32_t which = step.rule == BLACKLIST, bits = sieve_bits(calling)
    cdef Scope scope = NO_SCOPE
    cdef Outcome outcome = MATCH
    cdef uint8_t treatment = step.match
    cdef Mask entry
    cdef Trace* said
    if (step.flags & PERSONAL and may_have(slot.sieve, bits)
            and find_entry(&data.arena, slot.lists, which, calling, &entry)):
        scope = NUMBER_SCOPE
    elif (step.flags & PERSONAL and may_have(subscriber.sieve, bits)
          and find_entry(&data.arena, subscriber.lists, which, calling, &entry)):
        scope = SUBSCRIBER_SCOPE
    elif step.flags & GLOBAL and find_entry(&data.arena, provider.lists, which, calling, &entry):
        scope = PROVIDER_SCOPE
    if scope == NO_SCOPE:
        outcome = NO_MATCH
        treatment = step.no_match
    elif step.flags & SIGNED and call.verdict != CALLER_VALID:
        outcome = identity_of(call, out)
        if outcome == SIGNED_BADLY:
            outcome = UNSIGNED
        treatment = step.no_match
    said = add(out, <Rule>step.rule, CALLING_INPUT, scope, outcome, treatment)
    if scope != NO_SCOPE:
        name_entry(said, &entry)
    return treatment


cdef inline void run_plan(
    const Data* data, const Call* call, const NumberSlot* slot, const SubscriberRow* subscriber,
    const ProviderRow* provider, Decision* out
) noexcept nogil:
    cdef const CompiledStep* step
    cdef uint8_t treatment
    cdef bint is_list
    cdef uint32_t i
    for i in range(provider.plan.count):
        step = &provider.plan.steps[i]
        is_list = step.rule == WHITELIST or step.rule == BLACKLIST
        if step.flags & OVERRIDE and (subscriber.override >> step.rule) & 1:
            add(out, <Rule>step.rule, CALLING_INPUT if is_list else NO_INPUT, NO_SCOPE, OVERRIDDEN,
                NEXT)
            continue
        if is_list:
            treatment = run_list(data, step, call, slot, subscriber, provider, out)
        elif step.rule == STIR_SHAKEN:
            treatment = run_stir(step, call, out)
        else:
            add(out, <Rule>step.rule, NO_INPUT, NO_SCOPE, NOT_AVAILABLE, NEXT)
            continue
        if treatment != NEXT:
            end(out, treatment, <Rule>step.rule)
            return
    end_of_rules(data, END_OF_RULES, out)
