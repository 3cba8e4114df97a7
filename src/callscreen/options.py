"""The options of `callscreen`: each said once, each read from the environment too."""

import re
from collections.abc import Callable
from typing import Any

import click

__all__ = [
    "EPILOG",
    "BaseUrl",
    "HostPort",
    "data_option",
    "format_option",
    "grpc_option",
    "hep_options",
    "http_option",
    "log_option",
    "mask_option",
    "memory_option",
    "metrics_option",
    "name_option",
    "option",
    "product_option",
    "products_option",
    "proxies_option",
    "public_option",
    "secure_option",
    "segmentation_option",
    "sip_option",
    "spin_option",
    "state_option",
    "stir_options",
    "stream_options",
    "threads_option",
    "token_option",
    "watched_option",
    "workers_option",
]


EPILOG = "Every option may also stand in the environment: --data as CALLSCREEN_DATA, and so on."


class HostPort(click.ParamType[str]):
    """An address to listen on or to ask: a host, which is never empty, and a port; [v6]:port."""

    name = "HOST:PORT"

    def convert(self, value: str, param: Any, ctx: Any) -> str:
        found = re.fullmatch(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+):([0-9]{1,5})", value)
        if found is None or int(found[1]) > 65535:
            self.fail(f"{value!r} is not HOST:PORT", param, ctx)
        return value


class BaseUrl(click.ParamType[str]):
    """Where people reach the gateway: http or https, a host, maybe a port and a path."""

    name = "URL"

    def convert(self, value: str, param: Any, ctx: Any) -> str:
        if not re.fullmatch(r"https?://[A-Za-z0-9.\[][A-Za-z0-9.:\[\]-]*(/[!-~]*)?", value) or (
            "?" in value or "#" in value
        ):
            self.fail(f"{value!r} is not the beginning of a web address", param, ctx)
        return value.rstrip("/")


def option(
    name: str, default: str | bool | None, help: str, *names: str, **more: Any
) -> Callable[[Any], Any]:
    """An option that the environment may give as well."""
    envvar = "CALLSCREEN_" + name.removeprefix("--").replace("-", "_").upper()
    more |= {"show_default": bool(default), "show_envvar": True, "help": help}
    return click.option(name, *names, default=default, envvar=envvar, **more)


data_option = option("--data", "data", "Folder of the core's data.", metavar="DIR")
grpc_option = option("--grpc", "127.0.0.1:50051", "Where the core answers gRPC.", type=HostPort())
http_option = option("--http", "127.0.0.1:8080", "Where the gateway answers HTTP.", type=HostPort())
sip_option = option("--sip", "127.0.0.1:5060", "Where the edge answers SIP.", type=HostPort())
product_option = option(
    "--product",
    "pcs",
    "Which product.",
    type=click.Choice(["pcs", "cin"]),
)
products_option = option(
    "--products",
    "both",
    "Which products are served.",
    type=click.Choice(["both", "pcs", "cin"]),
)
name_option = option(
    "--name", "", "What call records call this edge; else the host's name.", metavar="NAME"
)
proxies_option = option(
    "--proxies",
    "",
    "Whose forwarding headers count: addresses and CIDR blocks, separated by commas.",
    metavar="LIST",
)
secure_option = option(
    "--secure-cookies", False, "Browsers send sessions over TLS only.", is_flag=True
)
mask_option = option(
    "--mask-authorization", False, "Answers do not repeat the caller's token.", is_flag=True
)
log_option = option(
    "--log-level",
    "info",
    "Least severity that is logged, on standard error.",
    type=click.Choice(["debug", "info", "warning", "error"]),
)
format_option = option(
    "--log-format",
    "text",
    "Form of the log's lines: for people, or an object of JSON each.",
    type=click.Choice(["text", "json"]),
)
metrics_option = option(
    "--metrics",
    None,
    "Where /metrics, /healthz and /readyz are answered; nowhere, if it is not given. `serve` takes"
    " three ports: this one for the core, the next for the gateway, then for the edge.",
    type=HostPort(),
)
watched_option = option(
    "--edge",
    "127.0.0.1:9466",
    "Where the edge answers /metrics: what it was given as --metrics.",
    type=HostPort(),
)
public_option = option(
    "--public-url",
    "http://127.0.0.1:8080",
    "Where people reach the gateway: links in mails begin so.",
    type=BaseUrl(),
)
token_option = option(
    "--token",
    None,
    "Token that the core is asked with; else the one in the data folder.",
    metavar="TOKEN",
)
state_option = option(
    "--state",
    "",
    "Folder where an edge keeps its replica, and call records while the core is away; none, if it"
    " is not given.",
    metavar="DIR",
)
memory_option = option(
    "--memory-limit",
    "0",
    "MiB that the edge's index may hold, one that is loaded beside it included; 0 for any.",
    type=click.IntRange(0),
    metavar="MIB",
)
workers_option = option(
    "--workers",
    "1",
    "Threads that answer SIP over UDP: as many as there are cores for it.",
    type=click.IntRange(1, 64),
)
threads_option = option(
    "--identity-threads",
    "2",
    "Threads of the edge that verify callers' signatures and sign calls.",
    type=click.IntRange(1, 64),
)
segmentation_option = option(
    "--no-segmentation", False, "Each answer is sent by itself.", is_flag=True
)
spin_option = option(
    "--spin",
    "50",
    "Microseconds that a worker looks for the next datagram before it sleeps, while they come as"
    " close together; 0: it sleeps at once.",
    type=click.IntRange(0, 1000),
)
STREAM_OPTIONS = (
    option(
        "--no-tcp", False, "SIP is not answered over TCP at the address of --sip.", is_flag=True
    ),
    option("--sips", "", "Where the edge answers SIP over TLS; nowhere, if it is not given."),
    option("--tls-certificate", "", "Certificate of TLS, with its chain: PEM.", metavar="FILE"),
    option("--tls-key", "", "Its key: PEM.", metavar="FILE"),
    option(
        "--tls-client-ca",
        "",
        "Who signs certificates that clients must show: PEM; if it is not given, they need none.",
        metavar="FILE",
    ),
)


