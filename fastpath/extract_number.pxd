"""A number out of a URI by a policy and its steps, in fixed buffers.

1. Nothing is read outside the request and the source; everything written is of fixed size.
2. The twin that states the meaning is extract_reference.py; a flaw is its place in
   extract_types.FLAWS, a step its place in STEPS, one past the end if unknown.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from callscreen.fastpath.sip_text cimport Octets
from callscreen.fastpath.sip_uri cimport Uri

cdef enum:  # as in extract_types.py
    MAX_DIGITS = 15
    SHORT_CODE_DIGITS = 3
    MAX_USER = 256  # octets

cdef enum Flaw:
    FINE
    NOT_THERE
    NO_URI
    LONG_USER
    NO_TELEPHONE
    NO_USER
    NO_DIGITS
    NO_RANGE
    ODD_DIGITS
    FEW_DIGITS
    NO_NUMBER
    MANY_DIGITS

cdef enum StepKind:
    STRIP_PREFIX
    EXTRACT_SUBSTRING
    SET_CC
    DEFAULT_CC
    REQUIRE_DIGITS

cdef struct Text:  # octets that the maker of the sources keeps
    Octets at
    uint32_t size

cdef struct Step:
    uint32_t kind  # StepKind
    Text text  # the prefix, or the country code without its plus sign
    bint ranged
    int64_t start
    int64_t end
    int64_t least  # digits

cdef struct Source:
    uint32_t kind  # SourceKind
    bint implicit
    bint longest
    Text context  # where the URI gives none
    uint32_t count
    Step *steps

cdef struct Found:
    char text[MAX_DIGITS + 1]  # plus and digits, or a short code; not ended by a NUL
    uint32_t size  # 0: none
    uint64_t packed  # the text as numbers.pyx packs it, a short code without a country code
    Flaw flaw  # of the last URI tried
    int64_t least  # digits, of FEW_DIGITS


# Whether a URI yields a number; default_cc without its plus sign.
cdef bint read_uri(
    Octets data, const Uri *uri, const Source *source, Text default_cc, Found *out
) noexcept nogil
