"""An answer to a scanned request. What each function promises stands in answer_write.pxd."""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memchr, memcmp, memcpy

from callscreen.fastpath.answer_hash cimport (
    Hash,
    hash_begin,
    hash_end,
    hash_octet,
    hash_octets,
)
from callscreen.fastpath.sip_list cimport next_in_list
from callscreen.fastpath.sip_scan cimport (
    H_CALL_ID,
    H_CSEQ,
    H_FROM,
    H_TO,
    H_VIA,
    Known,
    Request,
)
from callscreen.fastpath.sip_text cimport (
    AF_INET,
    AF_INET6,
    Octets,
    Span,
    inet_pton,
    same,
)


cdef void put(Out *out, const void *octets, size_t size) noexcept nogil:
    if out.size <= out.room and size <= out.room - out.size:
        memcpy(out.at + out.size, octets, size)
    out.size += size


cdef void put_number(Out *out, uint32_t value) noexcept nogil:
    cdef char digits[10]
    cdef int at = 10
    while True:
        at -= 1
        digits[at] = <char>(c'0' + value % 10)
        value //= 10
        if not value:
            break
    put(out, &digits[at], 10 - at)


cdef bint clean(Octets octets, size_t size) noexcept nogil:
    cdef size_t i
    for i in range(size):
        if octets[i] < 0x20 or octets[i] == 0x7F:
            return False
    return True


cdef void read_peer(Peer *peer, const char *host, size_t size) noexcept nogil:
    peer.host, peer.host_size = host, <uint32_t>size
    peer.family = read_address(<Octets>host, 0, <uint32_t>size, peer.octets)


cdef int read_address(Octets data, uint32_t i, uint32_t end, unsigned char *out) noexcept nogil:
    """The family of an address and its octets, IPv4 out of IPv6; 0 where it is none."""
    cdef char text[48]
    cdef unsigned char mapped[12]
    if end - i >= sizeof(text):
        return 0
    memcpy(text, data + i, end - i)
    text[end - i] = 0
    if inet_pton(AF_INET, text, out) == 1:
        return AF_INET
    if inet_pton(AF_INET6, text, out) != 1:
        return 0
    memcpy(mapped, b"\0\0\0\0\0\0\0\0\0\0\xff\xff", 12)
    if memcmp(out, mapped, 12) != 0:
        return AF_INET6
    memcpy(out, out + 12, 4)
    return AF_INET


cdef bint is_peer(Octets data, Span host, const Peer *peer) noexcept nogil:
    """The host of a Via is where the packet came from."""
    cdef unsigned char octets[16]
    cdef int family
    if not peer.family:
        return same(data, host.start, host.end, peer.host, peer.host_size)
    if host.end > host.start and data[host.start] == c'[':
        host.start += 1
        host.end -= 1
    family = read_address(data, host.start, host.end, octets)
    return family == peer.family and memcmp(
        octets, peer.octets, 4 if family == AF_INET else 16
    ) == 0


cdef void put_head(
    Out *out, Octets data, const Request *request, uint32_t status,
    const char *reason, size_t reason_size, const char *tag, size_t tag_size, const Peer *peer
) noexcept nogil:
    put(out, b"SIP/2.0 ", 8)
    put_number(out, status)
    put(out, b" ", 1)
    put(out, reason, reason_size)
    put(out, b"\r\n", 2)
    put_vias(out, data, request, peer)
    put_first(out, data, request, H_FROM, b"From: ", 6)
    if request.first[<uint32_t>H_TO] >= 0:
        put(out, b"To: ", 4)
        put_value(out, data, request.fields[request.first[<uint32_t>H_TO]].value)
        if tag_size and not request.to.tag.start and request.to.uri.end > request.to.uri.start:
            put(out, b";tag=", 5)
            put(out, tag, tag_size)
        put(out, b"\r\n", 2)
    put_first(out, data, request, H_CALL_ID, b"Call-ID: ", 9)
    put_first(out, data, request, H_CSEQ, b"CSeq: ", 6)


cdef void put_end(Out *out) noexcept nogil:
    put(out, b"Content-Length: 0\r\n\r\n", 21)


cdef uint32_t answer_port(const Request *request, uint32_t source_port) noexcept nogil:
    return source_port if request.via.rport else request.via.port or DEFAULT_PORT


