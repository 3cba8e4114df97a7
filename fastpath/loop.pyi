__all__ = ["SPAN_BOUNDS"]

SPAN_BOUNDS: tuple[float, ...]  # seconds; what takes longer than the last has a place of its own
