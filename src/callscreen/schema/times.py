"""Time as JSON shows it: ISO 8601 in UTC with milliseconds, ending in Z."""

from datetime import UTC, datetime
from functools import lru_cache

from google.protobuf.timestamp_pb2 import Timestamp

from ..v1.object_pb2 import Stamps

MILLISECOND = 1_000_000  # nanoseconds
SECOND = 1_000 * MILLISECOND


def nanoseconds(time: Timestamp) -> int:
    """Since 1970-01-01T00:00:00Z."""
    return time.seconds * SECOND + time.nanos


def iso(time: Timestamp) -> str:
    """Such as 2026-01-31T12:00:00.250Z; what is finer than a millisecond is cut off."""
    return f"{_second(time.seconds)}.{time.nanos // MILLISECOND:03d}Z"


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()


def stamps_to_json(stamps: Stamps) -> dict[str, str | None]:
    """Who made and who last changed an object, and when; None where it is not known."""
    return {
        "modified_by": stamps.modified_by or None,
        "modified": iso(stamps.modified) if stamps.HasField("modified") else None,
        "created_by": stamps.created_by or None,
        "created": iso(stamps.created) if stamps.HasField("created") else None,
    }
