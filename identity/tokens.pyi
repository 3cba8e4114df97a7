from typing import Any

def read_shaken(value: bytes) -> tuple[bytes, bytes, bytes, bytes, bytes, dict[str, Any]] | None:
    """A value whose token is plain, taken apart: the header part, the parameters from their
    semicolon on, the token, what was signed, the 64 octets of its signature, and the claims.

    The header part and the parameters are yet to be read. None where the claims are other than
    plain, or anything of them or of the signature is amiss.
    """
