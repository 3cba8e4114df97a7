"""The core is killed under concurrent writes, and nothing that it acknowledged is lost."""

import csv
import os
import random
import signal
import threading
import time
from pathlib import Path

import grpc

from callscreen.v1 import (
    object_pb2,
    provisioning_pb2,
    provisioning_pb2_grpc,
    replication_pb2,
    replication_pb2_grpc,
    subscriber_pb2,
)

from .conftest import Platform, eventually, running

ROUNDS = 20
WRITERS = 4
NUMBERS = 40  # written again and again, each time with another list


class Writer(threading.Thread):
    """Writes its own numbers until told to stop, remembering what was acknowledged."""

    def __init__(self, platform: Platform, index: int) -> None:
        super().__init__(daemon=True)
        self.platform = platform
        self.numbers = [f"+1585{index:03}{n:04}" for n in range(NUMBERS)]
        self.acknowledged: dict[str, int] = {}
        self.tried: dict[str, int] = {}
        self.value = 0
        self.stopped = threading.Event()
        self.errors: list[grpc.RpcError] = []

    def run(self) -> None:
        metadata = (("authorization", f"Bearer {self.platform.service_token}"),)
        while not self.stopped.is_set():
            with grpc.insecure_channel(self.platform.grpc) as channel:
                stub = provisioning_pb2_grpc.ProvisioningStub(channel)
                while not self.stopped.is_set():
                    self.value += 1
                    number = self.numbers[self.value % NUMBERS]
                    self.tried[number] = self.value
                    try:
                        stub.Update(self.request(number), metadata=metadata, timeout=5)
                    except grpc.RpcError as error:
                        if error.code() is not grpc.StatusCode.UNAVAILABLE:
                            self.errors.append(error)
                        time.sleep(0.02)
                        break
                    self.acknowledged[number] = self.value

    def request(self, number: str) -> provisioning_pb2.UpdateRequest:
        body = subscriber_pb2.Number(
            number=number,
            subscriber_name="alice",
            service_provider_name="acme",
            nickname=str(self.value),
            blacklist=[f"+1900{self.value:07}"],
        )
        return provisioning_pb2.UpdateRequest(
            name=f"pcs/number/acme/alice/%2B{number[1:]}",
            object=object_pb2.Object(number=body),
            allow_missing=True,
        )


def provision(platform: Platform) -> None:
    platform.ok("POST", "service_provider", {"name": "acme"})
    platform.ok("POST", "subscriber/acme", {"name": "alice", "service_provider_name": "acme"})
    rule = {"personal": True, "global": True, "override": False, "stir_shaken": False}
    lists = {"match": "terminate", "no_match": "next", "priority": 1}
    platform.ok("PUT", "screening_rule/acme", {"blacklist": {**rule, **lists}})


def check_acknowledged(platform: Platform, writers: list[Writer]) -> None:
    """Every write that was answered before this moment is there, or one tried after it."""
    metadata = (("authorization", f"Bearer {platform.service_token}"),)
    before = [(writer, dict(writer.acknowledged)) for writer in writers]
    with grpc.insecure_channel(platform.grpc) as channel:
        stub = provisioning_pb2_grpc.ProvisioningStub(channel)
        for writer, acknowledged in before:
            assert writer.errors == []
            for number, value in acknowledged.items():
                name = f"pcs/number/acme/alice/%2B{number[1:]}"
                request = provisioning_pb2.GetRequest(name=name)
                stored = stub.Get(request, metadata=metadata, timeout=10)
                nickname = int(stored.number.nickname)
                assert value <= nickname <= writer.tried[number], "an acknowledged write is lost"


def check_edge(platform: Platform, writers: list[Writer]) -> None:
    """Once all is quiet, the edge answers by the last value of every number."""
    for writer in writers:
        for number, value in writer.acknowledged.items():
            if writer.tried[number] == value:
                listed, other = f"+1900{value:07}", f"+1900{value - 1:07}"
                eventually(lambda n=number, c=listed: "603" in platform.call(c, n), 10)
                assert "302" in platform.call(other, number)


def log_has_no_gap(channel: grpc.Channel, metadata: tuple[tuple[str, str], ...]) -> int:
    """How many changes of numbers the log tells of."""
    stub = replication_pb2_grpc.ReplicationStub(channel)
    snapshot = list(stub.Snapshot(replication_pb2.SnapshotRequest(), metadata=metadata, timeout=10))
    whole = snapshot[-1].complete
    after = getattr(snapshot[0], "from")
    after.revision = 0
    watch = stub.Watch(replication_pb2.WatchRequest(after=after), metadata=metadata, timeout=20)
    expected, numbers = 1, 0
    for change in watch:
        assert change.revision == expected, "the change log has a gap"
        expected += 1
        numbers += sum(each.name.startswith("pcs/number/") for each in change.mutations)
        if change.revision >= whole:
            break
    watch.cancel()
    return numbers


def audited(data: Path) -> int:
    """How many changes of numbers the audit log tells of."""
    numbers = 0
    for path in (data / "audit" / "pcs").glob("audit-*.log"):
        with path.open(newline="") as file:
            numbers += sum(row[7] == "number" for row in csv.reader(file))
    return numbers


def test_nothing_acknowledged_is_lost_in_twenty_kills(tmp_path: Path) -> None:
    with running(tmp_path / "data") as platform:
        provision(platform)
        writers = [Writer(platform, index) for index in range(WRITERS)]
        for writer in writers:
            writer.start()
        for _ in range(ROUNDS):
            before = sum(writer.value for writer in writers)
            time.sleep(random.uniform(0.05, 0.3))
            eventually(lambda before=before: sum(w.value for w in writers) > before + 20)
            os.kill(platform.child("core"), signal.SIGKILL)
            eventually(lambda: answers(platform))
            check_acknowledged(platform, writers)
        for writer in writers:
            writer.stopped.set()
        for writer in writers:
            writer.join(20)
        assert sum(len(writer.acknowledged) for writer in writers) == WRITERS * NUMBERS
        check_acknowledged(platform, writers)
        check_edge(platform, writers)
        metadata = (("authorization", f"Bearer {platform.service_token}"),)
        with grpc.insecure_channel(platform.grpc) as channel:
            changes = log_has_no_gap(channel, metadata)
        assert changes == audited(platform.data) >= sum(len(w.acknowledged) for w in writers)


def answers(platform: Platform) -> bool:
    with grpc.insecure_channel(platform.grpc) as channel:
        stub = provisioning_pb2_grpc.ProvisioningStub(channel)
        metadata = (("authorization", f"Bearer {platform.service_token}"),)
        try:
            stub.Get(
                provisioning_pb2.GetRequest(name="pcs/service_provider/acme"),
                metadata=metadata,
                timeout=2,
            )
        except grpc.RpcError:
            return False
        return True
