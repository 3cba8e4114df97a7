"""What a stranger says of how a caller was verified. claims.pxd says what is left out."""

from libc.stdint cimport uint32_t
from libc.string cimport memchr, memcmp

from callscreen.fastpath.edits cimport Edit, cut, field_end
from callscreen.fastpath.forwarder cimport Message
from callscreen.fastpath.sip_escape cimport nibble
from callscreen.fastpath.sip_list cimport next_in_list
from callscreen.fastpath.sip_scan cimport H_ASSERTED, H_FROM, H_OTHER, Field
from callscreen.fastpath.sip_text cimport C_HEX, C_TOKEN, Octets, Span, same, sip_class

__all__: list[str] = []

cdef enum:
    VERSTAT = 7  # octets of the word


cdef inline unsigned char read_octet(Octets data, uint32_t *at, uint32_t end) noexcept nogil:
    """The octet at a place, %HH as what it stands for; the place moves past it."""
    cdef uint32_t i = at[0]
    if data[i] == c'%' and end - i > 2 and (
        sip_class[data[i + 1]] & C_HEX and sip_class[data[i + 2]] & C_HEX
    ):
        at[0] = i + 3
        return <unsigned char>(nibble(data[i + 1]) << 4 | nibble(data[i + 2]))
    at[0] = i + 1
    return data[i]


cdef inline bint takes(Octets data, uint32_t *at, uint32_t end, unsigned char lower) noexcept nogil:
    """Whether the next octet is a letter in any case, or another octet; the place moves past it."""
    cdef uint32_t i = at[0]
    cdef unsigned char octet
    if i >= end:
        return False
    octet = read_octet(data, &i, end)
    if octet != lower and not (c'A' <= octet <= c'Z' and octet + 32 == lower):
        return False
    at[0] = i
    return True


cdef inline uint32_t after_space(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    """Position after white space, and after whatever some reader may take for it."""
    cdef uint32_t k = i
    while k < end and read_octet(data, &k, end) <= 0x20:
        i = k
    return i


cdef inline bint is_mark(unsigned char octet) noexcept nogil:
    """What ends a parameter, whatever it is of."""
    return memchr(b";@<>?,", octet, 6) != NULL


cdef uint32_t value_end(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    cdef uint32_t k = i + 1
    if i < end and data[i] == c'"':
        while k < end and data[k] != c'"' and data[k] != c'<' and data[k] != c'>':
            k += 1
        if k < end and data[k] == c'"':
            i = k + 1
    while i < end and data[i] > 0x20 and not is_mark(data[i]):
        i += 1
    return i


cdef uint32_t rest_end(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    """Position after what else stands before the next parameter: it is to follow no other one."""
    cdef uint32_t k = after_space(data, i, end), past
    while k < end and not is_mark(data[k]):
        past = k
        if read_octet(data, &past, end) == c';':
            break
        i = past
        k = after_space(data, i, end)
    return i


cdef uint32_t verstat_end(Octets data, uint32_t i, uint32_t end) noexcept nogil:
    """Position after the verstat parameter whose semicolon stands at i; 0 where it is another."""
    cdef uint32_t k, letter
    if not takes(data, &i, end, c';'):
        return 0
    i = after_space(data, i, end)
    for letter in range(VERSTAT):
        if not takes(data, &i, end, (<const unsigned char *>b"verstat")[letter]):
            return 0
    k = i
    if k < end and sip_class[read_octet(data, &k, end)] & C_TOKEN:
        return 0  # a longer name
    k = after_space(data, i, end)
    if not takes(data, &k, end, c'='):
        return rest_end(data, i, end)
    return rest_end(data, value_end(data, after_space(data, k, end), end), end)


cdef uint32_t verstats(
    Octets data, uint32_t i, uint32_t end, Edit *edits, uint32_t count
) noexcept nogil:
    """Leaves out each verstat between two places: how many edits there are."""
    cdef uint32_t after
    while i < end:
        after = 0
        if data[i] == c';' or data[i] == c'%':
            after = verstat_end(data, i, end)
        if after:
            count = cut(edits, count, i, after)
            i = after
        else:
            i += 1
    return count


cdef uint32_t name_end(Octets data, Span element) noexcept nogil:
    """Position after the display name in quotes that an address begins with; 0 where none does."""
    cdef uint32_t i = element.start + 1
    if data[element.start] != c'"':
        return 0
    while i < element.end and data[i] != c'"':
        i += 2 if data[i] == c'\\' else 1
    i += 1
    while i < element.end and data[i] <= 0x20:
        i += 1
    return i if i < element.end and data[i] == c'<' else 0


cdef uint32_t clear(Octets data, Span value, Edit *edits, uint32_t count) noexcept nogil:
    """Leaves out the verstat of each address of a field."""
    cdef uint32_t at = value.start, begin = value.start, after
    cdef Span element
    while next_in_list(data, value, &at, &element):
        after = name_end(data, element)
        if after:
            count = verstats(data, begin, element.start, edits, count)
            begin = after
    return verstats(data, begin, value.end, edits, count)


cdef inline bint is_named(
    Octets data, Span name, const char *lower, uint32_t size
) noexcept nogil:
    return name.end - name.start == size and same(data, name.start, name.end, lower, size)


cdef uint32_t claims(const Message *message, Edit *edits, uint32_t count) noexcept nogil:
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
        elif field.known == H_ASSERTED or field.known == H_FROM or (
            field.known == H_OTHER and is_named(data, name, b"p-preferred-identity", 20)
        ):
            count = clear(data, field.value, edits, count)
        elif field.known == H_OTHER and (
            is_named(data, name, b"attestation-info", 16)
            or is_named(data, name, b"origination-id", 14)
            or is_named(data, name, b"p-identity-bypass", 17)
        ):
            count = cut(edits, count, name.start, field_end(data, field.value.end, message.size))
    return count
