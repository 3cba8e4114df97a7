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

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from callscreen.fastpath.arena cimport Arena, at
from callscreen.fastpath.blocks cimport (
    BLOCK_WORDS, NO_TROUBLE, NOT_WRITTEN, BlockWriter, close_writer, flush_block, room_for,
)
from callscreen.fastpath.epochs cimport Reader
from callscreen.fastpath.image cimport (
    COUNT_WORDS, COUNTS, END, HEAD, NUMBER, OBJECT, PROVIDER, SUBSCRIBER, Kind, words_for,
)
from callscreen.fastpath.index cimport Index
from callscreen.fastpath.lists cimport BUCKET, BigList
from callscreen.fastpath.readers cimport reading, rested
from callscreen.fastpath.tables cimport (
    Data, NumberSlot, NumberTable, ProviderRow, SubscriberRow, numbers_of, slot_of,
)
import os

__all__ = ["write_image"]

cdef enum:
    SLICE = 2048  # rows or slots that are written between two commits
    ATTEMPTS = 5


cdef uint64_t list_words(const Arena* arena, uint32_t offset) noexcept nogil:
    """Words that the lists of a block take in the file."""
    cdef uint64_t* block
    cdef const BigList* big
    cdef uint64_t head
    if offset == 0:
        return 0
    block = at(arena, offset)
    head = block[0]
    if head != <uint64_t>-1:
        return (2 + (head & 0xFFFF) + ((head >> 16) & 0xFFFF)
                + 2 * (((head >> 32) & 0xFFFF) + (head >> 48)))
    big = <const BigList*><size_t>block[1]
    return 2 + big[0].count + big[1].count + 2 * (
        <uint64_t>big[0].masks.count + big[1].masks.count)


cdef void copy_lists(const Arena* arena, uint32_t offset, uint64_t* into) noexcept nogil:
    cdef uint64_t* block = at(arena, offset)
    cdef uint64_t head = block[0], i, place
    cdef const BigList* big
    cdef int which
    if head != <uint64_t>-1:
        into[0] = (head & 0xFFFF) | ((head >> 16) & 0xFFFF) << 32
        into[1] = ((head >> 32) & 0xFFFF) | (head >> 48) << 32
        memcpy(into + 2, block + 1, 8 * (list_words(arena, offset) - 2))
        return
    big = <const BigList*><size_t>block[1]
    into[0] = big[0].count | big[1].count << 32
    into[1] = big[0].masks.count | <uint64_t>big[1].masks.count << 32
    into += 2
    for which in range(2):
        for i in range(big[which].size * BUCKET):
            if big[which].buckets[i]:
                into[0] = big[which].buckets[i]
                into += 1
    for which in range(2):
        for i in range(big[which].masks.count):
            place = 2 * big[which].masks.ranks[i]
            into[place] = big[which].masks.masks[i].value
            into[place + 1] = big[which].masks.masks[i].care
        into += 2 * big[which].masks.count


cdef inline void copy_octets(uint64_t* into, const void* octets, uint64_t size) noexcept nogil:
    if size:
        into[words_for(size) - 1] = 0
        memcpy(into, octets, size)


cdef bint write_octets(BlockWriter* out, Kind kind, bytes octets):
    cdef uint64_t size = PyBytes_GET_SIZE(octets)
    cdef uint64_t* into = room_for(out, kind, 1 + words_for(size))
    if into == NULL:
        return False
    into[0] = size
    copy_octets(into + 1, PyBytes_AS_STRING(octets), size)
    return True


cdef bint write_provider(
    BlockWriter* out, const Data* data, uint32_t row, const char* name, uint64_t size
) noexcept nogil:
    cdef const ProviderRow* found = &data.providers[row]
    cdef uint64_t lists = list_words(&data.arena, found.lists)
    cdef uint64_t* into = room_for(out, PROVIDER, 2 + words_for(size) + lists)
    if into == NULL:
        return False
    into[0] = row | <uint64_t>found.product << 32
    into[1] = size | <uint64_t>(lists != 0) << 32
    copy_octets(into + 2, name, size)
    if lists:
        copy_lists(&data.arena, found.lists, into + 2 + words_for(size))
    return True


cdef inline uint64_t text_size(const Arena* arena, uint32_t offset) noexcept nogil:
    return at(arena, offset)[0] if offset else 0


cdef bint write_subscriber(
    BlockWriter* out, const Data* data, uint32_t row, uint32_t position
) noexcept nogil:
    cdef const SubscriberRow* found = &data.subscribers.rows[row]
    cdef uint64_t name = text_size(&data.arena, found.name)
    cdef uint64_t mail = text_size(&data.arena, found.voicemail)
    cdef uint64_t lists = list_words(&data.arena, found.lists)
    cdef uint64_t* into = room_for(
        out, SUBSCRIBER, 3 + words_for(name) + words_for(mail) + lists)
    if into == NULL:
        return False
    into[0] = position | <uint64_t>found.provider << 32
    into[1] = (found.product | <uint64_t>found.disabled << 8
               | <uint64_t>found.override << 16 | name << 32)
    into[2] = mail | <uint64_t>(lists != 0) << 32
    into += 3
    if name:
        copy_octets(into, at(&data.arena, found.name) + 1, name)
        into += words_for(name)
    if mail:
        copy_octets(into, at(&data.arena, found.voicemail) + 1, mail)
        into += words_for(mail)
    if lists:
        copy_lists(&data.arena, found.lists, into)
    return True


cdef bint write_number(
    BlockWriter* out, const Data* data, const NumberSlot* slot, uint32_t owner, uint64_t product
) noexcept nogil:
    cdef uint64_t lists = list_words(&data.arena, slot.lists)
    cdef uint64_t* into = room_for(out, NUMBER, 2 + lists)
    if into == NULL:
        return False
    into[0] = slot.number
    into[1] = owner | product << 32 | <uint64_t>(lists != 0) << 40
    if lists:
        copy_lists(&data.arena, slot.lists, into + 2)
    return True


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
    cdef uint64_t* into = room_for(out, COUNTS, COUNT_WORDS)
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
            if not write_provider(out, data, row, name, <uint64_t>size):
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
        into = room_for(out, END, 2)
        if into != NULL:
            into[0] = out.place
            into[1] = index.revision
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
