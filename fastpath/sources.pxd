"""Where a product looks for the numbers of a call, as one block of memory, ready for any thread.

An index swaps one for another whole; what it gives up is one free() of the block.
"""

from libc.stdint cimport uint32_t, uint64_t

from callscreen.fastpath.extract_number cimport Found, Source, Text

cdef struct Reading:
    Source *called
    Source *calling
    uint32_t called_count
    uint32_t calling_count
    Text code  # the country code as extraction puts it before a number
    uint32_t code_size  # digits of `code_digits`; of a code that is none: more than a number has
    unsigned char code_digits[16]
    uint64_t emergency[2]  # 911 and 112 behind the country code


# Of two extract.NumberSources.
cdef Reading *make_reading(object called, object calling, str default_cc) except NULL
# The number found, packed; an emergency number bare. 0 for none.
cdef uint64_t pack_found(const Reading *reading, const Found *found) noexcept nogil
