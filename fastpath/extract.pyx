"""Called and calling numbers of a request, as Python sees them.

1. It promises what extract_reference.py promises; one suite holds them together.
2. Sources that were made `NumberSources` once cost a call nothing but their reading.
"""

from cpython.bytes cimport PyBytes_AS_STRING
from cpython.unicode cimport PyUnicode_DecodeASCII, PyUnicode_DecodeUTF8
from libc.stdint cimport uint32_t
from libc.stdlib cimport calloc, free

from callscreen.fastpath.extract_number cimport MAX_USER, Found, Source, Step, Text
from callscreen.fastpath.extract_scan cimport contact_uri, read_source, withheld
from callscreen.fastpath.sip cimport Message, with_offsets
from callscreen.fastpath.sip_escape cimport unescape
from callscreen.fastpath.sip_text cimport Octets
from callscreen.fastpath.sip_uri cimport URI_BAD, URI_OTHER, Uri

from .extract_types import (
    FLAWS,
    LONGEST,
    SOURCES,
    STEPS,
    Extracted,
    NumberPolicy,
    NumberSource,
    PostStep,
    Tried,
    not_found,
    number_source,
)

__all__ = [
    "Extracted",
    "NumberPolicy",
    "NumberSource",
    "NumberSources",
    "PostStep",
    "Tried",
    "contact_place",
    "extract",
    "is_anonymous",
    "number_source",
    "request_place",
    "request_user",
]

cdef object new = tuple.__new__  # of a named tuple, without its slower constructor


cdef extern from "Python.h":
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL


cdef class NumberSources:
    """Sources made ready once for many calls; compares and iterates as the tuple of them."""

    def __cinit__(self, sources=()):
        self.sources = tuple(sources)
        self.texts = []
        self.items = <Source *>calloc(max(len(self.sources), 1), sizeof(Source))
        if self.items == NULL:
            raise MemoryError
        for source in self.sources:
            self.count += 1
            self.fill(&self.items[self.count - 1], source)

    def __dealloc__(self):
        cdef uint32_t i
        if self.items != NULL:
            for i in range(self.count):
                free(self.items[i].steps)
            free(self.items)

    cdef int fill(self, Source *item, object source) except -1:
        cdef Step *each
        item.kind = place(SOURCES, source.source)
        item.implicit = source.policy.attempt_implicit_user_phone
        item.longest = source.policy.heuristic_digits == LONGEST
        item.context = kept(self.texts, source.policy.user_phone_missing_context or "")
        item.steps = <Step *>calloc(max(len(source.post), 1), sizeof(Step))
        if item.steps == NULL:
            raise MemoryError
        for step in source.post:
            each = &item.steps[item.count]
            item.count += 1
            each.kind = place(STEPS, step.type)
            if step.type == "strip_prefix":
                each.text = kept(self.texts, step.prefix)
            else:
                each.text = kept(self.texts, step.country_code.removeprefix("+"))
            each.least = step.min_length
            if step.range is not None:
                each.ranged = True
                each.start, each.end = step.range
        return 0

    def __len__(self):
        return len(self.sources)

    def __iter__(self):
        return iter(self.sources)

    def __getitem__(self, place):
        return self.sources[place]

    def __eq__(self, other):
        if isinstance(other, NumberSources):
            return self.sources == (<NumberSources>other).sources
        return self.sources == other

    def __hash__(self):
        return hash(self.sources)


cdef uint32_t place(tuple words, str word):
    """The place of a word, one past the end for one that is not among them."""
    return words.index(word) if word in words else len(words)


cdef Text kept(list texts, str text):
    cdef bytes octets = text.encode()
    cdef Text out
    texts.append(octets)
    out.at = <Octets>PyBytes_AS_STRING(octets)
    out.size = <uint32_t>len(octets)
    return out


def extract(message not None, sources, str default_cc not None):
    """The number of the first source that yields one; default_cc goes before a national number."""
    cdef Message parsed = with_offsets(message)
    cdef NumberSources ready
    cdef Octets data = <Octets>PyBytes_AS_STRING(parsed.data)
    cdef Found found
    cdef Text code
    cdef Py_ssize_t size
    cdef uint32_t i
    cdef tuple tried = ()
    ready = <NumberSources>sources if isinstance(sources, NumberSources) else NumberSources(sources)
    code.at = <Octets>PyUnicode_AsUTF8AndSize(default_cc, &size)
    if size and code.at[0] == c'+':
        code.at += 1
        size -= 1
    code.size = <uint32_t>size
    for i in range(ready.count):
        source = ready.sources[i].source
        if read_source(data, &parsed.request, &ready.items[i], code, &found):
            number = PyUnicode_DecodeASCII(found.text, found.size, NULL)
            return new(Extracted, (number, source, None, tried))
        tried += (new(Tried, (source, FLAWS[<int>found.flaw].format(least=found.least))),)
    return not_found(tried)


def is_anonymous(message not None):
    """The caller is withheld: From user `anonymous`, anonymous.invalid, or Privacy but `none`."""
    cdef Message parsed = with_offsets(message)
    return withheld(<Octets>PyBytes_AS_STRING(parsed.data), &parsed.request)


cdef Octets request_uri(Message parsed, Uri *out):
    """The Request-URI of a message taken apart, and the octets it stands in."""
    cdef Octets data = <Octets>PyBytes_AS_STRING(parsed.data)
    out[0] = parsed.request.parts
    if out.kind == URI_BAD or out.kind == URI_OTHER:
        out.user.start = out.user.end = out.host.start = out.host.end = out.port = 0
    return data


cdef str place_of(Octets data, Uri *uri):
    cdef uint32_t size = uri.host.end - uri.host.start
    cdef str host = PyUnicode_DecodeASCII(<const char *>data + uri.host.start, size, NULL)
    return f"{host}:{uri.port}" if uri.port else host


def request_user(message not None):
    """The user part of the Request-URI without escapes; empty where it is too long or none."""
    cdef unsigned char user[MAX_USER]
    cdef Uri uri
    cdef Octets data = request_uri(with_offsets(message), &uri)
    if uri.user.end - uri.user.start > MAX_USER:
        return ""
    return PyUnicode_DecodeUTF8(<char *>user, unescape(data, uri.user, user), "replace")


def request_place(message not None):
    """host[:port] of the Request-URI; empty for a tel URI."""
    cdef Uri uri
    cdef Octets data = request_uri(with_offsets(message), &uri)
    return place_of(data, &uri)


def contact_place(message not None):
    """host[:port] of the first Contact; empty where that is no place to send a call to."""
    cdef Message parsed = with_offsets(message)
    cdef Octets data = <Octets>PyBytes_AS_STRING(parsed.data)
    cdef Uri uri
    return place_of(data, &uri) if contact_uri(data, &parsed.request, &uri) else ""
