"""SipHash-2-4 of 64 bits over parts given one after another; answer_reference.siphash says what."""

from libc.stdint cimport uint32_t, uint64_t

from callscreen.fastpath.sip_text cimport Octets

cdef struct Hash:
    uint64_t a, b, c, d
    uint64_t word  # the octets that fill no word yet
    uint64_t size


cdef inline uint64_t turn(uint64_t word, int bits) noexcept nogil:
    return word << bits | word >> (64 - bits)


cdef inline void rounds(Hash *hash, int times) noexcept nogil:
    cdef int i
    for i in range(times):
        hash.a += hash.b
        hash.b = turn(hash.b, 13) ^ hash.a
        hash.a = turn(hash.a, 32)
        hash.c += hash.d
        hash.d = turn(hash.d, 16) ^ hash.c
        hash.a += hash.d
        hash.d = turn(hash.d, 21) ^ hash.a
        hash.c += hash.b
        hash.b = turn(hash.b, 17) ^ hash.c
        hash.c = turn(hash.c, 32)


cdef inline void hash_begin(Hash *hash, uint64_t low, uint64_t high) noexcept nogil:
    """The key as two little-endian words."""
    hash.a, hash.b = 0x736F6D6570736575ULL ^ low, 0x646F72616E646F6DULL ^ high
    hash.c, hash.d = 0x6C7967656E657261ULL ^ low, 0x7465646279746573ULL ^ high
    hash.word = hash.size = 0


cdef inline void hash_word(Hash *hash) noexcept nogil:
    hash.d ^= hash.word
    rounds(hash, 2)
    hash.a ^= hash.word
    hash.word = 0


cdef inline void hash_octet(Hash *hash, unsigned char octet) noexcept nogil:
    hash.word |= <uint64_t>octet << (8 * (hash.size & 7))
    hash.size += 1
    if hash.size & 7 == 0:
        hash_word(hash)


cdef inline void hash_octets(Hash *hash, Octets data, uint32_t i, uint32_t end) noexcept nogil:
    while i < end and hash.size & 7:
        hash_octet(hash, data[i])
        i += 1
    while end - i > 7 and i < end:
        hash.word = (
            <uint64_t>data[i] | <uint64_t>data[i + 1] << 8 | <uint64_t>data[i + 2] << 16
            | <uint64_t>data[i + 3] << 24 | <uint64_t>data[i + 4] << 32
            | <uint64_t>data[i + 5] << 40 | <uint64_t>data[i + 6] << 48
            | <uint64_t>data[i + 7] << 56
        )
        hash.size += 8
        hash_word(hash)
        i += 8
    while i < end:
        hash_octet(hash, data[i])
        i += 1


cdef inline uint64_t hash_end(Hash *hash) noexcept nogil:
    hash.word |= hash.size << 56
    hash_word(hash)
    hash.c ^= 0xFF
    rounds(hash, 4)
    return hash.a ^ hash.b ^ hash.c ^ hash.d
