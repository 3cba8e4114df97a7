from collections.abc import Iterable

from .index import Index

__all__ = ["write_image"]

def write_image(index: Index, fd: int, head: bytes, objects: Iterable[bytes]) -> int:
    """Writes all that the index holds but plans, criteria, sources and settings: those are what
    `objects` says, and come back as they are. The octets written.

    Commits go on meanwhile. Raises OSError, MemoryError.
    """
