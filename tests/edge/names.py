"""An index of nothing but names, for the tests of what fills and keeps one."""

import json
import os
from collections.abc import Callable, Sequence

from callscreen.v1 import object_pb2
from callscreen.v1.replication_pb2 import ResumeToken


class Names:
    """An index that holds names only, and knows whether somebody read it half filled."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.applied: list[int] = []
        self.started = 0

    def load(self, objects: Sequence[object_pb2.Object]) -> None:
        for obj in objects:
            self.names.add(obj.name)

    def whole(self, revision: int) -> None:
        self.started = revision

    def apply(self, changes: Sequence[tuple[int, bytes]]) -> None:
        for revision, octets in changes:
            change = object_pb2.Change.FromString(octets)
            assert change.revision == revision
            self._apply(change)

    def _apply(self, change: object_pb2.Change) -> None:
        for mutation in change.mutations:
            if mutation.name == "poison":
                raise ValueError("poison")
            if mutation.HasField("put"):
                self.names.add(mutation.name)
            else:
                self.names.discard(mutation.name)
        self.applied.append(change.revision)

    @property
    def octets(self) -> int:
        return 100 * len(self.names)

    def saver(self, token: ResumeToken) -> Callable[[int], int]:
        said = token.SerializeToString().hex()
        return lambda fd: self.save(fd, said)

    def save(self, fd: int, token: str) -> int:
        complete = max([0, *self.applied])
        said = {"token": token, "names": sorted(self.names), "complete": complete}
        return os.write(fd, json.dumps(said).encode())

    def restore(self, fd: int) -> tuple[ResumeToken, int]:
        said = json.loads(os.read(fd, 1_000_000))
        self.names = set(said["names"])
        return ResumeToken.FromString(bytes.fromhex(said["token"])), said["complete"]
