"""The data that answers: one index, and its loader.

Invariants
1. A view is filled by one loader and never goes back in revision.
2. A view that was restored from a file is as the one that was saved, and changes as that one would.
"""

import json
from collections.abc import Callable, Sequence

from google.protobuf.message import DecodeError

from ..fastpath.image_read import ImageError, read_image
from ..fastpath.image_write import write_image
from ..fastpath.index import Index
from ..fastpath.layout import layout
from ..fastpath.loader import Loader
from ..v1 import object_pb2
from ..v1.replication_pb2 import ResumeToken

__all__ = ["PRODUCTS", "ScreeningView"]

PRODUCTS = {"both": 0, "pcs": 1, "cin": 2}  # what a listener serves, as the index knows it
LAYOUT = layout(object_pb2.Change)
TOGETHER = 64  # changes of one transaction: more would keep calls waiting for its switch


class ScreeningView:
    """What a replica fills and the calls read."""

    def __init__(self) -> None:
        self.index = Index()
        self._loader = Loader(self.index)

    def load(self, objects: Sequence[object_pb2.Object]) -> None:
        self._loader.load(objects)

    def whole(self, revision: int) -> None:
        """All that was loaded is in force, as of `revision`."""
        self.index.revision = revision

    def apply(self, changes: Sequence[tuple[int, bytes]]) -> None:
        """Encoded changes with their revisions, in order; a whole number of them at a time."""
        for first in range(0, len(changes), TOGETHER):
            some = changes[first : first + TOGETHER]
            records = [record for _, record in some]
            self._loader.apply_records(records, some[-1][0], LAYOUT, object_pb2.Change.FromString)

    @property
    def octets(self) -> int:
        """What the index holds in memory."""
        return sum(self.memory().values())

    def memory(self) -> dict[str, int]:
        """Octets by kind."""
        return self.index.memory()

    def saver(self, token: ResumeToken) -> Callable[[int], int]:
        """What writes all of it to a file, and gives the octets; raises OSError, MemoryError.

        `token` is where the view stands now; it may change while that is written.
        """
        said = {
            "store": token.store_id,
            "epoch": token.epoch,
            "revision": token.revision,
            "digests": self._loader.digests(),
        }
        head, kept = json.dumps(said).encode(), self._loader.kept()
        return lambda fd: write_image(self.index, fd, head, kept)

    def restore(self, fd: int) -> tuple[ResumeToken, int]:
        """Fills an empty view: where it stands, and the revision from which on it is whole.

        Raises ImageError, OSError, MemoryError.
        """
        said, objects, complete = read_image(self.index, fd)
        try:
            head = json.loads(said)
            self._loader.load(map(object_pb2.Object.FromString, objects))
            self._loader.know(head["digests"])
            token = ResumeToken(
                store_id=head["store"], epoch=head["epoch"], revision=head["revision"]
            )
        except (DecodeError, ValueError, KeyError, TypeError) as error:
            raise ImageError(f"the image says what cannot be: {error}") from error
        self.whole(token.revision)
        return token, complete
