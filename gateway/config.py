"""The gateway's settings and limits, each with its unit."""

from dataclasses import dataclass, field

from ..ops import Instruments
from ..ops.grpc_tls import ClientTls
from ..schema import PRODUCTS
from .origin import Network

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
    import_bytes: int = 1024 * 1024 * 1024  # of a request that carries a CSV file
    audio_bytes: int = 17 * 1024 * 1024  # of a request that carries a WAV file
    piece_bytes: int = 256 * 1024  # of a file, in one message to the core
    parts: int = 16  # of a multipart body
    part_headers: int = 8
    part_header_bytes: int = 4096
    part_text_bytes: int = 4096  # of a field that is no file
    file_name_chars: int = 250
    log_rows: int = 1_000_000  # lines of a job's log that are counted
    page_default: int = 10  # records
    page_most: int = 1000  # records
    offset_most: int = 2**53 - 1  # records: what JSON holds exactly
    call_seconds: float = 10.0  # for the core to answer
    ready_seconds: float = 1.0  # for the core to say whether it serves
    stall_seconds: float = 60.0  # for the core to take or to give the next piece of a file
    message_bytes: int = 64 * 1024 * 1024  # of a gRPC message
    connections: int = 1000  # at one time; one more is answered with HTTP status 503
    receive_seconds: float = 60.0  # for a request to arrive whole, and for a connection's first
    receive_bytes: int = 1024 * 1024  # of a longer body, in each such time while it is asked for
    keep_alive_seconds: int = 75  # between two requests of a connection
    stop_seconds: int = 1  # for requests under way when the gateway stops


@dataclass
class GatewayConfig:
    """Where the gateway listens, where the core is, and which products it serves."""

    http: str = "127.0.0.1:8080"
    grpc: str = "127.0.0.1:50051"
    tls: ClientTls = field(default_factory=ClientTls)  # with the core
    products: tuple[str, ...] = PRODUCTS
    mask_authorization: bool = False  # answers show no token in meta.authorization
    proxies: tuple[Network, ...] = ()  # whose forwarding headers count
    secure_cookies: bool = False  # cookies are for TLS alone, however a request came
    limits: Limits = field(default_factory=Limits)
    instruments: Instruments = field(default_factory=Instruments)
