"""The rounds of SipHash in plain Python: what answer_hash.pxd means.

1. Words are of 64 bits; sums wrap.
"""

from typing import Final

__all__ = ["WORD", "rounds"]

WORD: Final = (1 << 64) - 1  # the greatest


def rounds(state: list[int], times: int) -> None:
    """Mixes the four words in place, so many times."""
    a, b, c, d = state
    for _ in range(times):
        a = (a + b) & WORD
        b = _turn(b, 13) ^ a
        a = _turn(a, 32)
        c = (c + d) & WORD
        d = _turn(d, 16) ^ c
        a = (a + d) & WORD
        d = _turn(d, 21) ^ a
        c = (c + b) & WORD
        b = _turn(b, 17) ^ c
        c = _turn(c, 32)
    state[:] = a, b, c, d


def _turn(word: int, bits: int) -> int:
    return (word << bits | word >> (64 - bits)) & WORD
