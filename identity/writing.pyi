from collections.abc import Callable

from .model import Signed, SignRequest

APART_MOST: int  # seconds between a request's iat and now

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

def fresh_uuid() -> str:
    """A random UUID (RFC 9562 section 5.4). Threads may ask at once."""

class PlainSigner:
    """Signs plain tokens with one certificate; what is not plain is `_general`'s."""

    def __init__(
        self,
        sign: Callable[[bytes], bytes],
        head: bytes,
        tail: bytes,
        until: float,
        fingerprint: str,
    ) -> None:
        """`sign` gives r and s; `head` and `tail`, of ASCII, stand around what differs; from
        `until` on, in seconds, no token is plain."""

    def sign(self, request: SignRequest, now: float) -> Signed:
        """The Identity value of one token, as `composed` has it; `now` in seconds.

        Raises NoSignature, with the reason.
        """

    def sign_plain(
        self, attest: str, orig: str, dest: str, origid: str, iat: int, now: float
    ) -> tuple[bytes, str, int]:
        """As `sign`, of a shaken token to one number: octets of the value, its origid and iat."""

    def _general(self, request: SignRequest, now: float) -> tuple[bytes, str, int]:
        """The same of any token; it is the subclass's."""
