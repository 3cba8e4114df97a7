"""One export: the objects that a table query keeps, as a CSV file.

Invariants:
1. What is in the file is what its actor may read, and never a secret.
2. No read transaction lasts longer than EXPORT_ROWS objects: a file that is made while objects
   change holds each of them as it was when it was come to.
3. The file appears whole, or not at all, and is durable before the job is done; a core that starts
   again makes it anew.
4. Memory does not grow with the collection; to sort one takes room for the keys of at most
   SORTED_ROWS objects, and is refused beyond.
"""

import asyncio
import logging
import os
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

from ...schema import Invalid, ObjectType
from ...schema.query import Query, compile_query
from ...v1.bulk_pb2 import ENDED, STAGING
from ...v1.jobs_pb2 import CANCELLED, DONE, FAILED, RUNNING
from ...v1.object_pb2 import Object
from ..access import Principal, Verb
from ..commands.context import Core
from ..commands.list_objects import narrowed
from ..commands.names import Target, collection, default_cc, found_key
from ..errors import CallscreenError, InvalidInput
from ..store.contract import Key, Store
from .keeping import Cancelled, Kept
from .limits import EXPORT_ROWS, SORTED_ROWS
from .records import Files
from .rows import header, rows_writer

TOO_MANY: Final = f"A sorted export has at most {SORTED_ROWS} objects: narrow the query."
INTERNAL: Final = "internal error"

log = logging.getLogger("callscreen.core")


class Export:
    """Runs one job from its beginning."""

    def __init__(self, core: Core, files: Files, kept: Kept) -> None:
        self._core = core
        self._files = files
        self._part = files.export.with_suffix(".part")
        self._kept = kept

    async def run(self) -> None:
        """To the end of the job."""
        kept = self._kept
        state = DONE
        try:
            await kept.move(STAGING, RUNNING)
            await asyncio.to_thread(self._write)
        except Cancelled:
            state = CANCELLED
        except (CallscreenError, Invalid) as error:
            state, kept.job.message = FAILED, str(error)
        except Exception:
            log.exception("job %s failed", kept.job.name)
            state, kept.job.message = FAILED, INTERNAL
        if state != DONE:
            self._part.unlink(missing_ok=True)
        await kept.insisted(lambda: kept.move(ENDED, state))

    def _write(self) -> None:
        core, kept = self._core, self._kept
        at = collection(kept.job.parent)
        with core.store.read() as reader:
            at = at._replace(key=found_key(reader, at))
            columns = at.kind.columns(at.product)
            query = compile_query(kept.job.query, columns, default_cc(reader, at.product))
            kept.job.rows_total = reader.count(at.product, at.kind.type, at.path)
        kept.job.rows_done = 0
        with self._part.open("wb") as file:
            self._fill(file, at.kind, at.product, found(core.store, self._kept.caller, at, query))
            file.flush()
            os.fsync(file.fileno())
        self._part.replace(self._files.export)
        self._files.sync()
        kept.job.rows_total = kept.job.rows_done
        kept.job.bytes_done = kept.job.bytes_total = self._files.export.stat().st_size

    def _fill(
        self, file: BinaryIO, kind: ObjectType, product: str, chunks: Iterator[Sequence[bytes]]
    ) -> None:
        rows = rows_writer(kind, product)
        file.write(header(kind, product))
        for chunk in chunks:
            self._kept.check_cancelled()
            file.write(rows(chunk))
            self._kept.job.rows_done += len(chunk)
            self._kept.job.bytes_done = file.tell()


def found(store: Store, caller: Principal, at: Target, query: Query) -> Iterator[Sequence[bytes]]:
    """Stored objects that the query keeps and the caller may read, in order, by the chunk; an empty
    one is a step that came to none.

    Raises InvalidInput for too many to sort.
    """
    prefix = narrowed(caller.place, at.path)
    if prefix is None or not caller.may(at.product, at.kind.type, Verb.READ):
        return
    if at.kind.type != "administrator" and query.keeps_all and not query.sorts:
        yield from _all(store, at, prefix)
        return
    kept = _kept(store, caller, at, prefix, query)
    if not query.sorts:
        for chunk in kept:
            yield [value for _, value in chunk]
        return
    keyed = []
    for chunk in kept:
        for path, value in chunk:
            keyed.append((query.sort_key(at.kind.row(Object.FromString(value))), path))
        if len(keyed) > SORTED_ROWS:
            raise InvalidInput(TOO_MANY)
        yield ()
    keyed.sort()
    for start in range(0, len(keyed), EXPORT_ROWS):
        with store.read() as reader:
            held = [
                reader.get(Key(at.product, at.kind.type, path))
                for _, path in keyed[start : start + EXPORT_ROWS]
            ]
        yield [value for value in held if value is not None]


def _all(store: Store, at: Target, prefix: tuple[str, ...]) -> Iterator[Sequence[bytes]]:
    after: tuple[str, ...] | None = None
    while True:
        with store.read() as reader:
            values, after = reader.page(at.product, at.kind.type, prefix, after, EXPORT_ROWS)
        if not values:
            return
        yield values


def _kept(
    store: Store, caller: Principal, at: Target, prefix: tuple[str, ...], query: Query
) -> Iterator[list[tuple[tuple[str, ...], bytes]]]:
    kind, product = at.kind, at.product
    after: tuple[str, ...] | None = None
    whole = kind.type != "administrator" and query.keeps_all
    while True:
        with store.read() as reader:
            scan = reader.scan(product, kind.type, prefix, after, EXPORT_ROWS)
            chunk = [(key.path, value) for key, value in scan]
        if not chunk:
            return
        after = chunk[-1][0]
        if whole:
            yield chunk
            continue
        yield [
            (path, value)
            for path, value in chunk
            if caller.sees(product, kind.type, kind.key_of_path(path))
            and query.matches(kind.row(Object.FromString(value)))
        ]


__all__ = ["Export", "found"]
