"""What the fields of a scanned request say that a decision needs, and what is wrong with them."""

from libc.stdint cimport int32_t, uint32_t
from libc.string cimport memcmp, memset

from callscreen.fastpath.sip_fields cimport (
    VIA_SOUND, VIA_UNUSABLE, Address, ViaVerdict, contact_ok, is_call_id, read_address_text,
    read_via_text,
)
from callscreen.fastpath.sip_scan cimport (
    BAD_CALL_ID, BAD_CONTACT, BAD_CONTENT_LENGTH, BAD_CSEQ, BAD_FROM, BAD_MAX_FORWARDS, BAD_TO,
    BAD_VIA, CSEQ_MOST, H_CALL_ID, H_CONTACT, H_CONTENT_LENGTH, H_CSEQ, H_FROM, H_MAX_FORWARDS,
    H_TO, H_VIA, MAX_FORWARDS_MOST, MESSAGE_OCTETS, NO_FIELD, NO_VIA, TWO_FROM, Known, Request,
)
from callscreen.fastpath.sip_text cimport (
    C_TOKEN, Marked, Octets, Span, number, read_number, skip, skip_lws,
)


cdef inline void note(Request *out, uint32_t fault) noexcept nogil:
    """The lowest fault is the one that is told."""
    if not out.fault or fault < out.fault:
        out.fault = fault


cdef inline Span value_of(Request *out, Known kind) noexcept nogil:
    return out.fields[out.first[<uint32_t>kind]].value


cdef inline bint address_of(
    Marked text, Known kind, Address *found, Request *out
) noexcept nogil:
    if read_address_text(text, value_of(out, kind), found):
        return True
    memset(found, 0, sizeof(Address))
    return False


cdef inline void cseq(Marked text, Span span, Request *out) noexcept nogil:
    cdef Octets data = text.data
    cdef uint32_t value
    cdef uint32_t i = read_number(data, span.start, span.end, CSEQ_MOST, &value)
    cdef uint32_t method = skip_lws(data, i, span.end)
    cdef uint32_t length = out.method.end - out.method.start
    if (
        i == span.start or value > CSEQ_MOST or method == i or method == span.end
        or skip(text, method, span.end, C_TOKEN) != span.end
    ):
        note(out, BAD_CSEQ)
        return
    out.cseq = value
    out.cseq_method.start, out.cseq_method.end = method, span.end
    if length and (
        span.end - method != length or memcmp(data + method, data + out.method.start, length) != 0
    ):
        note(out, BAD_CSEQ)


cdef inline void content_length(Octets data, Request *out) noexcept nogil:
    cdef long length = -1, value
    cdef uint32_t i = <uint32_t>out.first[<uint32_t>H_CONTENT_LENGTH]
    while i != NO_FIELD:
        value = number(data, out.fields[i].value.start, out.fields[i].value.end, MESSAGE_OCTETS)
        if value < 0 or value > out.body.end - out.body.start or (length >= 0 and value != length):
            note(out, BAD_CONTENT_LENGTH)
            return
        length = value
        i = out.fields[i].next
    out.content_length = <int32_t>length
    out.body.end = out.body.start + <uint32_t>length


cdef inline void required(Marked text, Request *out) noexcept nogil:
    """Counts and reads the fields a decision needs."""
    cdef Octets data = text.data
    cdef uint32_t i
    cdef long value
    cdef Span span
    cdef ViaVerdict via
    for i in range(5):  # Via, From, To, Call-ID, CSeq
        if not out.times[i]:
            note(out, NO_VIA + i)
    for i in range(1, 6):  # From, To, Call-ID, CSeq, Max-Forwards
        if out.times[i] > 1:
            note(out, TWO_FROM + i - 1)
    if out.times[<uint32_t>H_VIA]:
        via = read_via_text(text, value_of(out, H_VIA), &out.via)
        out.answerable = via != VIA_UNUSABLE
        if via != VIA_SOUND:
            note(out, BAD_VIA)
    if out.times[<uint32_t>H_FROM] and not address_of(text, H_FROM, &out.sender, out):
        note(out, BAD_FROM)
    if out.times[<uint32_t>H_TO] and not address_of(text, H_TO, &out.to, out):
        note(out, BAD_TO)
    if out.times[<uint32_t>H_CALL_ID]:
        span = value_of(out, H_CALL_ID)
        if is_call_id(text, span.start, span.end):
            out.call_id = span
        else:
            note(out, BAD_CALL_ID)
    if out.times[<uint32_t>H_CSEQ]:
        cseq(text, value_of(out, H_CSEQ), out)
    if out.times[<uint32_t>H_MAX_FORWARDS]:
        span = value_of(out, H_MAX_FORWARDS)
        value = number(data, span.start, span.end, MAX_FORWARDS_MOST)
        out.max_forwards = <int32_t>value
        if value < 0:
            note(out, BAD_MAX_FORWARDS)
    if out.times[<uint32_t>H_CONTENT_LENGTH]:
        content_length(data, out)
    i = <uint32_t>out.first[<uint32_t>H_CONTACT] if out.times[<uint32_t>H_CONTACT] else NO_FIELD
    while i != NO_FIELD:
        if not contact_ok(text, out.fields[i].value):
            note(out, BAD_CONTACT)
        i = out.fields[i].next
