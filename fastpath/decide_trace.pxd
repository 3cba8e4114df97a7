"""Steps of a decision's trace: one for each rule that looked, in order."""

from libc.stdint cimport uint8_t

from callscreen.fastpath.decide cimport Decision, Input, Trace
from callscreen.fastpath.numbers cimport Mask
from callscreen.fastpath.plan cimport Outcome, Rule, Scope


cdef inline Trace* add(
    Decision* out, Rule rule, Input source, Scope scope, Outcome outcome, uint8_t treatment
) noexcept nogil:
    cdef Trace* step = &out.trace[out.count]
    out.count += 1
    step.matched = False
    step.rule = rule
    step.input = source
    step.scope = scope
    step.outcome = outcome
    step.treatment = treatment
    step.product = out.product
    return step


cdef inline void name_entry(Trace* step, const Mask* entry) noexcept nogil:
    step.entry = entry[0]
    step.matched = True


cdef inline void end(Decision* out, uint8_t treatment, Rule reason) noexcept nogil:
    out.treatment = treatment
    out.reason = reason
