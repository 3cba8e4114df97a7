"""Calls of the great majority: one plain token, fresh, from the caller to the called.

Invariants
1. Of such a call nothing but certificate, signature and replay is left to look at. Any other is
   False here, whatever it is, and takes the general way, which would find the same of this one.
"""

from libc.string cimport memcmp

from callscreen.identity.named cimport named

from .chains import check_authority
from .model import NOTHING, PASSED, Check, Fault, IdentityHeader, State, Verdict
from .signatures import verified_digest
from .tokens import read_shaken

__all__ = ["GOOD", "UNNAMED", "is_straight", "looked_at", "plain_header", "valid_verdict"]

NAMES = ("form", "iat", "numbers", "certificate", "authority", "signature", "replay")
GOOD = tuple([Check(name, True) for name in NAMES])
UNNAMED = (*GOOD[:len(NAMES) - 1], Check("replay", None, "no Call-ID that tells one from a replay"))

cdef object VALID = State.VALID
cdef type KIND = Verdict
cdef type HEADER_KIND = IdentityHeader
cdef object FAULT = Fault
cdef object READ = read_shaken
cdef object VERIFIED = verified_digest
cdef object CHECK_AUTHORITY = check_authority
cdef tuple ALL_GOOD = GOOD
cdef tuple BUT_UNNAMED = UNNAMED

cdef extern from "Python.h":
    bint PyUnicode_CheckExact(object text)
    bint PyUnicode_IS_ASCII(object text)
    const char *PyUnicode_1BYTE_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)

cdef enum:
    PLAIN_CLAIMS = 5  # attest, dest, iat, orig, origid
    READING = 7  # fields of a Reading
    HEADER = 7  # of an IdentityHeader
    QUESTION = 10  # of a Question
    PART_MOST = 1024  # octets of what is remembered, as in header.py


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


def plain_header(bytes value not None, around):
    cdef tuple found = READ(value), said
    if found is None or len(<bytes>found[0]) > PART_MOST or len(<bytes>found[1]) > PART_MOST:
        return None
    try:
        said = around(found[0], found[1])
    except FAULT:
        return None
    if said[2] != "shaken":
        return None
    return named(HEADER_KIND, (found[2], found[3], found[4], said[0], found[5], said[1], said[2]))


cpdef bint is_straight(question, reading, policy, double now) except -1:
    cdef dict claims, dest
    cdef double age, freshness
    cdef tuple parts = fields(reading, READING), asked = fields(question, QUESTION), header
    if len(parts[0]) != 1 or parts[1] or parts[2] or parts[3] or parts[4]:
        return False
    header = fields(parts[0][0], HEADER)
    claims = header[4]
    if header[6] != "shaken" or len(claims) != PLAIN_CLAIMS or policy.require_date:
        return False
    age, freshness = now - <double>claims["iat"], policy.freshness
    if not -freshness <= age <= freshness:
        return False
    if not is_with_plus(asked[1], claims["orig"]["tn"]):
        return False
    dest = claims["dest"]
    if len(dest) != 1 or "tn" not in dest:
        return False
    for number in dest["tn"]:
        if is_with_plus(asked[2], number):
            return True
    return False


cpdef valid_verdict(header, chain, tuple checks):
    cdef dict claims
    cdef tuple parts = fields(header, HEADER)
    claims = parts[4]
    return named(
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


def looked_at(question, reading, chain_of, policy, double now, replays):
    cdef tuple asked, header
    cdef bytes digest, call
    cdef object chain
    cdef double left
    if not is_straight(question, reading, policy, now):
        return None
    asked, header = <tuple>question, <tuple>fields(reading, READING)[0][0]
    try:
        chain = chain_of(header[5])  # info is x5u
        if chain.constraints or not chain.spc:  # else a shaken token is allowed, whatever it says
            CHECK_AUTHORITY(chain, header[4], header[6])
        digest = VERIFIED(chain.key, header[1], header[2])
    except FAULT as fault:
        return fault
    if not asked[5]:
        return valid_verdict(header, chain, BUT_UNNAMED)
    if replays is not None:
        call = <bytes?>asked[5] + b"\n" + <bytes?>asked[6]
        # For as long as it may be fresh, and a second.
        left = <double>header[4]["iat"] + <double>policy.freshness + 1 - now
        if replays.again(digest, header[2], call, now, left, asked[9]):
            return chain
    return valid_verdict(header, chain, ALL_GOOD)
