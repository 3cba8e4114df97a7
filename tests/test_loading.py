"""What `callscreen load` and `dump` make of their arguments, before the core sees them."""

from pathlib import Path

import pytest

from callscreen.bulk_commands import written
from callscreen.loading import LoadError, Loading, done, parent_of, type_of_file
from callscreen.v1.jobs_pb2 import Job


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
        with pytest.raises(LoadError):
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
    with pytest.raises(LoadError), written(str(path)) as file:
        parent_of("pcs", "administrator", file.name)  # which is refused
    assert list(tmp_path.iterdir()) == []
    with written(str(path)) as file:
        file.write(b"whole")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"whole", 0o600)
