"""What `callscreen load` and `dump` make of their arguments, before the core sees them."""

import errno
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from callscreen import loading
from callscreen.asking import AskError, take_backup
from callscreen.loading import LoadError, Loading, done, dump_file, parent_of, type_of_file
from callscreen.ops.grpc_tls import ClientTls
from callscreen.output import OutputError, output
from callscreen.v1 import jobs_pb2_grpc
from callscreen.v1.jobs_pb2 import (
    DONE,
    RUNNING,
    DownloadRequest,
    ExportRequest,
    FileChunk,
    GetJobRequest,
    Job,
)
from callscreen.v1.provisioning_pb2 import TableQuery


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("subscriber_name,service_provider_name,number\nalice,acme,5851239876\n", "number"),
        ("\ufeffname\r\nacme\r\n", "service_provider"),
        ('\n\n"username",role_id\n', "administrator"),
        ("name,service_provider_name", "subscriber"),
    ],
)
def test_a_header_row_tells_the_object(tmp_path: Path, text: str, found: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(text.encode())
    assert type_of_file(path, "pcs") == found


@pytest.mark.parametrize("text", ["", "foo,bar\n1,2\n", "+15851239876,alice,acme\n", '"x\n'])
def test_an_unknown_header_needs_the_object_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(LoadError, match="--object"):
        type_of_file(path, "pcs")


def test_a_provider_narrows_what_lies_below_one() -> None:
    assert Loading("pcs", "number").parent == "pcs/number"
    assert Loading("pcs", "number", provider="a/b").parent == "pcs/number/a%2Fb"
    assert parent_of("cin", "number", "acme", "alice") == "cin/number/acme/alice"
    for wrong in (
        ("service_provider", "acme"),
        ("administrator", "acme"),
        ("subscriber", "a", "b"),
    ):
        with pytest.raises(LoadError, match="what --provider and --subscriber name"):
            parent_of("pcs", *wrong)


def test_the_bar_never_goes_back() -> None:
    steps = [
        Job(bytes_total=100),
        Job(bytes_total=100, bytes_done=50),
        Job(bytes_total=100, bytes_done=100),
        Job(bytes_total=100, bytes_done=100, rows_total=8),
        Job(bytes_total=100, bytes_done=100, rows_total=8, rows_done=4),
        Job(bytes_total=100, bytes_done=100, rows_total=8, rows_done=8),
    ]
    parts = [done(job) for job in steps]
    assert parts == sorted(parts)
    assert (parts[0], parts[-1]) == (0.1, 1.0)


def test_a_file_appears_whole_or_not(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with pytest.raises(LoadError), output(str(path)) as file:
        parent_of("pcs", "administrator", file.name)  # which is refused
    assert list(tmp_path.iterdir()) == []
    with output(str(path)) as file:
        file.write(b"whole")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"whole", 0o600)


def test_a_file_that_cannot_be_is_named_with_the_reason(tmp_path: Path) -> None:
    missing = str(tmp_path / "none" / "out.csv")
    with pytest.raises(OutputError) as found, output(missing):
        pass
    assert str(found.value) == f"{missing} cannot be written: No such file or directory"
    with pytest.raises(OutputError, match="No space left"), output(str(tmp_path / "x")):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_link_stays_one_and_what_it_names_is_made(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "out.csv")
    with output(str(tmp_path / "link")) as file:
        file.write(b"whole")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "out.csv").read_bytes() == b"whole"


def test_a_pipe_is_written_into_and_a_folder_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit((tmp_path / "pipe").read_bytes)
        with output(str(tmp_path / "pipe")) as file:
            file.write(b"whole")
        assert read.result() == b"whole"
    assert [entry.name for entry in tmp_path.iterdir()] == ["pipe"]
    with pytest.raises(OutputError, match="Is a directory"), output(str(tmp_path)):
        pass


def test_a_core_that_is_not_there_is_named() -> None:
    with pytest.raises(AskError, match=r"^the core at 127\.0\.0\.1:1: "):
        next(take_backup("127.0.0.1:1", ClientTls(), "token", True, 5.0))


class Away(jobs_pb2_grpc.JobsServicer):
    """Jobs of a core that is away when it is first asked for one."""

    def __init__(self, code: grpc.StatusCode, times: int) -> None:
        self.code, self.left = code, times

    def Export(self, request: ExportRequest, context: grpc.ServicerContext) -> Job:  # noqa: N802
        return Job(name="pcs/job/1", kind="export", state=RUNNING)

    def GetJob(self, request: GetJobRequest, context: grpc.ServicerContext) -> Job:  # noqa: N802
        if self.left:
            self.left -= 1
            context.abort(self.code, "It is not there.")
        return Job(name=request.name, kind="export", state=DONE)

    def Download(  # noqa: N802
        self, request: DownloadRequest, context: grpc.ServicerContext
    ) -> Iterator[FileChunk]:
        return iter([FileChunk(data=b"whole")])


def dumped(jobs: Away, path: Path) -> bytes:
    server = grpc.server(ThreadPoolExecutor(2))
    jobs_pb2_grpc.add_JobsServicer_to_server(jobs, server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        with path.open("wb") as file:
            dump_file(
                "pcs/number", TableQuery(), file, address, ClientTls(), "token", lambda *_: None
            )
    finally:
        server.stop(None).wait()
    return path.read_bytes()


def test_a_job_is_followed_beyond_a_core_that_ends(tmp_path: Path) -> None:
    jobs = Away(grpc.StatusCode.UNAVAILABLE, 2)
    assert dumped(jobs, tmp_path / "out.csv") == b"whole"
    assert jobs.left == 0


def test_a_core_that_stays_away_leaves_the_name_of_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "AWAY_SECONDS", 0.0)
    with pytest.raises(LoadError, match="job pcs/job/1 goes on"):
        dumped(Away(grpc.StatusCode.UNAVAILABLE, 1), tmp_path / "out.csv")


def test_a_refusal_is_not_waited_out(tmp_path: Path) -> None:
    jobs = Away(grpc.StatusCode.PERMISSION_DENIED, 2)
    with pytest.raises(LoadError, match="It is not there"):
        dumped(jobs, tmp_path / "out.csv")
    assert jobs.left == 1
