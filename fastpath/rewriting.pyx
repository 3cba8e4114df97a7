"""A request as it goes on. What each function promises stands in rewriting.pxd."""

from libc.stdint cimport uint32_t
from libc.string cimport memset

from callscreen.fastpath.answer_write cimport Out, put, put_number, put_sound, put_topmost
from callscreen.fastpath.branches cimport is_ours, put_own_via
from callscreen.fastpath.claims cimport claims
from callscreen.fastpath.edits cimport (
    EDIT_HOPS, EDIT_ROUTE, EDIT_VIA, EDITS, NO_EDIT, Edit, line_end,
)
from callscreen.fastpath.forwarder cimport Forwarder, Message
from callscreen.fastpath.sip_fields cimport Address as Named, address
from callscreen.fastpath.sip_list cimport next_in_list
from callscreen.fastpath.sip_scan cimport H_MAX_FORWARDS, H_ROUTE, H_VIA, Field, Request
from callscreen.fastpath.sip_text cimport Octets, Span

__all__: list[str] = []

cdef enum:
    MAX_FORWARDS_SET = 70  # where a request has none


cdef bint own_route(const Forwarder *forwarder, const Message *message, Edit *edit) noexcept nogil:
    """The topmost Route, where it names us (RFC 3261 16.4)."""
    cdef const Request *request = message.request
    cdef const Field *field
    cdef Named route
    cdef Span element, second
    cdef uint32_t at
    if request.first[<uint32_t>H_ROUTE] < 0:
        return False
    field = &request.fields[request.first[<uint32_t>H_ROUTE]]
    at = field.value.start
    memset(&route, 0, sizeof(Named))
    if not next_in_list(message.data, field.value, &at, &element):
        return False
    if not address(message.data, element, &route) or not is_ours(
        forwarder, message.data, route.parts.host, route.parts.port
    ):
        return False
    if next_in_list(message.data, field.value, &at, &second):
        edit.start, edit.end = field.value.start, second.start
    else:
        edit.start = field.name.start
        edit.end = line_end(message.data, field.value.end, message.size)
    edit.kind = EDIT_ROUTE
    return True


cdef void via_edit(const Message *message, Edit *edit) noexcept nogil:
    cdef const Request *request = message.request
    cdef const Field *field = &request.fields[request.first[<uint32_t>H_VIA]]
    cdef uint32_t at = field.value.start
    cdef Span element
    edit.kind = EDIT_VIA
    if request.via.end and not field.folded:
        edit.start, edit.end = request.via.start, request.via.end
    elif next_in_list(message.data, field.value, &at, &element):
        edit.start, edit.end = element.start, element.end
    else:
        edit.kind = NO_EDIT


cdef void put_edited(Out *out, const Message *message, const Edit *edit) noexcept nogil:
    cdef const Request *request = message.request
    cdef Span element
    if edit.kind == EDIT_HOPS:
        put_number(out, <uint32_t>request.max_forwards - 1 if request.max_forwards > 0 else 0)
    elif edit.kind == EDIT_VIA:
        if request.via.end and not request.fields[request.first[<uint32_t>H_VIA]].folded:
            put_sound(out, message.data, request, message.peer)
        else:
            element.start, element.end = edit.start, edit.end
            put_topmost(out, message.data, request, element, message.peer)


cdef uint32_t edits_of(
    const Forwarder *forwarder, const Message *message, Edit *edits
) noexcept nogil:
    """What is replaced, in the order in which it stands: how many."""
    cdef const Request *request = message.request
    cdef uint32_t count = 1, i, k
    cdef Edit edit
    via_edit(message, &edits[0])
    if request.first[<uint32_t>H_MAX_FORWARDS] >= 0:
        edits[count].start = request.fields[request.first[<uint32_t>H_MAX_FORWARDS]].value.start
        edits[count].end = request.fields[request.first[<uint32_t>H_MAX_FORWARDS]].value.end
        edits[count].kind = EDIT_HOPS
        count += 1
    if own_route(forwarder, message, &edits[count]):
        count += 1
    count = claims(message, edits, count)
    for i in range(1, count):
        edit = edits[i]
        k = i
        while k and edits[k - 1].start > edit.start:
            edits[k] = edits[k - 1]
            k -= 1
        edits[k] = edit
    return count


cdef void put_forwarded(
    Out *out, const Forwarder *forwarder, const Message *message
) noexcept nogil:
    cdef Octets data = message.data
    cdef const Request *request = message.request
    cdef Edit edits[EDITS]
    cdef uint32_t i, at, count = edits_of(forwarder, message, edits)
    if count == EDITS:  # there may be more to leave out: it is not sent on
        out.size = out.room + 1
        return
    put(out, data + request.method.start, request.uri.start - request.method.start)
    put(out, message.uri.at, message.uri.size)
    at = line_end(data, request.uri.end, message.size)
    put(out, b" SIP/2.0\r\n", 10)  # upper case, however it came (RFC 3261 7.1)
    put_own_via(out, forwarder, message.key, message.peer)
    put(out, message.more.at, message.more.size)
    if request.first[<uint32_t>H_MAX_FORWARDS] < 0:
        put(out, b"Max-Forwards: ", 14)
        put_number(out, MAX_FORWARDS_SET)
        put(out, b"\r\n", 2)
    for i in range(count):
        put(out, data + at, edits[i].start - at)
        put_edited(out, message, &edits[i])
        at = edits[i].end
    put(out, data + at, message.size - at)
