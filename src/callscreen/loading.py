"""Loads a CSV file, and dumps objects to one, as jobs of the core.

1. Memory does not grow with the file: it goes out and comes in by the piece.
2. What is loaded is all of the file or nothing; whoever stops waiting cancels the job.
3. A job outlives a core that ends: it is waited for until the core has been away for a minute.
"""

import csv
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import grpc

from .asking import AskError, core_at, credentials
from .ops.grpc_tls import ClientTls
from .schema import TYPES, format_name
from .schema.csv import detect_type
from .v1 import jobs_pb2 as pb
from .v1 import jobs_pb2_grpc, provisioning_pb2

__all__ = ["LoadError", "Loading", "Progress", "dump_file", "load_file", "type_of_file"]

PIECE_BYTES: Final = 256 * 1024  # of the file in one message
HEADER_BYTES: Final = 64 * 1024  # of the file, in which a header row must end
LOOK_SECONDS: Final = 0.2  # between two looks at a job
FIRST_SECONDS: Final = 0.02  # before the first one; each is twice as long after
AWAY_SECONDS: Final = 60.0  # that a core may be away while its job is followed
ENDED: Final = frozenset({pb.DONE, pb.FAILED, pb.CANCELLED})
MODES: Final = {"upsert": pb.UPSERT, "insert": pb.INSERT, "replace": pb.REPLACE}

# The job as it is, and how much of all that there is to do (0.0 to 1.0) is done.
Progress = Callable[[pb.Job, float], None]


class LoadError(Exception):
    """The file as a whole cannot be loaded; the text says why."""


class Loading(NamedTuple):
    """How a file is to be loaded."""

    product: str
    type_name: str
    mode: str = "upsert"
    dry_run: bool = False
    provider: str = ""  # whose objects they are; else the file says it

    @property
    def parent(self) -> str:
        return parent_of(self.product, self.type_name, self.provider)


def parent_of(product: str, type_name: str, *outer: str) -> str:
    """The collection. Raises LoadError where the type is not of a provider."""
    key = [part for part in outer if part]
    if len(key) >= len(TYPES[type_name].key) or (key and type_name == "administrator"):
        raise LoadError(
            f"a {type_name} does not lie below what --provider and --subscriber name: "
            "leave them out, or name another object"
        )
    return format_name(product, type_name, key)


def type_of_file(path: Path, product: str) -> str:
    """The type whose columns a file's header row names. Raises LoadError."""
    with path.open("rb") as file:
        text = file.read(HEADER_BYTES).decode("utf-8-sig", "replace")
    header = next((row for row in csv.reader(text.splitlines()) if any(row)), [])
    found = detect_type(header, product)
    if found is None:
        raise LoadError("the first line names no columns of one object; say which with --object")
    return found


def load_file(
    path: Path, loading: Loading, address: str, tls: ClientTls, token: str, progress: Progress
) -> tuple[pb.Job, Iterator[pb.JobLine]]:
    """The job once it has ended, and what it says of its lines.

    Raises LoadError where the core is not there or refuses the file at once, OSError.
    """
    spec = pb.ImportSpec(
        parent=loading.parent,
        mode=MODES[loading.mode],
        dry_run=loading.dry_run,
        file=path.name[:250],
        size=path.stat().st_size,
    )
    with interrupts() as told, asking(address, tls) as stub, path.open("rb") as file:
        metadata = credentials(token)
        job = stub.Import(_requests(spec, file, progress), metadata=metadata)
        job = _followed(stub, job, metadata, progress, told)
        lines = list(stub.ReadLog(pb.ReadLogRequest(name=job.name), metadata=metadata))
    return job, iter(lines)


def dump_file(
    parent: str,
    query: provisioning_pb2.TableQuery,
    to: BinaryIO,
    address: str,
    tls: ClientTls,
    token: str,
    progress: Progress,
) -> pb.Job:
    """Writes the objects of a collection to a file; the job that made it. Raises LoadError."""
    with interrupts() as told, asking(address, tls) as stub:
        metadata = credentials(token)
        job = stub.Export(pb.ExportRequest(parent=parent, query=query), metadata=metadata)
        job = _followed(stub, job, metadata, progress, told)
        if job.state != pb.DONE:
            raise LoadError(job.message or "the job was cancelled")
        for chunk in stub.Download(pb.DownloadRequest(name=job.name), metadata=metadata):
            to.write(chunk.data)
    return job


@contextmanager
def interrupts() -> Iterator[threading.Event]:
    """Set at the first Ctrl-C: an exception could be lost in a callback. A second one ends all."""
    told = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield told  # signals are the main thread's
        return

    def tell(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, before)
        told.set()

    before = signal.signal(signal.SIGINT, tell)
    try:
        yield told
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def asking(address: str, tls: ClientTls) -> Iterator["jobs_pb2_grpc.JobsStub"]:
    """The core's jobs; what it refuses is a LoadError."""
    try:
        with core_at(address, tls) as channel:
            yield jobs_pb2_grpc.JobsStub(channel)
    except AskError as error:
        raise LoadError(str(error)) from None


def _requests(
    spec: pb.ImportSpec, file: BinaryIO, progress: Progress
) -> Iterator[pb.ImportRequest]:
    yield pb.ImportRequest(spec=spec)
    sent = 0
    while data := file.read(PIECE_BYTES):
        yield pb.ImportRequest(data=data)
        sent += len(data)
        progress(pb.Job(bytes_total=spec.size), 0.1 * min(1.0, sent / max(spec.size, 1)))


def _followed(
    stub: "jobs_pb2_grpc.JobsStub",
    job: pb.Job,
    metadata: tuple[tuple[str, str], ...],
    progress: Progress,
    told: threading.Event,
) -> pb.Job:
    """The job once it has ended. Whoever interrupts this cancels it."""
    wait = FIRST_SECONDS
    while job.state not in ENDED and not told.is_set():
        progress(job, done(job))
        told.wait(wait)
        wait = min(2 * wait, LOOK_SECONDS)
        job = _looked(stub, job.name, metadata)
    if job.state not in ENDED:
        job = stub.CancelJob(pb.CancelJobRequest(name=job.name), metadata=metadata)
        while job.state not in ENDED:
            time.sleep(LOOK_SECONDS)
            job = stub.GetJob(pb.GetJobRequest(name=job.name), metadata=metadata)
    progress(job, 1.0)
    return job


def _looked(
    stub: "jobs_pb2_grpc.JobsStub", name: str, metadata: tuple[tuple[str, str], ...]
) -> pb.Job:
    """The job as it is now. Raises LoadError where the core stays away: the job goes on there."""
    until = time.monotonic() + AWAY_SECONDS
    while True:
        try:
            return stub.GetJob(pb.GetJobRequest(name=name), metadata=metadata)
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE:
                raise
            if time.monotonic() >= until:
                text = f"the core is away; the job {name} goes on when it is back"
                raise LoadError(text) from None
            time.sleep(LOOK_SECONDS)


def done(job: pb.Job) -> float:
    """How much of a job is done, from 0.0 to 1.0: a tenth is sending, three are reading."""
    if job.kind == "export":
        return min(1.0, job.rows_done / max(job.rows_total, 1))
    if not job.rows_total:
        return 0.1 + 0.3 * min(1.0, job.bytes_done / max(job.bytes_total, 1))
    return 0.4 + 0.6 * min(1.0, job.rows_done / job.rows_total)
