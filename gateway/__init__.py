"""The documented REST APIs, turned into gRPC calls."""

__all__: list[str] = []
