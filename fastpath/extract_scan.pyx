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
from callscreen.fastpath.sip_fields cimport Address, address
from callscreen.fastpath.sip_list cimport next_in_list
from callscreen.fastpath.sip_scan cimport H_CONTACT, Request
from callscreen.fastpath.sip_text cimport Octets, Span, same
from callscreen.fastpath.sip_uri cimport URI_BAD, URI_OTHER, Uri, scan_uri

cdef struct Walk:  # over the elements of every header field of one name
    const char *name  # in lower case
    uint32_t size
    uint32_t field
    uint32_t at  # in the field's value; 0: the field has not been begun


cdef bint read_source(
    Octets data, const Request *request, const Source *source, Text default_cc, Found *out
) noexcept nogil:
    cdef Walk walk
    cdef Span element
    cdef uint32_t i, count = 0
    out.flaw = NOT_THERE
    out.size = 0
    memset(&walk, 0, sizeof(Walk))
    if source.kind == REQUEST_URI:
        return read_uri(data, request.uri, source, default_cc, out)
    if source.kind == HDR_TO:
        return read_uri(data, request.to.uri, source, default_cc, out)
    if source.kind == HDR_FROM:
        return read_uri(data, request.sender.uri, source, default_cc, out)
    if source.kind == HDR_DIVERSION:
        walk.name, walk.size = "diversion", 9
        return next_element(data, request, &walk, &element) and read_address(
            data, element, source, default_cc, out
        )
    if source.kind == HDR_P_ASSERTED_IDENTITY:
        walk.name, walk.size = "p-asserted-identity", 19
        while next_element(data, request, &walk, &element):
            if read_address(data, element, source, default_cc, out):
                return True
    elif source.kind == HDR_HISTORY_INFO:
        walk.name, walk.size = "history-info", 12
        while next_element(data, request, &walk, &element):
            count += 1
        if count < 2:
            return False
        walk.field = walk.at = 0
        for i in range(count - 1):
            next_element(data, request, &walk, &element)
        return read_address(data, element, source, default_cc, out)
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
    cdef uint32_t i
    cdef Uri uri
    for i in range(request.count):
        if same(data, request.fields[i].name.start, request.fields[i].name.end, "privacy", 7):
            if private(data, request.fields[i].value):
                return True
    scan_uri(data, request.sender.uri.start, request.sender.uri.end, &uri)
    if uri.kind == URI_BAD or uri.kind == URI_OTHER:
        return False
    uri.user.end = part_end(data, uri.user.start, uri.user.end)  # less its own parameters
    return (
        same_unescaped(data, uri.user, "anonymous", 9)
        or same(data, uri.host.start, uri.host.end, "anonymous.invalid", 17)
    )


cdef bint contact_uri(Octets data, const Request *request, Uri *out) noexcept nogil:
    cdef uint32_t i, at
    cdef Span value, element
    cdef Address found
    memset(&found, 0, sizeof(Address))
    for i in range(request.count):
        if request.fields[i].known != H_CONTACT:
            continue
        value = request.fields[i].value
        at = value.start
        if next_in_list(data, value, &at, &element):
            if not address(data, element, &found):
                return False
            scan_uri(data, found.uri.start, found.uri.end, out)
            return out.kind != URI_BAD and out.kind != URI_OTHER
    return False


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


cdef bint is_space(unsigned char octet) noexcept nogil:
    return octet == c' ' or 9 <= octet <= 13


cdef bint next_element(
    Octets data, const Request *request, Walk *walk, Span *out
) noexcept nogil:
    """The next element that is not empty, of any field of the name, without white space around."""
    cdef Span value
    while walk.field < request.count:
        value = request.fields[walk.field].value
        if not walk.at:
            if not same(
                data, request.fields[walk.field].name.start, request.fields[walk.field].name.end,
                walk.name, walk.size
            ):
                walk.field += 1
                continue
            walk.at = value.start
        if next_in_list(data, value, &walk.at, out):
            return True
        walk.field += 1
        walk.at = 0
    return False


cdef bint read_address(
    Octets data, Span text, const Source *source, Text default_cc, Found *out
) noexcept nogil:
    cdef Address found
    memset(&found, 0, sizeof(Address))
    if address(data, text, &found):
        return read_uri(data, found.uri, source, default_cc, out)
    out.flaw = NO_URI
    return False
