"""Work done over and over in a function of its own, whose instructions an outer tool can count.

    valgrind --tool=callgrind --collect-atstart=no --toggle-collect=callscreen_counted ...
"""

from libc.stdint cimport uint32_t

ctypedef void (*Work)(void *context) noexcept nogil


# Does the work once uncounted, so that symbols are bound and branches known, then `times` times.
cdef void repeat(Work work, void *context, uint32_t times) noexcept nogil
