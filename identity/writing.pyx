"""The plain shaken token, written and signed in one pass.

Invariants
1. A token is plain where its claims are those of RFC 8588 and no others, from one telephone number
   to one. What is not plain is None here: the general way has the last word on it, and of a plain
   token it would make the same.
2. Nothing is written or read outside of an object's octets, or of a buffer whose size is checked.
"""

import os

from .model import Signed, SignRequest

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memcpy

from callscreen.identity.base64url cimport encode, encoded_size
from callscreen.identity.named cimport named
from callscreen.identity.plain cimport IAT_DIGITS, IAT_END, UUID_SIZE, is_number, is_uuid

__all__ = ["APART_MOST", "PlainSigner", "fresh_uuid", "identity_value", "shaken_octets", "uuid_of"]

APART_MOST = 60  # seconds between a request's iat and now

cdef extern from "Python.h":
    bint PyUnicode_CheckExact(object text)
    bint PyUnicode_IS_ASCII(object text)
    uint8_t *PyUnicode_1BYTE_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    str PyUnicode_DecodeASCII(const char *octets, Py_ssize_t size, const char *errors)
    str PyUnicode_New(Py_ssize_t size, Py_UCS4 most)
    long long PyLong_AsLongLongAndOverflow(object number, int *overflow) except? -1

cdef enum:
    WRITTEN_MOST = 256  # octets of claims: one number called
    SPARE_MOST = 64
    UUID_OCTETS = 16
    ASCII = 127

cdef const char *HEX = "0123456789abcdef"
cdef double APART = APART_MOST
cdef object RANDOM = os.urandom
cdef type KIND = Signed
# Random octets for UUIDs: the system is asked once for many. A child process must not have the
# same.
cdef list SPARE = []
os.register_at_fork(after_in_child=SPARE.clear)


