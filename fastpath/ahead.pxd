# Memory that is about to be filled, touched by a thread of its own before it is.
cdef enum:
    STRETCHES = 5


cdef struct Stretch:
    char* base    # on a huge page; NULL: none
    size_t size   # octets that there are
    size_t lead   # octets beyond `at` that are touched at most
    size_t at     # octets that are filled
    size_t next   # of the thread alone: the first that it has not come to


cdef struct Ahead:
    Stretch[STRETCHES] stretches  # the first that has any room goes first
    void* thread                  # NULL: none runs
    int ended


# Starts the thread, where the system has another one. `ahead` begins as zeros and stays where it is.
cdef void begin_ahead(Ahead* ahead) noexcept nogil
# Says that a stretch is filled up to `at`, and has `size` octets by now.
cdef void move_ahead(Stretch* stretch, size_t at, size_t size) noexcept nogil
# Waits for its end. Nothing is touched any more.
cdef void end_ahead(Ahead* ahead) noexcept nogil
