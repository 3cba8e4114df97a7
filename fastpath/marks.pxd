"""One pass over the head of a message: a bit an octet for what is not plain, and for line feeds.

1. Nothing outside data[start:end] is read; the last octets are copied aside to be read as 64.
2. Plain octets are letters, digits, '-', '.' and '_': they are in every class that a header field
   has, so that whoever looks for the end of one goes from mark to mark. All else has a mark.
3. AVX2 where the processor has it, else SSE2, else octet by octet; marks_reference.py says what.
"""

from libc.stdint cimport uint32_t, uint64_t

from callscreen.fastpath.sip_text cimport Octets

cdef enum How:
    WIDE  # AVX2
    NARROW  # SSE2; octet by octet where there is none
    OCTETS
    BEST

cdef enum:
    NO_END = 0  # no empty line
    BARE_END = 0xFFFFFFFF  # a carriage return or a line feed alone before it


# Position after the empty line that ends the head, or one of the above. Bit i & 63 of words
# i >> 6 of marks and feeds tells of octet i, from start to there; the rest of the last is marked.
cdef uint32_t find_marks(
    Octets data, uint32_t start, uint32_t end, uint64_t *marks, uint64_t *feeds, How how
) noexcept nogil
