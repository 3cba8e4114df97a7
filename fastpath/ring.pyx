"""The ring of a worker's call records. What it promises stands in ring.pxd."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint64_t
from libc.string cimport memcpy, memset

__all__ = ["RingBuffer"]

cdef extern from *:
    """
    #ifndef _GNU_SOURCE
    #define _GNU_SOURCE
    #endif
    #include <stdint.h>
    #include <sys/mman.h>
    #include <unistd.h>
    static uint64_t callscreen_load(const uint64_t *at) {
        return __atomic_load_n(at, __ATOMIC_ACQUIRE);
    }
    static void callscreen_store(uint64_t *at, uint64_t value) {
        __atomic_store_n(at, value, __ATOMIC_RELEASE);
    }
    /* `size` octets of fresh memory, twice in a row; NULL where there are none. */
    static char *callscreen_mirrored(size_t size) {
        char *area = MAP_FAILED;
        int file = memfd_create("callscreen-records", MFD_CLOEXEC);
        if (file < 0) return NULL;
        if (ftruncate(file, (off_t)size) == 0)
            area = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (area != MAP_FAILED) {
            int how = MAP_SHARED | MAP_FIXED | MAP_POPULATE;
            if (mmap(area, size, PROT_READ | PROT_WRITE, how, file, 0) == MAP_FAILED ||
                mmap(area + size, size, PROT_READ | PROT_WRITE, how, file, 0) == MAP_FAILED) {
                munmap(area, 2 * size);
                area = MAP_FAILED;
            }
        }
        close(file);
        return area == MAP_FAILED ? NULL : area;
    }
    static void callscreen_unmirror(char *area, size_t size) { munmap(area, 2 * size); }
    """
    uint64_t callscreen_load(const uint64_t *at) noexcept nogil
    void callscreen_store(uint64_t *at, uint64_t value) noexcept nogil
    char *callscreen_mirrored(size_t size) noexcept nogil
    void callscreen_unmirror(char *area, size_t size) noexcept nogil

cdef enum:
    LEAST = 4096  # octets: a page
    MOST = 1 << 30
    HEAD = 3      # octets of an entry's tag and length


cdef char *ring_place(Ring *ring, uint64_t most) noexcept nogil:
    if ring.writing + most - ring.known > ring.size:
        ring.known = callscreen_load(&ring.taken)
        if ring.writing + most - ring.known > ring.size:
            return NULL
    return ring.area + (ring.writing & (ring.size - 1))


cdef void ring_wrote(Ring *ring, uint64_t size) noexcept nogil:
    ring.writing += size


cdef void ring_publish(Ring *ring) noexcept nogil:
    callscreen_store(&ring.put, ring.writing)


cdef uint64_t ring_ready(
    const Ring *ring, uint64_t most_entries, uint64_t most_octets, uint64_t *count
) noexcept nogil:
    cdef uint64_t end = callscreen_load(&ring.put), at = ring.taken, size
    cdef const unsigned char *entry
    count[0] = 0
    while at < end and count[0] < most_entries:
        entry = <const unsigned char *>ring.area + (at & (ring.size - 1))
        size = HEAD + (entry[1] & 0x7F | <uint64_t>entry[2] << 7)
        if at + size - ring.taken > most_octets:
            break
        at += size
        count[0] += 1
    return at - ring.taken


cdef void ring_take(Ring *ring, uint64_t size) noexcept nogil:
    callscreen_store(&ring.taken, ring.taken + size)


cdef class RingBuffer:
    def __cinit__(self, size_t size):
        memset(&self.ring, 0, sizeof(Ring))
        if not LEAST <= size <= MOST or size & (size - 1):
            raise ValueError(f"a ring has {LEAST} to {MOST} octets, a power of two: {size}")
        self.ring.area = callscreen_mirrored(size)
        if self.ring.area == NULL:
            raise MemoryError
        self.ring.size = size

    def __dealloc__(self):
        if self.ring.area != NULL:
            callscreen_unmirror(self.ring.area, self.ring.size)

    def __len__(self):
        return callscreen_load(&self.ring.put) - self.ring.taken

    def put(self, bytes record not None):
        cdef size_t size = PyBytes_GET_SIZE(record)
        cdef char *place
        if size >= 1 << 14:
            raise ValueError("a length of two octets tells less than 16 KiB")
        place = ring_place(&self.ring, HEAD + size)
        if place == NULL:
            return False
        place[0] = 0x12
        place[1] = <char>(size & 0x7F | 0x80)
        place[2] = <char>(size >> 7)
        memcpy(place + HEAD, PyBytes_AS_STRING(record), size)
        ring_wrote(&self.ring, HEAD + size)
        ring_publish(&self.ring)
        return True

    def take(self, uint64_t most_entries, uint64_t most_octets):
        cdef uint64_t count
        cdef uint64_t size = ring_ready(&self.ring, most_entries, most_octets, &count)
        cdef bytes taken = PyBytes_FromStringAndSize(
            self.ring.area + (self.ring.taken & (self.ring.size - 1)), size)
        ring_take(&self.ring, size)
        return taken, count
