"""One file a gRPC service: decode, call a command, encode."""

__all__ = [
    "authentication",
    "pipeline",
    "provisioning",
    "records",
    "registry",
    "replication",
    "screening",
    "status",
]
