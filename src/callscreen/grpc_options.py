"""The options of gRPC: where the core is, and TLS with it."""

from typing import Any

from .ops.grpc_tls import ClientTls, ServerTls
from .options import grpc_option, option

__all__ = [
    "all_options",
    "asking_options",
    "check_together",
    "client_tls",
    "server_tls",
    "serving_options",
]

CLEAR = option(
    "--grpc-in-clear",
    False,
    "gRPC goes without TLS beyond loopback too: whoever listens there has tokens and calls.",
    is_flag=True,
)
SERVING = (
    option(
        "--grpc-certificate",
        "",
        "Certificate that the core shows, with its chain: PEM. Without it gRPC is in the clear.",
        metavar="FILE",
    ),
    option("--grpc-key", "", "Its key: PEM, mode 600.", metavar="FILE"),
    option(
        "--grpc-client-ca",
        "",
        "Who signs certificates that gateways, edges and commands must then show, beside their"
        " token: PEM.",
        metavar="FILE",
    ),
)
ASKING = (
    option(
        "--grpc-ca",
        "",
        "Who signed the core's certificate: PEM. Without it the core is asked in the clear.",
        metavar="FILE",
    ),
    option(
        "--grpc-client-certificate",
        "",
        "Certificate that the core is shown: PEM.",
        metavar="FILE",
    ),
    option("--grpc-client-key", "", "Its key: PEM, mode 600.", metavar="FILE"),
    option(
        "--grpc-name",
        "",
        "Name in the core's certificate, where it is not the host of --grpc.",
        metavar="NAME",
    ),
)


def serving_options(command: Any) -> Any:
    """--grpc of who answers there."""
    return _all(command, grpc_option, *SERVING, CLEAR)


def asking_options(command: Any) -> Any:
    """--grpc of who asks there."""
    return _all(command, grpc_option, *ASKING, CLEAR)


def all_options(command: Any) -> Any:
    """Of who does both."""
    return _all(command, grpc_option, *SERVING, *ASKING, CLEAR)


def server_tls(given: dict[str, Any]) -> ServerTls:
    """Takes the options of a server out of what a command was given."""
    return ServerTls(
        given.pop("grpc_certificate"),
        given.pop("grpc_key"),
        given.pop("grpc_client_ca"),
        given.pop("grpc_in_clear"),
    )


def client_tls(given: dict[str, Any]) -> ClientTls:
    """Takes the options of a client out of what a command was given."""
    return ClientTls(
        given.pop("grpc_ca"),
        given.pop("grpc_client_certificate"),
        given.pop("grpc_client_key"),
        given.pop("grpc_name"),
        given.pop("grpc_in_clear"),
    )


def check_together(given: dict[str, Any]) -> None:
    """Raises ValueError where parts with these options could not speak with each other."""
    serving, asking = server_tls({**given}), client_tls({**given})
    if bool(serving.certificate) != bool(asking.authorities):
        raise ValueError("TLS between the parts takes --grpc-certificate and --grpc-ca")
    if serving.client_authorities and not asking.certificate:
        raise ValueError("with --grpc-client-ca the parts need a --grpc-client-certificate")


def _all(command: Any, *options: Any) -> Any:
    for each in reversed(options):
        command = each(command)
    return command
