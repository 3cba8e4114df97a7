# When memory that was given up may be used again: once no reader is in an epoch in which it was
# still reached. What readers call is in readers.pxd.
from libc.stdint cimport uint64_t

# How something given up is freed: an offset or an address, and its size; of `data`, the tables.
ctypedef void (*Release)(void* data, uint64_t what, uint64_t size) noexcept nogil

cdef struct Reader:     # one a thread, on a cache line of its own
    uint64_t epoch      # that it reads in; 0: it rests
    uint64_t gone       # nobody reads with it any more
    Reader* next
    uint64_t unused[5]

cdef struct Turn:       # what writer and readers share, apart from the lines of others
    uint64_t before[7]
    uint64_t sequence   # odd while a transaction is being switched to
    uint64_t epoch      # from 1 on
    uint64_t after[7]

cdef struct Given:
    uint64_t epoch
    uint64_t what
    uint64_t size
    Release release

cdef struct Limbo:      # the writer's: what was given up, in order of epochs
    Reader* readers
    Given* given
    size_t first
    size_t end
    size_t room

# Room for so many more, so that `give_up` cannot fail.
cdef int reserve_limbo(Limbo* limbo, size_t count) except -1
# Frees at once where there is no reader.
cdef void give_up(
    Limbo* limbo, const Turn* turn, void* data, Release release, uint64_t what, uint64_t size
) noexcept nogil
# Frees what no reader reaches any more; how many are left.
cdef size_t tidy_limbo(Limbo* limbo, void* data) noexcept nogil
cdef void close_limbo(Limbo* limbo, void* data) noexcept nogil

cdef Reader* enter_reader(Limbo* limbo) except NULL
cdef void leave_reader(Limbo* limbo, Reader* reader) noexcept nogil
# For whoever may not wait for the writer, as what ends an object in the midst of a commit: `tidy_limbo`
# frees it then.
cdef void abandon_reader(Reader* reader) noexcept nogil

# The writer's side of a switch: sequence odd, sequence even, and a new epoch.
cdef void begin_turn(Turn* turn) noexcept nogil
cdef void end_turn(Turn* turn) noexcept nogil
cdef void next_epoch(Turn* turn) noexcept nogil
