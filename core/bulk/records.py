"""How a job is kept: its record in the store, its files in the data folder.

Invariants:
1. A job's id orders by the time it was made, and no file has another name than the id gives.
2. Whose a job is, is read from its actor: it sees its own, and whoever is at its place or above it
   and may do all that it may do sees it too, nobody else.
3. A job that a caller may not see looks not provisioned.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from ...schema import PRODUCTS
from ...v1.bulk_pb2 import JobRecord
from ...v1.jobs_pb2 import Job
from ..access import SERVICE, Principal, Verb, principal
from ..errors import NotFound
from ..files import sync_folder
from ..store.contract import Key, Reader

TYPE: Final = "job"
UNDO: Final = "job_undo"
IMPORT: Final = "import"
EXPORT: Final = "export"
RANDOM_BYTES: Final = 6
ID: Final = re.compile(r"[0-9a-f]{24}")


def new_id(now: float, random: Callable[[int], bytes]) -> str:
    """48 bits of milliseconds, 48 of chance."""
    return f"{int(now * 1000):012x}{random(RANDOM_BYTES).hex()}"


def job_name(product: str, job_id: str) -> str:
    return f"{product}/{TYPE}/{job_id}"


def job_key(name: str) -> Key:
    """Where the job of a name is kept. Raises NotFound for what can name none."""
    product, _, rest = name.partition("/")
    type_, _, job_id = rest.partition("/")
    if product not in PRODUCTS or type_ != TYPE or not ID.fullmatch(job_id):
        raise NotFound
    return Key(product, TYPE, (job_id,))


def product_of(job: Job) -> str:
    return job.name.partition("/")[0]


def id_of(job: Job) -> str:
    return job.name.rpartition("/")[2]


def undo_key(job: Job, group: int) -> Key:
    """Where the undo entry of a group is kept, counted from 0."""
    return Key(product_of(job), UNDO, (id_of(job), f"{group:010}"))


def sees(caller: Principal, job: Job) -> bool:
    """Whether a job is the caller's own, or of somebody below who may do no more than it may."""
    if caller.role == SERVICE:
        return True
    if caller.product != product_of(job) or not job.role_id:
        return False
    try:
        actor = principal(caller.product, job.actor, job.role_id, tuple(job.permissions))
    except ValueError:
        return False
    own = (actor.username, actor.role_id) == (caller.username, caller.role_id)
    reached = caller.may(caller.product, TYPE, Verb.READ) and caller.reaches(actor.place)
    return reached and (own or caller.outranks(caller.product, actor))


def load(reader: Reader, key: Key) -> JobRecord | None:
    value = reader.get(key)
    return None if value is None else JobRecord.FromString(value)


def every(reader: Reader, product: str) -> Iterator[tuple[Key, JobRecord]]:
    """All jobs of a product, oldest first."""
    for key, value in reader.scan(product, TYPE):
        yield key, JobRecord.FromString(value)


class Files:
    """The files of one job."""

    def __init__(self, folder: Path, job_id: str) -> None:
        self.folder = folder / job_id

    @property
    def input(self) -> Path:
        return self.folder / "input.csv"

    @property
    def export(self) -> Path:
        return self.folder / "export.csv"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def seen(self) -> Path:
        return self.folder / "seen.db"

    def staged(self, part: int) -> Path:
        return self.folder / f"staged.{part}"

    def errors(self, part: int) -> Path:
        return self.folder / f"errors.{part}"

    def make(self) -> None:
        """Raises OSError."""
        self.folder.mkdir(mode=0o700, parents=True)

    def sync(self) -> None:
        """Makes durable which files there are: what was written under another name, too."""
        sync_folder(self.folder)
        sync_folder(self.folder.parent)

    def size(self) -> int:
        """Octets of all of them."""
        return sum(path.stat().st_size for path in self.folder.glob("*"))

    def remove(self) -> None:
        """All of it; what is not there is no error."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def remove_staged(self) -> None:
        """What only a running import needs."""
        for path in (*self.folder.glob("staged.*"), *self.folder.glob("errors.*"), self.seen):
            path.unlink(missing_ok=True)


__all__ = [
    "EXPORT",
    "IMPORT",
    "TYPE",
    "UNDO",
    "Files",
    "every",
    "id_of",
    "job_key",
    "job_name",
    "load",
    "new_id",
    "product_of",
    "sees",
    "undo_key",
]
