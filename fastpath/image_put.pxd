# Records of an image, laid into the block under way; false where there is trouble.
from libc.stdint cimport uint32_t, uint64_t

from callscreen.fastpath.blocks cimport BlockWriter
from callscreen.fastpath.image cimport Kind
from callscreen.fastpath.tables cimport Data, NumberSlot


cdef bint write_octets(BlockWriter* out, Kind kind, bytes octets)
cdef bint write_provider(
    BlockWriter* out, const Data* data, uint32_t row, const char* name, uint64_t size
) noexcept nogil
# At its position in the file.
cdef bint write_subscriber(
    BlockWriter* out, const Data* data, uint32_t row, uint32_t position
) noexcept nogil
# `owner` is the position of its subscriber.
cdef bint write_number(
    BlockWriter* out, const Data* data, const NumberSlot* slot, uint32_t owner, uint64_t product
) noexcept nogil
