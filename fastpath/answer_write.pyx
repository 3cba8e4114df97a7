"""An answer to a scanned request. What each function promises stands in answer_write.pxd."""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memchr

from callscreen.fastpath.answer_peer cimport is_peer
from callscreen.fastpath.answer_pour cimport Pour, pour_begin, pour_end, pour_octets
from callscreen.fastpath.sip_list cimport next_listed
from callscreen.fastpath.sip_scan cimport (
    H_CALL_ID, H_CSEQ, H_FROM, H_TO, H_VIA, NO_FIELD, Field, Known, Request, marked,
)
from callscreen.fastpath.sip_text cimport Marked, Octets, Span, is_space, same, skip_lws

cdef extern from *:
    """
    /* A word as eight octets, the lowest first, on any machine. */
    static inline void answer_word(char *out, uint64_t word) {
    #if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
    #endif
        memcpy(out, &word, 8);
    }
    """
    void put_word "answer_word"(char *out, uint64_t word) noexcept nogil


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
        put_field(out, data, &request.fields[request.first[<uint32_t>H_TO]])
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
    write_hex(out, tag_of(data, request, low, high))


cdef uint64_t tag_of(
    Octets data, const Request *request, uint64_t low, uint64_t high
) noexcept nogil:
    """The hash of Call-ID, From tag, CSeq number and branch, with a NUL between them."""
    cdef Span call_id = request.call_id, tag = request.sender.tag, branch = request.via.branch
    cdef Pour hash
    cdef char digits[10]
    cdef Out cseq = into(digits, sizeof(digits))
    put_number(&cseq, request.cseq)
    pour_begin(&hash, low, high)
    pour_octets(&hash, data + call_id.start, call_id.end - call_id.start)
    pour_octets(&hash, b"\0", 1)
    pour_octets(&hash, data + tag.start, tag.end - tag.start)
    pour_octets(&hash, b"\0", 1)
    pour_octets(&hash, digits, <uint32_t>cseq.size)
    pour_octets(&hash, b"\0", 1)
    pour_octets(&hash, data + branch.start, branch.end - branch.start)
    return pour_end(&hash)


cdef void write_hex(char *out, uint64_t tag) noexcept nogil:
    cdef uint64_t half
    cdef uint32_t i
    for i in range(2):
        half = tag << 32 * i >> 32
        # Eight nibbles, an octet each, the first lowest in memory; then all made letters at once.
        half = (half & 0xFFFF) << 32 | half >> 16
        half = (half & 0x000000FF000000FFULL) << 16 | (half >> 8) & 0x000000FF000000FFULL
        half = (half & 0x000F000F000F000FULL) << 8 | (half >> 4) & 0x000F000F000F000FULL
        half += 0x3030303030303030ULL + 39 * (
            (half + 0x0606060606060606ULL) >> 4 & 0x0101010101010101ULL
        )
        put_word(out + 8 * i, half)


cdef void put_first(
    Out *out, Octets data, const Request *request, Known kind, const char *label, size_t size
) noexcept nogil:
    """The first field of a kind as a line; nothing where there is none."""
    if request.first[<uint32_t>kind] >= 0:
        put(out, label, size)
        put_field(out, data, &request.fields[request.first[<uint32_t>kind]])
        put(out, b"\r\n", 2)


cdef inline void put_field(Out *out, Octets data, const Field *field) noexcept nogil:
    put_value(out, data, field.value, field.folded)


cdef void put_vias(Out *out, Octets data, const Request *request, const Peer *peer) noexcept nogil:
    """Every element of every Via as a line of its own, the topmost with what the packet says."""
    cdef Marked text = marked(data, request)
    cdef const Field *field
    cdef uint32_t at
    cdef Span element
    cdef bint topmost = True
    if request.first[<uint32_t>H_VIA] < 0:
        return
    field = &request.fields[request.first[<uint32_t>H_VIA]]
    at = field.value.start
    if request.via.end and not field.folded:
        put(out, b"Via: ", 5)
        put_sound(out, data, request, peer)
        put(out, b"\r\n", 2)
        at = skip_lws(data, request.via.end, field.value.end) + 1
        topmost = False
    while True:
        while next_listed(text, field.value, &at, &element):
            put(out, b"Via: ", 5)
            if topmost:
                put_topmost(out, data, request, element, peer)
            else:
                put_value(out, data, element, field.folded)
            put(out, b"\r\n", 2)
            topmost = False
        if field.next == NO_FIELD:
            return
        field = &request.fields[field.next]
        at = field.value.start


cdef inline bint as_sent(Octets data, const Request *request, const Peer *peer) noexcept nogil:
    """The packet has nothing to say beyond what the topmost Via does."""
    return not (
        request.via.rport or request.via.received.start
        or not is_peer(data, request.via.host, peer)
    )


cdef void put_received(Out *out, const Request *request, const Peer *peer) noexcept nogil:
    put(out, b"received=", 9)
    put(out, peer.host, peer.host_size)
    if request.via.rport:
        put(out, b";rport=", 7)
        put_number(out, peer.port)


cdef void put_sound(
    Out *out, Octets data, const Request *request, const Peer *peer
) noexcept nogil:
    """A topmost Via without folds whose parameters were found sound."""
    cdef Span first = request.via.rport_part, second = request.via.received_part
    cdef uint32_t at = request.via.start, end = request.via.end
    if as_sent(data, request, peer):
        put(out, data + at, end - at)
        return
    if second.start < first.start:
        first, second = second, first
    if first.end:
        put(out, data + at, first.start - at)
        at = first.end
    if second.end:
        put(out, data + at, second.start - at)
        at = second.end
    if at < end:
        put(out, data + at, end - at)
    put(out, b";", 1)
    put_received(out, request, peer)


cdef void put_topmost(
    Out *out, Octets data, const Request *request, Span element, const Peer *peer
) noexcept nogil:
    """A topmost Via as it comes, part by part."""
    cdef Span part
    if as_sent(data, request, peer):
        put_value(out, data, element, True)
        return
    part.start = element.start
    while part.start <= element.end:
        part.end = parameter_end(data, part.start, element.end)
        if not is_replaced(data, part):
            put_value(out, data, part, True)
            put(out, b";", 1)
        part.start = part.end + 1
    put_received(out, request, peer)


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


cdef inline void put_value(Out *out, Octets data, Span value, bint folded) noexcept nogil:
    if folded:
        put_folded(out, data, value)
    else:
        put(out, data + value.start, value.end - value.start)


cdef void put_folded(Out *out, Octets data, Span value) noexcept nogil:
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
