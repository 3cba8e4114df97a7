"""The core: the only writer. Owns the data, its rules and its history."""

__all__: list[str] = []
