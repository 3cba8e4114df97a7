"""A response on its way back. What is promised stands in relaying.pxd."""

from libc.stdint cimport uint32_t
from libc.string cimport memchr, memcmp, memset

from callscreen.fastpath.answer_peer cimport read_address
from callscreen.fastpath.answer_write cimport DEFAULT_PORT, Out, put
from callscreen.fastpath.branches cimport is_ours, is_own_branch, take_via
from callscreen.fastpath.edits cimport field_end, line_end
from callscreen.fastpath.forwarder cimport (
    PORT_MOST, RESPONSE_MALFORMED, RESPONSE_NOT_OURS, SENT_ON, Forwarder, Hop, Refusal,
)
from callscreen.fastpath.sip_fields cimport Via
from callscreen.fastpath.sip_list cimport next_in_list
from callscreen.fastpath.sip_text cimport Octets, Span, number, same

__all__: list[str] = []

cdef struct Heading:  # of a response: its two topmost Via, and what to leave out
    Via own
    Via next
    uint32_t cut, cut_end


cdef bint is_status_line(Octets data, uint32_t size) noexcept nogil:
    return size > 12 and memcmp(data, b"SIP/2.0 ", 8) == 0 and (
        c'1' <= data[8] <= c'6' and c'0' <= data[9] <= c'9' and c'0' <= data[10] <= c'9'
        and data[11] == c' '
    )


cdef bint via_value(Octets data, uint32_t i, uint32_t end, Span *out) noexcept nogil:
    """Whether a field is a Via; its value then."""
    cdef const unsigned char *colon = <const unsigned char *>memchr(data + i, c':', end - i)
    cdef uint32_t stop
    if colon == NULL:
        return False
    stop = <uint32_t>(colon - data)
    out.start, out.end = stop + 1, end
    while stop > i and (data[stop - 1] == c' ' or data[stop - 1] == c'\t'):
        stop -= 1
    return same(data, i, stop, "via", 3) or same(data, i, stop, "v", 1)


cdef bint read_heading(Octets data, uint32_t size, Heading *out) noexcept nogil:
    """Whether a response has two sound Via on top, and a head that ends."""
    cdef uint32_t i, end, at, found = 0
    cdef Span value, element
    if not is_status_line(data, size):
        return False
    i = line_end(data, 0, size)
    while i < size:
        if data[i] == c'\r' or data[i] == c'\n':
            return found == 2
        end = field_end(data, i, size)
        if found < 2 and via_value(data, i, end, &value):
            at = value.start
            while found < 2 and next_in_list(data, value, &at, &element):
                if not take_via(data, element, &out.own if not found else &out.next):
                    return False
                if not found:
                    out.cut, out.cut_end = i, end
                elif out.cut == i:  # in one field with ours
                    out.cut, out.cut_end = value.start, element.start
                found += 1
        i = end
    return False


cdef bint caller_hop(Octets data, const Via *via, Hop *out) noexcept nogil:
    """Where the request came from, as we wrote it (RFC 3261 18.2.2, RFC 3581)."""
    cdef Span host = via.received if via.received.start else via.host
    cdef long port
    memset(out, 0, sizeof(Hop))
    if host.end > host.start and data[host.start] == c'[':
        host.start += 1
        host.end -= 1
    out.family = read_address(data, host.start, host.end, out.octets)
    out.port = via.port or DEFAULT_PORT
    if via.rport_part.end:
        host = via.rport_part
        while host.start < host.end and not c'0' <= data[host.start] <= c'9':
            host.start += 1
        while host.end > host.start and not c'0' <= data[host.end - 1] <= c'9':
            host.end -= 1
        port = number(data, host.start, host.end, PORT_MOST)
        if port > 0:
            out.port = <uint32_t>port
    return out.family != 0


cdef Refusal put_relayed(
    Out *out, const Forwarder *forwarder, Octets data, uint32_t size, Hop *hop
) noexcept nogil:
    cdef Heading heading
    if not read_heading(data, size, &heading):
        return RESPONSE_MALFORMED
    if not is_ours(forwarder, data, heading.own.host, heading.own.port):
        return RESPONSE_NOT_OURS
    if not caller_hop(data, &heading.next, hop):
        return RESPONSE_NOT_OURS
    if not is_own_branch(forwarder, data, heading.own.branch, hop.family, hop.octets):
        return RESPONSE_NOT_OURS
    put(out, data, heading.cut)
    put(out, data + heading.cut_end, size - heading.cut_end)
    return SENT_ON
