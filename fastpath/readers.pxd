# How a thread without lock and GIL reads an index:
#
#     reader = index.add_reader()                # once a thread, with the GIL
#     reading(data, reader)                      # a batch begins: what is reached stays allocated
#     while True:
#         sequence = stable(data)                # an even number
#         decide(data, call, &decision)          # and all else that is read out of tables and rows
#         if same(data, sequence): break         # no transaction came between: all of it is whole
#     rested(reader)                             # before anything that may wait
#
# Until `same` has said so, rows may be of two transactions: never out of bounds, only not yet true.
# Blocks of the arena (lists, texts) never change, and stay until `rested`.
from libc.stdint cimport uint64_t

from callscreen.fastpath.epochs cimport Reader
from callscreen.fastpath.tables cimport Data


cdef extern from *:
    """
    #include <sched.h>
    #include <stdint.h>
    #if defined(__x86_64__) || defined(__i386__)
    #define CALLSCREEN_PAUSE() __builtin_ia32_pause()
    #else
    #define CALLSCREEN_PAUSE() __asm__ __volatile__("" ::: "memory")
    #endif
    #ifndef CALLSCREEN_SPINS
    #define CALLSCREEN_SPINS 100  /* looks at a switch under way, before the core is given away */
    #endif
    static inline void callscreen_reading(const uint64_t *epoch, uint64_t *own) {
        __atomic_store_n(own, __atomic_load_n(epoch, __ATOMIC_ACQUIRE), __ATOMIC_RELAXED);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    }
    static inline void callscreen_rested(uint64_t *own) {
        __atomic_store_n(own, 0, __ATOMIC_RELEASE);
    }
    static inline uint64_t callscreen_stable(const uint64_t *sequence) {
        uint64_t seen;
        int spins = 0;
        while ((seen = __atomic_load_n(sequence, __ATOMIC_ACQUIRE)) & 1) {
            if (++spins < CALLSCREEN_SPINS) CALLSCREEN_PAUSE(); else (void)sched_yield();
        }
        return seen;
    }
    static inline int callscreen_same(const uint64_t *sequence, uint64_t seen) {
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        return __atomic_load_n(sequence, __ATOMIC_RELAXED) == seen;
    }
    """
    void callscreen_reading(const uint64_t* epoch, uint64_t* own) noexcept nogil
    void callscreen_rested(uint64_t* own) noexcept nogil
    uint64_t callscreen_stable(const uint64_t* sequence) noexcept nogil
    int callscreen_same(const uint64_t* sequence, uint64_t seen) noexcept nogil


cdef inline void reading(const Data* data, Reader* reader) noexcept nogil:
    callscreen_reading(&data.turn.epoch, &reader.epoch)


cdef inline void rested(Reader* reader) noexcept nogil:
    callscreen_rested(&reader.epoch)


# The sequence number to hand to `same`; waits out a switch under way.
cdef inline uint64_t stable(const Data* data) noexcept nogil:
    return callscreen_stable(&data.turn.sequence)


# Whether no transaction was switched to since `stable` gave that number.
cdef inline bint same(const Data* data, uint64_t sequence) noexcept nogil:
    return callscreen_same(&data.turn.sequence, sequence)
