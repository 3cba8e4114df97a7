"""`callscreen`, the command: runs the parts, asks the core, loads files.

Every option can be given in the environment too, as CALLSCREEN_ and its name.
"""

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import click

from . import __version__
from .options import (
    data_option,
    grpc_option,
    http_option,
    log_option,
    mask_option,
    name_option,
    option,
    product_option,
    products_option,
    sip_option,
    token_option,
)
from .running import emit, fail, run_part, run_until_stopped, set_up_logging
from .supervise import Child, ChildFailed, supervise

__all__ = ["main"]

EPILOG = "Every option may also stand in the environment: --data as CALLSCREEN_DATA, and so on."


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="callscreen")
def main() -> None:
    """Call screening for telephone carriers.

    `serve` runs everything on one host. `core`, `gateway` and `edge` run one part each, on as many
    hosts as there are. `screen` asks what would become of a call; `load` provisions from a file.
    """


@main.command(epilog=EPILOG)
@data_option
@grpc_option
@http_option
@sip_option
@products_option
@name_option
@mask_option
@log_option
def serve(
    data: str,
    grpc: str,
    http: str,
    sip: str,
    products: str,
    name: str,
    mask_authorization: bool,
    log_level: str,
) -> None:
    """Runs the core, the gateway and the edge in one process tree.

    Prints "ready http=... grpc=... sip=..." when all three answer. Ends on SIGTERM or SIGINT with
    status 0. At the first start the administrators' password is taken from
    CALLSCREEN_ADMIN_PASSWORD, or made and printed once.
    """
    set_up_logging(log_level)
    level = ("--log-level", log_level)

    def others(core: Child) -> list[Child]:
        token = (Path(data) / "service.token").read_text().strip()
        both = ("--grpc", core.address, "--products", products, *level)
        mask = ("--mask-authorization",) if mask_authorization else ()
        named = ("--name", name) if name else ()
        return [
            Child("gateway", "http", http, (*both, *mask)),
            Child("edge", "sip", sip, (*both, *named), {"CALLSCREEN_TOKEN": token}),
        ]

    def ready(addresses: Mapping[str, str]) -> None:
        emit(" ".join(["ready", *(f"{key}={addresses[key]}" for key in ("http", "grpc", "sip"))]))

    async def run(stop: asyncio.Event) -> None:
        core = Child("core", "grpc", grpc, ("--data", data, *level))
        await supervise(core, others, ready, emit, stop)

    try:
        run_until_stopped(run)
    except ChildFailed as error:
        fail(str(error))


@main.command(epilog=EPILOG)
@data_option
@grpc_option
@log_option
def core(data: str, grpc: str, log_level: str) -> None:
    """Runs the core: owns the data and answers gRPC.

    Prints "ready grpc=..." when it answers. At the first start the administrators' password is
    taken from CALLSCREEN_ADMIN_PASSWORD, or made and printed once.
    """
    from .core.errors import CallscreenError
    from .core.server import CoreConfig, serve

    set_up_logging(log_level)
    config = CoreConfig(
        data=Path(data), grpc=grpc, admin_password=os.environ.get("CALLSCREEN_ADMIN_PASSWORD")
    )
    run_part("grpc", lambda ready, stop: serve(config, ready, stop), CallscreenError)


@main.command(epilog=EPILOG)
@http_option
@grpc_option
@products_option
@mask_option
@log_option
def gateway(http: str, grpc: str, products: str, mask_authorization: bool, log_level: str) -> None:
    """Runs the gateway: answers the documented REST APIs by asking the core.

    Prints "ready http=..." when it answers.
    """
    from .gateway.server import GatewayConfig, serve

    set_up_logging(log_level)
    config = GatewayConfig(http=http, grpc=grpc, mask_authorization=mask_authorization)
    if products != "both":
        config.products = (products,)
    run_part("http", lambda ready, stop: serve(config, ready, stop))