PEER_OPTIONS = (
    option(
        "--trust",
        "",
        "Whose SIP is answered, besides loopback: addresses and CIDR blocks, separated by commas.",
        metavar="LIST",
    ),
    option(
        "--peers",
        "",
        "The same with names, rates and proxies: a TOML file, read again when it changes.",
        metavar="FILE",
    ),
    option(
        "--ceiling",
        "0",
        "Calls a second that the edge decides, all peers together; 0 for any number.",
        type=click.IntRange(0, 10_000_000),
    ),
)


MODE_OPTIONS = (
    click.option(
        "--mode",
        default="redirect",
        envvar="CALLSCREEN_SIP_MODE",  # CALLSCREEN_MODE is that of a bulk upload
        show_default=True,
        show_envvar=True,
        help="What becomes of a call that goes on: answered 302, or sent on to the egress route.",
        type=click.Choice(["redirect", "proxy"]),
    ),
    option(
        "--via",
        "",
        "HOST:PORT in the Via of what a proxy sends on, where --sip is all addresses.",
        metavar="HOST:PORT",
    ),
)


HEP_OPTIONS = (
    option(
        "--hep", "", "Where SIP messages are sent as HEP version 3; nowhere, if it is not given."
    ),
    option(
        "--hep-id",
        "0",
        "Number of this edge at that server.",
        type=click.IntRange(0, 4_294_967_295),
    ),
    option("--hep-key", "", "What that server is shown; better in the environment.", metavar="KEY"),
)


STIR_OPTIONS = (
    option(
        "--stir-keys",
        "",
        "Certificates and keys that calls are signed with: a folder, or pkcs11:...",
        metavar="WHERE",
    ),
    option(
        "--stir-roots",
        "",
        "Folder of the roots that callers' certificates must end in: PEM files.",
        metavar="DIR",
    ),
    option(
        "--stir-ca",
        "",
        "Who signs the TLS certificates of hosts that certificates are fetched from: PEM; the"
        " system's, if it is not given.",
        metavar="FILE",
    ),
    option(
        "--stir-private",
        "",
        "Private addresses that certificates may be fetched from all the same: addresses and CIDR"
        " blocks, separated by commas.",
        metavar="LIST",
    ),
    option("--stir-crl", "", "The list of revoked certificates.", metavar="FILE|URL"),
    option("--stir-trust-list", "", "The signed list of roots.", metavar="FILE|URL"),
    option("--stir-trust-list-ca", "", "Who signs the signer of that list: PEM.", metavar="FILE"),
)


def stir_options(command: Any) -> Any:
    """The options of caller identity (STIR/SHAKEN): stir_keys, stir_roots and so on."""
    for each in reversed(STIR_OPTIONS):
        command = each(command)
    return command


def hep_options(command: Any) -> Any:
    """The options of what is sent to a capture server."""
    for each in reversed(HEP_OPTIONS):
        command = each(command)
    return command


def stream_options(command: Any) -> Any:
    """The options of SIP over TCP and TLS, and of whose SIP is answered."""
    for each in reversed(STREAM_OPTIONS + PEER_OPTIONS + MODE_OPTIONS):
        command = each(command)
    return command
