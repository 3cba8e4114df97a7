"""A store's folder while no core runs: read as it is, octet for octet, and given a new epoch.

Invariants:
1. The folder is locked meanwhile: a core that runs refuses it (StoreInUse), and none can start.
2. Reading changes nothing, and needs nothing to be right but the engine's own pages.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

import lmdb

from .contract import StoreFailed
from .lmdb_environment import Environment, lock_folder
from .tables import ENGINE, META, OBJECT_TABLES, PRIVATE, Table, decode_number, encode_number

DATA: Final = "data.mdb"


class Tables(Protocol):
    """Entries of tables, as octets."""

    def get(self, table: Table, key: bytes) -> bytes | None:
        """The entry there; None too where there is no such table."""

    def items(self, table: Table, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Entries whose key begins so, in order."""


class LmdbTables:
    """Tables within one transaction."""

    def __init__(self, env: lmdb.Environment, txn: "lmdb.Transaction[bytes]") -> None:
        self._env = env
        self._txn = txn
        self._dbs: dict[Table, lmdb._Database | None] = {}

    def _db(self, table: Table) -> "lmdb._Database | None":
        if table not in self._dbs:
            try:
                self._dbs[table] = self._env.open_db(table.name, txn=self._txn, create=False)
            except lmdb.NotFoundError:
                self._dbs[table] = None
        return self._dbs[table]

    def get(self, table: Table, key: bytes) -> bytes | None:
        db = self._db(table)
        return None if db is None else self._txn.get(key, db=db)

    def items(self, table: Table, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        db = self._db(table)
        if db is None:
            return
        cursor = self._txn.cursor(db)
        if cursor.set_range(prefix) if prefix else cursor.first():
            for key, value in cursor:
                if not key.startswith(prefix):
                    return
                yield key, value


@contextmanager
def offline(path: Path, tables: Sequence[Table]) -> Iterator[Tables]:
    """The tables of a folder. Raises StoreInUse, StoreFailed where it holds no data."""
    if not (path / DATA).is_file():
        raise StoreFailed(f"The folder {path} holds no data.")
    lock = lock_folder(path)
    try:
        env = lmdb.open(
            str(path), readonly=True, lock=False, max_dbs=len(tables), lib_version=ENGINE
        )
        try:
            with env.begin() as txn:
                yield LmdbTables(env, txn)
        finally:
            env.close()
    except lmdb.Error as error:
        raise StoreFailed(f"The data of {path} cannot be read: {error}") from error
    finally:
        os.close(lock)


def new_epoch(path: Path, least: int) -> int:
    """Begins a history of its own for the objects of a folder: the new epoch, `least` or more.

    Whoever followed the former one is told to take a snapshot. Raises StoreInUse, StoreFailed.
    """
    environment = Environment(path, OBJECT_TABLES)
    try:

        def begin(txn: "lmdb.Transaction[bytes]") -> int:
            meta = environment.dbs[META]
            epoch = max(decode_number(txn.get(b"epoch", b"", db=meta)) + 1, least)
            txn.put(b"epoch", encode_number(epoch), db=meta)
            return epoch

        return environment.write(begin)
    finally:
        environment.close()


def private_entries(path: Path, prefix: bytes) -> list[tuple[bytes, bytes]]:
    """Private entries of a folder whose key begins so. Raises StoreInUse, StoreFailed."""
    with offline(path, OBJECT_TABLES) as tables:
        return list(tables.items(PRIVATE, prefix))


__all__ = ["DATA", "LmdbTables", "Tables", "new_epoch", "offline", "private_entries"]