@main.command(epilog=EPILOG)
@sip_option
@grpc_option
@data_option
@token_option
@name_option
@products_option
@log_option
def edge(
    sip: str, grpc: str, data: str, token: str | None, name: str, products: str, log_level: str
) -> None:
    """Runs the edge: answers SIP from an index that follows the core.

    Prints "ready sip=..." when it answers. Keeps answering while the core is gone.
    """
    from .edge.server import EdgeConfig, serve

    set_up_logging(log_level)
    config = EdgeConfig(
        sip=sip, grpc=grpc, token=service_token(data, token), name=name, product=products
    )
    run_part("sip", lambda ready, stop: serve(config, ready, stop))


@main.command(epilog=EPILOG)
@option("--from", "", "The calling number.", "calling", metavar="NUMBER")
@option("--to", None, "The called number.", "called", required=True, metavar="NUMBER")
@option("--anonymous", False, "The caller withholds the number.", is_flag=True)
@option("--source", "", "The address that the call comes from.", metavar="ADDRESS")
@products_option
@grpc_option
@data_option
@token_option
def screen(
    calling: str,
    called: str,
    anonymous: bool,
    source: str,
    products: str,
    grpc: str,
    data: str,
    token: str | None,
) -> None:
    """Asks the core what would become of a call, and why."""
    from .asking import AskError, explain

    asking = service_token(data, token)
    try:
        for line in explain(grpc, asking, called, calling, anonymous, source, products):
            emit(line)
    except AskError as error:
        fail(str(error))


@main.command(epilog=EPILOG)
@click.argument("role_id")
@click.argument("username")
@product_option
@grpc_option
@data_option
@token_option
def password(
    role_id: str, username: str, product: str, grpc: str, data: str, token: str | None
) -> None:
    """Sets the password of the administrator USERNAME, whose role is ROLE_ID.

    ROLE_ID is platform_owner, service_provider:NAME or subscriber:PROVIDER:NAME. The password is
    asked for, twice, or read as one line where standard input is no terminal. It ends what the
    administrator was logged in with.
    """
    from .asking import AskError, set_password

    if sys.stdin.isatty():
        chosen = click.prompt("password", hide_input=True, confirmation_prompt=True)
    else:
        chosen = sys.stdin.readline().rstrip("\n")
    try:
        set_password(grpc, service_token(data, token), product, role_id, username, chosen)
    except AskError as error:
        fail(str(error))


@main.command(epilog=EPILOG)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@option(
    "--object",
    None,
    "What the file holds; else told by its header row.",
    "type_name",
    type=click.Choice(["administrator", "service_provider", "subscriber", "number"]),
)
@product_option
@grpc_option
@data_option
@token_option
def load(
    file: Path, type_name: str | None, product: str, grpc: str, data: str, token: str | None
) -> None:
    """Creates or replaces the objects of a CSV FILE, with a progress bar.

    The columns are the fields of the object in the order of the API's documentation, or as a header
    row names them. The entries of a list are separated by ";". Lines that are refused are shown
    with their numbers and left out; the status is then 1.
    """
    from .loading import LoadError, load_file

    started = time.monotonic()
    refused = 0
    with click.progressbar(length=file.stat().st_size, label=file.name, file=sys.stderr) as bar:

        def progress(read: int, errors: list[tuple[int, str]]) -> None:
            nonlocal refused
            for line, message in errors:
                refused += 1
                click.echo(f"\n{file.name}:{line}: {message}", err=True)
            bar.update(read)

        try:
            done = load_file(file, type_name, product, grpc, service_token(data, token), progress)
        except LoadError as error:
            fail(str(error))
    seconds = max(time.monotonic() - started, 1e-9)
    emit(f"{done} loaded, {refused} refused, {done / seconds:,.0f} a second")
    if refused:
        sys.exit(1)


def service_token(data: str, token: str | None) -> str:
    """The token to ask the core with: as given, else from the data folder."""
    if token:
        return token
    path = Path(data) / "service.token"
    try:
        return path.read_text().strip()
    except OSError as error:
        fail(f"no --token given, and {path} cannot be read: {error.strerror}")


if __name__ == "__main__":
    main()
