"""From a file to staged blocks: the quick way and the long way are one, in parts and whole."""

import io
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.core.bulk import lines as lines_module
from callscreen.core.bulk.assembling import Assembler
from callscreen.core.bulk.blocks import Blocks, Damaged, read_messages
from callscreen.core.bulk.checking import row_check
from callscreen.core.bulk.lines import TOO_LONG, TOO_MANY, Lines, Refused
from callscreen.core.bulk.processes import MODULE
from callscreen.core.bulk.quick import quick_of
from callscreen.core.bulk.staging import Staged, Task, stage_here
from callscreen.core.commands.context import Means
from callscreen.schema import TYPES
from callscreen.schema.csv import csv_columns
from callscreen.v1.jobs_pb2 import UPSERT, JobLine

MEANS = Means(b"p" * 32, lambda size: b"s" * size)

entries = st.lists(st.from_regex(r"\+[0-9x]{1,15}\*?", fullmatch=True), max_size=25)
names = st.one_of(
    st.sampled_from(["alice", "-x", "=a b", "a/b", "o'neil", "x" * 65, "b%2Bc"]),
    st.text("abcXYZ 0-9.+@=_~$", max_size=70),
)
texts = st.one_of(st.just(""), st.text("ab \\{}|;'%&<>", max_size=12), st.text(max_size=6))
CELLS = {
    "number": st.from_regex(r"\+[0-9]{1,16}", fullmatch=True),
    "name": names,
    "subscriber_name": names,
    "service_provider_name": names,
    "whitelist": entries.map(";".join),
    "blacklist": entries.map(";".join),
    "service_enabled": st.sampled_from(["", "true", "false", "True", "no"]),
    "override": st.sampled_from(["", "", "{}"]),
    "notes": st.one_of(texts, st.just("n" * 200), st.just("n" * 2049)),
}


@st.composite
def files(draw):
    type_ = draw(st.sampled_from(["service_provider", "subscriber", "number"]))
    product = draw(st.sampled_from(["pcs", "cin"]))
    columns = list(csv_columns(TYPES[type_], product))
    kept = [name for name in columns if name in TYPES[type_].key or draw(st.booleans())]
    order = draw(st.permutations(kept))
    given_ = ("acme",) if type_ != "service_provider" and draw(st.booleans()) else ()
    cells = [draw(CELLS.get(name, texts)) for name in order]
    if given_ and "service_provider_name" in order:
        cells[order.index("service_provider_name")] = draw(st.sampled_from(["", "acme", "other"]))
    return type_, product, order, given_, cells


@given(files())
@settings(max_examples=400, deadline=None)
def test_the_quick_way_gives_what_the_long_way_gives(case):
    type_, product, order, given_, cells = case
    kind = TYPES[type_]
    quick = quick_of(kind, product, order, given_)
    line = ",".join(cells)
    if quick is None or "\n" in line:
        return
    fast, slow = Assembler(kind, product), Assembler(kind, product)
    if not takes(quick, line, fast):
        assert fast.whole() == b""
        return
    row_check(kind, product, order, given_, UPSERT, "1", MEANS)(7, line.split(","), slow)
    assert fast.whole() == slow.whole()


def takes(quick, line, into):
    """Whether a line goes the quick way."""
    others = []
    quick.take(line.encode() + b"\n", 7, into.pen, lambda *other: others.append(other))
    assert others in ([], [(7, line.encode())])
    return not others


def test_most_lines_go_the_quick_way():
    order = csv_columns(TYPES["number"], "pcs")
    quick = quick_of(TYPES["number"], "pcs", order, ())
    into = Assembler(TYPES["number"], "pcs")
    assert quick is not None
    assert takes(quick, "+15855551234,alice,acme,my number,+1900*;+1866xxxxxxx,", into)
    for line in (
        "15855551234,alice,acme,,,",
        '"+15855551234",alice,acme,,,',
        "+15855551234,alice,acme,é,,",
        "+15855551234,alice,acme,,+1900*;,",
        "+15855551234,alice,acme,,+1900*;+1900*,",
        "+15855551234,,acme,,,",
        "+15855551234,alice,acme,,",
        "+15855551234,alice,acme,,,,",
        "",
    ):
        assert not takes(quick, line, into)
    assert into.pen.count == 1
    assert quick_of(TYPES["administrator"], "pcs", ("username", "role_id"), ()) is None
    assert quick_of(TYPES["number"], "cin", csv_columns(TYPES["number"], "cin"), ()) is None
    assert quick_of(TYPES["number"], "pcs", order[:2], ()) is None


def staged(folder: Path, data: bytes, parts: int, type_: str = "number"):
    """What the parts make of a file: blocks, error lines, and how far they came."""
    path = folder / "input.csv"
    path.write_bytes(data)
    made: list[Staged] = []
    for part in range(parts):
        task = Task(
            file=str(path),
            product="pcs",
            type=type_,
            given=(),
            mode=UPSERT,
            default_cc="1",
            pepper="00" * 32,
            staged=str(folder / f"staged.{part}"),
            errors=str(folder / f"errors.{part}"),
            part=part,
            parts=parts,
        )
        made.append(stage_here(Task.decode(task.encode()), MEANS.random))
    blocks = Blocks([folder / f"staged.{part}" for part in range(parts)], 0)
    found = []
    while (block := blocks.read()) is not None:
        found.append(block)
    blocks.close()
    errors = sorted(
        (line.line, line.field, line.message)
        for part in range(parts)
        for line in read_messages(folder / f"errors.{part}", JobLine)
    )
    return found, errors, made


