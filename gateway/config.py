"""The gateway's settings and limits, each with its unit."""

from dataclasses import dataclass, field

from ..schema import PRODUCTS

__all__ = ["GatewayConfig", "Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a caller may ask for; beyond it the answer is an error, never a slow or a large one."""

    body_bytes: int = 1024 * 1024  # of a request
    drain_bytes: int = (
        8 * 1024 * 1024
    )  # read and dropped of a longer one, so that its answer arrives
    header_bytes: int = 64 * 1024  # request line and headers together
    headers: int = 200
    query_fields: int = 64
    token_bytes: int = 512
    page_default: int = 10  # records
    page_most: int = 1000  # records
    offset_most: int = 2**53 - 1  # records: what JSON holds exactly
    call_seconds: float = 10.0  # for the core to answer
    message_bytes: int = 64 * 1024 * 1024  # of a gRPC message
    connections: int = 1000  # at one time; one more is answered with HTTP status 503
    receive_seconds: float = 60.0  # for a request to arrive whole, and for a connection's first
    keep_alive_seconds: int = 75  # between two requests of a connection
    stop_seconds: int = 1  # for requests under way when the gateway stops


@dataclass
class GatewayConfig:
    """Where the gateway listens, where the core is, and which products it serves."""

    http: str = "127.0.0.1:8080"
    grpc: str = "127.0.0.1:50051"
    products: tuple[str, ...] = PRODUCTS
    mask_authorization: bool = False  # answers show no token in meta.authorization
    limits: Limits = field(default_factory=Limits)
