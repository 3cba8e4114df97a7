__all__ = ["ImageError"]

class ImageError(ValueError):
    """The file is not whole, or is no image."""
