"""What becomes of a call: decided, answered and recorded."""

from libc.stdint cimport uint64_t

from callscreen.fastpath.respond cimport Desk, Work
from callscreen.fastpath.tables cimport Data


cdef void settle_call(Desk *desk, const Data *data, Work *work, uint64_t now_ns) noexcept nogil
