"""One file a gRPC service: decode, call a command, encode."""

__all__ = [
    "audio_files",
    "authentication",
    "jobs",
    "pipeline",
    "provisioning",
    "records",
    "registry",
    "replication",
    "screening",
    "status",
]
