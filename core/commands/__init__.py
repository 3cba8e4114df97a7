"""One use case a file."""

__all__: list[str] = []
