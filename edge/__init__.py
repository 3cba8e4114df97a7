"""The SIP edge: answers calls from an index that follows the core."""

__all__: list[str] = []
