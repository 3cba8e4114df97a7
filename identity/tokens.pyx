"""The plain shaken token, read in one pass.

Invariants
1. A token is plain where its claims are those of RFC 8588 and no others, between telephone numbers
   alone, in canonical form. What is not plain is None here: the general way has the last word on
   it, and on a plain token it would say the same.
2. Nothing is written or read outside of an object's octets, or of a buffer whose size is checked.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memchr, memcmp

from callscreen.identity.base64url cimport decode
from callscreen.identity.plain cimport IAT_DIGITS, IAT_END, UUID_SIZE, is_number, is_uuid

__all__ = ["read_shaken"]

cdef extern from "Python.h":
    str PyUnicode_DecodeASCII(const char *octets, Py_ssize_t size, const char *errors)

cdef enum:
    VALUE_MOST = 8192  # octets of a value, as in header.py
    TEXT_MOST = 2048  # characters of claims in base64url; a plain token has far fewer
    CLAIMS_MOST = 1536  # octets of them
    NAMES_MOST = 32  # numbers called, as in claims.py
    SIGNATURE = 64  # octets of r and s
    SIGNATURE_TEXT = 86  # characters of them


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
        PyBytes_FromStringAndSize(begun, first),
        PyBytes_FromStringAndSize(begun + token, PyBytes_GET_SIZE(value) - token),
        PyBytes_FromStringAndSize(begun, token),
        PyBytes_FromStringAndSize(begun, second),
        PyBytes_FromStringAndSize(<char *>signature, SIGNATURE),
        claims,
    )
