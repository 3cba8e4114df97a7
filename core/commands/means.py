"""What preparing an object needs of the outer layer."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Means:
    """The pepper of PINs, random bytes, and the key of tokens that are mailed."""

    pepper: bytes
    random: Callable[[int], bytes]
    mail_key: bytes = b""  # none: where no tokens are made


__all__ = ["Means"]
