"""Numbers and places out of a request. What each function promises stands in extract_scan.pxd."""

from libc.stdint cimport int32_t, uint32_t
from libc.string cimport memset

from callscreen.fastpath.extract_number cimport (
    NO_URI,
    NOT_THERE,
    Found,
    Source,
    Text,
    read_uri,
)
from callscreen.fastpath.sip_escape cimport part_end, same_unescaped
from callscreen.fastpath.sip_fields cimport Address, read_address_text
from callscreen.fastpath.sip_list cimport next_listed
from callscreen.fastpath.sip_scan cimport (
    H_ASSERTED,
    H_CONTACT,
    H_DIVERSION,
    H_HISTORY_INFO,
    H_PRIVACY,
    NO_FIELD,
    Known,
    Request,
    marked,
)
from callscreen.fastpath.sip_text cimport Marked, Octets, Span, is_space, same
from callscreen.fastpath.sip_uri cimport URI_BAD, URI_OTHER, Uri

cdef struct Walk:  # over the elements of every header field of one kind
    int32_t field  # NO_FIELD: no more
    uint32_t at  # in the field's value; 0: the field has not been begun


cdef bint read_source(
    Octets data, const Request *request, const Source *source, Text default_cc, Found *out
) noexcept nogil:
    cdef Marked text
    cdef Walk walk
    cdef Span element, before, last
    cdef uint32_t count = 0
    out.size = 0
    if source.kind == REQUEST_URI:
        return read_uri(data, &request.parts, source, default_cc, out)
    if source.kind == HDR_TO:
        return read_uri(data, &request.to.parts, source, default_cc, out)
    if source.kind == HDR_FROM:
        return read_uri(data, &request.sender.parts, source, default_cc, out)
    out.flaw = NOT_THERE
    text = marked(data, request)
    if source.kind == HDR_DIVERSION:
        walk = over(request, H_DIVERSION)
        return next_element(text, request, &walk, &element) and read_address(
            text, element, source, default_cc, out
        )
    if source.kind == HDR_P_ASSERTED_IDENTITY:
        walk = over(request, H_ASSERTED)
        while next_element(text, request, &walk, &element):
            if read_address(text, element, source, default_cc, out):
                return True
    elif source.kind == HDR_HISTORY_INFO:
        walk = over(request, H_HISTORY_INFO)
        while next_element(text, request, &walk, &last):
            if count:
                element = before
            before = last
            count += 1
        return count > 1 and read_address(text, element, source, default_cc, out)
    return False


cdef int32_t read_sources(
    Octets data, const Request *request, const Source *sources, uint32_t count, Text default_cc,
    Found *out
) noexcept nogil:
    cdef uint32_t i
    out.size = 0
    for i in range(count):
        if read_source(data, request, &sources[i], default_cc, out):
            return <int32_t>i
    return -1


cdef bint withheld(Octets data, const Request *request) noexcept nogil:
    cdef const Uri *uri = &request.sender.parts
    cdef Span user
    cdef int32_t i = request.first[<uint32_t>H_PRIVACY]
    while i >= 0 and i != NO_FIELD:
        if private(data, request.fields[i].value):
            return True
        i = request.fields[i].next
    if uri.kind == URI_BAD or uri.kind == URI_OTHER:
        return False
    user = uri.user
    if user.end > user.start and (data[user.start] | 0x20 == c'a' or data[user.start] == c'%'):
        user.end = part_end(data, user.start, user.end)  # less its own parameters
        if same_unescaped(data, user, "anonymous", 9):
            return True
    return same(data, uri.host.start, uri.host.end, "anonymous.invalid", 17)


cdef bint contact_uri(Octets data, const Request *request, Uri *out) noexcept nogil:
    cdef Marked text = marked(data, request)
    cdef Walk walk = over(request, H_CONTACT)
    cdef Span element
    cdef Address found
    memset(&found, 0, sizeof(Address))
    if not next_element(text, request, &walk, &element):
        return False
    if not read_address_text(text, element, &found):
        return False
    out[0] = found.parts
    return out.kind != URI_BAD and out.kind != URI_OTHER


cdef bint private(Octets data, Span value) noexcept nogil:
    """One of the parts of a Privacy value asks for more than `none` or `critical`."""
    cdef uint32_t start = value.start, stop, next_part
    while start < value.end:
        stop = start
        while stop < value.end and data[stop] != c';' and data[stop] != c',':
            stop += 1
        next_part = stop + 1
        while start < stop and is_space(data[start]):
            start += 1
        while stop > start and is_space(data[stop - 1]):
            stop -= 1
        if stop > start and not (
            same(data, start, stop, "none", 4) or same(data, start, stop, "critical", 8)
        ):
            return True
        start = next_part
    return False


cdef inline Walk over(const Request *request, Known kind) noexcept nogil:
    cdef Walk walk
    walk.field = request.first[<uint32_t>kind]
    walk.at = 0
    return walk


cdef bint next_element(
    Marked text, const Request *request, Walk *walk, Span *out
) noexcept nogil:
    """The next element that is not empty, of any field of the kind, without white space around."""
    cdef Span value
    while walk.field >= 0 and walk.field != NO_FIELD:
        value = request.fields[walk.field].value
        if not walk.at:
            walk.at = value.start
        if next_listed(text, value, &walk.at, out):
            return True
        walk.field = request.fields[walk.field].next
        walk.at = 0
    return False


cdef bint read_address(
    Marked text, Span value, const Source *source, Text default_cc, Found *out
) noexcept nogil:
    cdef Address found
    memset(&found, 0, sizeof(Address))
    if read_address_text(text, value, &found):
        return read_uri(text.data, &found.parts, source, default_cc, out)
    out.flaw = NO_URI
    return False
