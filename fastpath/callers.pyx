"""Who asks, and what. What each function promises stands in callers.pxd."""

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcmp, memcpy, memset

from callscreen.fastpath.answer_peer cimport Peer, read_address
from callscreen.fastpath.decide cimport CALLER_INVALID, CALLER_UNKNOWN, CALLER_UNSIGNED, Call
from callscreen.fastpath.extract_number cimport Found
from callscreen.fastpath.extract_scan cimport read_sources, withheld
from callscreen.fastpath.prefixes cimport Address
from callscreen.fastpath.respond cimport HOST_TEXT, VIA_TRUSTED, Desk, Work
from callscreen.fastpath.sip_fields cimport VIA_UNUSABLE, Via, scan_via
from callscreen.fastpath.sip_list cimport next_in_list
from callscreen.fastpath.sip_scan cimport H_IDENTITY, H_VIA, NO_FIELD, Request
from callscreen.fastpath.sip_text cimport AF_INET, AF_INET6, Octets, Span
from callscreen.fastpath.sources cimport Reading, pack_found
from callscreen.fastpath.tables cimport CIN_INDEX, PCS_INDEX, Data

__all__: list[str] = []

cdef extern from "<arpa/inet.h>" nogil:
    const char *inet_ntop(int family, const void *octets, char *text, unsigned int size)


# Who asks

cdef uint32_t write_octet(char *out, uint32_t value) noexcept nogil:
    cdef uint32_t size = 1 + (value > 9) + (value > 99), i = size
    while i:
        i -= 1
        out[i] = <char>(c'0' + value % 10)
        value //= 10
    return size


cdef uint32_t host_text(char *out, int family, const unsigned char *octets) noexcept nogil:
    cdef uint32_t size = 0, i
    if family == AF_INET:
        for i in range(4):
            size += write_octet(out + size, octets[i])
            out[size] = c'.'
            size += 1
        return size - 1
    if inet_ntop(AF_INET6, octets, out, HOST_TEXT) == NULL:
        return 0
    while out[size]:
        size += 1
    return size


cdef Address address_of(int family, const unsigned char *octets) noexcept nogil:
    cdef Address out
    cdef int i
    out.high = out.low = 0
    out.family = 4 if family == AF_INET else 6 if family == AF_INET6 else 0
    if family == AF_INET:
        for i in range(4):
            out.low = out.low << 8 | octets[i]
    elif family == AF_INET6:
        for i in range(8):
            out.high = out.high << 8 | octets[i]
            out.low = out.low << 8 | octets[8 + i]
    return out


cdef void name_peer(
    Work *work, const unsigned char *octets, bint v6, uint32_t port
) noexcept nogil:
    cdef Peer *peer = &work.peer
    peer.family = AF_INET
    if v6 and memcmp(octets, b"\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0:
        memcpy(peer.octets, octets + 12, 4)
    else:
        peer.family = AF_INET6 if v6 else AF_INET
        memcpy(peer.octets, octets, 16 if v6 else 4)
    peer.host = work.host
    peer.host_size = host_text(work.host, peer.family, peer.octets)
    peer.port = port
    work.source = address_of(peer.family, peer.octets)


cdef bint second_via(Octets data, const Request *request, Via *out) noexcept nogil:
    """Whether there is a second Via element with a host."""
    cdef uint32_t field = <uint32_t>request.first[<uint32_t>H_VIA], at, seen = 0
    cdef Span value, element
    memset(out, 0, sizeof(Via))
    while field < NO_FIELD:
        value = request.fields[field].value
        at = value.start
        while next_in_list(data, value, &at, &element):
            seen += 1
            if seen == 2:
                return scan_via(data, element, out) != VIA_UNUSABLE
        field = request.fields[field].next
    return False


cdef void find_caller(Work *work) noexcept nogil:
    """The call's source: the packet's, or what a proxy of ours wrote of whom it had it from."""
    cdef unsigned char octets[16]
    cdef Octets data = work.data
    cdef Span host
    cdef Via via
    cdef int family
    work.caller.at = <const unsigned char *>work.peer.host
    work.caller.size = work.peer.host_size
    if not work.traits & VIA_TRUSTED or not second_via(data, &work.request, &via):
        return
    host = via.received if via.received.start else via.host
    if host.end > host.start and data[host.start] == c'[':
        host.start += 1
        host.end -= 1
    family = read_address(data, host.start, host.end, octets)
    if family:
        work.source = address_of(family, octets)
        work.caller.at, work.caller.size = data + host.start, host.end - host.start


# What is asked

cdef void read_numbers(const Data *data, Work *work, int product) noexcept nogil:
    """Called and calling number of a product, by its own sources."""
    cdef const Reading *reading = data.readings[product]
    cdef Found calling
    read_sources(
        work.data, &work.request, reading.called, reading.called_count, reading.code,
        &work.called[product]
    )
    read_sources(
        work.data, &work.request, reading.calling, reading.calling_count, reading.code, &calling
    )
    work.call.called[product] = pack_found(reading, &work.called[product])
    work.call.calling[product] = pack_found(reading, &calling)


cdef void read_call(Desk *desk, const Data *data, Work *work) noexcept nogil:
    cdef Call *call = &work.call
    cdef int first = CIN_INDEX if desk.product == CIN_INDEX else PCS_INDEX
    memset(call, 0, sizeof(Call))
    work.called[PCS_INDEX].size = work.called[CIN_INDEX].size = 0
    work.apart = desk.product == 0 and data.apart
    read_numbers(data, work, first)
    if desk.product == 0:
        if work.apart:
            read_numbers(data, work, CIN_INDEX)
        else:
            work.called[CIN_INDEX] = work.called[PCS_INDEX]
            call.called[CIN_INDEX] = call.called[PCS_INDEX]
            call.calling[CIN_INDEX] = call.calling[PCS_INDEX]
    find_caller(work)
    call.source = work.source
    call.point_code = -1
    call.product = desk.product
    call.not_called = work.called[first].size == 0
    if work.request.first[<uint32_t>H_IDENTITY] < 0:
        call.verdict = CALLER_INVALID if data.require_identity else CALLER_UNSIGNED
    elif work.told != NULL:
        call.verdict = work.told.verdict or <uint8_t>CALLER_UNKNOWN
    call.anonymous = withheld(work.data, &work.request)
