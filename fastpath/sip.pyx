"""The SIP request parser as Python sees it: offsets found by sip_scan, octets copied when asked.

1. `parse` promises what sip_reference.parse promises; one suite holds them together.
2. A message keeps the datagram; nothing of it is copied before an attribute is read.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint32_t
from libc.string cimport memchr, memset

from callscreen.fastpath.sip_fields cimport Address, address
from callscreen.fastpath.sip_scan cimport Request, scan
from callscreen.fastpath.sip_text cimport Octets, Span, same
from callscreen.fastpath.sip_uri cimport URI_BAD, URI_OTHER, URI_SIP, URI_TEL, Uri, scan_uri

from .sip_types import (
    COMPACT,
    LETTERS,
    LISTS,
    Fault,
    Malformed,
    NameAddr,
    TopVia,
    split_list,
    unfold,
)

from .uri import assemble

__all__ = ["Malformed", "Message", "check_uri", "parse", "parse_name_addr", "parse_uri"]


cdef inline bytes cut(bytes text, Span span):
    return PyBytes_FromStringAndSize(PyBytes_AS_STRING(text) + span.start, span.end - span.start)


cdef class Message:
    cdef bytes octets(self, Span span):
        cdef bytes value = cut(self.data, span)
        return unfold(value) if memchr(<const char *>value, c'\r', span.end - span.start) else value

    cdef object maybe(self, Span span):
        return self.octets(span) if span.start else None

    cdef object name_addr(self, Address *found):
        return NameAddr(
            self.octets(found.display), self.octets(found.uri), self.maybe(found.tag)
        )

    @property
    def method(self):
        return self.octets(self.request.method)

    @property
    def uri(self):
        return self.octets(self.request.uri)

    @property
    def top_via(self):
        cdef Request *found = &self.request
        if self._top_via is None:
            self._top_via = TopVia(
                self.octets(found.via.transport),
                self.octets(found.via.host),
                found.via.port or None,
                self.maybe(found.via.branch),
                bool(found.via.rport),
                self.maybe(found.via.received),
                self.maybe(found.via.maddr),
                found.via.ttl if found.via.ttl >= 0 else None,
            )
        return self._top_via

    @property
    def via(self):
        return self.all(b"via")

    @property
    def from_(self):
        if self._sender is None:
            self._sender = self.name_addr(&self.request.sender)
        return self._sender

    @property
    def to(self):
        if self._to is None:
            self._to = self.name_addr(&self.request.to)
        return self._to

    @property
    def call_id(self):
        return self.octets(self.request.call_id)

    @property
    def cseq(self):
        return self.request.cseq, self.octets(self.request.cseq_method)

    @property
    def max_forwards(self):
        return self.request.max_forwards if self.request.max_forwards >= 0 else None

    @property
    def content_length(self):
        return self.request.content_length if self.request.content_length >= 0 else None

    @property
    def body(self):
        return self.data[self.request.body.start : self.request.body.end]

    @property
    def contacts(self):
        return self.all(b"contact")

    @property
    def require(self):
        return self.all(b"require")

    @property
    def headers(self):
        cdef uint32_t i
        cdef Request *found = &self.request
        return [
            (self.octets(found.fields[i].name), self.octets(found.fields[i].value))
            for i in range(found.count)
        ]

    def first(self, bytes name not None):
        """The first value of a header field, of a list its first element; None without one."""
        values = self.all(name)
        return values[0] if values else None

    def all(self, bytes name not None):
        """Every value of a header field in order; name in any case or compact, lists split."""
        cdef bytes wanted = name.lower(), letter
        cdef list values = []
        cdef uint32_t i
        cdef Octets octets = <Octets>PyBytes_AS_STRING(self.data)
        cdef Request *found = &self.request
        wanted = COMPACT.get(wanted, wanted)
        letter = LETTERS.get(wanted, b"")
        cdef const char *long_name = PyBytes_AS_STRING(wanted)
        cdef const char *short_name = PyBytes_AS_STRING(letter)
        cdef uint32_t long_size = <uint32_t>len(wanted), short_size = <uint32_t>len(letter)
        cdef bint is_list = wanted in LISTS
        cdef Span key
        for i in range(found.count):
            key = found.fields[i].name
            if same(octets, key.start, key.end, long_name, long_size) or (
                short_size and same(octets, key.start, key.end, short_name, short_size)
            ):
                value = self.octets(found.fields[i].value)
                if is_list:
                    values.extend(split_list(value))
                else:
                    values.append(value)
        return values


cdef Message scanned(bytes data):
    cdef Message message = Message.__new__(Message)
    cdef size_t length = PyBytes_GET_SIZE(data)
    cdef Octets octets = <Octets>PyBytes_AS_STRING(data)
    message.data = data
    with nogil:
        scan(octets, length, &message.request)
    return message


cdef Message with_offsets(object request):
    return <Message>request if isinstance(request, Message) else scanned(request.data)


def parse(bytes data not None):
    """A request from one datagram (RFC 3261 7, 8.2, 18.3, 20). Raises Malformed."""
    cdef Message message = scanned(data)
    if message.request.fault:
        raise Malformed(
            Fault(message.request.fault), message if message.request.answerable else None
        )
    return message


def check_uri(bytes text not None):
    """'' for a sip, sips or tel URI, 'scheme' for a sound URI of another, else ValueError."""
    cdef Uri parts
    scan_uri(<Octets>PyBytes_AS_STRING(text), 0, <uint32_t>len(text), &parts)
    if parts.kind == URI_BAD:
        raise ValueError("not a URI")
    return "scheme" if parts.kind == URI_OTHER else ""


def parse_uri(bytes text not None):
    """A sip, sips or tel URI taken apart (RFC 3261 19.1.1, RFC 3966 3); else ValueError."""
    cdef Uri parts
    scan_uri(<Octets>PyBytes_AS_STRING(text), 0, <uint32_t>len(text), &parts)
    if parts.kind == URI_BAD or parts.kind == URI_OTHER:
        raise ValueError("not a sip, sips or tel URI")
    return assemble(
        "tel" if parts.kind == URI_TEL else "sip" if parts.kind == URI_SIP else "sips",
        cut(text, parts.user),
        cut(text, parts.password) if parts.password.start else None,
        cut(text, parts.host),
        parts.port or None,
        cut(text, parts.params),
        cut(text, parts.headers),
    )


def parse_name_addr(bytes value not None):
    """An unfolded From, To, Diversion or like value (RFC 3261 20.10); else ValueError."""
    cdef Address found
    cdef Span text
    text.start, text.end = 0, <uint32_t>len(value)
    memset(&found, 0, sizeof(Address))
    if not address(<Octets>PyBytes_AS_STRING(value), text, &found):
        raise ValueError("not an address")
    return NameAddr(
        cut(value, found.display),
        cut(value, found.uri),
        cut(value, found.tag) if found.tag.start else None,
    )
