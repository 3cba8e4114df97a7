"""A number out of a URI. What each function promises stands in extract_number.pxd."""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

from callscreen.fastpath.numbers cimport pack_before, pack_octets
from callscreen.fastpath.sip_escape cimport (
    find_param,
    next_octet,
    part_end,
    same_unescaped,
    unescape,
)
from callscreen.fastpath.sip_text cimport C_DIGIT, Octets, Span, sip_class
from callscreen.fastpath.sip_uri cimport URI_BAD, URI_OTHER, URI_TEL, Uri

cdef struct Number:
    unsigned char digits[MAX_USER]
    uint32_t start, end  # what of them counts
    bint is_global
    bint coded  # `code` counts, empty or not
    Text code
    unsigned char context[MAX_DIGITS + 1]  # digits of a global context, one too many at most
    uint32_t context_size


cdef bint read_uri(
    Octets data, const Uri *uri, const Source *source, Text default_cc, Found *out
) noexcept nogil:
    cdef Number number
    cdef uint32_t i
    if uri.kind == URI_BAD or uri.kind == URI_OTHER:
        out.flaw = NO_URI
        return False
    if read_digits(data, uri, source, default_cc, out):
        out.flaw = FINE
        return True
    number.start = number.end = number.context_size = 0
    number.is_global = number.coded = False
    out.flaw = read_user(data, uri, source, &number)
    for i in range(source.count):
        if out.flaw == FINE:
            out.flaw = apply(&number, &source.steps[i])
            out.least = source.steps[i].least
    if out.flaw == FINE:
        out.flaw = write_e164(&number, default_cc, out)
        if out.flaw == FINE:
            out.packed = pack_octets(out.text, out.size)
    return out.flaw == FINE


cdef bint read_digits(
    Octets data, const Uri *uri, const Source *source, Text default_cc, Found *out
) noexcept nogil:
    """The usual case at once: a user part of digits, with a plus sign or not, and no step but
    require_digits. False says nothing: the long way has to tell."""
    cdef uint32_t end = uri.user.end, size = end - uri.user.start, i
    cdef bint plus = size > 0 and data[uri.user.start] == c'+'
    cdef bint phone = uri.kind == URI_TEL or source.implicit
    cdef uint64_t packed
    size -= plus
    if end < 16 or size == 0 or size > MAX_DIGITS:
        return False
    for i in range(source.count):
        if source.steps[i].kind != REQUIRE_DIGITS or source.steps[i].least > size:
            return False
    packed = pack_before(data + end, size)
    if not packed:
        return False
    if plus:
        # As it stands the plus sign is one of the digits, and user=phone has not been looked for.
        if source.count and not phone and not source.longest:
            return False
        out.text[0] = c'+'
        memcpy(out.text + 1, data + end - size, size)
        out.size = size + 1
        out.packed = packed
        return True
    if source.context.size or (uri.kind == URI_TEL and uri.params.end > uri.params.start):
        return False
    if size <= SHORT_CODE_DIGITS:
        memcpy(out.text, data + end - size, size)
        out.size = size
        out.packed = packed
        return True
    if default_cc.size > MAX_DIGITS - size:
        return False
    for i in range(default_cc.size):
        if not sip_class[default_cc.at[i]] & C_DIGIT:
            return False
    out.text[0] = c'+'
    memcpy(out.text + 1, default_cc.at, default_cc.size)
    memcpy(out.text + 1 + default_cc.size, data + end - size, size)
    out.size = 1 + default_cc.size + size
    out.packed = pack_octets(out.text, out.size)
    return True


cdef Flaw read_user(
    Octets data, const Uri *uri, const Source *source, Number *out
) noexcept nogil:
    """The number object of a URI."""
    cdef unsigned char user[MAX_USER]
    cdef Span subscriber = uri.user, own, value
    cdef uint32_t size
    own.start = own.end = uri.user.end
    if uri.kind == URI_TEL:
        own = uri.params
    else:
        subscriber.end = part_end(data, uri.user.start, uri.user.end)
        own.start = subscriber.end
    if subscriber.end - subscriber.start > MAX_USER:
        return LONG_USER
    size = unescape(data, subscriber, user)
    if (
        uri.kind == URI_TEL or source.implicit
        or (
            find_param(data, uri.params, "user", 4, &value)
            and same_unescaped(data, value, "phone", 5)
        )
    ):
        if telephone(user, size, out):
            if not out.is_global:
                read_context(data, own, source, out)
            return FINE
    if uri.kind == URI_TEL:
        return NO_TELEPHONE
    if not size:
        return NO_USER
    memcpy(out.digits, user, size)
    out.end = size
    return longest_run(out) if source.longest else FINE


cdef Flaw longest_run(Number *out) noexcept nogil:
    """Narrows the number to its longest run of digits, the first of several."""
    cdef uint32_t i = 0, start, best = 0, size = out.end
    out.start = out.end = 0
    while i < size:
        start = i
        while i < size and sip_class[out.digits[i]] & C_DIGIT:
            i += 1
        if i - start > best:
            best = i - start
            out.start, out.end = start, i
        if i == start:
            i += 1
    if not best:
        return NO_DIGITS
    out.is_global = out.start > 0 and out.digits[out.start - 1] == c'+'
    return FINE


