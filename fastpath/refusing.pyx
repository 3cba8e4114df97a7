"""Answers that need no decision. What each function promises stands in refusing.pxd."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcmp, memcpy

from callscreen.fastpath.answer_write cimport (
    TAG_SIZE, Out, answer_port, put, put_end, put_head, tag_of, write_hex,
)
from callscreen.fastpath.counts cimport DROP_ANSWER_TOO_LARGE, LAST_FAULT
from callscreen.fastpath.respond cimport (
    ANSWER, ANSWER_MORE, DROPPED, PROXYING, STREAM, Desk, Work,
)
from callscreen.fastpath.sip_list cimport next_in_list
from callscreen.fastpath.sip_scan cimport H_REQUIRE, Request
from callscreen.fastpath.sip_text cimport Octets, Span, same

from .sip_types import FAULTS

cdef struct Reply:  # to a message that is refused as it stands
    uint16_t status  # 0: dropped
    uint8_t size
    char reason[32]

cdef Reply replies[LAST_FAULT + 1]


cdef int take_replies() except -1:
    for fault, (status, reason, _) in FAULTS.items():
        text = reason.encode()
        if fault > LAST_FAULT or len(text) > <Py_ssize_t>sizeof(replies[0].reason):
            raise ValueError(f"a fault that was not compiled for: {fault}")
        replies[<int>fault].status = status
        replies[<int>fault].size = <uint8_t>len(text)
        memcpy(replies[<int>fault].reason, <const char *>text, len(text))
    return 0


take_replies()


# Answers

cdef void begin_answer(
    Work *work, uint32_t status, const char *reason, size_t size
) noexcept nogil:
    cdef char tag[TAG_SIZE]
    write_hex(tag, work.key)
    work.status = <uint16_t>status
    work.doing = ANSWER
    work.port = answer_port(&work.request, work.peer.port)
    put_head(
        &work.answer, work.data, &work.request, status, reason, size, tag, TAG_SIZE, &work.peer
    )


cdef void end_answer(Work *work) noexcept nogil:
    cdef size_t most = work.answer.room
    put_end(&work.answer)
    if not work.traits & STREAM and <size_t>work.size + ANSWER_MORE + work.granted < most:
        most = <size_t>work.size + ANSWER_MORE + work.granted
    if work.answer.size > most:
        work.doing = DROPPED
        work.dropped = DROP_ANSWER_TOO_LARGE


cdef void put_allow(Work *work) noexcept nogil:
    put(&work.answer, b"Allow: INVITE, ACK, CANCEL, OPTIONS\r\n", 37)


cdef void not_ready(Work *work) noexcept nogil:
    """503, for a call that comes before the data, or faster than its peer may."""
    begin_answer(work, 503, b"Service Unavailable", 19)
    put(&work.answer, b"Retry-After: 2\r\n", 16)
    end_answer(work)


cdef void no_dialog(Work *work) noexcept nogil:
    begin_answer(work, 481, b"Call/Transaction Does Not Exist", 31)
    end_answer(work)


cdef void options(Work *work) noexcept nogil:
    """RFC 3261 11.2: the status that an INVITE would get; dispatchers rely on it."""
    begin_answer(work, 200, b"OK", 2)
    put_allow(work)
    put(&work.answer, b"Accept: application/sdp\r\nAccept-Encoding: identity\r\n", 52)
    put(&work.answer, b"Accept-Language: en\r\nSupported: \r\n", 34)
    end_answer(work)


cdef bint next_required(
    Octets data, const Request *request, uint32_t *field, uint32_t *at, Span *out
) noexcept nogil:
    """The next option tag of any Require field."""
    cdef Span name
    while field[0] < request.count:
        name = request.fields[field[0]].name
        if name.end - name.start == 7 and same(data, name.start, name.end, "require", 7):
            if not at[0]:
                at[0] = request.fields[field[0]].value.start
            if next_in_list(data, request.fields[field[0]].value, at, out):
                return True
        field[0] += 1
        at[0] = 0
    return False


cdef bint bad_extension(Work *work) noexcept nogil:
    """Refuses what requires an extension: none is supported. What is odd in a tag is one space."""
    cdef uint32_t field = 0, at = 0
    cdef bint odd = False
    cdef Span tag
    if work.request.first[<uint32_t>H_REQUIRE] < 0:
        return False
    if not next_required(work.data, &work.request, &field, &at, &tag):
        return False
    begin_answer(work, 420, b"Bad Extension", 13)
    put(&work.answer, b"Unsupported: ", 13)
    put_printable(&work.answer, work.data, tag, &odd)
    while next_required(work.data, &work.request, &field, &at, &tag):
        put(&work.answer, b", ", 2)
        odd = True
        put_printable(&work.answer, work.data, tag, &odd)
    put(&work.answer, b"\r\n", 2)
    end_answer(work)
    return True


cdef void put_printable(Out *out, Octets data, Span text, bint *odd) noexcept nogil:
    """A text with each run of what is not printable as one space; `odd`: such a run goes on."""
    cdef uint32_t i = text.start, begin
    while i < text.end:
        begin = i
        while i < text.end and 0x20 < data[i] < 0x7F:
            i += 1
        if i > begin:
            put(out, data + begin, i - begin)
            odd[0] = False
        else:
            if not odd[0]:
                put(out, b" ", 1)
            odd[0] = True
            i += 1


# What is asked

cdef inline bint is_method(
    Octets data, Span method, const char *name, uint32_t size
) noexcept nogil:
    return method.end - method.start == size and memcmp(data + method.start, name, size) == 0


cdef uint8_t method_of(Octets data, Span method) noexcept nogil:
    cdef uint32_t size = method.end - method.start
    if size == 6:
        if is_method(data, method, b"INVITE", 6):
            return M_INVITE
        if is_method(data, method, b"CANCEL", 6):
            return M_CANCEL
        if is_method(data, method, b"UPDATE", 6) or is_method(data, method, b"NOTIFY", 6):
            return M_IN_DIALOG
    elif size == 3:
        if is_method(data, method, b"ACK", 3):
            return M_ACK
        if is_method(data, method, b"BYE", 3):
            return M_IN_DIALOG
    elif size == 7:
        if is_method(data, method, b"OPTIONS", 7):
            return M_OPTIONS
        if is_method(data, method, b"PUBLISH", 7) or is_method(data, method, b"MESSAGE", 7):
            return M_REFUSED
    elif is_method(data, method, b"INFO", 4) or is_method(data, method, b"PRACK", 5):
        return M_IN_DIALOG
    elif (
        is_method(data, method, b"REGISTER", 8) or is_method(data, method, b"SUBSCRIBE", 9)
        or is_method(data, method, b"REFER", 5)
    ):
        return M_REFUSED
    return M_OTHER


cdef bint inspect(Work *work) noexcept nogil:
    """Refuses what needs no work (RFC 3261 8.2.1, 8.2.2); false where it goes on.

    No merged request (482) is looked for: every transaction is over when it has been answered, and
    a dispatcher that tries a second time must get an answer. The body is not read, so that no
    content is refused either.
    """
    if work.method == M_REFUSED:
        begin_answer(work, 405, b"Method Not Allowed", 18)
        put_allow(work)
        end_answer(work)
        return True
    if work.method == M_OTHER:
        begin_answer(work, 501, b"Not Implemented", 15)
        put_allow(work)
        end_answer(work)
        return True
    if work.method == M_CANCEL:
        return False
    if not work.traits & PROXYING and bad_extension(work):
        return True
    if work.method == M_IN_DIALOG or work.request.to.tag.start:
        no_dialog(work)
        return True
    return False


cdef void refuse(Desk *desk, Work *work, uint32_t fault) noexcept nogil:
    """What is malformed: 400 and the like where it can be answered, else nothing."""
    if not work.request.answerable or not replies[fault].status:
        work.doing = DROPPED
        work.dropped = <uint16_t>fault
        return
    work.key = tag_of(work.data, &work.request, desk.tag_low, desk.tag_high)
    begin_answer(work, replies[fault].status, replies[fault].reason, replies[fault].size)
    end_answer(work)
