"""Call records off the wire, read without the GIL.

1. It promises what records_reference.py promises; one suite holds them together.
2. Nothing is read beyond the octets given, whatever they say of lengths.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memcpy, memset

from callscreen.fastpath.answer_hash cimport (
    Hash,
    hash_begin,
    hash_octet,
    hash_octets,
    hash_word,
    rounds,
)
from callscreen.fastpath.wire cimport (
    BROKEN,
    READ,
    REFUSED,
    Field,
    Octets,
    State,
    next_field,
    once,
    utf8,
)

from .rows_types import Batch

__all__ = ["digest", "read"]

cdef enum:
    ROW = 98
    OFFSET = 24
    START = 32
    TIME = 9
    PROVIDER = 50
    DIGEST = 12
    KEY = 16
    ID_CHARS = 36
    LEAST = ID_CHARS + 4  # octets of a record that is kept, with tag and length
    FIELDS = 17  # of CallRecord, one more than the last number
    CDR_ID = 1
    PRODUCT = 2
    START_TIME = 3
    END_TIME = 4
    CALLED = 5
    CALLING = 6
    NAME = 7
    SUBSCRIBER = 8
    EVENTS = 9
    VERDICT = 10
    STATUS = 13
    TEXTS = 15  # of CallRecord, one more than the number of the last text
    IDENTITY = 15
    IDENTITY_FIELDS = 11
    IDENTITY_NUMBERS = 1 << 3 | 1 << 8 | 1 << 10
    IDENTITY_MANY = 1 << 6 | 1 << 11
    IDENTITY_CHECKS = 1 << 11
    CHECK_FIELDS = 3
    CHECK_NUMBERS = 1 << 2
    SIGNATURE = 16
    SIGNATURE_FIELDS = 12
    SIGNATURE_NUMBERS = 1 << 10
    SIGNATURE_MANY = 1 << 8
    TRACE = 8  # of Verdict
    VERDICT_FIELDS = 9
    VERDICT_PRODUCT = 3
    REVISION = 9
    STEP_FIELDS = 6
    REQUEST_ID = 1  # of AppendRequest
    RECORDS = 2

cdef uint64_t LAST_SECOND = 253402300799ULL


cdef struct Most:
    uint64_t chars, events, octets, steps


cdef struct Kept:
    unsigned char *rows
    unsigned char *values
    uint64_t count, size


cdef inline void put(unsigned char *out, uint64_t value, int size) noexcept nogil:
    while size:
        size -= 1
        out[size] = <unsigned char>value
        value >>= 8


cdef State time_of(Field *field, unsigned char *out) noexcept nogil:
    cdef Octets at = field.data
    cdef Octets end = field.data + field.size
    cdef uint64_t seconds = 0, nanos = 0, seen = 0
    cdef Field part
    cdef State state
    while at < end:
        state = next_field(&at, end, &part)
        if state != READ:
            return state
        if part.kind != 0 or not once(&part, 2, &seen):
            return REFUSED
        if part.number == 1:
            seconds = part.value
        else:
            nanos = part.value
    if seconds > LAST_SECOND or nanos >= 1000000000ULL:
        return REFUSED
    put(out, seconds, TIME - 4)
    put(out + TIME - 4, nanos, 4)
    return READ


cdef inline int nibble(unsigned char octet) noexcept nogil:
    if c'0' <= octet <= c'9':
        return octet - c'0'
    return octet - c'a' + 10 if c'a' <= octet <= c'f' else -1


cdef bint id_of(Octets text, uint64_t size, unsigned char *out) noexcept nogil:
    cdef int i = 0, high, low
    if size != ID_CHARS:
        return False
    while i < ID_CHARS:
        if i == 8 or i == 13 or i == 18 or i == 23:
            if text[i] != c'-':
                return False
            i += 1
            continue
        high, low = nibble(text[i]), nibble(text[i + 1])
        if high < 0 or low < 0:
            return False
        out[0] = <unsigned char>(high << 4 | low)
        out += 1
        i += 2
    return True


cdef inline bint longer(Octets text, uint64_t size, uint64_t most) noexcept nogil:
    """Whether UTF-8 has more characters than that."""
    cdef uint64_t i, chars = 0
    if size <= most:
        return False
    for i in range(size):
        chars += text[i] & 0xC0 != 0x80
    return chars > most


cdef void finish(Hash *hash, unsigned char *out) noexcept nogil:
    cdef uint64_t word
    cdef int i
    hash.word |= hash.size << 56
    hash_word(hash)
    hash.c ^= 0xEE
    rounds(hash, 4)
    word = hash.a ^ hash.b ^ hash.c ^ hash.d
    for i in range(8):
        out[i] = <unsigned char>(word >> (8 * i))
    hash.b ^= 0xDD
    rounds(hash, 4)
    word = hash.a ^ hash.b ^ hash.c ^ hash.d
    for i in range(DIGEST - 8):
        out[8 + i] = <unsigned char>(word >> (8 * i))


cdef inline void begin(Hash *hash, uint64_t *key) noexcept nogil:
    hash_begin(hash, key[0], key[1])
    hash.b ^= 0xEE


cdef void hashed(Field *texts, int first, int second, uint64_t *key,
                 unsigned char *out) noexcept nogil:
    """The digest of a text, or of two with an octet 00 in between."""
    cdef Hash hash
    begin(&hash, key)
    hash_octets(&hash, texts[first].data, 0, <uint32_t>texts[first].size)
    if second:
        hash_octet(&hash, 0)
        hash_octets(&hash, texts[second].data, 0, <uint32_t>texts[second].size)
    finish(&hash, out)


cdef bint sound(Field *texts, Most *most) noexcept nogil:
    """Whether every text keeps its limits."""
    cdef int i
    if longer(texts[EVENTS].data, texts[EVENTS].size, most.events):
        return False
    for i in range(CALLED, TEXTS):
        if i == VERDICT or i == STATUS or not texts[i].size:
            continue
        if not utf8(texts[i].data, texts[i].size):
            return False
        if i == EVENTS:
            continue
        if longer(texts[i].data, texts[i].size, most.chars):
            return False
        if memchr(texts[i].data, 0, texts[i].size) != NULL:
            return False
    return True


cdef State step_of(Field *step) noexcept nogil:
    cdef Octets at = step.data
    cdef Octets end = step.data + step.size
    cdef uint64_t seen = 0
    cdef Field part
    cdef State state
    while at < end:
        state = next_field(&at, end, &part)
        if state != READ:
            return state
        if part.kind == 0 or not once(&part, STEP_FIELDS, &seen):
            return REFUSED
        if not utf8(part.data, part.size):
            return REFUSED
    return READ


cdef State parts_of(Field *message, uint64_t last, uint64_t numbers, uint64_t many,
                    uint64_t checks) noexcept nogil:
    """Whether its fields are up to `last`: by a bit each, which are numbers, come more than once,
    and are messages of the fields of a check. The others are texts."""
    cdef Octets at = message.data
    cdef Octets end = message.data + message.size
    cdef uint64_t seen = 0
    cdef Field part
    cdef State state
    while at < end:
        state = next_field(&at, end, &part)
        if state != READ:
            return state
        if part.number == 0 or part.number > last:
            return REFUSED
        if (part.kind == 0) != ((numbers >> part.number & 1) != 0):
            return REFUSED
        if not many >> part.number & 1 and not once(&part, last, &seen):
            return REFUSED
        if checks >> part.number & 1:
            state = parts_of(&part, CHECK_FIELDS, CHECK_NUMBERS, 0, 0)
            if state != READ:
                return state
        elif part.kind and not utf8(part.data, part.size):
            return REFUSED
    return READ


cdef State verdict_of(Field *verdict, uint64_t most) noexcept nogil:
    """Whether its fields are those of a verdict, and its steps not too many."""
    cdef Octets at = verdict.data
    cdef Octets end = verdict.data + verdict.size
    cdef uint64_t steps = 0, seen = 0
    cdef Field part
    cdef State state
    while at < end:
        state = next_field(&at, end, &part)
        if state != READ:
            return state
        if (part.kind == 0) != (part.number == VERDICT_PRODUCT or part.number == REVISION):
            return REFUSED
        if part.number == TRACE:
            steps += 1
            state = step_of(&part)
            if state != READ:
                return state
        elif not once(&part, VERDICT_FIELDS, &seen):
            return REFUSED
        elif part.kind and not utf8(part.data, part.size):
            return REFUSED
    return REFUSED if steps > most else READ


cdef State row_of(Octets at, uint64_t size, uint64_t *key, Most *most, unsigned char *row,
                  uint64_t *product) noexcept nogil:
    """Fills a row but for where the record lies."""
    cdef Field fields[FIELDS]
    cdef Field field
    cdef Octets end = at + size
    cdef uint64_t seen = 0
    cdef State state
    cdef int i
    memset(fields, 0, sizeof(fields))
    while at < end:
        state = next_field(&at, end, &field)
        if state != READ:
            return state
        if (field.kind == 0) != (field.number == PRODUCT or field.number == STATUS):
            return REFUSED
        if not once(&field, FIELDS - 1, &seen):
            return REFUSED
        fields[field.number] = field
    product[0] = fields[PRODUCT].value
    if size > most.octets or product[0] > 2 or not sound(fields, most):
        return REFUSED
    if not id_of(fields[CDR_ID].data, fields[CDR_ID].size, row):
        return REFUSED
    state = verdict_of(&fields[VERDICT], most.steps)
    if state != READ:
        return state
    state = parts_of(
        &fields[IDENTITY], IDENTITY_FIELDS, IDENTITY_NUMBERS, IDENTITY_MANY, IDENTITY_CHECKS
    )
    if state != READ:
        return state
    state = parts_of(&fields[SIGNATURE], SIGNATURE_FIELDS, SIGNATURE_NUMBERS, SIGNATURE_MANY, 0)
    if state != READ:
        return state
    for i in range(2):
        if fields[START_TIME + i].number:
            state = time_of(&fields[START_TIME + i], row + START + i * TIME)
            if state != READ:
                return state
        else:
            memset(row + START + i * TIME, 0xFF, TIME)
    hashed(fields, NAME, 0, key, row + PROVIDER)
    hashed(fields, NAME, SUBSCRIBER, key, row + PROVIDER + DIGEST)
    hashed(fields, CALLED, 0, key, row + PROVIDER + 2 * DIGEST)
    hashed(fields, CALLING, 0, key, row + PROVIDER + 3 * DIGEST)
    return READ


cdef void keep(Kept *kept, unsigned char *row, Field *record) noexcept nogil:
    cdef unsigned char *out = kept.rows + kept.count * ROW
    memcpy(out, row, ROW)
    put(out + OFFSET, kept.size, 4)
    put(out + OFFSET + 4, record.size, 4)
    memcpy(kept.values + kept.size, record.data, record.size)
    kept.size += record.size
    kept.count += 1


cdef State walk(Octets at, Octets end, uint64_t *key, Most *most, Kept *kept,
                int64_t *place, uint64_t *id) noexcept nogil:
    cdef unsigned char row[ROW]
    cdef uint64_t product
    cdef Field field
    cdef State state
    cdef int i
    memset(row, 0, ROW)
    place[0] = 0
    id[0] = 0
    while at < end:
        state = next_field(&at, end, &field)
        if state != READ:
            return state
        if field.number == REQUEST_ID and field.kind == 0:
            id[0] = field.value
            continue
        if field.number != RECORDS or field.kind != 2:
            return REFUSED
        state = row_of(field.data, field.size, key, most, row, &product)
        if state != READ:
            return state
        for i in range(2):
            if product == 0 or product == <uint64_t>i + 1:
                keep(&kept[i], row, &field)
        place[0] += 1
    return READ


cdef void words(bytes key, uint64_t *out) except *:
    cdef Octets data = <Octets>PyBytes_AS_STRING(key)
    cdef int i
    if len(key) != KEY:
        raise ValueError("a key has 16 octets")
    out[0] = out[1] = 0
    for i in range(KEY):
        out[i >> 3] |= <uint64_t>data[i] << (8 * (i & 7))


def read(bytes data not None, bytes key not None, limits):
    cdef uint64_t key_words[2]
    cdef Most most
    cdef Kept kept[2]
    cdef Octets at = <Octets>PyBytes_AS_STRING(data)
    cdef size_t size = len(data), rows = (size // LEAST + 1) * ROW
    cdef unsigned char *room
    cdef State state
    cdef int64_t place
    cdef uint64_t id
    cdef int i
    words(key, key_words)
    most.chars, most.events, most.octets, most.steps = limits
    if size > 0x7FFFFFFF:
        raise ValueError("too long")
    room = <unsigned char *>malloc(2 * (rows + size))
    if room == NULL:
        raise MemoryError
    try:
        for i in range(2):
            kept[i].rows = room + i * (rows + size)
            kept[i].values = kept[i].rows + rows
            kept[i].count = kept[i].size = 0
        with nogil:
            state = walk(at, at + size, key_words, &most, kept, &place, &id)
        if state == BROKEN:
            raise ValueError("no message")
        if state == REFUSED:
            return place
        return Batch(id, place, bytes_of(&kept[0]), bytes_of(&kept[1]))
    finally:
        free(room)


cdef tuple bytes_of(Kept *kept):
    return (
        PyBytes_FromStringAndSize(<char *>kept.rows, kept.count * ROW),
        PyBytes_FromStringAndSize(<char *>kept.values, kept.size),
    )


def digest(bytes key not None, bytes text not None):
    cdef uint64_t key_words[2]
    cdef unsigned char out[DIGEST]
    cdef Hash hash
    words(key, key_words)
    begin(&hash, key_words)
    hash_octets(&hash, <Octets>PyBytes_AS_STRING(text), 0, <uint32_t>len(text))
    finish(&hash, out)
    return PyBytes_FromStringAndSize(<char *>out, DIGEST)
