"""Tokens that hold others: `div-o` (RFC 8946 section 5).

Invariants
1. A diversion of the kind `div-o` is a `div` that brings what came before it along, in the claim
   `opt`: taken apart, both are judged as if they had come side by side.
2. Where what it holds cannot be read, it says nothing itself.
3. What is found wrong with a token inside is told of the one that came: nobody sees another.
"""

from .claims import check_claims
from .header import VALUES_MOST, read_token
from .model import NOT_VALIDATED, Fault, IdentityHeader

__all__ = ["unfolded"]

NESTED = "div-o"
CALLER = frozenset({"", "shaken"})


def unfolded(header: IdentityHeader) -> list[IdentityHeader]:
    """A token whose claims are in form, and those inside of it, outermost first. Raises Fault."""
    found = [header]
    while found[-1].ppt == NESTED:
        if len(found) == VALUES_MOST:
            raise wrong(f"more than {VALUES_MOST} tokens within one another")
        inner = read_token(found[-1].claims["opt"].encode())
        if inner.ppt != NESTED and inner.ppt not in CALLER:
            raise wrong("opt is a token that says neither who calls nor where a call was diverted")
        check_claims(inner)
        found.append(inner._replace(token=header.token))
    return found


def wrong(detail: str) -> Fault:
    return Fault("opt", 438, NOT_VALIDATED, detail)
