"""Objects written or removed by the thousand: in the order of their keys, as the engine likes it.

Invariants:
1. What is said to be new and is there already, or to be gone and is not there, is a fault of the
   caller: ValueError, and the whole transaction is given up.
2. Counts are the same as those of single writes.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .contract import Fresh, Gone
from .tables import COLUMN_VALUES, OBJECTS, UNIQUE_VALUES, Table, after_prefix, count_keys

if TYPE_CHECKING:
    import lmdb


def write_fresh(
    txn: "lmdb.Transaction[bytes]", dbs: "Mapping[Table, lmdb._Database]", fresh: Fresh
) -> Counter[bytes]:
    """Writes them; by how much which counts rise. Raises ValueError."""
    objects = sorted(fresh.objects)
    _, added = txn.cursor(dbs[OBJECTS]).putmulti(objects, overwrite=False)
    if added != len(objects):
        raise ValueError("an object that was said to be new is there already")
    for table, entries in ((UNIQUE_VALUES, fresh.unique), (COLUMN_VALUES, fresh.columns)):
        if entries:
            txn.cursor(dbs[table]).putmulti(sorted(entries))
    return _counted([key for key, _ in objects])


def remove_gone(
    txn: "lmdb.Transaction[bytes]", dbs: "Mapping[Table, lmdb._Database]", gone: Gone
) -> Counter[bytes]:
    """Removes them; by how much which counts rise: by less than nothing. Raises ValueError."""
    objects, db = sorted(gone.objects), dbs[OBJECTS]
    for key in objects:
        if not txn.delete(key, db=db):
            raise ValueError("an object that was said to be there is not")
    for table, keys in ((UNIQUE_VALUES, gone.unique), (COLUMN_VALUES, gone.columns)):
        db = dbs[table]
        for key in sorted(keys):
            txn.delete(key, db=db)
    counts: Counter[bytes] = Counter()
    counts.subtract(_counted(objects))
    return counts


def _counted(keys: Sequence[bytes]) -> Counter[bytes]:
    """By how much which counts rise; the keys are in order."""
    counts: Counter[bytes] = Counter()
    start = 0
    while start < len(keys):
        of_type, of_first = count_keys(keys[start])
        # the keys that begin so stand together
        end = bisect_left(keys, after_prefix(of_first), start)
        for key in {of_type, of_first}:
            counts[key] += end - start
        start = end
    return counts


__all__ = ["remove_gone", "write_fresh"]
