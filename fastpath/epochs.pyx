"""Epochs: memory that was given up is freed once nobody can still be reading it.

Invariants:
1. What is given up is no longer reached from the index, and carries the epoch in which it was;
   the next epoch begins only after that.
2. A reader first says its epoch and then reads; the writer first unlinks and then looks at the
   readers. Both put a full fence between, so of the two at least one sees the other.
3. What carries an epoch is freed when every reader rests or is in a later one.
4. All but `epoch` and `gone` of a reader is the writer's, under the lock of its commits.
"""

from libc.stdint cimport uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memmove, memset


cdef extern from *:
    """
    #include <stdlib.h>
    static inline void callscreen_begin(uint64_t *sequence) {
        __atomic_store_n(sequence, *sequence + 1, __ATOMIC_RELAXED);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    }
    static inline void callscreen_end(uint64_t *sequence) {
        __atomic_store_n(sequence, *sequence + 1, __ATOMIC_RELEASE);
    }
    static inline uint64_t callscreen_epoch_of(const uint64_t *epoch) {
        return __atomic_load_n(epoch, __ATOMIC_ACQUIRE);
    }
    static inline void callscreen_next_epoch(uint64_t *epoch) {
        __atomic_store_n(epoch, *epoch + 1, __ATOMIC_SEQ_CST);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    }
    static inline void callscreen_raise(uint64_t *flag) {
        __atomic_store_n(flag, 1, __ATOMIC_RELEASE);
    }
    static inline void callscreen_full_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
    static void *callscreen_line(size_t size) {
        void *line = NULL;
        return posix_memalign(&line, 64, size) == 0 ? line : NULL;
    }
    """
    void callscreen_begin(uint64_t* sequence) noexcept nogil
    void callscreen_end(uint64_t* sequence) noexcept nogil
    uint64_t callscreen_epoch_of(const uint64_t* epoch) noexcept nogil
    void callscreen_next_epoch(uint64_t* epoch) noexcept nogil
    void callscreen_full_fence() noexcept nogil
    void callscreen_raise(uint64_t* flag) noexcept nogil
    void* callscreen_line(size_t size) noexcept nogil

cdef enum:
    LEAST = 64  # places of a limbo


cdef void begin_turn(Turn* turn) noexcept nogil:
    callscreen_begin(&turn.sequence)


cdef void end_turn(Turn* turn) noexcept nogil:
    callscreen_end(&turn.sequence)


cdef void next_epoch(Turn* turn) noexcept nogil:
    callscreen_next_epoch(&turn.epoch)


cdef Reader* enter_reader(Limbo* limbo) except NULL:
    cdef Reader* reader = <Reader*>callscreen_line(sizeof(Reader))
    if reader == NULL:
        raise MemoryError
    memset(reader, 0, sizeof(Reader))
    reader.next = limbo.readers
    limbo.readers = reader
    return reader


cdef void leave_reader(Limbo* limbo, Reader* reader) noexcept nogil:
    cdef Reader** link = &limbo.readers
    while link[0] != NULL:
        if link[0] == reader:
            link[0] = reader.next
            free(reader)
            return
        link = &link[0].next


cdef void abandon_reader(Reader* reader) noexcept nogil:
    callscreen_raise(&reader.gone)


cdef void free_abandoned(Limbo* limbo) noexcept nogil:
    cdef Reader** link = &limbo.readers
    cdef Reader* reader
    while link[0] != NULL:
        reader = link[0]
        if callscreen_epoch_of(&reader.gone):
            link[0] = reader.next
            free(reader)
        else:
            link = &reader.next


cdef int reserve_limbo(Limbo* limbo, size_t count) except -1:
    cdef Given* grown
    cdef size_t size = limbo.end - limbo.first, room = LEAST
    if limbo.readers == NULL or limbo.end + count <= limbo.room:
        return 0
    if limbo.first:
        memmove(limbo.given, limbo.given + limbo.first, size * sizeof(Given))
        limbo.first = 0
        limbo.end = size
    while room < 2 * (size + count):
        room *= 2
    if room > limbo.room:
        grown = <Given*>realloc(limbo.given, room * sizeof(Given))
        if grown == NULL:
            raise MemoryError
        limbo.given = grown
        limbo.room = room
    return 0


cdef void give_up(
    Limbo* limbo, const Turn* turn, void* data, Release release, uint64_t what, uint64_t size
) noexcept nogil:
    cdef Given* given
    if limbo.readers == NULL:
        release(data, what, size)
        return
    given = &limbo.given[limbo.end]
    given.epoch = turn.epoch
    given.what = what
    given.size = size
    given.release = release
    limbo.end += 1


cdef uint64_t earliest(const Limbo* limbo) noexcept nogil:
    """The earliest epoch that a reader is in; the largest number where all rest."""
    cdef uint64_t least = <uint64_t>-1, epoch
    cdef const Reader* reader = limbo.readers
    callscreen_full_fence()
    while reader != NULL:
        epoch = callscreen_epoch_of(&reader.epoch)
        if epoch:
            least = min(least, epoch)
        reader = reader.next
    return least


cdef size_t tidy_limbo(Limbo* limbo, void* data) noexcept nogil:
    cdef uint64_t least
    cdef Given* given
    free_abandoned(limbo)
    if limbo.first == limbo.end:
        return 0
    least = earliest(limbo)
    while limbo.first < limbo.end and limbo.given[limbo.first].epoch < least:
        given = &limbo.given[limbo.first]
        given.release(data, given.what, given.size)
        limbo.first += 1
    if limbo.first == limbo.end:
        limbo.first = limbo.end = 0
    return limbo.end - limbo.first


cdef void close_limbo(Limbo* limbo, void* data) noexcept nogil:
    """For when nobody reads any more."""
    cdef Given* given
    while limbo.first < limbo.end:
        given = &limbo.given[limbo.first]
        given.release(data, given.what, given.size)
        limbo.first += 1
    free(limbo.given)
    limbo.given = NULL
    limbo.first = limbo.end = limbo.room = 0
    while limbo.readers != NULL:
        leave_reader(limbo, limbo.readers)
