"""What preparing an object needs of the outer layer."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Means:
    """The pepper of PINs, and random bytes."""

    pepper: bytes
    random: Callable[[int], bytes]


__all__ = ["Means"]
