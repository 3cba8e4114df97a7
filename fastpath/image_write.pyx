"""The index as a file. What stands in it: image.pxd, and its plain twin image_reference.py.

Invariants:
1. Commits go on between slices of what is written, so a file tells each thing as it was at some
   revision from that of the first slice, which the caller knows, to that in END: it is whole once
   the changes from the one to the other are applied to it.
2. A row of a subscriber that came later is not told of, nor a number that is its: it is in those
   changes. A row that was told of is given to nobody else, for a reader is in its epoch.
3. A number is told of with its own slot, wherever it stands, so that none is missed or told twice
   when others make room; a table that is grown out of is read to its end.
4. A file holds what was provisioned, not how: it suits any layout of the tables, and another format
   of the file has another word at the head of each block.
"""

from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from callscreen.fastpath.blocks cimport (
    BLOCK_WORDS, NO_TROUBLE, NOT_WRITTEN, BlockWriter, close_writer, flush_block, room_for,
)
from callscreen.fastpath.epochs cimport Reader
from callscreen.fastpath.image cimport COUNT_WORDS, COUNTS, END, HEAD, OBJECT
from callscreen.fastpath.image_put cimport (
    write_number, write_octets, write_provider, write_subscriber,
)
from callscreen.fastpath.index cimport Index
from callscreen.fastpath.readers cimport reading, rested
from callscreen.fastpath.tables cimport (
    Data, NumberSlot, NumberTable, SubscriberRow, numbers_of, slot_of,
)

import os

__all__ = ["write_image"]

cdef enum:
    SLICE = 2048  # rows or slots that are written between two commits
    ATTEMPTS = 5


# Slices: what is written between two commits

cdef struct Told:
    uint8_t* providers      # by row, whether it is in the file
    uint32_t* subscribers   # by row, its position in the file; 0: it is not there
    uint32_t provider_count # rows that there were at the beginning
    uint32_t subscriber_count
    uint32_t position       # the last that was given: an image has no gaps, however many rows are free


cdef bint tell_subscribers(
    BlockWriter* out, const Data* data, Told* told, uint32_t first, uint32_t end
) noexcept nogil:
    cdef const SubscriberRow* found
    cdef uint32_t row
    for row in range(first, end):
        found = &data.subscribers.rows[row]
        if (found.product and found.provider < told.provider_count
                and told.providers[found.provider]):
            told.position += 1
            told.subscribers[row] = told.position
            if not write_subscriber(out, data, row, told.position):
                return False
    return True


cdef bint tell_numbers(
    BlockWriter* out, const Data* data, const NumberTable* table, Told* told, uint64_t product,
    uint64_t first, uint64_t end
) noexcept nogil:
    """Those whose own slots are from `first` up to `end`; they stand there or soon after, and what
    has its own slot near the table's end may stand at its beginning, which is gone over then."""
    cdef uint64_t i = first, home
    cdef const NumberSlot* slot
    while True:
        slot = &table.slots[i & table.last]
        if slot.number == 0:
            if i >= end:
                return True
        else:
            home = slot_of(table, slot.number)
            if (first <= home < end and home <= i <= home + table.last
                    and slot.subscriber < told.subscriber_count
                    and told.subscribers[slot.subscriber]
                    and not write_number(
                        out, data, slot, told.subscribers[slot.subscriber], product)):
                return False
        i += 1


cdef bint tell_providers(BlockWriter* out, Index index, Told* told) except -1:
    cdef const Data* data = &index.data
    cdef const char* name
    cdef Py_ssize_t size
    cdef uint32_t row
    cdef bint sound
    cdef uint64_t* into
    with nogil:
        into = room_for(out, COUNTS, COUNT_WORDS)
    if into == NULL:
        return False
    told.provider_count = data.provider_count
    told.subscriber_count = data.subscribers.top
    told.providers = <uint8_t*>calloc(told.provider_count + 1, 1)
    told.subscribers = <uint32_t*>calloc(
        told.subscriber_count + 1, sizeof(uint32_t))
    if told.providers == NULL or told.subscribers == NULL:
        raise MemoryError
    into[0] = data.numbers[1].count
    into[1] = data.numbers[2].count
    into[2] = data.subscribers.count
    into[3] = told.provider_count
    into[4] = told.subscriber_count
    for row in range(1, told.provider_count):
        # Of a free row neither is true; what only settings or a plan name is made with these.
        if data.providers[row].lists or data.providers[row].references:
            name = PyUnicode_AsUTF8AndSize(index.provider_names[row], &size)
            told.providers[row] = 1
            with nogil:
                sound = write_provider(out, data, row, name, <uint64_t>size)
            if not sound:
                return False
    return True


cdef bint tell_all(BlockWriter* out, Index index, Told* told) except -1:
    """Everything in slices; false where there is trouble. Raises Moved where rows changed hands."""
    cdef const Data* data = &index.data
    cdef const NumberTable* table
    cdef uint64_t product, first
    cdef bint sound
    cdef list names
    with index.writing:
        sound = tell_providers(out, index, told)
        names = index.provider_names[:told.provider_count] if sound else []
    with nogil:  # never while a commit waits, and so between kinds too
        sound = sound and flush_block(out)
    for first in range(1, told.subscriber_count, SLICE):
        with index.writing:
            if index.provider_names[:told.provider_count] != names:
                raise Moved
            with nogil:
                sound = sound and tell_subscribers(
                    out, data, told, <uint32_t>first,
                    <uint32_t>min(first + SLICE, <uint64_t>told.subscriber_count))
        with nogil:
            sound = sound and (out.size < BLOCK_WORDS // 2 or flush_block(out))
    for product in range(1, 3):
        with nogil:
            sound = sound and flush_block(out)
        table = numbers_of(data, <int>product)  # one that is grown out of stays as it was
        for first in range(0, table.last + 1, SLICE):
            with index.writing:
                with nogil:
                    sound = sound and tell_numbers(
                        out, data, table, told, product, first, min(first + SLICE, table.last + 1))
            with nogil:
                sound = sound and (out.size < BLOCK_WORDS // 2 or flush_block(out))
    return sound


cdef int tell(BlockWriter* out, Index index, bytes head, list objects) except -1:
    """All of the file. Rows and blocks given up meanwhile are used by nobody else."""
    cdef Told told
    cdef Reader* reader = index.add_reader()
    cdef uint64_t* into
    memset(&told, 0, sizeof(told))
    try:
        reading(&index.data, reader)
        if write_octets(out, HEAD, head) and tell_all(out, index, &told):
            for each in objects:
                write_octets(out, OBJECT, each)
        with nogil:
            into = room_for(out, END, 2)
        if into != NULL:
            into[0] = out.place
            into[1] = index.revision
            with nogil:
                flush_block(out)
    finally:
        rested(reader)
        index.remove_reader(reader)
        free(told.providers)
        free(told.subscribers)
    return 0


class Moved(Exception):
    """A provider's row was given to another one while it was written."""


def write_image(Index index, int fd, bytes head, objects):
    cdef BlockWriter out
    cdef list kept = list(objects)
    memset(&out, 0, sizeof(out))
    for _ in range(ATTEMPTS):
        out.fd = fd
        try:
            tell(&out, index, head, kept)
            if out.trouble == NOT_WRITTEN:
                raise OSError(out.code, "the image was not written")
            if out.trouble != NO_TROUBLE:
                raise MemoryError
            return out.octets
        except Moved:
            os.ftruncate(fd, 0)
            os.lseek(fd, 0, os.SEEK_SET)
        finally:
            close_writer(&out)
    raise OSError("the image was not written: providers come and go too quickly")
