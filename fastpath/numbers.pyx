"""Numbers and entries packed in 64 bits, so that a mask is one AND and one compare.

Invariants:
1. pack and unpack are inverse on numbers; what is no number packs to 0.
2. Nibbles after the last digit are 0, so packed numbers of one length compare as their digits do.
3. `fits` is exact: a mask of "x" compares the length too, "*" compares the shortest length.
"""

cdef enum:
    MAX_DIGITS = 15  # E.164


cdef extern from *:
    """
    static const char *callscreen_ascii(PyObject *text, Py_ssize_t *size) {
        *size = PyUnicode_GET_LENGTH(text);
        return PyUnicode_IS_ASCII(text) ? (const char *)PyUnicode_1BYTE_DATA(text) : NULL;
    }
    """
    const char* callscreen_ascii(object text, Py_ssize_t* size)


cdef inline bint dropped(char char) noexcept nogil:
    return char == c' ' or char == c'.' or char == c'-' or char == c'(' or char == c')'


cdef int scan(const char* text, Py_ssize_t size, const char* cc, Py_ssize_t cc_size,
              bint marks, Mask* out) noexcept nogil:
    """Reads a number, or with marks an entry: the count of given digits, -1 where it is neither."""
    cdef Py_ssize_t i = 0, j
    cdef int count = 0, given = 0
    cdef bint star = False
    cdef uint64_t value = 0, care = 0
    cdef char char
    while i < size and dropped(text[i]):
        i += 1
    if i == size:
        return -1
    if text[i] == c'+':
        i += 1
        while i < size and dropped(text[i]):
            i += 1
        if i == size:
            return -1
    else:
        for j in range(cc_size):
            if not c'0' <= cc[j] <= c'9' or count == MAX_DIGITS:
                return -1
            value |= <uint64_t>(cc[j] - c'0') << (60 - 4 * count)
            care |= <uint64_t>15 << (60 - 4 * count)
            count += 1
            given += 1
    for i in range(i, size):
        char = text[i]
        if dropped(char):
            continue
        if star:
            return -1
        if marks and char == c'*':
            star = True
            continue
        if count == MAX_DIGITS:
            return -1
        if c'0' <= char <= c'9':
            value |= <uint64_t>(char - c'0') << (60 - 4 * count)
            care |= <uint64_t>15 << (60 - 4 * count)
            given += 1
        elif not marks or not (char == c'x' or char == c'X'):
            return -1
        count += 1
    out.value = value | <uint64_t>count
    if star:
        out.care = care
    elif given == count:
        out.care = <uint64_t>-1
    else:
        out.care = care | 15
    return given


cdef int parse(str text, str default_cc, bint marks, Mask* mask) except? -2:
    cdef Py_ssize_t size, cc_size
    cdef const char* chars = callscreen_ascii(text, &size)
    cdef const char* cc = callscreen_ascii(default_cc, &cc_size)
    if chars == NULL or cc == NULL:
        return -1
    return scan(chars, size, cc, cc_size, marks, mask)


cdef int parse_entry(str text, str default_cc, Mask* mask) except? -2:
    return parse(text, default_cc, True, mask)


cdef uint64_t pack_text(str text, str default_cc) except? 0:
    cdef Mask mask
    return mask.value if parse(text, default_cc, False, &mask) > 0 else 0


cdef uint64_t pack_plain(const char* text, Py_ssize_t size) noexcept nogil:
    cdef Mask mask
    return mask.value if scan(text, size, NULL, 0, False, &mask) > 0 else 0


cdef int read_entry(const char* text, Py_ssize_t size, Mask* mask) noexcept nogil:
    return scan(text, size, NULL, 0, True, mask)


cdef str unpack_text(uint64_t number):
    if number == 0:
        return ""
    return entry_text(Mask(value=number, care=<uint64_t>-1))


cdef str entry_text(Mask mask):
    cdef char text[18]
    cdef int i, count = mask.value & 15
    text[0] = c'+'
    for i in range(count):
        if (mask.care >> (60 - 4 * i)) & 15:
            text[i + 1] = c'0' + <char>((mask.value >> (60 - 4 * i)) & 15)
        else:
            text[i + 1] = c'x'
    count += 1
    if mask.care & 15 == 0:
        text[count] = c'*'
        count += 1
    return text[:count].decode("ascii")


def pack(str text, str default_cc=""):
    return pack_text(text, default_cc)


def unpack(uint64_t number):
    return unpack_text(number)


def normalise(str text, str default_cc):
    return unpack_text(pack_text(text, default_cc))


def normalise_entry(str text, str default_cc=""):
    cdef Mask mask
    return entry_text(mask) if parse_entry(text, default_cc, &mask) >= 0 else ""


def mask(str text, str default_cc=""):
    cdef Mask parsed
    cdef int given = parse_entry(text, default_cc, &parsed)
    if given < 0:
        raise ValueError(f"no number, mask or prefix: {text!r}")
    return parsed.value, parsed.care, given


def matches(str entry, str number):
    cdef Mask mask
    cdef uint64_t packed = pack_text(number, "")
    return packed != 0 and parse_entry(entry, "", &mask) >= 0 and fits(&mask, packed)
