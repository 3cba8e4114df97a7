"""Memory of the index's tables: reserved by address, so that a table grows without moving.

Invariants:
1. What is opened stays where it is until the area is closed: a reader's position in it stays good.
2. Reserved octets that are not opened cost no memory, only addresses.
3. An area of 2 MiB or more begins on a huge page, and the kernel is asked for such pages.
"""

from libc.stdlib cimport calloc, free


cdef extern from *:
    """
    #include <sys/mman.h>
    #include <stdint.h>
    #define CALLSCREEN_HUGE ((size_t)2 << 20)

    static void callscreen_huge(void *area, size_t size) {
    #ifdef MADV_HUGEPAGE
        (void)madvise(area, size, MADV_HUGEPAGE);
    #endif
    }

    /* Whole pages at a multiple of 2 MiB, or NULL. */
    static void *callscreen_map(size_t size, int protection) {
        size_t spare;
        char *got = mmap(NULL, size + CALLSCREEN_HUGE, protection,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (got == MAP_FAILED) return NULL;
        spare = (uintptr_t)got & (CALLSCREEN_HUGE - 1);
        if (spare) spare = CALLSCREEN_HUGE - spare;
        if (spare) (void)munmap(got, spare);
        (void)munmap(got + spare + size, CALLSCREEN_HUGE - spare);
        return got + spare;
    }

    static int callscreen_open(char *base, size_t size) {
        return mprotect(base, size, PROT_READ | PROT_WRITE);
    }

    static void callscreen_unmap(void *area, size_t size) { (void)munmap(area, size); }
    """
    enum: PROT_NONE
    enum: PROT_READ
    enum: PROT_WRITE
    void* callscreen_map(size_t size, int protection) noexcept nogil
    void callscreen_unmap(void* area, size_t size) noexcept nogil
    int callscreen_open(char* base, size_t size) noexcept nogil
    void callscreen_huge(void* area, size_t size) noexcept nogil

cdef enum:
    PAGE = 4096
    HUGE = 2 << 20
    FIRST = 64 << 10  # octets: the steps of an area that is still small


cdef inline size_t whole(size_t size, size_t step) noexcept nogil:
    return (size + step - 1) // step * step


cdef int reserve_area(Area* area, size_t limit) except -1:
    """As many addresses, or where the process may not have so many half of them, and so on."""
    area.limit = whole(limit, HUGE)
    area.opened = 0
    area.base = <char*>callscreen_map(area.limit, PROT_NONE)
    while area.base == NULL and area.limit > HUGE:
        area.limit = whole(area.limit // 2, HUGE)
        area.base = <char*>callscreen_map(area.limit, PROT_NONE)
    if area.base == NULL:
        raise MemoryError
    callscreen_huge(area.base, area.limit)  # of which the kernel gives none before 2 MiB are opened
    return 0


cdef int open_area(Area* area, size_t size) except -1:
    cdef size_t wanted
    if size <= area.opened:
        return 0
    if size > area.limit:
        raise MemoryError(f"a table of the index holds at most {area.limit} octets")
    wanted = whole(size, FIRST) if size <= HUGE else whole(size + size // 16, HUGE)
    wanted = min(wanted, area.limit)
    if callscreen_open(area.base, wanted) != 0:
        raise MemoryError
    area.opened = wanted
    return 0


cdef void close_area(Area* area) noexcept nogil:
    if area.base != NULL:
        callscreen_unmap(area.base, area.limit)
    area.base = NULL
    area.opened = area.limit = 0


cdef void* big_area(size_t size) except NULL:
    cdef void* area
    if size < HUGE:
        area = calloc(max(size, 1), 1)
    else:
        area = callscreen_map(whole(size, PAGE), PROT_READ | PROT_WRITE)
        if area != NULL:
            callscreen_huge(area, whole(size, PAGE))
    if area == NULL:
        raise MemoryError
    return area


cdef void free_area(void* area, size_t size) noexcept nogil:
    if area == NULL or size < HUGE:
        free(area)
    else:
        callscreen_unmap(area, whole(size, PAGE))
