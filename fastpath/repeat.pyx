"""Work done over and over. What it promises stands in repeat.pxd."""

from libc.stdint cimport uint32_t

cdef extern from *:
    """
    /* One name that no compiler merges or copies: what runs inside it is counted. */
    __attribute__((noinline, used)) void callscreen_counted(
        void (*work)(void *), void *context, uint32_t times
    ) {
        for (uint32_t i = 0; i < times; i++) {
            work(context);
        }
    }
    """
    void callscreen_counted(Work work, void *context, uint32_t times) noexcept nogil


cdef void repeat(Work work, void *context, uint32_t times) noexcept nogil:
    work(context)
    callscreen_counted(work, context, times)
