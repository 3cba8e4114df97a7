from .index import Index
from .measure import Calls

def fill(index: Index, numbers: int, providers: int) -> None:
    """Puts so many numbers, each with four entries and a subscriber who has one more."""

def calls(index: Index, numbers: int, count: int, salt: int) -> Calls:
    """Calls to numbers at random, half of them from someone on one of the callee's lists."""

def entries(first: int, count: int) -> list[str]:
    """Numbers that are on none of those lists."""

def memory_access(octets: int, count: int) -> float:
    """Nanoseconds of one access after the other to places at random in so much memory."""
