"""One file a gRPC service: decode, call a command, encode."""

__all__: list[str] = []
