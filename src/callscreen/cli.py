"""`callscreen`, the command: runs the parts, asks the core, loads files.

Every option can be given in the environment too, as CALLSCREEN_ and its name.
"""

import os
import sys
from typing import Any

import click

from . import __version__
from .bulk_commands import dump, load
from .data_commands import backup, check, restore
from .edge_commands import top, trace
from .grpc_options import asking_options, client_tls
from .options import (
    EPILOG,
    data_option,
    option,
    product_option,
    products_option,
    token_option,
)
from .part_commands import core, edge, gateway
from .running import emit, fail, service_token
from .serve_command import serve
from .stir_commands import stir

__all__ = ["main", "service_token"]

# gRPC would write a line a handshake that fails: what is amiss stands in our log, once.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="callscreen")
def main() -> None:
    """Call screening for telephone carriers.

    `serve` runs everything on one host. `core`, `gateway` and `edge` run one part each, on as many
    hosts as there are. `screen` asks what would become of a call; `load` provisions from a file.
    """


@main.command(epilog=EPILOG)
@option("--from", "", "The calling number.", "calling", metavar="NUMBER")
@option("--to", None, "The called number.", "called", required=True, metavar="NUMBER")
@option("--anonymous", False, "The caller withholds the number.", is_flag=True)
@option("--source", "", "The address that the call comes from.", metavar="ADDRESS")
@products_option
@asking_options
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
    **tls: Any,
) -> None:
    """Asks the core what would become of a call, and why."""
    from .asking import AskError, explain

    asking = service_token(data, token)
    try:
        for line in explain(
            grpc, client_tls(tls), asking, called, calling, anonymous, source, products
        ):
            emit(line)
    except AskError as error:
        fail(str(error))


@main.command(epilog=EPILOG)
@click.argument("role_id")
@click.argument("username")
@product_option
@asking_options
@data_option
@token_option
def password(
    role_id: str,
    username: str,
    product: str,
    grpc: str,
    data: str,
    token: str | None,
    **tls: Any,
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
        asking = service_token(data, token)
        set_password(grpc, client_tls(tls), asking, product, role_id, username, chosen)
    except AskError as error:
        fail(str(error))


for command in (serve, core, gateway, edge, backup, restore, check, load, dump, stir, trace):
    main.add_command(command)
edge.add_command(top)


if __name__ == "__main__":
    main()
