"""What gRPC is spoken with, by who answers and by who asks: files of PEM, each "" for none."""

from dataclasses import dataclass

__all__ = ["ClientTls", "ServerTls"]


@dataclass(frozen=True)
class ServerTls:
    """Files of PEM, each "" for none; without `certificate` gRPC is served in the clear."""

    certificate: str = ""  # with its chain
    key: str = ""
    client_authorities: str = ""  # whose certificates clients must show
    in_clear: bool = False  # beyond loopback too


@dataclass(frozen=True)
class ClientTls:
    """Files of PEM, each "" for none; without `authorities` the core is asked in the clear."""

    authorities: str = ""  # who signed the core's certificate
    certificate: str = ""  # that the core is shown, and its key
    key: str = ""
    name: str = ""  # in the core's certificate, where that is not the host that is asked
    in_clear: bool = False  # beyond loopback too
