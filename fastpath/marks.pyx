"""One pass over the head of a message. What it promises stands in marks.pxd."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free

from callscreen.fastpath.sip_text cimport Octets

__all__ = ["found", "wide"]

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    typedef struct { uint64_t marks, feeds, returns; } callscreen_bits;

    static inline void callscreen_octets(const unsigned char *at, callscreen_bits *out) {
        out->marks = out->feeds = out->returns = 0;
        for (int i = 0; i < 64; i++) {
            unsigned char low = at[i] | 0x20;
            int plain = (low >= 'a' && low <= 'z') || (at[i] >= '0' && at[i] <= '9')
                || at[i] == '-' || at[i] == '.' || at[i] == '_';
            out->marks |= (uint64_t)!plain << i;
            out->feeds |= (uint64_t)(at[i] == '\\n') << i;
            out->returns |= (uint64_t)(at[i] == '\\r') << i;
        }
    }

    /* The head taken 64 octets at a time by one of the ways above and below. */
    #define CALLSCREEN_FIND(NAME, TARGET, WAY) \\
    TARGET static uint32_t NAME( \\
        const unsigned char *data, uint32_t start, uint32_t end, uint64_t *marks, uint64_t *feeds \\
    ) { \\
unsigned char tail[64]; \
        uint64_t half = 0, last = 0, within = ~(uint64_t)0 << (start & 63); \
        for (uint32_t base = start & ~(uint32_t)63; base < end; base += 64) { \
            const unsigned char *at = data + base; \
            callscreen_bits bits; \
            uint64_t bare, empty; \
            if (__builtin_expect(end - base < 64, 0)) { \
                memset(tail, 0, 64); \
                memcpy(tail, at, end - base); \
                at = tail; \
            } \
            WAY(at, &bits); \
            if (__builtin_expect(base < start, 0)) { \
                bits.feeds &= within; \
                bits.returns &= within; \
            } \
            marks[base >> 6] = bits.marks; \
            feeds[base >> 6] = bits.feeds; \
            bare = (bits.returns << 1 | half) ^ bits.feeds; \
            empty = bits.feeds & (bits.feeds << 2 | last); \
            if (__builtin_expect((bare | empty) != 0, 0)) { \
                if (end - base < 64) { \
                    bare &= ((uint64_t)1 << (end - base)) - 1;  /* the last may be half an end */ \
                } \
                if (empty && (!bare || (empty & -empty) < (bare & -bare))) { \
                    return base + (uint32_t)__builtin_ctzll(empty) + 1; \
                } \
                if (bare) { \
                    return 0xFFFFFFFF; \
                } \
            } \
            half = bits.returns >> 63; \
            last = bits.feeds >> 62; \
        } \
        return 0; \
    }

    CALLSCREEN_FIND(callscreen_by_octets, , callscreen_octets)

    #if defined(__x86_64__) && defined(__GNUC__)
    #include <immintrin.h>

    static inline void callscreen_narrow(const unsigned char *at, callscreen_bits *out) {
        uint64_t marks[4], feeds[4], returns[4];
        for (int i = 0; i < 4; i++) {
            __m128i v = _mm_loadu_si128((const __m128i *)(at + 16 * i));
            __m128i letter = _mm_sub_epi8(_mm_or_si128(v, _mm_set1_epi8(0x20)),
                                          _mm_set1_epi8('a'));
            __m128i other = _mm_sub_epi8(v, _mm_set1_epi8('-'));  /* - . / 0 to 9 */
            __m128i plain = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(25)), letter);
            other = _mm_cmpeq_epi8(_mm_min_epu8(other, _mm_set1_epi8('9' - '-')), other);
            other = _mm_andnot_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('/')), other);
            plain = _mm_or_si128(plain, other);
            plain = _mm_or_si128(plain, _mm_cmpeq_epi8(v, _mm_set1_epi8('_')));
            marks[i] = (uint16_t)~_mm_movemask_epi8(plain);
            feeds[i] = (uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\n')));
            returns[i] = (uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\r')));
        }
        out->marks = marks[0] | marks[1] << 16 | marks[2] << 32 | marks[3] << 48;
        out->feeds = feeds[0] | feeds[1] << 16 | feeds[2] << 32 | feeds[3] << 48;
        out->returns = returns[0] | returns[1] << 16 | returns[2] << 32 | returns[3] << 48;
    }

    /* An octet is plain where the bits of its two halves meet; from 0x80 on the lower has none. */
    __attribute__((target("avx2,bmi")))
    static inline void callscreen_wide(const unsigned char *at, callscreen_bits *out) {
        const __m256i lower = _mm256_setr_epi8(
            26, 30, 30, 30, 30, 30, 30, 30, 30, 30, 28, 4, 4, 5, 5, 12,
            26, 30, 30, 30, 30, 30, 30, 30, 30, 30, 28, 4, 4, 5, 5, 12);
        const __m256i upper = _mm256_setr_epi8(
            0, 0, 1, 2, 4, 8, 4, 16, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 1, 2, 4, 8, 4, 16, 0, 0, 0, 0, 0, 0, 0, 0);
        uint64_t marks[2], feeds[2], returns[2];
        for (int i = 0; i < 2; i++) {
            __m256i v = _mm256_loadu_si256((const __m256i *)(at + 32 * i));
            __m256i high = _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(15));
            __m256i both = _mm256_and_si256(_mm256_shuffle_epi8(lower, v),
                                            _mm256_shuffle_epi8(upper, high));
            marks[i] = (uint32_t)_mm256_movemask_epi8(
                _mm256_cmpeq_epi8(both, _mm256_setzero_si256()));
            feeds[i] = (uint32_t)_mm256_movemask_epi8(
                _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\n')));
            returns[i] = (uint32_t)_mm256_movemask_epi8(
                _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\r')));
        }
        out->marks = marks[0] | marks[1] << 32;
        out->feeds = feeds[0] | feeds[1] << 32;
        out->returns = returns[0] | returns[1] << 32;
    }

    CALLSCREEN_FIND(callscreen_by_narrow, , callscreen_narrow)
    CALLSCREEN_FIND(callscreen_by_wide, __attribute__((target("avx2,bmi"))), callscreen_wide)

    static int callscreen_has_wide(void) {
        __builtin_cpu_init();
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
    }
    #else
    #define callscreen_by_narrow callscreen_by_octets
    #define callscreen_by_wide callscreen_by_octets
    static int callscreen_has_wide(void) { return 0; }
    #endif
    """
    uint32_t callscreen_by_octets(
        Octets data, uint32_t start, uint32_t end, uint64_t *marks, uint64_t *feeds
    ) noexcept nogil
    uint32_t callscreen_by_narrow(
        Octets data, uint32_t start, uint32_t end, uint64_t *marks, uint64_t *feeds
    ) noexcept nogil
    uint32_t callscreen_by_wide(
        Octets data, uint32_t start, uint32_t end, uint64_t *marks, uint64_t *feeds
    ) noexcept nogil
    bint callscreen_has_wide() noexcept nogil

