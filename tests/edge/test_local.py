"""The replica on disk: what is recovered is a revision that was there, whatever befell it."""

import errno
import logging
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from callscreen.edge import local as local_module
from callscreen.edge.journal import Journal
from callscreen.edge.local import Local
from callscreen.v1.object_pb2 import Change, Object
from callscreen.v1.replication_pb2 import ResumeToken

from .names import Names


def token(revision: int, store: str = "first", epoch: int = 1) -> ResumeToken:
    return ResumeToken(store_id=store, epoch=epoch, revision=revision)


def change(revision: int, name: str) -> tuple[int, bytes]:
    made = Change(revision=revision)
    made.mutations.add(name=name).put.CopyFrom(Object(name=name))
    return revision, made.SerializeToString()


class Edge:
    """A view that takes changes, as a replica gives them to it and to the disk."""

    def __init__(self, folder: Path, clock: list[float]) -> None:
        self.local = Local(folder, Names, lambda: clock[0])
        self.local.open()
        self.view, self.token = Names(), token(0)

    def take(self, *names: str) -> None:
        for name in names:
            self.token.revision += 1
            put = change(self.token.revision, name)
            self.view.apply([put])
            self.local.append([put[1]])

    def save(self) -> None:
        image = self.local.begin(self.view, self.token)
        if image is not None:
            self.local.write(image)
            self.local.finish(image)


@pytest.fixture
def clock() -> list[float]:
    return [0.0]


@pytest.fixture
def edge(tmp_path: Path, clock: list[float]) -> Edge:
    made = Edge(tmp_path / "replica", clock)
    made.save()
    return made


def recovered(edge: Edge) -> tuple[set[str], int]:
    """What a new process finds: its names and revision; nothing and -1 where it finds nothing."""
    edge.local.close()
    again = Local(edge.local._folder, Names)
    again.open()
    found = again.recover()
    again.close()
    return (found[0].names, found[1].revision) if found else (set(), -1)


def files(edge: Edge) -> list[str]:
    return sorted(path.name for path in edge.local._folder.iterdir())


def test_nothing_is_recovered_from_an_empty_folder(tmp_path: Path) -> None:
    local = Local(tmp_path / "a" / "b", Names)
    local.open()
    assert local.recover() is None
    assert local.due(), "an image is owed as soon as there is a view"
    local.append([b"to nothing"])
    local.close()
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_an_image_and_what_came_after_it_are_recovered(edge: Edge) -> None:
    edge.take("a", "b")
    edge.save()
    edge.take("c")
    assert recovered(edge) == ({"a", "b", "c"}, 3)
    assert files(edge) == ["changes-0000000002", "image-0000000002"]
    for path in edge.local._folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_recovered_goes_on(edge: Edge, clock: list[float]) -> None:
    edge.take("a")
    edge.local.close()
    for place, name in enumerate("bcd", 2):
        edge = Edge(edge.local._folder, clock)
        found = edge.local.recover()
        assert found is not None
        edge.view, edge.token = found
        assert edge.token == token(place - 1)
        edge.take(name)
        edge.local.close()
    assert recovered(edge) == ({"a", "b", "c", "d"}, 4)


def test_a_folder_serves_one_process(edge: Edge) -> None:
    other = Local(edge.local._folder, Names)
    with pytest.raises(OSError, match="another edge uses"):
        other.open()
    edge.local.close()
    other.open()
    other.close()