cdef void write_tag(
    char *out, Octets data, const Request *request, uint64_t low, uint64_t high
) noexcept nogil:
    cdef Hash hash
    cdef uint64_t value
    cdef char digits[10]
    cdef Out cseq = into(digits, sizeof(digits))
    cdef int i
    put_number(&cseq, request.cseq)
    hash_begin(&hash, low, high)
    hash_octets(&hash, data, request.call_id.start, request.call_id.end)
    hash_octet(&hash, 0)
    hash_octets(&hash, data, request.sender.tag.start, request.sender.tag.end)
    hash_octet(&hash, 0)
    hash_octets(&hash, <Octets>digits, 0, <uint32_t>cseq.size)
    hash_octet(&hash, 0)
    hash_octets(&hash, data, request.via.branch.start, request.via.branch.end)
    value = hash_end(&hash)
    for i in range(TAG_SIZE):
        out[i] = (<const char *>b"0123456789abcdef")[value >> (60 - 4 * i) & 15]


cdef void put_first(
    Out *out, Octets data, const Request *request, Known kind, const char *label, size_t size
) noexcept nogil:
    """The first field of a kind as a line; nothing where there is none."""
    if request.first[<uint32_t>kind] >= 0:
        put(out, label, size)
        put_value(out, data, request.fields[request.first[<uint32_t>kind]].value)
        put(out, b"\r\n", 2)


cdef void put_vias(Out *out, Octets data, const Request *request, const Peer *peer) noexcept nogil:
    """Every element of every Via as a line of its own, the topmost with what the packet says."""
    cdef uint32_t field, at
    cdef Span value, element
    cdef bint topmost = True
    for field in range(request.count):
        if request.fields[field].known != H_VIA:
            continue
        value = request.fields[field].value
        at = value.start
        while next_in_list(data, value, &at, &element):
            put(out, b"Via: ", 5)
            if topmost:
                put_topmost(out, data, request, element, peer)
            else:
                put_value(out, data, element)
            put(out, b"\r\n", 2)
            topmost = False


cdef void put_topmost(
    Out *out, Octets data, const Request *request, Span element, const Peer *peer
) noexcept nogil:
    cdef Span part
    if not (
        request.via.rport or request.via.received.start
        or not is_peer(data, request.via.host, peer)
    ):
        put_value(out, data, element)
        return
    part.start = element.start
    while part.start <= element.end:
        part.end = parameter_end(data, part.start, element.end)
        if not is_replaced(data, part):
            put_value(out, data, part)
            put(out, b";", 1)
        part.start = part.end + 1
    put(out, b"received=", 9)
    put(out, peer.host, peer.host_size)
    if request.via.rport:
        put(out, b";rport=", 7)
        put_number(out, peer.port)


cdef uint32_t parameter_end(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    """Position of the semicolon that ends a parameter, or end; not one in quotes."""
    cdef bint quoted = False
    while i < end:
        if quoted and data[i] == c'\\':
            i += 1
        elif data[i] == c'"':
            quoted = not quoted
        elif data[i] == c';' and not quoted:
            return i
        i += 1
    return end


cdef bint is_replaced(Octets data, Span part) noexcept nogil:
    """A parameter that the packet's own address replaces, or an empty one."""
    cdef uint32_t end = part.start
    while end < part.end and data[end] != c'=':
        end += 1
    while part.start < end and is_space(data[part.start]):
        part.start += 1
    while end > part.start and is_space(data[end - 1]):
        end -= 1
    return end == part.start or same(data, part.start, end, "received", 8) or same(
        data, part.start, end, "rport", 5
    )


cdef bint is_space(unsigned char octet) noexcept nogil:
    return octet == c' ' or 9 <= octet <= 13


cdef void put_value(Out *out, Octets data, Span value) noexcept nogil:
    """A value or a part of one, every line fold as one space (RFC 3261 7.3.1)."""
    cdef uint32_t start = value.start, end, stop
    cdef const unsigned char *fold
    while True:
        fold = <const unsigned char *>memchr(data + start, c'\r', value.end - start)
        if fold == NULL:
            put(out, data + start, value.end - start)
            return
        end = stop = <uint32_t>(fold - data)
        while end > start and (data[end - 1] == c' ' or data[end - 1] == c'\t'):
            end -= 1
        put(out, data + start, end - start)
        put(out, b" ", 1)
        start = stop + 2
        while start < value.end and (data[start] == c' ' or data[start] == c'\t'):
            start += 1