cdef bint telephone(const unsigned char *user, uint32_t size, Number *out) noexcept nogil:
    """A global or a local number without its separators (RFC 3966); out is as it was if neither."""
    cdef uint32_t i, count = 0
    cdef bint plus = False, fine = True
    for i in range(size):
        if is_separator(user[i]):
            continue
        if user[i] == c'+' and not plus and not count:
            plus = True
        elif sip_class[user[i]] & C_DIGIT or (not plus and (user[i] == c'*' or user[i] == c'#')):
            out.digits[count] = user[i]
            count += 1
        else:
            fine = False
            break
    if not fine or not count:
        return False
    out.end = count
    out.is_global = plus
    return True


cdef bint is_separator(unsigned char octet) noexcept nogil:
    return (
        octet == c'-' or octet == c'.' or octet == c'(' or octet == c')' or octet == c' '
    )


cdef void read_context(Octets data, Span own, const Source *source, Number *out) noexcept nogil:
    """The digits of a global phone-context, or of the policy's where the URI gives none."""
    cdef Span value
    cdef uint32_t i
    cdef bint begun = False
    if not find_param(data, own, "phone-context", 13, &value) or value.start == value.end:
        data = source.context.at
        value.start, value.end = 0, source.context.size
    i = value.start
    while i < value.end:
        octet = next_octet(data, &i, value.end, data != source.context.at)
        if is_separator(octet):
            continue
        if not begun and octet == c'+':
            begun = True
        elif begun and sip_class[octet] & C_DIGIT:
            if out.context_size <= MAX_DIGITS:
                out.context[out.context_size] = octet
                out.context_size += 1
        else:
            out.context_size = 0
            return


cdef Flaw apply(Number *number, const Step *step) noexcept nogil:
    cdef uint32_t size = number.end - number.start, i
    cdef int64_t start, end
    if step.kind == STRIP_PREFIX:
        if step.text.size and step.text.size <= size and memcmp(
            number.digits + number.start, step.text.at, step.text.size
        ) == 0:
            number.start += step.text.size
            number.is_global = False
    elif step.kind == EXTRACT_SUBSTRING:
        if not step.ranged:
            return NO_RANGE
        start, end = clamped(step.start, size), clamped(step.end, size)
        if end < start:
            end = start
        number.is_global = number.is_global and end - start == size
        number.end = number.start + <uint32_t>end
        number.start += <uint32_t>start
    elif step.kind == SET_CC or (
        step.kind == DEFAULT_CC and not number.coded and not begins_with_cc(number)
    ):
        number.coded = True
        number.code = step.text
        number.is_global = False
    elif step.kind == REQUIRE_DIGITS:
        for i in range(number.start, number.end):
            if not sip_class[number.digits[i]] & C_DIGIT:
                return ODD_DIGITS
        if size < step.least:
            return FEW_DIGITS
    return FINE


cdef int64_t clamped(int64_t place, uint32_t size) noexcept nogil:
    """A place in `size` octets, counted from their end where it is negative."""
    if place < 0:
        place += size
    return 0 if place < 0 else size if place > size else place


cdef bint begins_with_cc(const Number *number) noexcept nogil:
    return number.is_global or (
        number.start < number.end and number.digits[number.start] == c'+'
    )


cdef Flaw write_e164(const Number *number, Text default_cc, Found *out) noexcept nogil:
    """The number as it is looked up: plus and digits, or a short code."""
    cdef unsigned char digits[MAX_DIGITS + 1]
    cdef Text code = default_cc
    cdef uint32_t i, count = 0
    cdef bint plus = False, is_global = not number.coded and begins_with_cc(number)
    for i in range(number.start, number.end):
        if is_separator(number.digits[i]):
            continue
        if number.digits[i] == c'+' and not plus and not count:
            plus = True
        elif not sip_class[number.digits[i]] & C_DIGIT:
            return NO_NUMBER
        else:
            if count <= MAX_DIGITS:
                digits[count] = number.digits[i]
            count += 1
    if not count:
        return NO_NUMBER
    if number.coded:
        code = number.code
    elif number.context_size:
        code.at, code.size = <Octets>&number.context[0], number.context_size
    if is_global:
        code.size = 0
    elif count <= SHORT_CODE_DIGITS:
        memcpy(out.text, digits, count)
        out.size = count
        return FINE
    for i in range(code.size):
        if not sip_class[code.at[i]] & C_DIGIT:
            return NO_NUMBER
    if count > MAX_DIGITS or code.size > MAX_DIGITS - count:
        return MANY_DIGITS
    out.text[0] = c'+'
    memcpy(out.text + 1, code.at, code.size)
    memcpy(out.text + 1 + code.size, digits, count)
    out.size = 1 + code.size + count
    return FINE
