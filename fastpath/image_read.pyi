from .image_take import ImageError
from .index import Index

__all__ = ["ImageError", "read_image"]

def read_image(index: Index, fd: int) -> tuple[bytes, list[bytes], int]:
    """Fills an empty index that nobody reads yet.

    Head and objects as they were given, and the revision at which it is whole: changes up to it,
    from where the index stood when the image was begun, are yet to be applied.
    Raises ImageError, OSError, MemoryError, and then the index is of no use.
    """