cdef inline bint is_e164(const uint8_t *text, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t at
    for at in range(size):
        if not c'0' <= text[at] <= c'9':
            return False
    return 7 <= size <= 15 and text[0] != c'0'


cdef inline bint ascii_of(object text, const uint8_t **octets, Py_ssize_t *size) noexcept:
    """The octets of a str of ASCII, which must live on meanwhile."""
    if not PyUnicode_CheckExact(text) or not PyUnicode_IS_ASCII(text):
        return False
    octets[0] = PyUnicode_1BYTE_DATA(text)
    size[0] = PyUnicode_GET_LENGTH(text)
    return True


cdef inline int64_t seconds_of(object iat) except -1:
    """The seconds of an int that a token may have; 0 for any other."""
    cdef int overflow = 0
    cdef int64_t seconds
    if type(iat) is not int:
        return 0
    seconds = PyLong_AsLongLongAndOverflow(iat, &overflow)
    return seconds if 0 < seconds < IAT_END else 0


cdef inline uint8_t *put(uint8_t *out, const void *octets, Py_ssize_t size) noexcept nogil:
    memcpy(out, octets, size)
    return out + size


cpdef bytes shaken_octets(bytes head, attest, dest, iat, orig, origid):
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
    if head is None:
        raise TypeError("octets are wanted")
    if not (
        ascii_of(attest, &letter, &letters)
        and ascii_of(dest, &called, &called_size)
        and ascii_of(orig, &caller, &caller_size)
        and ascii_of(origid, &uuid, &uuid_size)
    ):
        return None
    if letters != 1 or not c'A' <= letter[0] <= c'C':
        return None
    if not (
        is_number(called, called_size) and is_e164(caller, caller_size) and is_uuid(uuid, uuid_size)
    ):
        return None
    seconds = seconds_of(iat)
    if not seconds:
        return None
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


cdef inline void put_value(char *out, bytes signed, bytes signature, bytes tail) noexcept:
    cdef Py_ssize_t before = PyBytes_GET_SIZE(signed)
    memcpy(out, PyBytes_AS_STRING(signed), before)
    out[before] = c'.'
    out = encode(
        <const uint8_t *>PyBytes_AS_STRING(signature), PyBytes_GET_SIZE(signature), out + before + 1
    )
    memcpy(out, PyBytes_AS_STRING(tail), PyBytes_GET_SIZE(tail))


cdef inline Py_ssize_t value_size(bytes signed, bytes signature, bytes tail) except -1:
    if signed is None or signature is None or tail is None:
        raise TypeError("octets are wanted")
    return (
        PyBytes_GET_SIZE(signed) + 1 + encoded_size(PyBytes_GET_SIZE(signature))
        + PyBytes_GET_SIZE(tail)
    )


cpdef bytes identity_value(bytes signed, bytes signature, bytes tail):
    cdef bytes value = PyBytes_FromStringAndSize(NULL, value_size(signed, signature, tail))
    put_value(PyBytes_AS_STRING(value), signed, signature, tail)
    return value


cpdef str uuid_of(bytes octets):
    cdef const uint8_t *random
    cdef char[UUID_SIZE] made
    cdef int at, out = 0
    cdef uint8_t octet
    if octets is None or PyBytes_GET_SIZE(octets) != UUID_OCTETS:
        raise ValueError("no UUID has other than 16 octets")
    random = <const uint8_t *>PyBytes_AS_STRING(octets)
    for at in range(UUID_OCTETS):
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


cpdef str fresh_uuid():
    cdef bytes many
    if not SPARE:
        many = RANDOM(UUID_OCTETS * SPARE_MOST)
        SPARE.extend([
            many[at : at + UUID_OCTETS] for at in range(UUID_OCTETS, len(many), UUID_OCTETS)
        ])
        return uuid_of(many[:UUID_OCTETS])
    try:
        return uuid_of(SPARE.pop())
    except IndexError:  # another thread was quicker
        return uuid_of(RANDOM(UUID_OCTETS))


cdef class PlainSigner:
    cdef object _sign
    cdef bytes _head, _tail
    cdef double _until  # seconds; after it no token is plain
    cdef str _fingerprint

    def __init__(self, sign, bytes head, bytes tail, double until, str fingerprint):
        self._sign, self._head, self._tail = sign, head, tail
        self._until, self._fingerprint = until, fingerprint

    cdef bytes octets(self, attest, orig, dest, origid, iat, double now):
        """What is signed; None where it is not plain, or there is more to look at than its form."""
        cdef double seconds = <double>seconds_of(iat)
        if now >= self._until or not now - APART <= seconds <= now + APART:
            return None
        return shaken_octets(self._head, attest, dest, iat, orig, origid)

    def sign_plain(self, attest, orig, dest, given, seconds, double now):
        iat, origid = seconds or int(now), given or fresh_uuid()
        cdef bytes signed = self.octets(attest, orig, dest, origid, iat, now)
        if signed is None:
            asked = SignRequest("", attest, orig, (dest,), given, seconds)
            return self._general(asked, now)
        return identity_value(signed, self._sign(signed), self._tail), origid, iat

    def sign(self, request, double now):
        cdef bytes signed, signature
        cdef str value
        dest = request.dest
        if request.div or request.rph or request.sph or request.rcd or len(dest) != 1:
            return self._otherwise(request, now)
        iat, origid = request.iat or int(now), request.origid or fresh_uuid()
        signed = self.octets(request.attest, request.orig, dest[0], origid, iat, now)
        if signed is None:
            return self._otherwise(request, now)
        signature = self._sign(signed)
        value = PyUnicode_New(value_size(signed, signature, self._tail), ASCII)
        put_value(<char *>PyUnicode_1BYTE_DATA(value), signed, signature, self._tail)
        return named(KIND, (value, origid, iat, self._fingerprint))

    cdef _otherwise(self, request, double now):
        value, origid, iat = self._general(request, now)
        return named(KIND, (value.decode("ascii"), origid, iat, self._fingerprint))
