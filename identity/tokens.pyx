"""The plain shaken token in one pass, written and read.

Invariants
1. A token is plain where its claims are those of RFC 8588 and no others, between telephone numbers
   alone, in canonical form. What is not plain is None here: the general way has the last word on
   it, and on a plain token it would say the same.
2. Nothing is written or read outside of an object's octets, or of a buffer whose size is checked.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memchr, memcmp, memcpy

from callscreen.identity.base64url cimport decode, encode, encoded_size

__all__ = ["identity_value", "read_shaken", "shaken_octets", "uuid_of"]

cdef extern from "Python.h":
    bint PyUnicode_CheckExact(object text)
    bint PyUnicode_IS_ASCII(object text)
    const uint8_t *PyUnicode_1BYTE_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    str PyUnicode_DecodeASCII(const char *octets, Py_ssize_t size, const char *errors)

cdef enum:
    VALUE_MOST = 8192  # octets of a value, as in header.py
    TEXT_MOST = 2048  # characters of claims in base64url; a plain token has far fewer
    CLAIMS_MOST = 1536  # octets of them
    WRITTEN_MOST = 256  # octets of claims that are written: one number called
    NUMBER_MOST = 32  # digits
    NAMES_MOST = 32  # numbers called, as in claims.py
    IAT_DIGITS = 13
    UUID_SIZE = 36
    SIGNATURE = 64  # octets of r and s
    SIGNATURE_TEXT = 86  # characters of them

cdef const char *HEX = "0123456789abcdef"
cdef int64_t IAT_END = 1 << 40  # seconds, as in claims.py


cdef inline bint is_number(const uint8_t *text, Py_ssize_t size) noexcept nogil:
    """Digits, # and *: a `tn` (RFC 8225 section 5.2.1)."""
    cdef Py_ssize_t at
    for at in range(size):
        if not (c'0' <= text[at] <= c'9' or text[at] == c'#' or text[at] == c'*'):
            return False
    return 0 < size <= NUMBER_MOST


