from collections.abc import Sequence
from typing import NamedTuple

from .index import Index
from .masks import MaskSet

class Cost(NamedTuple):
    """Nanoseconds a decision, without what reading the clock costs."""

    median: float
    p99: float
    one_by_one: float  # the mean of a loop over all calls
    batched: float  # the same, with the calls of a batch of 64 fetched ahead

class Calls:
    """Calls ready to be decided on, over and over."""

    def one_by_one(self) -> float: ...
    def batched(self) -> float: ...
    def timed(self) -> tuple[float, float]: ...
    def treatments(self) -> int: ...

def prepared(index: Index, calls: Sequence[tuple[int, str, str, bool]]) -> Calls:
    """Calls (product, called, calling, anonymous)."""

def decisions(index: Index, calls: Sequence[tuple[int, str, str, bool]]) -> Cost:
    """What decisions on calls (product, called, calling, anonymous) cost within C."""

def mask_lookups(masks: MaskSet, numbers: Sequence[str], rounds: int) -> float:
    """Nanoseconds a look-up, over the numbers in order, that many rounds."""
