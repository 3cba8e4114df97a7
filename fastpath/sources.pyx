"""Number sources in one block of memory, and numbers packed as the index holds them.

1. A block points into itself alone.
2. `pack_found` packs what numbers.pack_text would pack of the same text and country code.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport malloc
from libc.string cimport memcpy, memset

from callscreen.fastpath.decide cimport EMERGENCY_112, EMERGENCY_911
from callscreen.fastpath.extract cimport NumberSources
from callscreen.fastpath.extract_number cimport MAX_DIGITS, Found, Source, Step, Text
from callscreen.fastpath.numbers cimport pack_text
from callscreen.fastpath.sip_text cimport Octets

from .model import EMERGENCY_NUMBERS


cdef size_t room_of(NumberSources sources) noexcept:
    """Octets that the sources take in a block, each part rounded up to a word."""
    cdef size_t room = sources.count * sizeof(Source)
    cdef uint32_t i, k
    for i in range(sources.count):
        room += sources.items[i].count * sizeof(Step) + sources.items[i].context.size
        for k in range(sources.items[i].count):
            room += sources.items[i].steps[k].text.size
    return (room + 7) & ~<size_t>7


cdef Text moved(Text text, char **at) noexcept:
    cdef Text out
    out.at, out.size = <Octets>at[0], text.size
    memcpy(at[0], text.at, text.size)
    at[0] += text.size
    return out


cdef Source *copied(NumberSources sources, char *at) noexcept:
    """The sources from a place on: themselves, their steps, then the texts."""
    cdef Source *out = <Source *>at
    cdef Source *each
    cdef uint32_t i, k
    at += sources.count * sizeof(Source)
    for i in range(sources.count):
        each = &out[i]
        each[0] = sources.items[i]
        each.steps = <Step *>at
        memcpy(at, sources.items[i].steps, each.count * sizeof(Step))
        at += each.count * sizeof(Step)
    for i in range(sources.count):
        each = &out[i]
        each.context = moved(each.context, &at)
        for k in range(each.count):
            each.steps[k].text = moved(each.steps[k].text, &at)
    return out


cdef Reading *make_reading(object called, object calling, str default_cc) except NULL:
    cdef bytes code = default_cc.encode()
    cdef bytes digits = code.removeprefix(b"+")
    cdef size_t first = (sizeof(Reading) + 7) & ~<size_t>7
    cdef size_t second = first + room_of(<NumberSources?>called)
    cdef size_t last = second + room_of(<NumberSources?>calling)
    cdef uint64_t emergency[2]
    cdef Reading *out
    cdef int i
    for i in range(2):
        emergency[i] = pack_text(EMERGENCY_NUMBERS[i], default_cc)
    out = <Reading *>malloc(last + PyBytes_GET_SIZE(digits))
    if out == NULL:
        raise MemoryError
    memset(out, 0, sizeof(Reading))
    out.called = copied(<NumberSources>called, <char *>out + first)
    out.calling = copied(<NumberSources>calling, <char *>out + second)
    out.called_count = (<NumberSources>called).count
    out.calling_count = (<NumberSources>calling).count
    out.code.at, out.code.size = <Octets>out + last, <uint32_t>PyBytes_GET_SIZE(digits)
    memcpy(<char *>out + last, PyBytes_AS_STRING(digits), PyBytes_GET_SIZE(digits))
    out.code_size = MAX_DIGITS + 1
    if len(code) <= MAX_DIGITS and (not code or (code.isascii() and code.isdigit())):
        out.code_size = <uint32_t>len(code)
        memcpy(out.code_digits, PyBytes_AS_STRING(code), out.code_size)
    memcpy(out.emergency, emergency, sizeof(emergency))
    return out


cdef uint64_t pack_found(const Reading *reading, const Found *found) noexcept nogil:
    cdef uint64_t number = 0
    cdef uint32_t i, count
    if not found.size:
        return 0
    if found.text[0] == c'+':
        number = found.packed
    else:
        if reading.code_size + found.size > MAX_DIGITS:
            return 0
        for i in range(reading.code_size):
            number = number << 4 | (reading.code_digits[i] & 15)
        for i in range(found.size):
            number = number << 4 | (<unsigned char>found.text[i] & 15)
        count = reading.code_size + found.size
        number = number << (64 - 4 * count) | count
    if number == reading.emergency[0]:
        return EMERGENCY_911
    return EMERGENCY_112 if number == reading.emergency[1] else number
