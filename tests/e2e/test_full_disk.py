"""A disk that is full refuses changes and nothing else, and all is well once there is room."""

import resource
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from callscreen.v1 import object_pb2, provisioning_pb2, provisioning_pb2_grpc, subscriber_pb2

from .conftest import Platform, callscreen, eventually, running

NUMBERS = 400
LISTED = 400  # entries of each number's list: some 6 KB


def room(platform: Platform, octets: int) -> None:
    """No file of the core can become longer."""
    pid = platform.child("core")
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (octets, hard))


def number(place: int) -> str:
    return f"+1585556{place:04}"


class Client:
    def __init__(self, platform: Platform, channel: grpc.Channel) -> None:
        self.stub = provisioning_pb2_grpc.ProvisioningStub(channel)
        self.metadata = (("authorization", f"Bearer {platform.service_token}"),)

    def create(self, place: int) -> None:
        body = subscriber_pb2.Number(
            number=number(place), whitelist=[f"+1585{n:07}" for n in range(LISTED)]
        )
        request = provisioning_pb2.CreateRequest(
            parent="pcs/number/acme/alice", object=object_pb2.Object(number=body)
        )
        self.stub.Create(request, metadata=self.metadata, timeout=10)

    def count(self) -> int:
        request = provisioning_pb2.ListRequest(parent="pcs/number/acme/alice", page_size=1)
        return int(self.stub.List(request, metadata=self.metadata, timeout=10).total_size)


def fill(client: Client) -> tuple[int, grpc.RpcError]:
    """How many numbers fitted, and what the next one was told."""
    for place in range(NUMBERS):
        try:
            client.create(place)
        except grpc.RpcError as error:
            return place, error
    raise AssertionError("the disk did not become full")


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with running(tmp_path / "data") as found:
        found.ok("POST", "service_provider", {"name": "acme"})
        found.ok("POST", "subscriber/acme", {"name": "alice", "service_provider_name": "acme"})
        yield found


def test_a_full_disk_refuses_changes_and_recovers(platform: Platform, tmp_path: Path) -> None:
    with grpc.insecure_channel(platform.grpc) as channel:
        client = Client(platform, channel)
        size = (platform.data / "objects" / "data.mdb").stat().st_size
        room(platform, size + (1 << 18))
        fitted, error = fill(client)
        assert fitted > 5
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert error.details() == "The store is full."
        body = {"name": "apex", "notes": "x" * 900}
        answers = [
            platform.rest("POST", "service_provider", body | {"name": f"p{n}"}) for n in range(40)
        ]
        full = [answer["meta"] for answer in answers if answer["meta"]["code"] != 200]
        assert {(meta["code"], meta["message"]) for meta in full} <= {(429, "The store is full.")}
        assert client.count() == fitted
        assert platform.ok("GET", "service_provider/acme")
        assert "302" in platform.call("+15855559999", number(0))
        room(platform, resource.RLIM_INFINITY)
        client.create(fitted)
        assert client.count() == fitted + 1
    made = sum(answer["meta"]["code"] == 200 for answer in answers)
    assert platform.stop() == 0
    assert callscreen("check", "--data", str(platform.data)).stdout.endswith("all is well\n")
    rows = [
        line
        for path in (platform.data / "audit" / "pcs").glob("audit-*.log")
        for line in path.read_text().splitlines()
    ]
    assert sum(",number,acme/alice/" in line for line in rows) == fitted + 1
    assert sum(",service_provider," in line for line in rows) == made + 1


def test_a_backup_is_restored_and_serves(platform: Platform, tmp_path: Path) -> None:
    file, again = tmp_path / "backup.tar", tmp_path / "again"
    made = callscreen(
        "backup", "--to", str(file), "--grpc", platform.grpc, "--data", str(platform.data)
    )
    assert made.returncode == 0, made.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    platform.ok("POST", "service_provider", {"name": "later"})
    assert callscreen("check", "--data", str(platform.data)).returncode == 1  # a core has it open
    restored = callscreen("restore", str(file), "--data", str(again))
    assert restored.returncode == 0, restored.stderr
    twice = callscreen("restore", str(file), "--data", str(again))
    assert (twice.returncode, "not empty" in twice.stderr) == (1, True)
    checked = callscreen("check", "--data", str(again))
    assert checked.stdout.endswith("all is well\n"), checked.stdout + checked.stderr
    with running(again) as other:
        names = [each["attributes"]["name"] for each in other.ok("GET", "service_provider")]
        assert names == ["acme"]
        eventually(lambda: other.ok("POST", "service_provider", {"name": "after"}))


def test_a_backup_that_cannot_be_made_leaves_no_file(tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    made = callscreen("backup", "--to", str(file), "--grpc", "127.0.0.1:1", "--token", "x")
    assert made.returncode == 1
    assert made.stderr.startswith("callscreen: ")
    assert list(tmp_path.iterdir()) == []


def test_findings_end_a_check_with_status_1(tmp_path: Path) -> None:
    with running(tmp_path / "data") as platform:
        assert platform.stop() == 0
    (tmp_path / "data" / "pepper").unlink()
    checked = callscreen("check", "--data", str(tmp_path / "data"))
    assert checked.returncode == 1
    assert checked.stdout == "pepper: it is missing: stored PINs match nothing\n"
    assert "1 findings" in checked.stderr
