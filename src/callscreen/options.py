"""The options of `callscreen`: each said once, each read from the environment too."""

import math
import re
from collections.abc import Callable
from typing import Any

import click

__all__ = [
    "EPILOG",
    "BaseUrl",
    "HostPort",
    "Networks",
    "Seconds",
    "data_option",
    "format_option",
    "grpc_option",
    "http_option",
    "log_option",
    "mask_option",
    "metrics_option",
    "option",
    "product_option",
    "products_option",
    "proxies_option",
    "public_option",
    "secure_option",
    "sign_rate_option",
    "sip_option",
    "state_option",
    "token_option",
    "watched_option",
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


class Networks(click.ParamType[str]):
    """Addresses and CIDR blocks, separated by commas; there may be none."""

    name = "LIST"

    def convert(self, value: str, param: Any, ctx: Any) -> str:
        from .edge.peers import trusted

        try:
            trusted(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
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


class Seconds(click.FloatRange):
    """A time in seconds within a range; nan, which every comparison lets through, is none."""

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        found: float = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value!r} is no number of seconds", param, ctx)
        return found


def option(
    name: str, default: str | bool | None, help: str, *names: str, **more: Any
) -> Callable[[Any], Any]:
    """An option that the environment may give as well."""
    envvar = "CALLSCREEN_" + name.removeprefix("--").replace("-", "_").upper()
    more |= {"show_default": bool(default), "show_envvar": True, "help": help}
    if default is not None:  # a default of None counts as given where the option is required
        more["default"] = default
    return click.option(name, *names, envvar=envvar, **more)


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
sign_rate_option = option(
    "--sign-rate",
    "200",
    "Signatures a second that one provider may ask for over REST and gRPC; 0: any number.",
    type=click.IntRange(0, 100_000),
)
