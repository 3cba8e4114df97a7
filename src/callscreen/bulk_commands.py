"""`callscreen load` and `dump`: CSV files in and out."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click

from .grpc_options import asking_options, client_tls
from .options import data_option, option, product_option, token_option
from .output import STREAM, OutputError, output
from .running import emit, fail

__all__ = ["dump", "load"]

EPILOG = "Every option may also stand in the environment: --data as CALLSCREEN_DATA, and so on."
STEPS: Final = 10_000  # of the progress bar
OBJECTS: Final = ("administrator", "service_provider", "subscriber", "number")


@click.command(epilog=EPILOG)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@option(
    "--object",
    None,
    "What the file holds; else told by its header row.",
    "type_name",
    type=click.Choice(OBJECTS),
)
@option(
    "--mode",
    "upsert",
    "What becomes of an object that exists: its columns are changed, it is an error, or it is"
    " replaced whole.",
    type=click.Choice(["upsert", "insert", "replace"]),
)
@option("--dry-run", False, "Checks every line, and writes nothing.", is_flag=True)
@option("--provider", "", "Whose objects they are; else the file says it.", metavar="NAME")
@product_option
@asking_options
@data_option
@token_option
def load(
    file: Path,
    type_name: str | None,
    mode: str,
    dry_run: bool,
    provider: str,
    product: str,
    grpc: str,
    data: str,
    token: str | None,
    **tls: Any,
) -> None:
    """Creates or changes the objects of a CSV FILE: all of them, or none.

    The columns are those of the object in the documented order, or as a header row names them. The
    entries of a list are separated by ";". Lines that are refused are shown with their numbers; the
    status is then 1. Interrupting it cancels it: nothing stays written.
    """
    from .cli import service_token
    from .loading import LoadError, Loading, load_file, type_of_file
    from .v1.jobs_pb2 import CANCELLED, DONE

    started = time.monotonic()
    asking = service_token(data, token)
    try:
        kind = type_name or type_of_file(file, product)
        loading = Loading(product, kind, mode, dry_run, provider)
        with progress_bar(file.name) as show:
            job, lines = load_file(file, loading, grpc, client_tls(tls), asking, show)
    except (LoadError, OSError) as error:
        fail(str(error))
    for line in lines:
        where = f"{file.name}:{line.line}" if line.line else file.name
        click.echo(f"{where}: {line.message}", err=True)
    if job.message:
        click.echo(f"callscreen: {job.message}", err=True)
    if job.state == CANCELLED:
        fail("cancelled: nothing was written")
    seconds = max(time.monotonic() - started, 1e-9)
    loaded = job.rows_done if job.state == DONE else 0
    what = "checked" if dry_run else "loaded"
    emit(
        f"{loaded} {what} ({job.rows_created} new, {job.rows_changed} changed),"
        f" {job.errors} refused, {loaded / seconds:,.0f} a second"
    )
    if job.state != DONE:
        sys.exit(1)


@click.command(epilog=EPILOG)
@click.argument("type_name", metavar="OBJECT", type=click.Choice(OBJECTS))
@option("--to", STREAM, "The file to make; - is standard output.", metavar="FILE")
@option("--provider", "", "Only what lies below this service provider.", metavar="NAME")
@option("--subscriber", "", "Only what lies below this subscriber of it.", metavar="NAME")
@option("--search", "", "Only what matches: column:value, comma-separated.", metavar="TERMS")
@option("--sort", "", "The order: column:asc or column:desc, comma-separated.", metavar="TERMS")
@product_option
@asking_options
@data_option
@token_option
def dump(
    type_name: str,
    to: str,
    provider: str,
    subscriber: str,
    search: str,
    sort: str,
    product: str,
    grpc: str,
    data: str,
    token: str | None,
    **tls: Any,
) -> None:
    """Writes every OBJECT to a CSV file, which `load` reads.

    OBJECT is administrator, service_provider, subscriber or number. Secrets are left empty. The
    file appears under its name once it is whole.
    """
    from .cli import service_token
    from .loading import LoadError, dump_file, parent_of
    from .v1.provisioning_pb2 import TableQuery

    started = time.monotonic()
    asking = service_token(data, token)
    query = TableQuery(search=search, sort=sort)
    try:
        parent = parent_of(product, type_name, provider, subscriber)
        with progress_bar(type_name) as show, output(to) as file:
            job = dump_file(parent, query, file, grpc, client_tls(tls), asking, show)
    except (LoadError, OutputError) as error:
        fail(str(error))
    seconds = max(time.monotonic() - started, 1e-9)
    click.echo(f"{job.rows_done} dumped, {job.rows_done / seconds:,.0f} a second", err=True)


@contextmanager
def progress_bar(label: str) -> Iterator["Show"]:
    """A bar on standard error, with the rows done, their rate and the time left."""
    with click.progressbar(
        length=STEPS, label=label, file=sys.stderr, show_eta=True, item_show_func=_rate
    ) as bar:
        yield Show(bar)


class Show:
    """Brings a bar to where a job is."""

    def __init__(self, bar: "click._termui_impl.ProgressBar[object]") -> None:
        self._bar = bar
        self._at = 0
        self._started = time.monotonic()

    def __call__(self, job: object, part: float) -> None:
        at = int(part * STEPS)
        rows = getattr(job, "rows_done", 0)
        rate = rows / max(time.monotonic() - self._started, 1e-9)
        self._bar.update(max(at - self._at, 0), (rows, rate))
        self._at = max(at, self._at)


def _rate(shown: object) -> str | None:
    if not isinstance(shown, tuple) or not shown[0]:
        return None
    return f"{shown[0]:,} rows, {shown[1]:,.0f} a second"
