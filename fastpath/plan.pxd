# A provider's plan in a cache line, and the words of verdicts as small numbers.
from libc.stdint cimport uint8_t

cdef enum Treatment:  # in the order of model.TREATMENTS
    NEXT, CONTINUE, TERMINATE, TERMINATE_SOLICITOR, VOICEMAIL, SCREEN

cdef enum Rule:       # model.RULES, then what decides besides; the order of RULE_WORDS
    STIR_SHAKEN, WHITELIST, BLACKLIST, CALL_GUARDIAN, CAPTCHA, RECORDED_GREETING,
    SERVICE_SELECTION, EMERGENCY, CALLED_NUMBER, SERVICE_ENABLED, PROTECTED, ERROR_TREATMENT,
    ANONYMOUS, DEFAULT_TREATMENT, VIP, BLOCKED, NOMATCH_TREATMENT, NOT_PROVISIONED, SERVICE_OFF

cdef enum Scope:      # the order of SCOPE_WORDS
    NO_SCOPE, NUMBER_SCOPE, SUBSCRIBER_SCOPE, PROVIDER_SCOPE, PLATFORM_SCOPE

cdef enum Outcome:    # the order of OUTCOME_WORDS
    MATCH, NO_MATCH, NOT_AVAILABLE, OVERRIDDEN, UNSIGNED, DISABLED, UNKNOWN_NUMBER,
    NO_CALLED_NUMBER, NO_CALLING_NUMBER, END_OF_RULES, SIGNED_WELL, SIGNED_BADLY, UNVERIFIED

cdef enum Flag:       # of a step
    OVERRIDE = 1, PERSONAL = 2, GLOBAL = 4, SIGNED = 8

cdef enum:
    MAX_STEPS = 6


cdef struct CompiledStep:
    uint8_t rule
    uint8_t flags
    uint8_t match     # of STIR_SHAKEN: what a signature that is not valid gets
    uint8_t no_match


cdef struct Plan:
    uint8_t count
    uint8_t error     # error_treatment + 1, 0 for none
    CompiledStep steps[MAX_STEPS]


cdef int compile_plan(Plan* plan, object steps, object error_treatment) except -1
cdef uint8_t treatment_code(str treatment) except 255
cdef uint8_t override_bits(object rules) except 255
