"""Signatures of ES256: r and s as tokens have them (RFC 7518 section 3.4), and as DER has them.

Invariants
1. What is read is DER and nothing else, of two integers of at most 32 octets.
2. What is written says r and s as they came: whether they are in range is for who verifies.
3. All arithmetic is the library's.
"""

from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t
from libc.string cimport memcpy, memset

from .model import FAILED, Fault

__all__ = ["SoftwareKey", "der_signature", "raw_signature", "verified_digest"]

cdef object DIGEST = sha256
cdef object INVALID = InvalidSignature
# A digest that is there already costs less than one that `cryptography` has to make.
cdef object PREHASHED = ECDSA(Prehashed(SHA256()))

cdef enum:
    COORDINATE = 32  # octets of r, and of s
    SIGNATURE = 64
    DER_LEAST = 8
    DER_MOST = 72
    SEQUENCE = 0x30
    INTEGER = 2


cdef inline const uint8_t *coordinate(
    const uint8_t *at, const uint8_t *end, uint8_t *out
) noexcept nogil:
    """Reads a number of at most COORDINATE octets; returns its end, NULL where there is none."""
    cdef Py_ssize_t size
    if end - at < 3 or at[0] != INTEGER:
        return NULL
    size = at[1]
    at += 2
    if size == 0 or size > COORDINATE + 1 or size > end - at:
        return NULL
    if at[0] & 128 or (size > 1 and at[0] == 0 and not at[1] & 128):
        return NULL
    if at[0] == 0:
        at += 1
        size -= 1
    if size > COORDINATE:
        return NULL
    memset(out, 0, COORDINATE - size)
    memcpy(out + COORDINATE - size, at, size)
    return at + size


cpdef bytes raw_signature(bytes der):
    cdef const uint8_t *at
    cdef const uint8_t *end
    cdef Py_ssize_t size
    cdef uint8_t[SIGNATURE] made
    if der is None:
        raise TypeError("octets are wanted")
    at, size = <const uint8_t *>PyBytes_AS_STRING(der), PyBytes_GET_SIZE(der)
    end = at + size
    if DER_LEAST <= size <= DER_MOST and at[0] == SEQUENCE and at[1] == size - 2:
        at = coordinate(at + 2, end, made)
        if at != NULL:
            at = coordinate(at, end, made + COORDINATE)
            if at == end:
                return PyBytes_FromStringAndSize(<char *>made, SIGNATURE)
    raise ValueError("no signature of ES256 in DER")


cdef inline uint8_t *integer(const uint8_t *octets, uint8_t *out) noexcept nogil:
    """Writes the INTEGER of DER that COORDINATE octets are; returns its end."""
    cdef Py_ssize_t skipped = 0
    cdef int zero
    while skipped < COORDINATE - 1 and octets[skipped] == 0:
        skipped += 1
    zero = octets[skipped] >> 7
    out[0] = INTEGER
    out[1] = COORDINATE - skipped + zero
    out[2] = 0
    memcpy(out + 2 + zero, octets + skipped, COORDINATE - skipped)
    return out + 2 + zero + COORDINATE - skipped


cpdef bytes der_signature(bytes raw):
    cdef const uint8_t *octets
    cdef uint8_t[DER_MOST] made
    cdef uint8_t *end
    if raw is None:
        raise TypeError("octets are wanted")
    octets = <const uint8_t *>PyBytes_AS_STRING(raw)
    if PyBytes_GET_SIZE(raw) != SIGNATURE:
        raise ValueError("no signature of 64 octets")
    end = integer(octets + COORDINATE, integer(octets, made + 2))
    made[0] = SEQUENCE
    made[1] = end - made - 2
    return PyBytes_FromStringAndSize(<char *>made, end - made)


def verified_digest(key, bytes signed not None, bytes signature not None):
    cdef bytes digest = DIGEST(signed).digest()
    try:
        key.verify(der_signature(signature), digest, PREHASHED)
    except INVALID as error:
        detail = "the signature is not of this certificate and these octets"
        raise Fault("signature", 438, FAILED, detail) from error
    return digest


cdef class SoftwareKey:
    cdef object _sign

    def __init__(self, key not None):
        if not isinstance(key.curve, SECP256R1):
            raise ValueError(f"a key of {key.curve.name}, not of P-256")
        self._sign = key.sign

    def sign(self, bytes octets not None):
        return raw_signature(self._sign(DIGEST(octets).digest(), PREHASHED))
