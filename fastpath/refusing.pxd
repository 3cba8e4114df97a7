"""Answers that need no decision: what is malformed, not served, or comes too early or too fast."""

from libc.stdint cimport uint8_t, uint32_t

from callscreen.fastpath.respond cimport Desk, Work
from callscreen.fastpath.sip_text cimport Octets, Span

cdef enum Method:
    M_OTHER
    M_INVITE
    M_ACK
    M_CANCEL
    M_OPTIONS
    M_REFUSED  # known and not served (RFC 3261 8.2.1)
    M_IN_DIALOG  # what lives in a dialog has none here


cdef uint8_t method_of(Octets data, Span method) noexcept nogil
# From the status line to CSeq; header lines follow, then end_answer, which looks at the size.
cdef void begin_answer(
    Work *work, uint32_t status, const char *reason, size_t size
) noexcept nogil
cdef void end_answer(Work *work) noexcept nogil
cdef void not_ready(Work *work) noexcept nogil  # 503
cdef void no_dialog(Work *work) noexcept nogil  # 481
cdef void options(Work *work) noexcept nogil  # 200
# Refuses what needs no work (RFC 3261 8.2.1, 8.2.2); false where it goes on.
cdef bint inspect(Work *work) noexcept nogil
# What is malformed: 400 and the like where it can be answered, else nothing.
cdef void refuse(Desk *desk, Work *work, uint32_t fault) noexcept nogil
