"""`callscreen serve`: the parts as one process tree."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from .edge_options import edge_options
from .grpc_options import all_options, check_together
from .options import (
    EPILOG,
    data_option,
    format_option,
    http_option,
    log_option,
    mask_option,
    metrics_option,
    products_option,
    proxies_option,
    public_option,
    secure_option,
    sign_rate_option,
    sip_option,
)
from .part_commands import core, edge, gateway
from .running import emit, fail, instruments_of, run_until_stopped
from .supervise import Child, ChildFailed, supervise

__all__ = ["port_after", "serve"]

# What each part is told in its own way, or is not to be told at all.
OWN = {"data", "grpc", "http", "sip", "metrics", "log_level", "log_format", "products"}


@click.command(epilog=EPILOG)
@data_option
@all_options
@http_option
@sip_option
@products_option
@public_option
@mask_option
@proxies_option
@secure_option
@edge_options
@sign_rate_option
@metrics_option
@log_option
@format_option
@click.pass_context
def serve(
    context: click.Context,
    /,
    data: str,
    grpc: str,
    http: str,
    sip: str,
    products: str,
    metrics: str | None,
    log_level: str,
    log_format: str,
    **more: Any,
) -> None:
    """Runs the core, the gateway and the edge in one process tree.

    Prints "ready http=... grpc=... sip=..." when all three answer. Ends on SIGTERM or SIGINT with
    status 0. At the first start the administrators' password is taken from
    CALLSCREEN_ADMIN_PASSWORD, or made and printed once.
    """
    instruments_of("serve", log_level, log_format)
    try:
        check_together(more)
    except ValueError as error:
        fail(str(error))
    logs = ("--log-level", log_level, "--log-format", log_format)

    def options(part: click.Command, place: int) -> tuple[str, ...]:
        shown = ("--metrics", port_after(metrics, place)) if metrics else ()
        return (*passed_on(context, part), *logs, *shown)

    def others(core: Child) -> list[Child]:
        token = (Path(data) / "service.token").read_text().strip()
        both = ("--grpc", core.address, "--products", products)
        state = ("--state", str(Path(data) / "edge"))
        secret = {"CALLSCREEN_TOKEN": token}
        return [
            Child("gateway", "http", http, (*both, *options(gateway, 1))),
            Child("edge", "sip", sip, (*both, *state, *options(edge, 2)), secret),
        ]

    def ready(addresses: Mapping[str, str]) -> None:
        emit(" ".join(["ready", *(f"{key}={addresses[key]}" for key in ("http", "grpc", "sip"))]))

    async def run(stop: asyncio.Event) -> None:
        first = Child("core", "grpc", grpc, ("--data", data, *options(core, 0)))
        await supervise(first, others, ready, emit, stop)

    try:
        run_until_stopped(run)
    except ChildFailed as error:
        fail(str(error))


def passed_on(context: click.Context, part: click.Command) -> Iterator[str]:
    """Words of the command line for a part: the options given here that it has too. What stands in
    the environment it has from there."""
    known = {param.name for param in part.params} - OWN
    for param in context.command.params:
        name = param.name or ""
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if name not in known or not given:
            continue
        word, value = max(param.opts, key=len), context.params[name]
        if value is True:
            yield word
        else:
            yield f"{word}={value}"


def port_after(address: str, place: int) -> str:
    """HOST:PORT with a port so much higher; port 0 stays: any that is free."""
    host, _, port = address.rpartition(":")
    if int(port) + place > 65535:
        fail(f"--metrics {address} leaves no port for each part")
    return f"{host}:{int(port) and int(port) + place}"
