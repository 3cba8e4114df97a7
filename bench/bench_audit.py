"""The audit log's benchmarks, small enough to run with the suite."""

import time
from pathlib import Path

from pytest_benchmark.fixture import BenchmarkFixture

from callscreen.core.access import service
from callscreen.core.audit.files import AuditFiles
from callscreen.core.audit.rows import Change, render
from callscreen.core.origin import Origin
from callscreen.v1.object_pb2 import Object
from callscreen.v1.subscriber_pb2 import Number

ROWS = 1_000


def changes() -> list[Change]:
    made: list[Change] = []
    for place in range(ROWS):
        number = f"+1585{place:07}"
        body = Number(number=number, subscriber_name="alice", service_provider_name="acme")
        name = f"pcs/number/acme/alice/%2B{number[1:]}"
        made.append(("pcs", "number", name, "create", None, Object(name=name, number=body)))
    return made


def rendered(made: list[Change]) -> dict[str, bytes]:
    return render(service(), Origin("id", "192.0.2.1", "POST"), time.time(), made)


def test_rows_of_a_batch(benchmark: BenchmarkFixture) -> None:
    assert benchmark(rendered, changes())["pcs"].count(b"\n") == ROWS


def test_a_group_on_disk(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    files, rows = AuditFiles(tmp_path, (), lambda product: 1, time.time), rendered(changes())

    def group() -> None:
        files.append(rows)
        files.keep()

    benchmark(group)
    files.close()
    assert files.rows["pcs"] >= ROWS
