"""Imports meet kills and interruptions: what is there after them is all of a file, or nothing."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

from callscreen.asking import credentials
from callscreen.v1 import jobs_pb2 as pb
from callscreen.v1 import jobs_pb2_grpc, provisioning_pb2, provisioning_pb2_grpc

from .conftest import Platform, callscreen, eventually, running

ROWS = 8_000
HEADER = "number,subscriber_name,service_provider_name,nickname\n"
ENDED = (pb.DONE, pb.FAILED, pb.CANCELLED)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with running(tmp_path_factory.mktemp("bulk") / "data") as found:
        found.ok("POST", "service_provider", {"name": "acme"})
        found.ok("POST", "subscriber/acme", {"name": "alice", "service_provider_name": "acme"})
        yield found


def rows(first: int, nickname: str) -> str:
    return "".join(f"+1{first + n},alice,acme,{nickname}\n" for n in range(ROWS))


@contextlib.contextmanager
def jobs(platform: Platform) -> Iterator["jobs_pb2_grpc.JobsStub"]:
    with grpc.insecure_channel(platform.grpc) as channel:
        yield jobs_pb2_grpc.JobsStub(channel)


def begin(platform: Platform, text: str) -> str:
    """The name of a job that is taken."""
    requests = [pb.ImportRequest(spec=pb.ImportSpec(parent="pcs/number"))]
    data = text.encode()
    requests += [
        pb.ImportRequest(data=data[at : at + 500_000]) for at in range(0, len(data), 500_000)
    ]
    with jobs(platform) as stub:
        metadata = credentials(platform.service_token)
        name: str = stub.Import(iter(requests), metadata=metadata, timeout=20).name
    return name


def look(platform: Platform, name: str) -> pb.Job | None:
    """The job; None while the core is away."""
    with jobs(platform) as stub:
        try:
            metadata = credentials(platform.service_token)
            return stub.GetJob(pb.GetJobRequest(name=name), metadata=metadata, timeout=5)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            return None


def ended(platform: Platform, name: str) -> pb.Job:
    job = eventually(lambda: (job := look(platform, name)) and job.state in ENDED and job, 60)
    assert isinstance(job, pb.Job)
    return job


def kill_core_once(platform: Platform, name: str, ready: Callable[[pb.Job], bool]) -> bool:
    """Kills the core when the job is so far; whether it had not ended by then."""
    job = eventually(
        lambda: (job := look(platform, name)) and (ready(job) or job.state in ENDED) and job
    )
    os.kill(platform.child("core"), signal.SIGKILL)
    return job.state not in ENDED


def count(platform: Platform, search: str = "") -> int:
    with grpc.insecure_channel(platform.grpc) as channel:
        stub = provisioning_pb2_grpc.ProvisioningStub(channel)
        request = provisioning_pb2.ListRequest(parent="pcs/number/acme/alice", page_size=0)
        request.query.search = search
        metadata = credentials(platform.service_token)
        return stub.List(request, metadata=metadata, timeout=20).total_size


@pytest.mark.parametrize("turn", range(2))
def test_a_job_whose_core_is_killed_goes_on_to_its_end(platform: Platform, turn: int) -> None:
    before = count(platform)
    name = begin(platform, HEADER + rows(585_100_0000 + turn * 100_000, f"turn{turn}"))
    ready = (lambda job: job.rows_done > 0, lambda job: bool(job.bytes_done))[turn]
    kill_core_once(platform, name, ready)
    kill_core_once(platform, name, lambda job: job.rows_total > 0)
    job = ended(platform, name)
    assert (job.state, job.rows_done, job.rows_created) == (pb.DONE, ROWS, ROWS), job
    assert count(platform, f"nickname:turn{turn}") == ROWS
    assert count(platform) == before + ROWS
    called = f"+1{585_100_0000 + turn * 100_000 + ROWS - 1}"
    eventually(lambda: "302" in platform.call("+15855550000", called))


def test_a_refused_file_leaves_nothing_however_often_the_core_is_killed(platform: Platform) -> None:
    before = count(platform)
    name = begin(platform, HEADER + rows(585_200_0000, "bad") + "+15859999999,nobody,acme,\n")
    for far in (1, ROWS // 2, ROWS):
        kill_core_once(platform, name, lambda job, far=far: job.rows_done >= far)  # type: ignore[misc]
    job = ended(platform, name)
    assert (job.state, job.errors) == (pb.FAILED, 1), job
    assert count(platform, "nickname:bad") == 0
    assert count(platform) == before


def test_interrupting_load_cancels_it(platform: Platform, tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    blocks = (rows(585_300_0000 + turn * 10_0000, "never") for turn in range(10))
    path.write_text(HEADER + "".join(blocks))  # some seconds of work
    core = ("--grpc", platform.grpc, "--data", str(platform.data))
    process = subprocess.Popen(
        [sys.executable, "-m", "callscreen.cli", "load", str(path), *core],
        stderr=subprocess.PIPE,
        text=True,
    )
    newest = eventually(lambda: running_job(platform))
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert (process.returncode, "cancelled: nothing was written" in told) == (1, True), told
    assert ended(platform, newest).state == pb.CANCELLED
    assert count(platform, "nickname:never") == 0


def running_job(platform: Platform) -> str | None:
    with jobs(platform) as stub:
        request = pb.ListJobsRequest(parent="pcs/job")
        metadata = credentials(platform.service_token)
        found = stub.ListJobs(request, metadata=metadata, timeout=5).jobs
        return found[0].name if found and found[0].state == pb.RUNNING else None


def test_what_dump_writes_load_reads(platform: Platform, tmp_path: Path) -> None:
    core = ("--grpc", platform.grpc, "--data", str(platform.data))
    path = tmp_path / "subscribers.csv"
    done = callscreen("dump", "subscriber", "--provider", "acme", "--to", str(path), *core)
    assert done.returncode == 0, done.stderr
    assert path.read_text().splitlines()[1].startswith("alice,,acme,")
    assert callscreen("dump", "subscriber", *core).stdout.encode() == path.read_bytes().replace(
        b"\r\n", b"\n"
    )
    again = callscreen("load", str(path), *core)
    assert again.stdout.startswith("1 loaded (0 new, 0 changed), 0 refused"), again.stderr
    dry = callscreen("load", str(path), "--mode", "insert", "--dry-run", *core)
    assert (dry.returncode, "The object exists already." in dry.stderr) == (1, True)