def test_changes_cut_off_anywhere_lose_the_last_and_go_on(
    edge: Edge, clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    edge.take("a", "b", "c")
    edge.local.close()
    path = edge.local._folder / "changes-0000000001"
    octets = path.read_bytes()
    for end in range(len(octets)):
        path.write_bytes(octets[:end])
        caplog.clear()
        again = Edge(edge.local._folder, clock)
        found = again.local.recover()
        assert found is not None
        again.view, again.token = found
        assert again.view.names == set("abc"[: again.token.revision])
        assert sum("cut off" in line for line in caplog.messages) <= 1
        if not again.local.due():  # the file is gone on with
            again.take("x")
            held = again.view.names
            assert recovered(again) == (held, again.token.revision)
        again.local.close()


def test_an_image_that_is_damaged_is_told_and_left(
    edge: Edge, caplog: pytest.LogCaptureFixture
) -> None:
    (edge.local._folder / "image-0000000001").write_bytes(b"{")
    assert recovered(edge) == (set(), -1)
    assert ["is of no use" in line for line in caplog.messages] == [True]
    assert (edge.local._folder / "image-0000000001").exists()


def test_a_change_that_does_not_fit_ends_no_start(edge: Edge) -> None:
    edge.take("a")
    edge.local.append([change(2, "poison")[1]])
    assert recovered(edge) == (set(), -1)


def test_a_gap_in_the_changes_is_not_stepped_over(edge: Edge) -> None:
    edge.take("a")
    edge.local.append([change(3, "c")[1]])
    assert recovered(edge) == ({"a"}, 1)


def test_changes_that_an_image_holds_already_are_not_taken_twice(edge: Edge) -> None:
    edge.take("a")
    edge.local.append([change(1, "twice")[1], change(2, "b")[1]])
    assert recovered(edge) == ({"a", "b"}, 2)


@pytest.mark.parametrize("other", [token(1, "second"), token(1, epoch=2), token(5)])
def test_changes_of_another_history_are_no_part_of_it(edge: Edge, other: ResumeToken) -> None:
    edge.take("a")
    journal = Journal(edge.local._folder / "changes-0000000002", other.SerializeToString())
    journal.append([change(2, "b")[1]])
    journal.close()
    assert recovered(edge) == ({"a"}, 1)


def test_an_image_is_due_by_changes_octets_and_age(
    edge: Edge, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock[0] = 10_000.0
    assert not edge.local.due(), "nothing changed"
    edge.take("a")
    assert edge.local.due()
    edge.save()
    edge.take("b")
    assert not edge.local.due()
    monkeypatch.setattr(local_module, "JOURNAL_CHANGES", 1)
    assert edge.local.due()
    monkeypatch.undo()
    monkeypatch.setattr(local_module, "JOURNAL_OCTETS", 10)
    assert edge.local.due()
    edge.local._took = 5.0
    clock[0] += 49.0
    assert not edge.local.due(), "images take a tenth of the time at most"
    clock[0] += 1.0
    assert edge.local.due()
    edge.local.leave()
    assert edge.local.due(), "another view answers"
    edge.local.close()


def test_a_disk_that_fails_is_told_once_and_tried_again(
    edge: Edge,
    clock: list[float],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "callscreen.edge")
    edge.take("a")

    def full(self: Names, fd: int, token: str) -> int:
        os.write(fd, b"a beginning")
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(Names, "save", full)
    for _ in range(3):
        edge.save()
    edge.take("b")
    assert "no space left" in edge.local.failure
    assert not edge.local.due()
    clock[0] += local_module.RETRY_SECONDS
    assert edge.local.due()
    assert not list(edge.local._folder.glob("*.tmp"))
    monkeypatch.undo()
    edge.save()
    edge.take("c")
    assert edge.local.failure == ""
    assert recovered(edge) == ({"a", "b", "c"}, 3)
    told = [line for line in caplog.messages if "recovered" not in line]
    assert [line.partition(":")[0] for line in told] == [
        "no image of the replica can be written",
        "the replica on disk is whole again",
    ]


def test_changes_go_on_where_an_image_cannot_be_written(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They lead on from the image before; where there is none they are of no use."""
    edge.take("a")
    edge.save()
    edge.take("b")

    def full(self: Names, fd: int, token: str) -> int:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(Names, "save", full)
    for name in "cde":
        edge.save()
        edge.take(name)
    monkeypatch.undo()
    assert edge.local.failure
    assert recovered(edge) == ({"a", "b", "c", "d", "e"}, 5)


def test_a_disk_that_stays_full_is_not_filled_with_what_nobody_will_read(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge.take("a")

    def full(self: Names, fd: int, token: str) -> int:
        raise OSError(errno.ENOSPC, "no space left")

    with monkeypatch.context() as patch:
        patch.setattr(Names, "save", full)
        for _ in range(5):
            edge.save()
            edge.take("b")
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", nothing_more)
        for _ in range(5):
            edge.save()
    changes = [f"changes-{number:010}" for number in range(1, 7)]
    assert files(edge) == [*changes, "image-0000000001"]
    edge.save()
    edge.take("c")
    assert len(files(edge)) == 2
    assert recovered(edge) == ({"a", "b", "c"}, 7)


def nothing_more(fd: int, octets: bytes) -> int:
    raise OSError(errno.ENOSPC, "no space left")


def test_after_a_change_that_was_not_written_none_is(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came before stays; a later one over the gap would be no revision that ever was."""
    edge.take("a")

    def full(fd: int, octets: bytes) -> int:
        raise OSError(errno.ENOSPC, "no space left")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        edge.take("b")
    edge.take("c")
    assert edge.local.failure
    assert recovered(edge) == ({"a"}, 1)


def test_until_the_next_image_stands_the_last_and_all_changes_do(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changes that come while an image cannot be ended follow those before it."""
    edge.take("a")

    def ended(self: Path, target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", ended)
        with pytest.raises(KeyboardInterrupt):
            edge.save()
    edge.take("b")
    assert files(edge) == [
        "changes-0000000001",
        "changes-0000000002",
        "image-0000000001",
        "image-0000000002.tmp",
    ]
    assert recovered(edge) == ({"a", "b"}, 2)


KILLED = """
    import os, sys, time
    from pathlib import Path
    from callscreen.edge.local import Local
    from tests.edge.names import Names
    from tests.edge.test_local import change, token

    class Slow(Names):
        def save(self, fd, token):
            if not self.names:
                return super().save(fd, token)
            os.write(fd, b"half of an image")
            print("now", flush=True)
            time.sleep(60)

    local, view, at = Local(Path(sys.argv[1]), Slow), Slow(), token(0)
    local.open()
    local.finish(image) if (image := local.begin(view, at)) and not local.write(image) else None
    for revision, octets in (change(1, "a"), change(2, "b")):
        view.apply([(revision, octets)])
        local.append([octets])
    local.write(local.begin(view, token(2)))
"""


def test_a_process_killed_in_mid_image_has_lost_nothing(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path)], stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"now\n"
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert list(tmp_path.glob("*.tmp"))
    local = Local(tmp_path, Names)
    local.open()
    found = local.recover()
    assert found is not None
    assert (found[0].names, found[1].revision) == ({"a", "b"}, 2)
    assert not list(tmp_path.glob("*.tmp"))
    local.close()
