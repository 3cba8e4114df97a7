"""What a job may become, as a table.

Invariants:
1. A job that has ended stays as it ended.
2. What was written before a failure or a cancellation is taken back before the job ends.
3. A job found in any phase at a start goes on from there.
"""

from typing import Final, TypeAlias

from ...v1 import jobs_pb2
from ...v1.bulk_pb2 import APPLYING, ENDED, STAGING, UNDOING, WAITING, JobPhase, JobRecord
from ...v1.jobs_pb2 import CANCELLED, DONE, FAILED, QUEUED, RUNNING, JobState

Phase: TypeAlias = "JobPhase.ValueType"
State: TypeAlias = "JobState.ValueType"

# phase -> the phases that may follow it
NEXT: Final[dict[Phase, frozenset[Phase]]] = {
    WAITING: frozenset({STAGING, APPLYING, ENDED}),
    STAGING: frozenset({APPLYING, ENDED}),
    APPLYING: frozenset({UNDOING, ENDED}),
    UNDOING: frozenset({ENDED}),
    ENDED: frozenset(),
}

# phase -> the states that a job shows in it
SHOWN: Final[dict[Phase, frozenset[State]]] = {
    WAITING: frozenset({QUEUED}),
    STAGING: frozenset({RUNNING}),
    APPLYING: frozenset({RUNNING}),
    UNDOING: frozenset({RUNNING}),
    ENDED: frozenset({DONE, FAILED, CANCELLED}),
}

NAMES: Final[dict[State, str]] = {
    QUEUED: "queued",
    RUNNING: "running",
    DONE: "done",
    FAILED: "failed",
    CANCELLED: "cancelled",
}


def move(record: JobRecord, phase: Phase, state: State, now: float) -> None:
    """Brings a job into another phase, in place. ValueError for what the tables do not allow."""
    if phase not in NEXT[record.phase]:
        raise ValueError(f"a job in phase {record.phase} cannot go to {phase}")
    if state not in SHOWN[phase]:
        raise ValueError(f"a job in phase {phase} cannot be {state}")
    record.phase = phase
    record.job.state = state
    if state == RUNNING and not record.job.HasField("started"):
        record.job.started.FromNanoseconds(int(now * 1e9))
    if phase == ENDED:
        record.job.ended.FromNanoseconds(int(now * 1e9))


def has_ended(job: jobs_pb2.Job) -> bool:
    """Whether nothing more becomes of a job."""
    return job.state in SHOWN[ENDED]


__all__ = ["NAMES", "NEXT", "SHOWN", "has_ended", "move"]
