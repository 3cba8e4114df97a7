"""A responder for those who find out what a call awaits: what it has read is not read again.

1. What `ask` says is what sip.parse and extract.is_anonymous say of the message; what is not plain
   is left to who asks.
2. A Told is taken as check_told would take it, without its regular expressions.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_AsUTF8, PyUnicode_DecodeASCII
from libc.stdint cimport int32_t, uint32_t, uint64_t
from libc.string cimport memchr, memset

from callscreen.fastpath.index cimport Index, number_text
from callscreen.fastpath.numbers cimport pack_octets
from callscreen.fastpath.respond cimport AWAITS, SIGNATURE, VIA_TRUSTED, Responder, Work
from callscreen.fastpath.routes cimport Text8
from callscreen.fastpath.sip_fields cimport Address, read_address_text
from callscreen.fastpath.sip_list cimport next_listed
from callscreen.fastpath.sip_scan cimport (
    H_ASSERTED, H_IDENTITY, H_OTHER, NO_FIELD, Request, marked,
)
from callscreen.fastpath.sip_text cimport Octets, Span, same
from callscreen.fastpath.sip_uri cimport URI_BAD, URI_OTHER, URI_TEL, Uri
from callscreen.fastpath.tables cimport PCS_INDEX

from .asking_types import Asked, Claimed, Plain
from .model import UNSIGNED_ATTEST
from .respond_types import SIGN, TOLD_OCTETS, VERIFY
from .sip_types import unfold

__all__ = ["Asked", "Asker", "Claimed", "Plain"]

cdef enum:
    DIGITS_LEAST = 3  # of a plain user part
    DIGITS_MOST = 15
    E164_LEAST = 7

cdef object new = tuple.__new__  # of a named tuple, without its slower constructor


# What a message says

cdef str plain_user(Octets data, const Uri *uri):
    """The user part where it is digits, or a plus and digits less its own parameters; else None."""
    cdef uint32_t start = uri.user.start, at = start, end = uri.user.end, digits
    if uri.kind == URI_BAD or uri.kind == URI_OTHER or at == end:
        return None
    if data[at] == c'+':
        at += 1
    elif uri.kind == URI_TEL:
        return None
    digits = at
    while at < end and c'0' <= data[at] <= c'9':
        at += 1
    if not DIGITS_LEAST <= at - digits <= DIGITS_MOST:
        return None
    if at < end and (data[at] != c';' or digits == start):  # they may name its country
        return None
    return PyUnicode_DecodeASCII(<const char *>data + start, at - start, NULL)


cdef bytes octets_at(Octets data, Span span):
    return PyBytes_FromStringAndSize(<const char *>data + span.start, span.end - span.start)


cdef object user_or_uri(Octets data, const Address *address):
    found = plain_user(data, &address.parts)
    return octets_at(data, address.uri) if found is None else found


cdef bytes value_of(Octets data, const Request *request, uint32_t field):
    cdef bytes value = octets_at(data, request.fields[field].value)
    return unfold(value) if request.fields[field].folded else value


cdef list texts_of(Octets data, const Request *request, const char *name, uint32_t size):
    """The values of each header field of a name that no decision reads, given in lower case."""
    cdef list found = []
    cdef uint32_t i
    cdef Span key
    for i in range(request.count):
        key = request.fields[i].name
        if request.fields[i].known == H_OTHER and same(data, key.start, key.end, name, size):
            found.append(value_of(data, request, i).decode("utf-8", "replace"))
    return found


cdef list identities_of(Octets data, const Request *request):
    cdef list found = []
    cdef int32_t i = request.first[<uint32_t>H_IDENTITY]
    while i >= 0 and i != NO_FIELD:
        found.append(value_of(data, request, <uint32_t>i))
        i = request.fields[i].next
    return found


cdef str caller_of(Octets data, const Request *request, Span *host):
    """The user part of who calls, and the host of that URI; None where it takes more to say."""
    cdef int32_t field = request.first[<uint32_t>H_ASSERTED]
    cdef Address found
    cdef Span value, element
    cdef uint32_t at
    host.start = host.end = 0
    if field < 0:
        host[0] = request.sender.parts.host
        return plain_user(data, &request.sender.parts)
    memset(&found, 0, sizeof(Address))
    value = request.fields[field].value
    at = value.start
    if not next_listed(marked(data, request), value, &at, &element):
        return None
    if not read_address_text(marked(data, request), element, &found):
        return None
    host[0] = found.parts.host
    return plain_user(data, &found.parts)


cdef bint is_e164(str user):
    """Whether a plain user part is a plus and a number of E.164."""
    return user is not None and len(user) > E164_LEAST and user[0] == "+" and user[1] != "0"


cdef bint is_screened(const Work *work, str calling):
    """Whether the rules go by this number of the caller, or by none."""
    cdef uint64_t screened = work.call.calling[PCS_INDEX]
    cdef const char *text = PyUnicode_AsUTF8(calling)
    return not screened or screened == pack_octets(text, <uint32_t>len(calling))


cdef bint is_host(Octets data, Span host) noexcept:
    """Whether a host can be written as it is; there is one."""
    cdef uint32_t at
    for at in range(host.start, host.end):
        if not c'!' <= data[at] <= c'~':
            return False
    return host.end > host.start


# What is told

cdef bint are_lines(bytes octets):
    """Whether octets are header lines, each with its end."""
    cdef const unsigned char *at = <const unsigned char *>PyBytes_AS_STRING(octets)
    cdef const unsigned char *end = at + PyBytes_GET_SIZE(octets)
    cdef const unsigned char *line
    cdef const unsigned char *stop
    while at < end:
        line = at
        while at < end and c'!' <= at[0] <= c'~' and at[0] != c':':
            at += 1
        if at == line or at == end or at[0] != c':':
            return False
        stop = <const unsigned char *>memchr(at, c'\r', end - at)
        if stop == NULL or stop + 1 == end or stop[1] != c'\n':
            return False
        if memchr(at, c'\n', stop - at) != NULL:
            return False
        at = stop + 2
    return True


cdef bint is_phrase(bytes octets):
    cdef const unsigned char *text = <const unsigned char *>PyBytes_AS_STRING(octets)
    cdef Py_ssize_t i
    for i in range(PyBytes_GET_SIZE(octets)):
        if text[i] < 0x20 or text[i] == 0x7F:
            return False
    return True


cdef Text8 text_of(bytes octets) noexcept:
    cdef Text8 out
    out.at = <const unsigned char *>PyBytes_AS_STRING(octets)
    out.size = <uint32_t>PyBytes_GET_SIZE(octets)
    return out


cdef class Asker(Responder):
    cdef tuple learn(self, object told):
        cdef bytes reason, lines, always, record, diversion
        cdef long verdict, status
        if told is None:
            return None
        verdict, status = told.verdict, told.status
        reason, lines, always, record = told.reason.encode(), told.lines, told.always, told.record
        diversion = told.diversion or b""
        if not 0 <= verdict <= 4 or not (status == 0 or 400 <= status <= 699):
            raise ValueError(f"no verdict, or no status of a refusal: {verdict}, {status}")
        if not (is_phrase(reason) and are_lines(lines) and are_lines(always)
                and are_lines(diversion)):
            raise ValueError("a control character in a reason phrase, or lines that are none")
        if max(len(told.reason), len(lines), len(always), len(record), len(diversion)) > TOLD_OCTETS:
            raise ValueError(f"more than {TOLD_OCTETS} octets")
        self.learned.verdict, self.learned.status = <unsigned char>verdict, <unsigned short>status
        self.learned.reason, self.learned.lines = text_of(reason), text_of(lines)
        self.learned.always, self.learned.record = text_of(always), text_of(record)
        self.learned.diversion = text_of(diversion)
        self.learned.diverted = told.diversion is not None
        return reason, lines, always, record, diversion

    def ask(
        self, bytes data not None, tuple source not None, str transport="udp", uint64_t now_ns=0,
        bint via_trusted=False, bint whole=False,
    ):
        cdef object found = None
        self.take(data, source, transport, now_ns, VIA_TRUSTED if via_trusted else 0, None)
        if self.work.doing != AWAITS:
            return self.responded(source)
        if not whole and self.work.awaits != SIGNATURE:
            found = self.claimed(data)
        return self.asked(data, source) if found is None else found

    cdef object claimed(self, bytes message):
        """A call that is to be verified as Claimed; None where more has to be said of it."""
        cdef Work *work = &self.work
        cdef Octets data = <Octets>PyBytes_AS_STRING(message)
        cdef const Request *request = &work.request
        cdef Span host
        cdef str calling, called
        if request.times[<uint32_t>H_IDENTITY] != 1:
            return None
        calling = caller_of(data, request, &host)
        called = plain_user(data, &request.to.parts)
        if not (is_e164(calling) and is_e164(called) and is_host(data, host)):
            return None
        if not is_screened(work, calling):
            return None
        return new(Claimed, (
            value_of(data, request, <uint32_t>request.first[<uint32_t>H_IDENTITY]),
            calling,
            called,
            octets_at(data, request.call_id),
            octets_at(data, request.sender.tag),
            self.provider,
            b"" if work.call.anonymous else octets_at(data, host),
        ))

    cdef object plain(self, Octets data, str calling, object origination):
        """A call without a Date as Plain; None where more has to be said of it."""
        cdef str called = plain_user(data, &self.work.request.to.parts)
        if self.work.call.anonymous or called is None or called[0] != "+":
            return None
        if not is_e164(calling):
            return None
        if origination.attest == UNSIGNED_ATTEST:
            return None
        return new(Plain, (calling[1:], called[1:], origination))

    cdef object asked(self, bytes message, tuple source):
        """What the call says whose octets these are, the last that was received."""
        cdef Work *work = &self.work
        cdef Octets data = <Octets>PyBytes_AS_STRING(message)
        cdef const Request *request = &work.request
        cdef Index index = self.index
        cdef bint signs = work.awaits == SIGNATURE
        cdef Span host
        cdef str calling = caller_of(data, request, &host), origin = source[0]
        cdef object origination = None
        cdef list dates = texts_of(data, request, b"date", 4)
        cdef object identities, priority
        if data <= work.caller.at < data + work.size:  # of a Via behind a proxy of ours
            origin = PyUnicode_DecodeASCII(<const char *>work.caller.at, work.caller.size, NULL)
        if signs:
            identities = priority = ()
            if calling is not None and calling[0] == "+":
                with index.lock:
                    origination = index.origination_at(&work.source, calling)
            if origination is not None and not dates:
                plain = self.plain(data, calling, origination)
                if plain is not None:
                    return plain
        else:
            identities = identities_of(data, request)
            priority = texts_of(data, request, b"resource-priority", 17)
        return new(Asked, (
            SIGN if signs else VERIFY,
            self.provider,
            index.settings(PCS_INDEX, self.provider).default_cc,
            origin,
            calling,
            octets_at(data, host),
            user_or_uri(data, &request.to),
            plain_user(data, &request.parts) or octets_at(data, request.uri),
            bool(work.call.anonymous),
            dates[0] if dates else None,
            origination,
            identities,
            octets_at(data, request.call_id),
            octets_at(data, request.sender.tag),
            priority,
            number_text(work.call.calling[PCS_INDEX]),
        ))