cdef bint has_wide = callscreen_has_wide()


cdef uint32_t find_marks(
    Octets data, uint32_t start, uint32_t end, uint64_t *marks, uint64_t *feeds, How how
) noexcept nogil:
    if how == OCTETS:
        return callscreen_by_octets(data, start, end, marks, feeds)
    if has_wide and how != NARROW:
        return callscreen_by_wide(data, start, end, marks, feeds)
    return callscreen_by_narrow(data, start, end, marks, feeds)


def wide():
    return bool(has_wide)


def found(bytes data not None, uint32_t start, str how not None):
    cdef uint32_t size = <uint32_t>PyBytes_GET_SIZE(data), end, words = size // 64 + 1
    cdef uint64_t *marks = <uint64_t *>calloc(2 * words, sizeof(uint64_t))
    cdef uint64_t *feeds = marks + words
    cdef How way = {"octets": OCTETS, "narrow": NARROW, "wide": WIDE}[how]
    cdef list places
    if marks == NULL:
        raise MemoryError
    try:
        end = find_marks(<Octets>PyBytes_AS_STRING(data), start, size, marks, feeds, way)
        if end == BARE_END:
            return None
        places = list(range(start, end or size))
        return (
            end,
            [i for i in places if marks[i >> 6] >> (i & 63) & 1],
            [i for i in places if feeds[i >> 6] >> (i & 63) & 1],
        )
    finally:
        free(marks)
