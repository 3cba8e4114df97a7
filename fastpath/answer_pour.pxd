"""Parts gathered in a buffer and hashed a word at a time: the hash of answer_hash.pxd, sooner.

1. Usually all parts fit the buffer; where they do not, it is emptied whenever it is full.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy

from callscreen.fastpath.answer_hash cimport Hash, hash_begin, hash_end, hash_word

cdef extern from *:
    """
    /* Eight octets as a word, the first lowest, on any machine. */
    static inline uint64_t pour_word(const unsigned char *at) {
        uint64_t word;
        __builtin_memcpy(&word, at, 8);
    #if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
    #endif
        return word;
    }
    """
    uint64_t pour_word(const unsigned char *at) noexcept nogil

cdef enum:
    POUR_OCTETS = 256  # whole words

cdef struct Pour:
    Hash hash
    uint32_t size  # octets in the buffer
    unsigned char octets[POUR_OCTETS + 8]  # a word may be read at their end


cdef inline void pour_begin(Pour *pour, uint64_t low, uint64_t high) noexcept nogil:
    """The key as two little-endian words."""
    hash_begin(&pour.hash, low, high)
    pour.size = 0


cdef inline void pour_words(Pour *pour) noexcept nogil:
    """Hashes what fills words in the buffer."""
    cdef Hash hash = pour.hash  # of its own, so that it is held in registers
    cdef uint32_t i
    for i in range(pour.size >> 3):
        hash.word = pour_word(pour.octets + 8 * i)
        hash_word(&hash)
    hash.size += pour.size
    pour.hash = hash


cdef inline void pour_octets(Pour *pour, const void *octets, uint32_t size) noexcept nogil:
    cdef const unsigned char *at = <const unsigned char *>octets
    cdef uint32_t some
    while size > POUR_OCTETS - pour.size:
        some = POUR_OCTETS - pour.size
        memcpy(pour.octets + pour.size, at, some)
        pour.size = POUR_OCTETS
        pour_words(pour)
        pour.size = 0
        at += some
        size -= some
    memcpy(pour.octets + pour.size, at, size)
    pour.size += size


cdef inline uint64_t pour_end(Pour *pour) noexcept nogil:
    cdef Hash hash
    cdef uint32_t more = pour.size & 7
    pour_words(pour)
    hash = pour.hash
    hash.word = pour_word(pour.octets + (pour.size - more)) & ((<uint64_t>1 << 8 * more) - 1)
    return hash_end(&hash)