def sample(rows: int, seed: int, header: bool) -> bytes:
    """A file of lines of all kinds."""
    chance = random.Random(seed)
    made = ["number,subscriber_name,service_provider_name,nickname,whitelist,blacklist"]
    made = made if header else []
    for n in range(rows):
        nickname = chance.choice(
            ["", "plain", '"with\nbreak"', '"a ""b"" c"', "é", "\0", "x" * 251]
        )
        number = chance.choice([f"+1585{n:07}", f"585{n:07}", "none"])
        made.append(f"{number},alice,acme,{nickname},+1900*;+1900*,1900*")
        if chance.random() < 0.1:
            made.append(chance.choice(["", ",,,,,", "a,b", '"x']) if n < rows - 9 else "")
    return "\r\n".join(made).encode() + (b"\n" if seed % 2 else b"")


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_parts_make_together_what_one_makes(tmp_path, monkeypatch, seed, header):
    monkeypatch.setattr(lines_module, "BLOCK_BYTES", 700)
    data = sample(300, seed, header)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, one_errors, made = staged(tmp_path / "a", data, 1)
    two, two_errors, both = staged(tmp_path / "b", data, 2)
    assert two == one
    assert two_errors == one_errors
    assert sum(each.rows for each in both) == made[0].rows == sum(len(b.at) for b in one)
    assert sum(each.errors for each in both) == made[0].errors
    lines = [line for block in one for line in block.line]
    assert lines == sorted(lines)


@given(st.binary(max_size=400), st.integers(1, 40))
@settings(max_examples=200, deadline=None)
def test_any_octets_give_rows_or_refusals(data, size):
    before = lines_module.BLOCK_BYTES
    lines_module.BLOCK_BYTES = size
    try:
        lines = Lines(io.BytesIO(data))
        last = 0
        found = list(lines.rows(len(data) + 10))
        for number, row in found:
            assert number > last
            last = number
            assert isinstance(row, Refused) or any(row)
        whole = Lines(io.BytesIO(data))
        lines_module.BLOCK_BYTES = 10_000
        again = list(whole.rows(len(data) + 10))
        assert [n for n, _ in again] == [n for n, _ in found]
    finally:
        lines_module.BLOCK_BYTES = before


def test_a_row_without_end_is_refused_before_it_fills_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(lines_module, "ROW_BYTES", 5_000)
    monkeypatch.setattr(lines_module, "BLOCK_BYTES", 1_000)
    header = b"number,subscriber_name,service_provider_name\n"
    for data in (b"x" * 20_000, header + b'"' + b"a\n" * 9_000):
        _, errors, _ = staged(tmp_path, data, 2)
        assert [message for _, _, message in errors] == [TOO_LONG]


def test_a_staged_file_that_is_cut_is_told(tmp_path):
    staged(tmp_path, sample(50, 1, True), 1)
    path = tmp_path / "staged.0"
    path.write_bytes(path.read_bytes()[:-3])
    blocks = Blocks([path], 0)
    with pytest.raises(Damaged):
        list(iter(blocks.read, None))
    blocks.close()
    with pytest.raises(Damaged):
        Blocks([path], 99)


def test_refusals_are_counted_and_the_first_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr("callscreen.core.bulk.staging.ERRORS_KEPT", 5)
    data = b"number,subscriber_name,service_provider_name\n" + b"x,y,z\n" * 50
    _, errors, made = staged(tmp_path, data, 1)
    assert (made[0].errors, len(errors)) == (50, 5)


def one_task(folder: Path) -> Task:
    """A file of two numbers, in one part."""
    path = folder / "input.csv"
    path.write_text("+15855551234,alice,acme\n+15855551235,alice,acme\n")
    return Task(
        file=str(path),
        product="pcs",
        type="number",
        given=(),
        mode=UPSERT,
        default_cc="1",
        pepper="00" * 32,
        staged=str(folder / "staged.0"),
        errors=str(folder / "errors.0"),
    )


@pytest.mark.parametrize("orphan", [False, True])
def test_a_process_stages_only_for_the_core_that_began_it(tmp_path, orphan):
    parent = os.getppid() if orphan else os.getpid()
    args = (sys.executable, "-m", MODULE, str(parent))
    text = one_task(tmp_path).encode() + "\n"
    done = subprocess.run(args, input=text, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("" if orphan else "done ")
    assert bool(done.stdout) is not orphan
    assert done.stderr == ""
    assert (tmp_path / "staged.0").exists() is not orphan


def test_what_a_former_core_s_staging_still_writes_harms_nobody(tmp_path):
    task = one_task(tmp_path)
    with open(task.staged, "wb") as late:
        late.write(b"former")
        late.flush()
        stage_here(task, MEANS.random)
        late.write(b"and more" * 100)
    blocks = Blocks([tmp_path / "staged.0"], 0)
    found = [len(block.at) for block in iter(blocks.read, None)]
    blocks.close()
    assert sum(found) == 2


@pytest.mark.parametrize("row", ["a" + "," * 90, 'a,"\n' + "," * 40 + "\n" + "," * 41 + '"'])
@pytest.mark.parametrize("parts", [1, 2])
def test_a_row_of_too_many_cells_is_none(tmp_path, monkeypatch, row, parts):
    monkeypatch.setattr(lines_module, "ROW_COMMAS", 80)
    monkeypatch.setattr("callscreen.core.bulk.staging.ROW_COMMAS", 80)
    good = "+15855551234,alice,acme,,,\n"
    text = good + row + "\n" + good
    found, errors, _ = staged(tmp_path, text.encode(), parts)
    assert sum(len(block.at) for block in found) == 2
    assert [(line, what) for line, _, what in errors][:1] == [(2, TOO_MANY)]
