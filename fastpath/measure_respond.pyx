"""What a whole INVITE costs, over and over within C: for the benchmarks alone.

1. Each time is another transaction, as the key of the tags is another: so each makes its record.
2. What was answered is looked at once afterwards.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint32_t, uint64_t

from callscreen.fastpath.answer_write cimport into
from callscreen.fastpath.callers cimport name_peer
from callscreen.fastpath.index cimport Index
from callscreen.fastpath.repeat cimport repeat
from callscreen.fastpath.respond cimport (
    ANSWER_ROOM, LOOKED, Desk, Responder, Work, done, fetch, look, settle,
)
from callscreen.fastpath.sip_text cimport Octets
from callscreen.fastpath.tables cimport Data

cdef enum:
    STEP_NS = 3000  # between two calls

cdef struct Responding:
    Desk *desk
    Work *work
    const Data *data
    uint64_t now_ns


cdef void responding(void *context) noexcept nogil:
    cdef Responding *each = <Responding *>context
    each.now_ns += STEP_NS
    each.desk.tag_low += 1
    look(each.desk, each.data, each.work, each.now_ns)
    if each.work.doing == LOOKED:
        fetch(each.desk, each.data, each.work)
        settle(each.desk, each.data, each.work, each.now_ns)
    done(each.desk, each.work, each.now_ns)


def responses(Responder responder not None, bytes data not None, uint32_t times):
    """An INVITE looked at, decided, answered and recorded; status and octets of the record."""
    cdef Responding each
    cdef Index index = responder.index
    cdef Work *work = &responder.work
    cdef char answer[ANSWER_ROOM]
    each.desk, each.work, each.data = &responder.desk, work, &index.data
    each.now_ns = 1700000000000000000ULL
    work.data, work.size = <Octets>PyBytes_AS_STRING(data), <uint32_t>PyBytes_GET_SIZE(data)
    work.traits = 0
    name_peer(work, b"\x7f\0\0\1", False, 5060)
    work.answer = into(answer, ANSWER_ROOM)
    with nogil:
        repeat(responding, &each, times)
    return work.status, work.record.size if work.record_made else 0
