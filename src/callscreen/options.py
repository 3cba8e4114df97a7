"""The options of `callscreen`: each said once, each read from the environment too."""

import re
from collections.abc import Callable
from typing import Any

import click

__all__ = [
    "HostPort",
    "data_option",
    "grpc_option",
    "http_option",
    "log_option",
    "mask_option",
    "name_option",
    "option",
    "product_option",
    "products_option",
    "sip_option",
    "token_option",
]


class HostPort(click.ParamType[str]):
    """An address to listen on or to ask: a host, which is never empty, and a port; [v6]:port."""

    name = "HOST:PORT"

    def convert(self, value: str, param: Any, ctx: Any) -> str:
        found = re.fullmatch(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+):([0-9]{1,5})", value)
        if found is None or int(found[1]) > 65535:
            self.fail(f"{value!r} is not HOST:PORT", param, ctx)
        return value


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
mask_option = option(
    "--mask-authorization", False, "Answers do not repeat the caller's token.", is_flag=True
)
log_option = option(
    "--log-level",
    "info",
    "Least severity that is logged, on standard error.",
    type=click.Choice(["debug", "info", "warning", "error"]),
)
token_option = option(
    "--token",
    None,
    "Token that the core is asked with; else the one in the data folder.",
    metavar="TOKEN",
)
