"""Checks a data folder: that what must hold between its parts does.

Invariants:
1. Nothing is changed, and nothing is taken to be right: what cannot be decoded is a finding, and
   the check goes on.
2. A finding is a sentence that names what it is about. At most FINDINGS are told of one kind.
3. Memory grows with the number of providers, administrators and batches, not with that of objects.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ..store.offline import offline
from ..store.tables import OBJECT_TABLES, RECORD_TABLES
from .check_files import check_audio, check_audit, check_secrets
from .check_log import check_log
from .check_objects import ObjectCheck
from .check_private import check_private
from .check_records import check_records
from .findings import FINDINGS, Finding
from .restore import check_finished


def check(data: Path) -> Iterator[str]:
    """What is wrong in a folder that no core has open, in words, one by one.

    Raises StoreInUse, StoreFailed (no data there, or none that can be read), Unavailable (a restore
    that did not end), OSError.
    """
    told: Counter[str] = Counter()
    for kind, text in _findings(data):
        told[kind] += 1
        if told[kind] <= FINDINGS:
            yield f"{kind}: {text}"
    for kind, number in told.items():
        if number > FINDINGS:
            yield f"{kind}: {number - FINDINGS} more"


def _findings(data: Path) -> Iterator[Finding]:
    check_finished(data)
    with offline(data / "objects", OBJECT_TABLES) as tables:
        yield from check_log(tables)
        objects = ObjectCheck(tables)
        yield from objects.run()
        yield from check_private(tables)
        yield from check_audio(data / "audio", objects.audio)
        yield from check_audit(data / "audit", tables)
    with offline(data / "records", RECORD_TABLES) as tables:
        yield from check_records(tables)
    yield from check_secrets(data)


__all__ = ["check"]
