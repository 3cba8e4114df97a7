"""Objects that are new, written by the thousand: sorted runs, a call of the engine a table.

Invariants:
1. What is said to be new and is there already is a fault of the caller: ValueError, and the whole
   transaction is given up.
2. Counts are the same as those of single writes.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .contract import Fresh
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


__all__ = ["write_fresh"]
