"""Our Via. What each function promises stands in branches.pxd."""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcmp, memset

from callscreen.fastpath.answer_pour cimport Pour, pour_begin, pour_end, pour_octets
from callscreen.fastpath.answer_peer cimport Peer
from callscreen.fastpath.answer_write cimport DEFAULT_PORT, TAG_SIZE, Out, put, write_hex
from callscreen.fastpath.forwarder cimport Forwarder
from callscreen.fastpath.sip_fields cimport VIA_SOUND, Via, scan_via
from callscreen.fastpath.sip_list cimport next_in_list
from callscreen.fastpath.sip_scan cimport H_VIA, NO_FIELD, Field, Request
from callscreen.fastpath.sip_text cimport AF_INET, Octets, Span, same

__all__: list[str] = []

cdef enum:
    COOKIE_OCTETS = 7
    BRANCH_OCTETS = 39  # cookie, key and hash
    SPIRALS = 3  # times that one call may come through here


cdef uint64_t branch_check(
    const Forwarder *forwarder, uint64_t key, int family, const unsigned char *octets
) noexcept nogil:
    """The second half of a branch: of the first, and of whom the request came from."""
    cdef Pour hash
    cdef char text[TAG_SIZE]
    write_hex(text, key)
    pour_begin(&hash, forwarder.low, forwarder.high)
    pour_octets(&hash, text, TAG_SIZE)
    pour_octets(&hash, octets, 4 if family == AF_INET else 16)
    return pour_end(&hash)


cdef void put_own_via(
    Out *out, const Forwarder *forwarder, uint64_t key, const Peer *peer
) noexcept nogil:
    cdef char branch[2 * TAG_SIZE]
    write_hex(branch, key)
    write_hex(branch + TAG_SIZE, branch_check(forwarder, key, peer.family, peer.octets))
    put(out, b"Via: SIP/2.0/UDP ", 17)
    put(out, forwarder.sent_by, forwarder.sent_by_size)
    put(out, b";branch=z9hG4bK", 15)
    put(out, branch, 2 * TAG_SIZE)
    put(out, b"\r\n", 2)


cdef bint is_ours(
    const Forwarder *forwarder, Octets data, Span host, uint32_t port
) noexcept nogil:
    return (port or DEFAULT_PORT) == forwarder.port and same(
        data, host.start, host.end, forwarder.sent_by, forwarder.host_size
    )


cdef bint take_via(Octets data, Span element, Via *out) noexcept nogil:
    memset(out, 0, sizeof(Via))
    out.ttl = -1
    return scan_via(data, element, out) == VIA_SOUND


cdef bint is_looping(
    const Forwarder *forwarder, Octets data, const Request *request
) noexcept nogil:
    cdef const Field *field
    cdef Span element
    cdef Via via
    cdef uint32_t at, times = 0
    cdef int place = request.first[<uint32_t>H_VIA]
    while 0 <= place < NO_FIELD:
        field = &request.fields[place]
        at = field.value.start
        while next_in_list(data, field.value, &at, &element):
            if take_via(data, element, &via):
                times += is_ours(forwarder, data, via.host, via.port)
        place = field.next
    return times >= SPIRALS


cdef bint read_branch(Octets data, Span branch, uint64_t *key, uint64_t *check) noexcept nogil:
    """The halves of a branch of ours, as text would be written of them."""
    cdef uint64_t halves[2]
    cdef uint32_t i
    cdef unsigned char octet
    if branch.end - branch.start != BRANCH_OCTETS or memcmp(
        data + branch.start, b"z9hG4bK", COOKIE_OCTETS
    ) != 0:
        return False
    halves[0] = halves[1] = 0
    for i in range(2 * TAG_SIZE):
        octet = data[branch.start + COOKIE_OCTETS + i]
        if c'0' <= octet <= c'9':
            octet -= c'0'
        elif c'a' <= octet <= c'f':
            octet -= c'a' - 10
        else:
            return False
        halves[i // TAG_SIZE] = halves[i // TAG_SIZE] << 4 | octet
    key[0], check[0] = halves[0], halves[1]
    return True


cdef bint is_own_branch(
    const Forwarder *forwarder, Octets data, Span branch, int family, const unsigned char *octets
) noexcept nogil:
    cdef uint64_t key, check
    return read_branch(data, branch, &key, &check) and (
        check == branch_check(forwarder, key, family, octets)
    )
