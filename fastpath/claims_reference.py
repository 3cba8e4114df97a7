"""What a stranger says of how a caller was verified, in plain Python: what claims.pyx leaves out.

1. A verstat parameter goes whatever its spelling: case, escapes, white space, quoted value.
2. A display name in quotes stays as it is, and so does every other octet.
"""

import re

from .sip_types import split_list

__all__ = ["claimless"]

TOKEN = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-.!%*_+`'~"
CLEARED = frozenset({b"from", b"f", b"p-asserted-identity", b"p-preferred-identity"})
DROPPED = frozenset({b"attestation-info", b"origination-id", b"p-identity-bypass"})
LWS = b" \t\r\n"


def spelt(octet: int) -> bytes:
    """Itself or as an escape, in any case where the pattern ignores case."""
    spellings = [re.escape(bytes([octet])), b"%%%02x" % octet]
    if chr(octet).isalpha():
        spellings.append(b"%%%02x" % (octet ^ 0x20))
    return b"(?:" + b"|".join(spellings) + b")"


SPACE = rb"(?:[\x00-\x20]|%(?:[01][0-9a-f]|20))*"
LONGER = b"|".join(spelt(octet) for octet in TOKEN if octet != ord("%")) + rb"|%25|%(?![0-9a-f]{2})"
VALUE = SPACE + spelt(ord("=")) + SPACE + rb'(?:"[^"<>]*")?[^\x00-\x20;@<>?,]*'
REST = SPACE + rb"(?!%3b|%(?:[01][0-9a-f]|20))[^\x00-\x20;@<>?,]"  # is to follow no other parameter
VERSTAT = re.compile(
    spelt(ord(";"))
    + SPACE
    + b"".join(map(spelt, b"verstat"))
    + b"(?!"
    + LONGER
    + b")(?:"
    + VALUE
    + b")?(?:"
    + REST
    + b")*",
    re.IGNORECASE,
)
DISPLAY_NAME = re.compile(rb'"(?:[^"\\]|\\.)*"[\x00-\x20]*(?=<)', re.DOTALL)


def claimless(line: bytes, replaced: bool, trusted: bool) -> tuple[bytes, int]:
    """A header line without what a stranger says of verification, and how often it was cut.

    Nothing is left of one that says nothing else.
    """
    label, colon, value = line.partition(b":")
    name = label.rstrip(b" \t").lower()
    if name == b"p-asserted-identity" and replaced:
        return b"", 1
    if trusted or name not in CLEARED | DROPPED:
        return line, 0
    if name in DROPPED:
        return b"", 1
    whole = value.rstrip(LWS)
    found, cuts = cleared(whole)
    return label + colon + found + value[len(whole) :], cuts


def cleared(value: bytes) -> tuple[bytes, int]:
    """The addresses of a field without their verstat, and how many were left out."""
    out, cuts, begin, at = b"", 0, 0, 0
    for element in split_list(value.strip(LWS)):
        start = value.index(element, at)
        at = start + len(element)
        start += len(element) - len(element.lstrip(LWS))
        name = DISPLAY_NAME.match(value, start, at)
        if name is not None:
            part, count = VERSTAT.subn(b"", value[begin:start])
            out, cuts, begin = out + part + name[0], cuts + count, name.end()
    part, count = VERSTAT.subn(b"", value[begin:])
    return out + part, cuts + count
