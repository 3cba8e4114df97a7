# The decision: reads Data, writes a Decision, allocates nothing, needs no GIL.
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t

from callscreen.fastpath.numbers cimport Mask
from callscreen.fastpath.prefixes cimport Address
from callscreen.fastpath.tables cimport CriteriaRow, Data

cdef enum:
    MAX_TRACE = 24

# 911 and 112 as bare numbers, which is how a call holds them.
cdef extern from *:
    """
    #define EMERGENCY_911 0x9110000000000003ULL
    #define EMERGENCY_112 0x1120000000000003ULL
    """
    const uint64_t EMERGENCY_911
    const uint64_t EMERGENCY_112

cdef enum Input:  # what a trace step looked up
    NO_INPUT, CALLED_INPUT, CALLING_INPUT, SOURCE_INPUT, SUBSCRIBER_INPUT, TEXT_INPUT


cdef enum Caller:  # what is known of a caller's identity: UNASKED to UNKNOWN of model.py
    CALLER_UNASKED, CALLER_UNSIGNED, CALLER_VALID, CALLER_INVALID, CALLER_UNKNOWN


cdef struct Call:
    uint64_t called[3]   # by product, for each has its own default country code; 0 for none
    uint64_t calling[3]
    Address source
    int32_t point_code   # -1: unknown
    uint8_t product      # 0: both
    uint8_t anonymous
    uint8_t not_called   # no called number was found at all
    uint8_t verdict      # Caller; unasked is decided as unknown


cdef struct Trace:
    Mask entry           # where matched
    uint8_t matched
    uint8_t rule
    uint8_t input
    uint8_t scope
    uint8_t outcome
    uint8_t treatment
    uint8_t product      # whose numbers


cdef struct Decision:
    uint8_t treatment
    uint8_t reason
    uint8_t product      # whose numbers and settings
    uint8_t final        # the other product is not asked
    uint8_t provisioned  # the called number is
    uint8_t count        # steps
    uint8_t awaits       # the verdict on the caller was asked for, and is not known
    uint32_t subscriber  # row
    uint32_t settings    # row
    uint32_t provider    # row of whose rules of PCS hold, 0 for nobody's
    int32_t criteria     # row that selected the service, or NO_CRITERIA
    const CriteriaRow* service  # that row, NULL for none
    Trace trace[MAX_TRACE]


cdef void decide(const Data* data, const Call* call, Decision* out) noexcept nogil
# For batches: fetch what the decisions will read first, then what they will read next, then decide.
cdef void prefetch(const Data* data, const Call* call) noexcept nogil
cdef void prefetch_rows(const Data* data, const Call* call) noexcept nogil
cdef void prefetch_lists(const Data* data, const Call* call) noexcept nogil
