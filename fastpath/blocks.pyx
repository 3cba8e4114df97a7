"""Blocks on disk: gathered in memory, written with a checksum, and believed only with the right one.

blocks_reference.py is the plain twin: it says what a checksum is.

Invariants:
1. No octet of a payload is looked at before the checksum of its block was found right; kind, place
   and length are under it too, so a block that is missing, twice there or elsewhere is found out.
2. What a damaged length can make a reader allocate is at most what the file still holds.
3. Nothing here takes the GIL or raises: trouble is noted, and everything after it does nothing.
"""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.errno cimport EINTR, errno
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy, memset
from posix.unistd cimport read, write

__all__ = ["checksum"]


cdef extern from *:
    """
    #include <stdint.h>
    #include <stddef.h>
    /* Of each four words each goes to a lane of its own; both steps of a lane can be undone, so two
       payloads that differ in one word never agree. */
    static inline uint64_t callscreen_turned(uint64_t value) { return value << 31 | value >> 33; }

    static uint64_t callscreen_checksum(
        const uint64_t *words, uint64_t count, const uint64_t head[3]
    ) {
        const uint64_t odd = 0x9E3779B97F4A7C15ULL;
        uint64_t a = head[0] + 1, b = head[1] + 2, c = head[2] + 3, d = count + 4, i;
        for (i = 0; i + 4 <= count; i += 4) {
            a = callscreen_turned((a ^ words[i]) * odd);
            b = callscreen_turned((b ^ words[i + 1]) * odd);
            c = callscreen_turned((c ^ words[i + 2]) * odd);
            d = callscreen_turned((d ^ words[i + 3]) * odd);
        }
        for (; i < count; i++) a = callscreen_turned((a ^ words[i]) * odd);
        a = (a ^ callscreen_turned(b * odd)) * odd; a ^= a >> 32;
        a = (a ^ callscreen_turned(c * odd)) * odd; a ^= a >> 32;
        a = (a ^ callscreen_turned(d * odd)) * odd; a ^= a >> 32;
        return a;
    }
    #define CALLSCREEN_BLOCK 0x31494353u /* "SCI1", the format: another one has another word */
    """
    uint64_t callscreen_checksum(
        const uint64_t* words, uint64_t count, const uint64_t* head
    ) noexcept nogil
    const uint32_t CALLSCREEN_BLOCK


def checksum(bytes payload, uint32_t kind, uint64_t place):
    cdef uint64_t[3] head
    cdef Py_ssize_t size = len(payload)
    cdef uint64_t* words = <uint64_t*>malloc(max(size, 8))
    if words == NULL:
        raise MemoryError
    try:
        memcpy(words, PyBytes_AS_STRING(payload), size)
        fill_head(head, kind, place, <uint64_t>size)
        return callscreen_checksum(words, <uint64_t>size // 8, head)
    finally:
        free(words)


cdef inline void fill_head(
    uint64_t* head, uint32_t kind, uint64_t place, uint64_t size
) noexcept nogil:
    head[0] = CALLSCREEN_BLOCK | <uint64_t>kind << 32
    head[1] = place
    head[2] = size


cdef bint flush_block(BlockWriter* out) noexcept nogil:
    cdef const char* at
    cdef size_t left
    cdef ssize_t done
    if out.trouble != NO_TROUBLE or out.size == 0:
        return out.trouble == NO_TROUBLE
    fill_head(out.words, out.kind, out.place, 8 * out.size)
    out.words[3] = callscreen_checksum(out.words + HEAD_WORDS, out.size, out.words)
    at = <const char*>out.words
    left = 8 * (HEAD_WORDS + out.size)
    out.octets += left
    while left:
        done = write(out.fd, at, left)
        if done < 0 and errno == EINTR:
            continue
        if done <= 0:
            out.code = errno
            out.trouble = NOT_WRITTEN
            return False
        at += done
        left -= done
    out.place += 1
    out.size = 0
    return True


cdef uint64_t* room_for(BlockWriter* out, uint32_t kind, uint64_t words) noexcept nogil:
    cdef uint64_t* grown
    if out.size and (out.kind != kind or out.size + words > BLOCK_WORDS):
        flush_block(out)
    if out.trouble != NO_TROUBLE:
        return NULL
    if out.size + words > out.room:
        out.room = max(words, <uint64_t>BLOCK_WORDS)
        grown = <uint64_t*>realloc(out.words, 8 * (HEAD_WORDS + out.room))
        if grown == NULL:
            out.trouble = NO_MEMORY
            return NULL
        out.words = grown
    out.kind = kind
    grown = out.words + HEAD_WORDS + out.size
    out.size += words
    return grown


cdef void close_writer(BlockWriter* out) noexcept nogil:
    free(out.words)
    memset(out, 0, sizeof(BlockWriter))


cdef bint fetch(BlockReader* into, void* where, size_t size) noexcept nogil:
    """So many octets of the file; it may end in mid-block."""
    cdef char* at = <char*>where
    cdef ssize_t done
    if size > into.left:
        into.trouble = DAMAGED
        return False
    into.left -= size
    while size:
        done = read(into.fd, at, size)
        if done < 0 and errno == EINTR:
            continue
        if done <= 0:
            into.code = errno
            into.trouble = DAMAGED if done == 0 else NOT_READ
            return False
        at += done
        size -= done
    return True


cdef bint next_block(BlockReader* into) noexcept nogil:
    cdef uint64_t[HEAD_WORDS] head
    cdef uint64_t* grown
    into.size = into.at = 0
    if into.trouble != NO_TROUBLE or not fetch(into, head, sizeof(head)):
        return False
    if (<uint32_t>head[0] != CALLSCREEN_BLOCK or head[1] != into.place or head[2] & 7
            or head[2] > into.left):
        into.trouble = DAMAGED
        return False
    if head[2] > 8 * into.room:
        grown = <uint64_t*>realloc(into.words, head[2])
        if grown == NULL:
            into.trouble = NO_MEMORY
            return False
        into.words = grown
        into.room = head[2] // 8
    if not fetch(into, into.words, head[2]):
        return False
    if callscreen_checksum(into.words, head[2] // 8, head) != head[3]:
        into.trouble = DAMAGED
        return False
    into.kind = <uint32_t>(head[0] >> 32)
    into.size = head[2] // 8
    into.place += 1
    return True


cdef void close_reader(BlockReader* into) noexcept nogil:
    free(into.words)
    memset(into, 0, sizeof(BlockReader))
