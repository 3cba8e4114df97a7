"""What is kept of jobs that have ended: of each tenant so many, so large; the oldest give way."""

from collections import defaultdict
from collections.abc import Iterator
from typing import TypeAlias

from ...v1.bulk_pb2 import JobRecord
from ...v1.jobs_pb2 import Job
from .limits import JOBS_KEPT, KEPT_BYTES
from .records import product_of

Tenant: TypeAlias = tuple[str, str]


def tenant_of(job: Job) -> Tenant:
    """Whose limits a job counts against: its product's, and of that its actor's provider's."""
    return product_of(job), next(iter(job.role_id.split(":")[1:]), "")


class Past:
    """The jobs that ended, by tenant, the first to end first."""

    def __init__(self) -> None:
        self._kept: defaultdict[Tenant, dict[str, tuple[JobRecord, int]]] = defaultdict(dict)

    def add(self, record: JobRecord, octets: int) -> None:
        """A job that has ended, and what its files hold."""
        self._kept[tenant_of(record.job)][record.job.name] = record, octets

    def drop(self, job: Job) -> None:
        self._kept[tenant_of(job)].pop(job.name, None)

    def beyond(self, job: Job) -> Iterator[JobRecord]:
        """What is too much of the tenant of a job that has ended; never the last to end."""
        *others, _ = self._kept[tenant_of(job)].values()
        octets = sum(size for _, size in self._kept[tenant_of(job)].values())
        for place, (record, size) in enumerate(others):
            if len(others) + 1 - place <= JOBS_KEPT and octets <= KEPT_BYTES:
                return
            octets -= size
            yield record


__all__ = ["Past", "Tenant", "tenant_of"]
