"""The index from a file. What stands in it: image.pxd, and its plain twin image_reference.py.

Invariants:
1. A file that is not whole, or says what no index can hold, raises ImageError; the index into which
   it was read is then of no use.
2. Nothing that a file says makes a reader leave its bounds, even where the checksums are right.
"""

from libc.stdint cimport uint64_t
from libc.string cimport memset
from posix.stat cimport fstat, struct_stat

from callscreen.fastpath.blocks cimport (
    DAMAGED, NO_MEMORY, BlockReader, close_reader, next_block,
)
from callscreen.fastpath.image cimport (
    COUNTS, END, HEAD, NUMBER, OBJECT, PROVIDER, SUBSCRIBER,
)
from callscreen.fastpath.image_fill cimport Filling, begin_filling, end_filling, fill, sweep
from callscreen.fastpath.image_take cimport damaged, take_octets
from callscreen.fastpath.index cimport Index

from .image_take import ImageError

__all__ = ["ImageError", "read_image"]


cdef tuple read_blocks(BlockReader* into, Filling* made, Index index):
    """All blocks up to the end: the head, the objects, the revision at which all of it is whole."""
    cdef bytes head = None
    cdef list objects = []
    cdef bint more
    while True:
        with nogil:
            more = next_block(into)
        if not more:
            raise_trouble(into)
        # The head comes first, then the counts, then all else up to the end.
        if (into.kind == HEAD) != (into.place == 1) or (into.kind == COUNTS) != (into.place == 2):
            damaged()
        if into.kind == HEAD:
            head = take_octets(into)
        elif into.kind == COUNTS:
            begin_filling(made, into)
        elif into.kind in (PROVIDER, SUBSCRIBER, NUMBER):
            fill(made, into, index)
        elif into.kind == END and into.size == 2 and into.words[0] == into.place - 1:
            if into.left:
                damaged()
            return head, objects, <uint64_t>into.words[1]
        elif into.kind == OBJECT:
            while into.at < into.size:
                objects.append(take_octets(into))
        else:
            damaged()


cdef int raise_trouble(const BlockReader* into) except -1:
    if into.trouble == DAMAGED:
        raise ImageError("the image is cut off or damaged")
    if into.trouble == NO_MEMORY:
        raise MemoryError
    raise OSError(into.code, "the image was not read")


def read_image(Index index, int fd):
    cdef BlockReader into
    cdef Filling made
    cdef struct_stat about
    if fstat(fd, &about) != 0:
        raise OSError("the image was not read")
    memset(&into, 0, sizeof(into))
    memset(&made, 0, sizeof(made))
    into.fd = fd
    into.left = <uint64_t>max(about.st_size, 0)
    made.data = &index.data
    try:
        with index.writing:
            if made.data.limbo.readers != NULL or made.data.subscribers.count:
                raise ValueError("an image is read into an index of its own")
            found = read_blocks(&into, &made, index)
            sweep(&made)
            return found
    finally:
        end_filling(&made)
        close_reader(&into)
