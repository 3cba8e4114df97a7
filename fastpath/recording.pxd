"""A call record on the wire: one `records` entry of an AppendRequest (tag, length, CallRecord).

1. recording_reference.py says what stands in it.
2. Lengths of the record and of its inner messages are two octets wide, whatever they say.
3. A record that finds no room leaves out.size > out.room, and nothing past the room is written.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from callscreen.fastpath.answer_write cimport Out
from callscreen.fastpath.decide cimport Call, Decision
from callscreen.fastpath.extract_number cimport Found
from callscreen.fastpath.record_text cimport Ids
from callscreen.fastpath.routes cimport Text8
from callscreen.fastpath.tables cimport Data

cdef enum:
    TEXT_LIMIT = 250  # octets of a Call-ID in a record

cdef struct Told:  # what a record tells
    const Data *data
    const Call *call
    const Decision *decision
    const Found *called  # by product, as read
    Text8 call_id
    Text8 source
    Text8 edge
    uint8_t product  # of the listener
    uint16_t status
    uint64_t now_ns  # Unix time
    Text8 onward  # host of a call that was sent on; empty: it was answered
    Text8 more  # ready fields, put behind the others where they find room


cdef void write_record(Out *out, Ids *ids, const Told *told) noexcept nogil
