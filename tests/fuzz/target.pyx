"""What the fuzzer calls: a datagram through look, fetch, settle and done, twice.

1. An input is a setting (world.py), and the datagram. It is judged without the interpreter.
2. The datagram lies where nothing may be read beyond it: once in a block of its own, once before a
   page that cannot be read. The answer's and the record's room are blocks of their own.
3. What is left in a Work before the two is not the same: what is not set and yet read shows.
4. Beyond what the sanitizers see, promises of respond.pyx are held: those that `judge` names.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memset

from callscreen.fastpath.answer_write cimport into
from callscreen.fastpath.callers cimport name_peer
from callscreen.fastpath.counts cimport Counts
from callscreen.fastpath.index cimport Index
from callscreen.fastpath.recent cimport BUCKET, RecentTable
from callscreen.fastpath.respond cimport (
    ANSWER, ANSWER_MORE, ANSWER_ROOM, AT_ONCE, AWAITS, DROPPED, LOOKED, OVER_RATE, RECORD_ROOM,
    STREAM, SWALLOWED, VIA_TRUSTED, Desk, Work, done, fetch, fill_desk, look, settle,
)
from callscreen.fastpath.sip_text cimport Octets
from callscreen.fastpath.tables cimport Data

from tests.fuzz import world

cdef extern from "<sys/mman.h>" nogil:
    void *mmap(void *address, size_t size, int protection, int flags, int file, long offset)
    int mprotect(void *address, size_t size, int protection)
    enum:
        PROT_NONE
        PROT_READ
        PROT_WRITE
        MAP_PRIVATE
        MAP_ANONYMOUS

cdef enum:
    WORLDS_MOST = 16
    HEAD = 2  # octets of a setting
    BEFORE = 32 * 4096  # octets before the page that cannot be read
    NOW = 1_700_000_000

cdef const Data *worlds[WORLDS_MOST]
cdef uint32_t world_count
cdef Desk desks[3]  # by product
cdef Counts counts
cdef Desk desk
cdef Work work
cdef char *page
cdef RecentTable table
kept = []

cdef const unsigned char *SOURCES = (
    b"\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x09" b"\x20\x01\x0d\xb8" b"\0\0\0\0\0\0\0\0\0\0\0\x01"
)


cdef bint starts(const char *text, size_t size, const char *wanted, size_t length) noexcept nogil:
    return size >= length and memcmp(text, wanted, length) == 0


cdef const char *judge_answer(const char *answer, size_t size) noexcept nogil:
    """One head, and no line in it that ends otherwise than by CR and LF."""
    cdef size_t i
    if not starts(answer, size, b"SIP/2.0 ", 8):
        return b"an answer begins with a status line"
    if size < 4 or memcmp(answer + size - 4, b"\r\n\r\n", 4):
        return b"an answer ends with an empty line"
    for i in range(size):
        if answer[i] == c'\n' and (not i or answer[i - 1] != c'\r'):
            return b"no LF alone is in an answer"
        if answer[i] == c'\r' and (i + 1 == size or answer[i + 1] != c'\n'):
            return b"no CR alone is in an answer"
        if answer[i] == c'\r' and i + 4 < size and memcmp(answer + i, b"\r\n\r\n", 4) == 0:
            return b"an answer is one head"
    return NULL


cdef const char *judge(size_t size) noexcept nogil:
    if work.doing == LOOKED:
        return b"every datagram comes to an end"
    if work.doing == ANSWER:
        if work.answer.size > work.answer.room:
            return b"an answer that is sent is whole"
        if not work.traits & STREAM and work.answer.size > size + ANSWER_MORE:
            return b"an answer is no longer than what is allowed"
        if work.status < 200 or work.status > 699 or work.port > 65535:
            return b"an answer is final, and goes to a port"
    elif work.doing != DROPPED and work.doing != SWALLOWED:
        return b"one of three things becomes of a datagram"
    if work.decided and work.record.size > RECORD_ROOM:
        return b"any record has room"
    if work.decided and work.record_made == work.repeated:
        return b"a call makes one record"
    return NULL


cdef void run(const Data *data, uint32_t setting, uint8_t filling) noexcept nogil:
    """From a Work that holds nothing but `filling`, and what its caller sets."""
    cdef Octets octets = work.data
    cdef uint32_t size = work.size
    cdef uint64_t now = <uint64_t>NOW * 1000000000
    cdef char *answer = work.answer.at
    cdef size_t room = work.answer.room
    cdef char *record = work.record.at
    memset(&work, filling, sizeof(Work))
    work.data, work.size = octets, size
    work.traits = <uint8_t>(
        (STREAM if setting & 1 else 0) | (VIA_TRUSTED if setting & 2 else 0)
        | (OVER_RATE if setting & 4 and setting & 64 else 0)
    )
    name_peer(&work, SOURCES + (16 if setting & 128 else 0), True, 5070)
    work.answer, work.record = into(answer, room), into(record, RECORD_ROOM)
    work.told = NULL
    look(&desk, data, &work, now)
    if work.doing == LOOKED:
        fetch(&desk, data, &work)
        settle(&desk, data, &work, now)
        if work.doing == AWAITS:  # nobody is there to ask: as where a worker's ring is full
            work.traits |= AT_ONCE
            work.doing = LOOKED
            settle(&desk, data, &work, now)
    done(&desk, &work, now)


cdef const char *attempt(const uint8_t *octets, size_t whole) noexcept nogil:
    global desk
    cdef uint32_t setting
    cdef size_t size, room, answered
    cdef const Data *data
    cdef unsigned char *block
    cdef char *first
    cdef char *second
    cdef char *record
    cdef uint8_t doing, decided
    cdef uint32_t status
    cdef const char *wrong
    if whole < HEAD or whole - HEAD > BEFORE:
        return NULL
    setting, size = octets[1], whole - HEAD
    data = worlds[octets[0] % world_count]
    if setting & 48 == 48:
        data = NULL
    desk = desks[(setting >> 4 & 3) % 3]
    memset(table.recent.entries, 0, BUCKET * sizeof(uint64_t))
    room = 4 * size + ANSWER_ROOM if setting & 1 else max(size + ANSWER_MORE, <size_t>ANSWER_ROOM)
    block, first, second = <unsigned char *>malloc(size), <char *>malloc(room), <char *>malloc(room)
    record = <char *>malloc(RECORD_ROOM)
    memcpy(block, octets + HEAD, size)
    work.data, work.size = block, <uint32_t>size
    work.answer, work.record = into(first, room), into(record, RECORD_ROOM)
    run(data, setting, 0xA5)
    wrong = judge(size)
    doing, decided, answered, status = work.doing, work.decided, work.answer.size, work.status
    if wrong == NULL and doing == ANSWER:
        wrong = judge_answer(first, answered)
    memcpy(page + BEFORE - size, octets + HEAD, size)
    work.data = <Octets>page + BEFORE - size
    work.answer, work.record = into(second, room), into(record, RECORD_ROOM)
    run(data, setting, 0x5A)
    if wrong == NULL:
        wrong = judge(size)
    if wrong == NULL and (work.doing != doing or work.decided != decided):
        wrong = b"a request sent again ends the same"
    if wrong == NULL and doing == ANSWER and (
        work.status != status or work.answer.size != answered or memcmp(first, second, answered)
    ):
        wrong = b"a request sent again gets the same answer"
    if wrong == NULL and decided and work.record_made:
        wrong = b"a request sent again makes no second record"
    free(block)
    free(first)
    free(second)
    free(record)
    return wrong


def prepare():
    """Fills the indexes; gives the address of the function to call with an input."""
    global world_count, page, table
    cdef Index index
    cdef int i
    for operations in world.WORLDS:
        index = Index()
        index.commit(operations, 7)
        kept.append(index)
        worlds[world_count] = &index.data
        world_count += 1
    table = RecentTable(BUCKET)
    for i in range(3):
        fill_desk(&desks[i], world.SECRET, world.SEED, world.EDGE, i)
        desks[i].recent, desks[i].counts = &table.recent, &counts
    page = <char *>mmap(
        NULL, BEFORE + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0
    )
    if mprotect(page + BEFORE, 4096, PROT_NONE):
        raise OSError("no page could be shut")
    return <size_t><void *>attempt
