"""The one way of call records into their store: grouped, and counted."""

from collections.abc import Sequence

from .committer import Grouper
from .limits import RECORD_GROUP, RECORD_REST
from .store.records import Arrived, RecordStore


class Recorder(Grouper[Sequence[Arrived], int]):
    """Appends groups of records. `appended` is how many were new since the start.

    It leaves the disk to changes between two groups: they wait for an fsync each, records for one
    a group.
    """

    def __init__(self, records: RecordStore) -> None:
        self.appended = 0
        self._records = records
        super().__init__(
            "callscreen-records", self._append, group_limit=RECORD_GROUP, rest=RECORD_REST
        )

    def _append(self, group: Sequence[Sequence[Arrived]]) -> list[int | Exception]:
        results = self._records.append_group(group)
        self.appended += sum(new for new in results if isinstance(new, int))
        return results


__all__ = ["Recorder"]
