# Memory that never moves while it grows: addresses are reserved first, and opened as they are used.
cdef struct Area:
    char* base
    size_t limit   # octets reserved
    size_t opened  # octets that may be used; they begin as zeros


# Less where there are no addresses for all of it: see area.limit.
cdef int reserve_area(Area* area, size_t limit) except -1
# Lets that many octets of it be used. MemoryError where they are more than were reserved.
cdef int open_area(Area* area, size_t size) except -1
cdef void close_area(Area* area) noexcept nogil

# Zeroed octets of a size that stays, on huge pages where it is large; freed with that size.
cdef void* big_area(size_t size) except NULL
cdef void free_area(void* area, size_t size) noexcept nogil
