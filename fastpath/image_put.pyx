"""Records of an image, laid into the block under way. What stands in them: image.pxd.

What is told of is read as it is at that moment; the caller keeps commits away meanwhile.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy

from callscreen.fastpath.arena cimport Arena, at
from callscreen.fastpath.blocks cimport BlockWriter, room_for
from callscreen.fastpath.image cimport NUMBER, PROVIDER, SUBSCRIBER, Kind, words_for
from callscreen.fastpath.lists cimport BUCKET, BigList
from callscreen.fastpath.tables cimport Data, NumberSlot, ProviderRow, SubscriberRow


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
    cdef uint64_t* into
    with nogil:  # it may write
        into = room_for(out, kind, 1 + words_for(size))
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
