"""Sent on as a stateless proxy does. What each function promises stands in forwarding.pxd."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memcmp, memcpy, memset

from callscreen.fastpath.answer_pour cimport Pour, pour_begin, pour_end, pour_octets
from callscreen.fastpath.answer_write cimport (
    DEFAULT_PORT, TAG_SIZE, Out, Peer, into, put, put_number, put_sound, put_topmost, read_address,
    read_peer, tag_of, write_hex,
)
from callscreen.fastpath.area cimport big_area, free_area
from callscreen.fastpath.peers cimport UNTRUSTED, PeerRows, PeerTable, find_peer
from callscreen.fastpath.prefixes cimport Address
from callscreen.fastpath.routes cimport Text8
from callscreen.fastpath.sip_fields cimport VIA_SOUND, Address as Named, Via, address, scan_via
from callscreen.fastpath.sip_list cimport next_in_list
from callscreen.fastpath.sip_scan cimport (
    H_ASSERTED, H_FROM, H_MAX_FORWARDS, H_OTHER, H_ROUTE, H_VIA, NO_FIELD, Field, Request, scan,
)
from callscreen.fastpath.sip_text cimport AF_INET, AF_INET6, Octets, Span, number, same

from ipaddress import ip_address

from .answer_types import plain_address, tag_key
from .forwarding_types import REFUSALS as REFUSAL_WORDS
from .forwarding_types import branch_key, parse_sent_by

__all__ = ["Forwarding", "NameTable", "OnwardTable"]

if len(REFUSAL_WORDS) != REFUSALS:
    raise ValueError("the refusals stand for other words than were compiled")

cdef extern from *:
    """
    #include <stdint.h>
    #define onward_load(place) __atomic_load_n(place, __ATOMIC_ACQUIRE)
    #define onward_store(place, word) __atomic_store_n(place, word, __ATOMIC_RELEASE)
    static inline int onward_take(uint64_t *place, uint64_t seen) {
        return __atomic_compare_exchange_n(
            place, &seen, seen + 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
    }
    #define onward_fence() __atomic_thread_fence(__ATOMIC_ACQUIRE)
    #define onward_begun() __atomic_thread_fence(__ATOMIC_RELEASE)
    """
    uint64_t onward_load(const uint64_t *place) noexcept nogil
    void onward_store(uint64_t *place, uint64_t word) noexcept nogil
    int onward_take(uint64_t *place, uint64_t seen) noexcept nogil
    void onward_fence() noexcept nogil
    void onward_begun() noexcept nogil

cdef enum:
    COOKIE_OCTETS = 7
    LIMIT_MOST = 1 << 24  # calls remembered
    PORT_MOST = 65535


# Where to

cdef bint read_hop(Octets text, uint32_t size, Hop *out) noexcept nogil:
    """An address with a port or without; false where it is a name."""
    cdef uint32_t end = size, begin = 0
    cdef const unsigned char *mark
    cdef long port = DEFAULT_PORT
    if size and text[0] == c'[':
        mark = <const unsigned char *>memchr(text, c']', size)
        if mark == NULL:
            return False
        begin, end = 1, <uint32_t>(mark - text)
        if end + 1 < size and text[end + 1] == c':':
            port = number(text, end + 2, size, PORT_MOST)
    else:
        mark = <const unsigned char *>memchr(text, c':', size)
        if mark != NULL:
            end = <uint32_t>(mark - text)
            port = number(text, end + 1, size, PORT_MOST)
    memset(out, 0, sizeof(Hop))
    out.family = read_address(text, begin, end, out.octets)
    out.port = <uint32_t>port if port > 0 else 0
    return out.family != 0 and out.port != 0


cdef Address source_of(const Hop *hop) noexcept nogil:
    cdef Address out
    cdef int i
    out.high = out.low = 0
    out.family = 4 if hop.family == AF_INET else 6
    if hop.family == AF_INET:
        for i in range(4):
            out.low = out.low << 8 | hop.octets[i]
        return out
    for i in range(8):
        out.high = out.high << 8 | hop.octets[i]
        out.low = out.low << 8 | hop.octets[8 + i]
    return out


cdef bint is_same_hop(const Hop *one, const Hop *other) noexcept nogil:
    return (
        one.family == other.family and one.port == other.port
        and memcmp(one.octets, other.octets, 16) == 0
    )


cdef bint named_hop(Forwarder *forwarder, Text8 egress, Hop *out) noexcept nogil:
    """What a name was resolved to; one that is not known is wanted."""
    cdef const NamedHops *names = forwarder.names
    cdef uint32_t i
    if names != NULL:
        for i in range(names.count):
            if names.hops[i].size == egress.size and memcmp(
                names.hops[i].text, egress.at, egress.size
            ) == 0:
                out[0] = names.hops[i].hop
                return out.family != 0
    if egress.size <= <uint32_t>HOP_OCTETS:
        memcpy(forwarder.wanted, egress.at, egress.size)
        forwarder.wanted_size = egress.size
    return False


cdef Refusal find_hop(Forwarder *forwarder, Text8 egress, Hop *out) noexcept nogil:
    cdef Address source
    if not egress.size:
        return NO_ROUTE
    if not read_hop(egress.at, egress.size, out) and not named_hop(forwarder, egress, out):
        return UNRESOLVED
    if is_same_hop(out, &forwarder.own):
        return OWN_ADDRESS
    source = source_of(out)
    if forwarder.peers != NULL and find_peer(forwarder.peers, &source) == UNTRUSTED:
        return NOT_A_PEER
    return SENT_ON


# What was sent on lately

cdef inline Onward *onward_bucket(const Onwards *onwards, uint64_t key) noexcept nogil:
    return onwards.entries + ONWARDS * (key & onwards.last)


cdef bint remember(
    Onwards *onwards, uint64_t key, const Hop *hop, Text8 uri, uint32_t second, bint told
) noexcept nogil:
    cdef Onward *bucket = onward_bucket(onwards, key)
    cdef Onward *place = bucket
    cdef uint64_t sequence
    cdef uint32_t i, age, oldest = 0
    for i in range(ONWARDS):
        if bucket[i].key == key:
            place = &bucket[i]
            break
        age = second - bucket[i].second if bucket[i].key else 0xFFFFFFFF
        if age > oldest:
            oldest, place = age, &bucket[i]
    sequence = onward_load(&place.sequence)
    if uri.size > ONWARD_OCTETS or sequence & 1 or not onward_take(&place.sequence, sequence):
        return False
    onward_begun()
    place.key, place.second, place.hop = key, second, hop[0]
    place.size, place.told = <uint16_t>uri.size, told
    memcpy(place.uri, uri.at, uri.size)
    onward_store(&place.sequence, sequence + 2)
    return True


cdef bint recall(const Onwards *onwards, uint64_t key, uint32_t second, Onward *out) noexcept nogil:
    cdef Onward *bucket = onward_bucket(onwards, key)
    cdef uint64_t sequence
    cdef uint32_t i
    for i in range(ONWARDS):
        sequence = onward_load(&bucket[i].sequence)
        if sequence & 1 or not sequence or bucket[i].key != key:
            continue
        out[0] = bucket[i]
        onward_fence()
        if onward_load(&bucket[i].sequence) == sequence and out.key == key:
            return second - out.second <= ONWARD_SECONDS
    return False


# Our Via

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
    """A host and port name us."""
    return (port or DEFAULT_PORT) == forwarder.port and same(
        data, host.start, host.end, forwarder.sent_by, forwarder.host_size
    )


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
            memset(&via, 0, sizeof(Via))
            via.ttl = -1
            if scan_via(data, element, &via) == VIA_SOUND:
                times += is_ours(forwarder, data, via.host, via.port)
        place = field.next
    return times >= SPIRALS


# A request

cdef struct Edit:  # octets that are replaced
    uint32_t start, end
    uint8_t kind

cdef enum:
    NO_EDIT
    EDIT_VIA
    EDIT_HOPS
    EDIT_ROUTE
    EDIT_CUT

cdef enum:
    EDITS = 16  # of one request
    VERSTAT = 7  # octets of the word


cdef uint32_t line_end(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    """Position after the line end that is next."""
    cdef const unsigned char *mark = <const unsigned char *>memchr(data + i, c'\n', end - i)
    return <uint32_t>(mark - data) + 1 if mark != NULL else end


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


cdef uint32_t field_end(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    """Position after the field that begins at i, with what is folded."""
    i = line_end(data, i, end)
    while i < end and (data[i] == c' ' or data[i] == c'\t'):
        i = line_end(data, i, end)
    return i


cdef bint is_end(unsigned char octet) noexcept nogil:
    """What ends a parameter of a URI or a field."""
    return memchr(b";@>?, \t\r\n", octet, 9) != NULL


cdef uint32_t cut(Edit *edits, uint32_t count, uint32_t start, uint32_t end) noexcept nogil:
    if count < EDITS:
        edits[count].start, edits[count].end, edits[count].kind = start, end, EDIT_CUT
        count += 1
    return count


cdef uint32_t verstats(
    Octets data, Span value, Edit *edits, uint32_t count
) noexcept nogil:
    """Leaves out each verstat of a field: how many edits there are."""
    cdef uint32_t start, at, end
    cdef const unsigned char *mark = <const unsigned char *>memchr(
        data + value.start, c';', value.end - value.start)
    while mark != NULL:
        start = <uint32_t>(mark - data)
        at = start + 1
        while at < value.end and memchr(b" \t\r\n", data[at], 4) != NULL:
            at += 1
        end = at + VERSTAT
        if end <= value.end and same(data, at, end, b"verstat", VERSTAT) and (
            end == value.end or data[end] == c'=' or is_end(data[end])
        ):
            while end < value.end and not is_end(data[end]):
                end += 1
            count = cut(edits, count, start, end)
            at = end
        mark = <const unsigned char *>memchr(data + at, c';', value.end - at)
    return count


cdef uint32_t claims(const Message *message, Edit *edits, uint32_t count) noexcept nogil:
    """Leaves out what a stranger says of verification, and an identity that ours replaces."""
    cdef Octets data = message.data
    cdef const Field *field
    cdef Span name
    cdef uint32_t i
    cdef bint replaced = message.more.size > 20 and memcmp(
        message.more.at, b"P-Asserted-Identity:", 20) == 0
    for i in range(message.request.count):
        field, name = &message.request.fields[i], message.request.fields[i].name
        if field.known == H_ASSERTED and replaced:
            count = cut(edits, count, name.start, field_end(data, field.value.end, message.size))
        elif message.trusted:
            continue
        elif field.known == H_ASSERTED or field.known == H_FROM:
            count = verstats(data, field.value, edits, count)
        elif field.known == H_OTHER and (
            name.end - name.start == 16 and same(data, name.start, name.end, b"attestation-info", 16)
            or name.end - name.start == 14 and same(
                data, name.start, name.end, b"origination-id", 14)
        ):
            count = cut(edits, count, name.start, field_end(data, field.value.end, message.size))
    return count


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
    put(out, data + request.uri.end, at - request.uri.end)
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


# A response

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


cdef bint take_via(Octets data, Span element, Via *out) noexcept nogil:
    memset(out, 0, sizeof(Via))
    out.ttl = -1
    return scan_via(data, element, out) == VIA_SOUND


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
    cdef uint64_t key, check
    if not read_heading(data, size, &heading):
        return RESPONSE_MALFORMED
    if not is_ours(forwarder, data, heading.own.host, heading.own.port):
        return RESPONSE_NOT_OURS
    if not read_branch(data, heading.own.branch, &key, &check):
        return RESPONSE_NOT_OURS
    if not caller_hop(data, &heading.next, hop):
        return RESPONSE_NOT_OURS
    if check != branch_check(forwarder, key, hop.family, hop.octets):
        return RESPONSE_NOT_OURS
    put(out, data, heading.cut)
    put(out, data + heading.cut_end, size - heading.cut_end)
    return SENT_ON


# For Python

cdef class OnwardTable:
    def __cinit__(self, uint64_t limit):
        cdef uint64_t buckets = 1
        if not 1 <= limit <= LIMIT_MOST:
            raise ValueError(f"a table of 1 to {LIMIT_MOST} calls, not {limit}")
        while buckets * ONWARDS < limit:
            buckets *= 2
        self.onwards.entries = <Onward *>big_area(buckets * ONWARDS * sizeof(Onward))
        memset(self.onwards.entries, 0, buckets * ONWARDS * sizeof(Onward))
        self.onwards.last = buckets - 1

    def __dealloc__(self):
        if self.onwards.entries != NULL:
            free_area(
                self.onwards.entries, (self.onwards.last + 1) * ONWARDS * sizeof(Onward))

    def __len__(self):
        return (self.onwards.last + 1) * ONWARDS

    def note(self, uint64_t key, str egress not None, bytes uri not None, uint32_t second):
        cdef Hop hop
        cdef bytes text = egress.encode()
        cdef Text8 octets
        if not read_hop(<Octets>PyBytes_AS_STRING(text), <uint32_t>len(text), &hop):
            raise ValueError(f"no address: {egress!r}")
        octets.at = <const unsigned char *>PyBytes_AS_STRING(uri)
        octets.size = <uint32_t>PyBytes_GET_SIZE(uri)
        return remember(&self.onwards, key, &hop, octets, second, False)

    def find(self, uint64_t key, uint32_t second):
        cdef Onward onward
        if not recall(&self.onwards, key, second, &onward):
            return None
        return (*hop_words(&onward.hop), PyBytes_FromStringAndSize(
            <char *>onward.uri, onward.size))


cdef tuple hop_words(const Hop *hop):
    size = 4 if hop.family == AF_INET else 16
    return str(ip_address(PyBytes_FromStringAndSize(<char *>hop.octets, size))), hop.port


cdef class NameTable:
    def __cinit__(self, dict names not None):
        cdef NamedHop *row
        cdef bytes text
        if len(names) > NAMES_MOST:
            raise ValueError(f"at most {NAMES_MOST} names")
        for name, egress in names.items():
            row = &self.hops.hops[self.hops.count]
            text = name.encode()
            if not 1 <= len(text) <= HOP_OCTETS:
                raise ValueError(f"no egress route: {name!r}")
            memcpy(row.text, PyBytes_AS_STRING(text), len(text))
            row.size = <uint32_t>len(text)
            text = egress.encode()
            if text and not read_hop(
                <Octets>PyBytes_AS_STRING(text), <uint32_t>len(text), &row.hop
            ):
                raise ValueError(f"no address: {egress!r}")
            self.hops.count += 1


cdef class Forwarding:
    def __cinit__(self, str via not None, bytes secret not None, OnwardTable onwards not None):
        cdef uint64_t words[2]
        cdef bytes key = branch_key(secret)
        sent_by = parse_sent_by(via)
        cdef bytes text = sent_by.text.encode()
        memcpy(words, PyBytes_AS_STRING(key), sizeof(words))
        self.forwarder.low, self.forwarder.high = words[0], words[1]
        self.onwards = onwards
        self.forwarder.onwards = &onwards.onwards
        memcpy(self.forwarder.sent_by, PyBytes_AS_STRING(text), len(text))
        self.forwarder.sent_by_size = <uint32_t>len(text)
        self.forwarder.host_size = <uint32_t>len(sent_by.host)
        self.forwarder.port = sent_by.port
        if not read_hop(<Octets>PyBytes_AS_STRING(text), <uint32_t>len(text), &self.forwarder.own):
            memset(&self.forwarder.own, 0, sizeof(Hop))

    def hop(self, str egress not None, NameTable names=None, PeerTable peers=None):
        cdef bytes text = egress.encode()
        cdef Text8 octets
        cdef Hop hop
        cdef Refusal refusal
        octets.at = <const unsigned char *>PyBytes_AS_STRING(text)
        octets.size = <uint32_t>PyBytes_GET_SIZE(text)
        self.forwarder.names = NULL if names is None else &names.hops
        self.forwarder.peers = NULL if peers is None else &peers.peers
        refusal = find_hop(&self.forwarder, octets, &hop)
        self.forwarder.names, self.forwarder.peers = NULL, NULL
        return REFUSAL_WORDS[<int>refusal] if refusal else hop_words(&hop)

    def forward(
        self, bytes data not None, tuple source not None, bytes uri not None,
        bytes more=b"", bytes secret=b"secret", bint trusted=False,
    ):
        cdef Request *request = <Request *>malloc(sizeof(Request))
        cdef Message message
        cdef Peer peer
        cdef bytes host = plain_address(source[0]).encode(), key = tag_key(secret)
        cdef size_t room = 3 * (PyBytes_GET_SIZE(data) + len(uri) + len(more)) + 1024
        cdef char *at = <char *>malloc(room)
        cdef Out out = into(at, room)
        cdef uint64_t words[2]
        memcpy(words, PyBytes_AS_STRING(key), sizeof(words))
        try:
            if at == NULL or request == NULL:
                raise MemoryError
            message.data, message.size = <Octets>PyBytes_AS_STRING(data), <uint32_t>len(data)
            message.request, message.peer, message.trusted = request, &peer, trusted
            read_peer(&peer, PyBytes_AS_STRING(host), PyBytes_GET_SIZE(host))
            peer.port = source[1]
            if scan(message.data, message.size, request):
                return None
            if is_looping(&self.forwarder, message.data, request):
                return REFUSAL_WORDS[<int>LOOPS]
            message.key = tag_of(message.data, request, words[0], words[1])
            message.uri.at, message.uri.size = <Octets>PyBytes_AS_STRING(uri), <uint32_t>len(uri)
            message.more.at = <Octets>PyBytes_AS_STRING(more)
            message.more.size = <uint32_t>len(more)
            put_forwarded(&out, &self.forwarder, &message)
            if out.size > out.room:
                return REFUSAL_WORDS[<int>TOO_LONG]
            return PyBytes_FromStringAndSize(at, <Py_ssize_t>out.size)
        finally:
            free(at)
            free(request)

    def relay(self, bytes data not None):
        cdef bytes room = bytes(len(data) + 1)
        cdef Out out = into(PyBytes_AS_STRING(room), len(data))
        cdef Hop hop
        cdef Refusal refusal = put_relayed(
            &out, &self.forwarder, <Octets>PyBytes_AS_STRING(data), <uint32_t>len(data), &hop)
        if refusal:
            return REFUSAL_WORDS[<int>refusal]
        return room[:out.size], hop_words(&hop)

    @property
    def relayed(self):
        return self.forwarder.relayed

    @property
    def refused(self):
        cdef int i
        return {
            REFUSAL_WORDS[i]: self.forwarder.refused[i]
            for i in range(1, REFUSALS) if self.forwarder.refused[i]
        }

    @property
    def wanted(self):
        cdef uint32_t size = min(self.forwarder.wanted_size, <uint32_t>HOP_OCTETS)
        return PyBytes_FromStringAndSize(self.forwarder.wanted, size).decode("ascii", "ignore")
