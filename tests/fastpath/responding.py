"""A responder, compiled or plain, over a small platform; and what it made of a message."""

from typing import Any, NamedTuple

from callscreen.fastpath import recent, recent_reference, respond, respond_reference
from callscreen.fastpath.counts_types import Counted
from callscreen.fastpath.index import Index
from callscreen.fastpath.loader import Loader
from callscreen.fastpath.reference import Index as PlainIndex
from callscreen.v1 import object_pb2, records_pb2, screening_pb2

from ..edge.messages import Response, read
from ..edge.objects import platform

SOURCE = ("192.0.2.9", 5070)
NOW = 1_700_000_000_500_000_000  # nanoseconds
SECOND = 1_000_000_000
KINDS = ("compiled", "plain")


class Given(NamedTuple):
    """What became of a message: as Responded, the record as a message."""

    answer: bytes | None
    destination: tuple[str, int] | None
    record: screening_pb2.CallRecord | None
    dropped: str | None
    status: int
    awaits: str
    provider: str
    calling: str
    called: str
    onward: bytes | None = None
    send_to: tuple[str, int] | None = None
    place: bytes = b""
    cert_name: str = ""

    @property
    def read(self) -> Response:
        assert self.answer is not None, self
        return read(self.answer)

    @property
    def made(self) -> screening_pb2.CallRecord:
        assert self.record is not None, self
        return self.record

    @property
    def contact(self) -> str:
        return self.read.one("Contact")


class Bench:
    """A responder of one kind with an index of its kind."""

    def __init__(
        self,
        kind: str,
        objects: list[object_pb2.Object] | None = None,
        *,
        ready: bool = True,
        limit: int = 1000,
        secret: bytes = b"secret",
        **more: Any,
    ) -> None:
        options: dict[str, Any] = {"seed": b"0123456789abcdef", "edge": "edge-1"} | more
        self.index: Any
        self.responder: Any
        if kind == "compiled":
            self.index = Index()
            table = recent.RecentTable(limit)
            self.responder = respond.Responder(None, secret, recent=table, **options)
        else:
            self.index = PlainIndex()
            plain = recent_reference.RecentTable(limit)
            self.responder = respond_reference.Responder(None, secret, recent=plain, **options)
        self.loader = Loader(self.index)
        self.loader.load(platform() if objects is None else objects)
        self.index.revision = 7
        self.ready = ready

    @property
    def ready(self) -> bool:
        return self.responder.index is not None

    @ready.setter
    def ready(self, ready: bool) -> None:
        self.responder.index = self.index if ready else None

    @property
    def counts(self) -> Counted:
        counted: Counted = self.responder.counts()
        return counted

    def give(
        self,
        data: bytes,
        now: int = NOW,
        source: tuple[str, int] = SOURCE,
        transport: str = "udp",
        **more: Any,
    ) -> Given:
        got = self.responder.receive(data, source, transport, now, **more)
        return Given(*got._replace(record=as_message(got.record)))

    def ask(self, data: bytes, now: int = NOW) -> Response:
        return self.give(data, now).read

    def change(self, *objects: object_pb2.Object, revision: int = 8) -> None:
        mutations = [object_pb2.Mutation(name=each.name, put=each) for each in objects]
        self.loader.apply(object_pb2.Change(revision=revision, mutations=mutations))


def as_message(record: bytes | dict[str, Any] | None) -> screening_pb2.CallRecord | None:
    """A record on the wire, or its fields, as a message."""
    if record is None:
        return None
    if isinstance(record, dict):
        more = record.pop("more", b"")
        found = screening_pb2.CallRecord(**record)
        found.MergeFromString(more)
        return found
    (found,) = records_pb2.AppendRequest.FromString(record).records
    return found