cdef inline bint is_e164(const uint8_t *text, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t at
    for at in range(size):
        if not c'0' <= text[at] <= c'9':
            return False
    return 7 <= size <= 15 and text[0] != c'0'


cdef inline bint is_uuid(const uint8_t *text, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t at
    cdef uint8_t low
    if size != UUID_SIZE:
        return False
    for at in range(UUID_SIZE):
        if at == 8 or at == 13 or at == 18 or at == 23:
            if text[at] != c'-':
                return False
            continue
        low = text[at] | 32
        if not (c'0' <= text[at] <= c'9' or c'a' <= low <= c'f'):
            return False
    return True


cdef inline bint ascii_of(object text, const uint8_t **octets, Py_ssize_t *size) noexcept:
    """The octets of a str of ASCII, which must live on meanwhile."""
    if not PyUnicode_CheckExact(text) or not PyUnicode_IS_ASCII(text):
        return False
    octets[0] = PyUnicode_1BYTE_DATA(text)
    size[0] = PyUnicode_GET_LENGTH(text)
    return True


cdef inline uint8_t *put(uint8_t *out, const void *octets, Py_ssize_t size) noexcept nogil:
    memcpy(out, octets, size)
    return out + size


def shaken_octets(bytes head not None, attest, dest, iat, orig, origid):
    cdef const uint8_t *letter
    cdef const uint8_t *called
    cdef const uint8_t *caller
    cdef const uint8_t *uuid
    cdef Py_ssize_t letters, called_size, caller_size, uuid_size, before, size
    cdef int64_t seconds
    cdef uint8_t[WRITTEN_MOST] made
    cdef uint8_t[IAT_DIGITS] digits
    cdef uint8_t *out = made
    cdef int first = IAT_DIGITS
    cdef bytes octets
    if not (
        ascii_of(attest, &letter, &letters)
        and ascii_of(dest, &called, &called_size)
        and ascii_of(orig, &caller, &caller_size)
        and ascii_of(origid, &uuid, &uuid_size)
    ):
        return None
    if letters != 1 or not c'A' <= letter[0] <= c'C' or type(iat) is not int:
        return None
    if not (
        is_number(called, called_size) and is_e164(caller, caller_size) and is_uuid(uuid, uuid_size)
    ):
        return None
    if not 0 < iat < IAT_END:
        return None
    seconds = iat
    while seconds:
        first -= 1
        digits[first] = c'0' + seconds % 10
        seconds //= 10
    out = put(out, b'{"attest":"', 11)
    out = put(out, letter, 1)
    out = put(out, b'","dest":{"tn":["', 17)
    out = put(out, called, called_size)
    out = put(out, b'"]},"iat":', 10)
    out = put(out, digits + first, IAT_DIGITS - first)
    out = put(out, b',"orig":{"tn":"', 15)
    out = put(out, caller, caller_size)
    out = put(out, b'"},"origid":"', 13)
    out = put(out, uuid, UUID_SIZE)
    out = put(out, b'"}', 2)
    before, size = PyBytes_GET_SIZE(head), out - made
    octets = PyBytes_FromStringAndSize(NULL, before + encoded_size(size))
    memcpy(PyBytes_AS_STRING(octets), PyBytes_AS_STRING(head), before)
    encode(made, size, PyBytes_AS_STRING(octets) + before)
    return octets


def identity_value(bytes signed not None, bytes signature not None, bytes tail not None):
    cdef Py_ssize_t before = PyBytes_GET_SIZE(signed), size = PyBytes_GET_SIZE(signature)
    cdef Py_ssize_t behind = PyBytes_GET_SIZE(tail)
    cdef bytes value = PyBytes_FromStringAndSize(NULL, before + 1 + encoded_size(size) + behind)
    cdef char *out = PyBytes_AS_STRING(value)
    memcpy(out, PyBytes_AS_STRING(signed), before)
    out[before] = c'.'
    out = encode(<const uint8_t *>PyBytes_AS_STRING(signature), size, out + before + 1)
    memcpy(out, PyBytes_AS_STRING(tail), behind)
    return value


def uuid_of(bytes octets not None):
    cdef const uint8_t *random = <const uint8_t *>PyBytes_AS_STRING(octets)
    cdef char[UUID_SIZE] made
    cdef int at, out = 0
    cdef uint8_t octet
    if PyBytes_GET_SIZE(octets) != 16:
        raise ValueError("no UUID has other than 16 octets")
    for at in range(16):
        octet = random[at]
        if at == 6:
            octet = octet & 0x0F | 0x40
        elif at == 8:
            octet = octet & 0x3F | 0x80
        if at == 4 or at == 6 or at == 8 or at == 10:
            made[out] = c'-'
            out += 1
        made[out] = HEX[octet >> 4]
        made[out + 1] = HEX[octet & 15]
        out += 2
    return PyUnicode_DecodeASCII(made, UUID_SIZE, NULL)


cdef struct Cursor:
    const uint8_t *at
    const uint8_t *end


cdef inline bint take(Cursor *cursor, const char *text, Py_ssize_t size) noexcept nogil:
    """Passes over this text, where it stands next."""
    if cursor.end - cursor.at < size or memcmp(cursor.at, text, size):
        return False
    cursor.at += size
    return True


cdef inline str number(Cursor *cursor):
    """A `tn` up to its closing quotation mark, which is passed over; None where it is none."""
    cdef const uint8_t *begun = cursor.at
    cdef const uint8_t *end = <const uint8_t *>memchr(begun, c'"', cursor.end - begun)
    if end == NULL or not is_number(begun, end - begun):
        return None
    cursor.at = end + 1
    return PyUnicode_DecodeASCII(<const char *>begun, end - begun, NULL)


cdef dict claims_of(Cursor cursor):
    """The claims of canonical text; None where they are not those of a plain token."""
    cdef list called = []
    cdef str each, attest, caller
    cdef int64_t seconds = 0
    cdef int digits = 0
    if not take(&cursor, b'{"attest":"', 11) or cursor.end - cursor.at < 1:
        return None
    if not c'A' <= cursor.at[0] <= c'C':
        return None
    attest = PyUnicode_DecodeASCII(<const char *>cursor.at, 1, NULL)
    cursor.at += 1
    if not take(&cursor, b'","dest":{"tn":["', 17):
        return None
    while True:
        each = number(&cursor)
        if each is None or len(called) == NAMES_MOST:
            return None
        called.append(each)
        if not take(&cursor, b',"', 2):
            break
    if not take(&cursor, b']},"iat":', 9):
        return None
    while cursor.at < cursor.end and digits < IAT_DIGITS and c'0' <= cursor.at[0] <= c'9':
        seconds = seconds * 10 + (cursor.at[0] - c'0')
        if not seconds:  # 0, or one that begins with it
            return None
        digits += 1
        cursor.at += 1
    if not 0 < seconds < IAT_END or not take(&cursor, b',"orig":{"tn":"', 15):
        return None
    caller = number(&cursor)
    if caller is None or not take(&cursor, b'},"origid":"', 12):
        return None
    if cursor.end - cursor.at != UUID_SIZE + 2 or not is_uuid(cursor.at, UUID_SIZE):
        return None
    if memcmp(cursor.at + UUID_SIZE, b'"}', 2):
        return None
    return {
        "attest": attest,
        "dest": {"tn": called},
        "iat": seconds,
        "orig": {"tn": caller},
        "origid": PyUnicode_DecodeASCII(<const char *>cursor.at, UUID_SIZE, NULL),
    }


def read_shaken(bytes value not None):
    cdef const char *begun = PyBytes_AS_STRING(value)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(value), token, first, second
    cdef const char *found = <const char *>memchr(begun, c';', size)
    cdef uint8_t[SIGNATURE] signature
    cdef uint8_t[CLAIMS_MOST] octets
    cdef Cursor cursor
    cdef dict claims
    if found == NULL or size > VALUE_MOST:
        return None
    token = found - begun
    found = <const char *>memchr(begun, c'.', token)
    second = token - SIGNATURE_TEXT - 1  # where the second part ends
    if found == NULL:
        return None
    first = found - begun
    if second <= first or begun[second] != c'.' or second - first - 1 > TEXT_MOST:
        return None
    size = decode(<const uint8_t *>begun + first + 1, second - first - 1, octets)
    if size < 0:
        return None
    cursor.at, cursor.end = octets, octets + size
    claims = claims_of(cursor)
    if claims is None:
        return None
    if decode(<const uint8_t *>begun + second + 1, SIGNATURE_TEXT, signature) != SIGNATURE:
        return None
    return (
        value[:first],
        value[token:],
        value[:token],
        value[:second],
        PyBytes_FromStringAndSize(<char *>signature, SIGNATURE),
        claims,
    )
