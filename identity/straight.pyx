"""Calls of the great majority: one plain token, fresh, from the caller to the called.

Invariants
1. Of such a call nothing but certificate, signature and replay is left to look at. Any other is
   False here, whatever it is, and takes the general way, which would find the same of this one.
"""

from libc.string cimport memcmp

from .model import NOTHING, PASSED, State, Verdict

__all__ = ["is_straight", "valid_verdict"]

cdef object VALID = State.VALID
cdef object MAKE = tuple.__new__
cdef object KIND = Verdict

cdef extern from "Python.h":
    bint PyUnicode_CheckExact(object text)
    bint PyUnicode_IS_ASCII(object text)
    const char *PyUnicode_1BYTE_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)

cdef enum:
    PLAIN_CLAIMS = 5  # attest, dest, iat, orig, origid
    READING = 7  # fields of a Reading
    HEADER = 7  # of an IdentityHeader


cdef inline tuple fields(object given, Py_ssize_t size):
    """The fields of a NamedTuple, by their place."""
    if not isinstance(given, tuple) or len(<tuple>given) != size:
        raise TypeError(f"not of {size} fields")
    return <tuple>given


cdef bint is_with_plus(object address, object number) noexcept:
    """Whether an address is this number of ASCII behind a plus: no other number is written so."""
    cdef Py_ssize_t size
    if not PyUnicode_CheckExact(address) or not PyUnicode_CheckExact(number):
        return False
    if not PyUnicode_IS_ASCII(address) or not PyUnicode_IS_ASCII(number):
        return False
    size = PyUnicode_GET_LENGTH(number)
    if PyUnicode_GET_LENGTH(address) != size + 1 or PyUnicode_1BYTE_DATA(address)[0] != c'+':
        return False
    return memcmp(PyUnicode_1BYTE_DATA(address) + 1, PyUnicode_1BYTE_DATA(number), size) == 0


def is_straight(question, reading, policy, double now):
    cdef dict claims, dest
    cdef double age, freshness
    cdef tuple parts = fields(reading, READING), header
    if len(parts[0]) != 1 or parts[1] or parts[2] or parts[3] or parts[4]:
        return False
    header = fields(parts[0][0], HEADER)
    claims = header[4]
    if header[6] != "shaken" or len(claims) != PLAIN_CLAIMS or policy.require_date:
        return False
    age, freshness = now - <double>claims["iat"], policy.freshness
    if not -freshness <= age <= freshness:
        return False
    if not is_with_plus(question.orig, claims["orig"]["tn"]):
        return False
    dest = claims["dest"]
    if len(dest) != 1 or "tn" not in dest:
        return False
    for number in dest["tn"]:
        if is_with_plus(question.dest, number):
            return True
    return False


def valid_verdict(header, chain, tuple checks not None):
    cdef dict claims
    cdef tuple parts = fields(header, HEADER)
    claims = parts[4]
    return MAKE(
        KIND,
        (
            VALID,
            PASSED,
            0,
            "",
            claims["attest"],
            claims["origid"],
            claims["orig"]["tn"],
            tuple(claims["dest"]["tn"]),
            claims["iat"],
            parts[5],  # info is x5u
            chain.spc,
            chain.name,
            parts[6],
            False,
            NOTHING,
            (),
            (),
            checks,
        ),
    )
