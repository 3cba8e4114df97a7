"""What the parts of answering a request cost, over and over within C: for the benchmarks alone.

1. Each function does one thing `times` times on the same datagram, under repeat.pxd.
2. What it did is looked at once afterwards: a case that fails measures nothing, and raises.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport int32_t, uint32_t
from libc.string cimport memset

from callscreen.fastpath.answer_peer cimport Peer, read_peer
from callscreen.fastpath.answer_write cimport TAG_SIZE, Out, into, put_end, put_head, write_tag
from callscreen.fastpath.decide cimport CALLER_UNSIGNED, Call, Decision, decide
from callscreen.fastpath.extract cimport NumberSources
from callscreen.fastpath.extract_number cimport Found, Source, Text
from callscreen.fastpath.extract_scan cimport read_sources, withheld
from callscreen.fastpath.index cimport Index
from callscreen.fastpath.repeat cimport repeat
from callscreen.fastpath.sip_scan cimport Request, scan
from callscreen.fastpath.sip_text cimport Octets
from callscreen.fastpath.tables cimport Data

cdef enum:
    ANSWER_OCTETS = 4096

cdef struct Sip:  # what the work on a datagram needs
    Octets data
    size_t size
    Request request
    const Source *called
    const Source *calling
    uint32_t called_count, calling_count
    Text default_cc
    Found found
    int32_t source
    bint anonymous
    uint32_t status
    Peer peer
    char tag[TAG_SIZE]
    Out out
    char answer[ANSWER_OCTETS]

cdef struct Deciding:
    const Data *data
    Call call
    Decision decision


cdef void scanning(void *context) noexcept nogil:
    cdef Sip *sip = <Sip *>context
    scan(sip.data, sip.size, &sip.request)


cdef void reading(void *context) noexcept nogil:
    cdef Sip *sip = <Sip *>context
    sip.source = read_sources(
        sip.data, &sip.request, sip.calling, sip.calling_count, sip.default_cc, &sip.found
    )


cdef void withholding(void *context) noexcept nogil:
    cdef Sip *sip = <Sip *>context
    sip.anonymous = withheld(sip.data, &sip.request)


cdef void tagging(void *context) noexcept nogil:
    cdef Sip *sip = <Sip *>context
    write_tag(sip.tag, sip.data, &sip.request, 1, 2)


cdef void answering(void *context) noexcept nogil:
    cdef Sip *sip = <Sip *>context
    sip.out = into(sip.answer, ANSWER_OCTETS)
    put_head(
        &sip.out, sip.data, &sip.request, sip.status, b"Moved Temporarily", 17,
        sip.tag, TAG_SIZE, &sip.peer
    )
    put_end(&sip.out)


cdef void wholly(void *context) noexcept nogil:
    cdef Sip *sip = <Sip *>context
    scanning(context)
    sip.source = read_sources(
        sip.data, &sip.request, sip.called, sip.called_count, sip.default_cc, &sip.found
    )
    reading(context)
    withholding(context)
    tagging(context)
    answering(context)


cdef void deciding(void *context) noexcept nogil:
    cdef Deciding *work = <Deciding *>context
    decide(work.data, &work.call, &work.decision)


cdef int begin(Sip *sip, bytes data) except -1:
    memset(sip, 0, sizeof(Sip))
    sip.data = <Octets>PyBytes_AS_STRING(data)
    sip.size = <size_t>PyBytes_GET_SIZE(data)
    sip.default_cc.at, sip.default_cc.size = <Octets>b"1", 1
    sip.status = 302
    memset(sip.tag, c'a', TAG_SIZE)
    read_peer(&sip.peer, b"192.0.2.9", 9)
    sip.peer.port = 5060
    scan(sip.data, sip.size, &sip.request)
    return 0


def scans(bytes data not None, uint32_t times):
    """A datagram scanned: its fault, 0 where it is sound."""
    cdef Sip sip
    begin(&sip, data)
    with nogil:
        repeat(scanning, &sip, times)
    return sip.request.fault


def numbers(bytes data not None, NumberSources sources not None, uint32_t times):
    """A number read from the sources of a scanned datagram; the number."""
    cdef Sip sip
    begin(&sip, data)
    sip.calling, sip.calling_count = sources.items, sources.count
    with nogil:
        repeat(reading, &sip, times)
    if sip.source < 0:
        raise ValueError("no number")
    return (<bytes>sip.found.text[:sip.found.size]).decode()


def packed(bytes data not None, NumberSources sources not None):
    """The number that the sources yield and its packed form; nothing and 0 without one."""
    cdef Sip sip
    begin(&sip, data)
    sip.calling, sip.calling_count = sources.items, sources.count
    reading(&sip)
    if sip.source < 0:
        return "", 0
    return (<bytes>sip.found.text[:sip.found.size]).decode(), sip.found.packed


def anonymity(bytes data not None, uint32_t times):
    """Whether the caller of a scanned datagram is withheld."""
    cdef Sip sip
    begin(&sip, data)
    with nogil:
        repeat(withholding, &sip, times)
    return bool(sip.anonymous)


def tags(bytes data not None, uint32_t times):
    """The To tag of a scanned datagram."""
    cdef Sip sip
    begin(&sip, data)
    with nogil:
        repeat(tagging, &sip, times)
    return <bytes>sip.tag[:TAG_SIZE]


def answers(bytes data not None, uint32_t status, uint32_t times):
    """The head and end of an answer to a scanned datagram."""
    cdef Sip sip
    begin(&sip, data)
    sip.status = status
    with nogil:
        repeat(answering, &sip, times)
    return <bytes>sip.answer[:sip.out.size]


def whole(
    bytes data not None, NumberSources called not None, NumberSources calling not None,
    uint32_t times
):
    """All but the decision: scanned, both numbers and anonymity, tagged, answered."""
    cdef Sip sip
    begin(&sip, data)
    sip.called, sip.called_count = called.items, called.count
    sip.calling, sip.calling_count = calling.items, calling.count
    with nogil:
        repeat(wholly, &sip, times)
    return <bytes>sip.answer[:sip.out.size]


def decisions(Index index not None, str called, str calling, uint32_t times):
    """A decision on a call to a PCS number; whether the called number was provisioned."""
    cdef Deciding work
    memset(&work, 0, sizeof(Deciding))
    work.data = &index.data
    index.fill_call(&work.call, 1, called, calling, False, "", "", CALLER_UNSIGNED)
    with nogil:
        repeat(deciding, &work, times)
    return bool(work.decision.provisioned)


def whole_at(size_t address, size_t size):
    """All of `whole` on octets at an address, numbers from every source; the fault."""
    cdef Sip sip
    cdef Source sources[6]
    cdef uint32_t i
    memset(&sip, 0, sizeof(Sip))
    memset(sources, 0, sizeof(sources))
    for i in range(6):
        sources[i].kind = i
        sources[i].implicit = sources[i].longest = True
    sip.data, sip.size = <Octets>address, size
    sip.default_cc.at, sip.default_cc.size = <Octets>b"1", 1
    sip.status = 400
    read_peer(&sip.peer, b"192.0.2.9", 9)
    with nogil:
        scanning(&sip)
        if sip.request.answerable:
            for i in range(6):
                sip.calling, sip.calling_count = &sources[i], 1
                reading(&sip)
            withholding(&sip)
            tagging(&sip)
            answering(&sip)
    return sip.request.fault
