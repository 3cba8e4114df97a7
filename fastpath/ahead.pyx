"""Memory that is touched before it is filled, by a thread of its own.

The first touch of a page costs: the kernel clears it, and under a hypervisor the host may have to
find it first. That can take longer than all else when an index is read from a file.

Invariants:
1. Only the kernel touches the pages (MADV_POPULATE_WRITE), and changes nothing that stands in them.
   A kernel that cannot, before Linux 5.14, leaves them to whoever fills them.
2. Nothing beyond `size` is touched, nor more than `lead` octets beyond what is filled.
3. The thread needs no GIL and no lock. Where a stretch was given back under it, the kernel refuses.
4. The pages right after what is filled are left to whoever fills them: two that touch one page at a
   time both clear it.
"""

from libc.stdlib cimport free, malloc


cdef extern from *:
    """
    #include <pthread.h>
    #include <stddef.h>
    #include <sys/mman.h>
    #include <time.h>

    static int callscreen_touch(char *base, size_t size) {
    #ifdef MADV_POPULATE_WRITE
        return madvise(base, size, MADV_POPULATE_WRITE);
    #else
        (void)base, (void)size;
        return -1;
    #endif
    }
    static void callscreen_nap(void) {
        struct timespec nap = {0, 1000000};
        (void)nanosleep(&nap, NULL);
    }
    #define callscreen_get(place) __atomic_load_n(&(place), __ATOMIC_RELAXED)
    #define callscreen_set(place, value) __atomic_store_n(&(place), value, __ATOMIC_RELAXED)
    """
    ctypedef struct pthread_t:
        pass
    int pthread_create(
        pthread_t* thread, const void* attributes, void* (*run)(void*) noexcept nogil,
        void* argument) noexcept nogil
    int pthread_join(pthread_t thread, void** result) noexcept nogil
    int callscreen_touch(char* base, size_t size) noexcept nogil
    void callscreen_nap() noexcept nogil
    size_t callscreen_get(size_t place) noexcept nogil
    int callscreen_get_int "callscreen_get"(int place) noexcept nogil
    void callscreen_set(size_t place, size_t value) noexcept nogil
    void callscreen_set_int "callscreen_set"(int place, int value) noexcept nogil

cdef enum:
    CHUNK = 2 << 20  # octets that are touched at a time: a huge page
    GAP = 2 * CHUNK  # left to whoever fills


cdef bint further(Stretch* stretch) noexcept nogil:
    """Touches the next pages of a stretch; false where there are none."""
    cdef size_t at = callscreen_get(stretch.at), size = callscreen_get(stretch.size)
    cdef size_t first = max(stretch.next, (at + CHUNK - 1) // CHUNK * CHUNK + GAP)
    if first + CHUNK > min(size, at + stretch.lead):
        return False
    stretch.next = first + CHUNK
    if callscreen_touch(stretch.base + first, CHUNK) != 0:
        callscreen_set(stretch.size, 0)
    return True


cdef void* run(void* argument) noexcept nogil:
    cdef Ahead* ahead = <Ahead*>argument
    cdef int i
    while not callscreen_get_int(ahead.ended):
        for i in range(STRETCHES):
            if further(&ahead.stretches[i]):
                break
        else:
            callscreen_nap()
    return NULL


cdef void begin_ahead(Ahead* ahead) noexcept nogil:
    ahead.thread = malloc(sizeof(pthread_t))
    if ahead.thread != NULL and pthread_create(<pthread_t*>ahead.thread, NULL, run, ahead) != 0:
        free(ahead.thread)
        ahead.thread = NULL


cdef void move_ahead(Stretch* stretch, size_t at, size_t size) noexcept nogil:
    callscreen_set(stretch.size, size)
    callscreen_set(stretch.at, at)


cdef void end_ahead(Ahead* ahead) noexcept nogil:
    if ahead.thread == NULL:
        return
    callscreen_set_int(ahead.ended, 1)
    pthread_join((<pthread_t*>ahead.thread)[0], NULL)
    free(ahead.thread)
    ahead.thread = NULL
