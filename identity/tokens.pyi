from typing import Any

def shaken_octets(
    head: bytes, attest: str, dest: str, iat: int, orig: str, origid: str
) -> bytes | None:
    """What is signed of a plain token: `head` and the claims, in canonical form, in base64url.

    None unless attest is A, B or C, dest a number, iat a time of 13 digits at most, orig a number
    of E.164 and origid a UUID; each written as the standards do.
    """

def identity_value(signed: bytes, signature: bytes, tail: bytes) -> bytes:
    """What was signed, a point, the signature in base64url without padding, and the tail."""

def uuid_of(octets: bytes) -> str:
    """The UUID of version 4 (RFC 9562 section 5.4) that 16 random octets make. ValueError unless
    there are 16."""

def read_shaken(value: bytes) -> tuple[bytes, bytes, bytes, bytes, bytes, dict[str, Any]] | None:
    """A value whose token is plain, taken apart: the header part, the parameters from their
    semicolon on, the token, what was signed, the 64 octets of its signature, and the claims.

    The header part and the parameters are yet to be read. None where the claims are other than
    plain, or anything of them or of the signature is amiss.
    """
