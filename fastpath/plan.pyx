"""Plans: a provider's rules that are on, in the order they run, in steps of four octets.

Invariants:
1. Steps stand by priority, lower first; rules of one priority in the order of model.RULES.
2. A plan has at most one step a rule, and no word that verdicts do not know.
"""

from libc.stdint cimport uint8_t
from libc.string cimport memset

from .model import LIST_RULES, RULES, STIR_RULE, TREATMENTS

RULE_WORDS = (
    *RULES, "service_selection", "emergency", "called_number", "service_enabled", "protected",
    "error_treatment", "anonymous", "default_treatment", "vip", "blocked", "nomatch_treatment",
    "not_provisioned", "service_off",
)
SCOPE_WORDS = ("", "number", "subscriber", "service_provider", "platform")
OUTCOME_WORDS = (
    "match", "no_match", "not_available", "overridden", "unsigned", "disabled", "not_provisioned",
    "no_called_number", "no_calling_number", "end_of_rules", "valid", "invalid", "unverified",
)


cdef uint8_t treatment_code(str treatment) except 255:
    return TREATMENTS.index(treatment)


cdef uint8_t override_bits(object rules) except 255:
    cdef uint8_t bits = 0
    for rule in rules:
        bits |= 1 << <int>RULES.index(rule)
    return bits


def _rank(step):
    return step.priority, RULES.index(step.rule)


cdef int compile_plan(Plan* plan, object steps, object error_treatment) except -1:
    cdef Plan made
    cdef CompiledStep* into
    memset(&made, 0, sizeof(Plan))
    if len({step.rule for step in steps}) < len(steps):
        raise ValueError("a rule stands twice in a plan")
    for step in sorted(steps, key=_rank):
        into = &made.steps[made.count]
        into.rule = RULES.index(step.rule)
        into.flags = OVERRIDE if step.override else 0
        if step.rule in LIST_RULES:
            into.flags |= PERSONAL if step.personal else 0
            into.flags |= GLOBAL if step.global_list else 0
            into.flags |= SIGNED if step.stir_shaken else 0
        into.match = treatment_code(step.invalid if step.rule == STIR_RULE else step.match)
        into.no_match = treatment_code(step.no_match)
        made.count += 1
    made.error = 0 if error_treatment is None else treatment_code(error_treatment) + 1
    plan[0] = made
    return 0


def compiled(steps):
    cdef Plan plan
    cdef int i
    compile_plan(&plan, steps, None)
    return [
        (RULE_WORDS[plan.steps[i].rule], plan.steps[i].flags,
         TREATMENTS[plan.steps[i].match], TREATMENTS[plan.steps[i].no_match])
        for i in range(plan.count)
    ]
