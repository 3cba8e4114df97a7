"""Loads a CSV file through the core's bulk stream.

1. Memory does not grow with the file: rows go out in batches, and at most WINDOW batches await an
   answer.
2. A batch is all or nothing in the core; where one row of it is refused, its good rows are sent
   again alone.
3. A row counts as loaded only when the core has said that it is durable.
"""

import csv
import io
import json
import queue
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

import grpc

from .asking import credentials
from .schema import TYPES, Field, Invalid, Kind, ObjectType
from .v1 import object_pb2, provisioning_pb2, provisioning_pb2_grpc

__all__ = ["LoadError", "load_file"]

BATCH = 500  # rows
WINDOW = 8  # batches
FIELD_BYTES = 16 * 1024 * 1024  # of one CSV cell: a list of a million entries

Progress = Callable[[int, list[tuple[int, str]]], None]
Row = tuple[int, object_pb2.Object]  # line number, object


class LoadError(Exception):
    """The file as a whole cannot be loaded; the text says why."""


def columns(kind: ObjectType, product: str) -> list[str]:
    """The CSV columns of a type: its fields of this product, in order."""
    return [field.json_name for field in kind.shape.of(product)]


def detect(header: list[str], product: str) -> str:
    """The type whose columns a header row names.

    Raises:
        LoadError: none, or more than one.
    """
    names = set(header)
    found = [
        name
        for name, kind in TYPES.items()
        if set(kind.key) <= names <= set(columns(kind, product))
    ]
    if len(found) != 1:
        raise LoadError("the first line names no columns of one object; say which with --object")
    return found[0]


def cell_reader(field: Field) -> Callable[[str], Any]:
    """What makes the JSON value of a column from its cell."""
    if field.repeated:
        return lambda text: [entry.strip() for entry in text.split(";") if entry.strip()]
    if field.kind is Kind.MESSAGE:
        return json.loads
    if field.name == "address":
        return lambda text: text.replace("|", "\n")
    return str


def read_rows(
    file: TextIO, type_name: str | None, product: str
) -> Iterator[tuple[int, str, Mapping[str, Any] | str]]:
    """Line number, type, and the row as a JSON object (or what is wrong with it).

    Raises:
        LoadError: the file's type cannot be told.
    """
    csv.field_size_limit(FIELD_BYTES)
    reader = csv.reader(file, strict=True)
    read_row: Callable[[list[str]], Mapping[str, Any] | str] | None = None
    for row in reader:
        if not any(row):
            continue
        if read_row is None:
            names = [name.strip() for name in row]
            type_name = type_name or detect(names, product)
            known = columns(TYPES[type_name], product)
            headed = set(names) <= set(known)
            read_row = row_reader(TYPES[type_name], names if headed else known)
            if headed:
                continue
        assert type_name is not None
        yield reader.line_num, type_name, read_row(row)


def row_reader(
    kind: ObjectType, names: list[str]
) -> Callable[[list[str]], Mapping[str, Any] | str]:
    """What makes a JSON object from a row, or says what is wrong with it. Empty cells count not."""
    fields = {field.json_name: field for field in kind.fields}
    cells = [(name, cell_reader(fields[name])) for name in names]

    def read(row: list[str]) -> Mapping[str, Any] | str:
        if len(row) > len(cells):
            return f"{len(row)} cells where there are {len(cells)} columns"
        try:
            return {
                name: read_cell(text)
                for (name, read_cell), text in zip(cells, row, strict=False)
                if text
            }
        except (ValueError, RecursionError) as error:
            return f"not JSON: {error}"

    return read


class _Loading:
    """Requests under way on the stream, and what became of them."""

    def __init__(self, file: TextIO, type_name: str | None, product: str, size: Callable[[], int]):
        self.rows = read_rows(file, type_name, product)
        self.product = product
        self.size = size
        self.again: list[list[Row]] = []
        self.waiting: dict[int, list[Row]] = {}
        self.errors: list[tuple[int, str]] = []
        self.parent = ""
        self.sent = 0
        self.done = 0

    def batch(self) -> list[Row]:
        """The next rows to send: those to send again first."""
        if self.again:
            return self.again.pop()
        batch: list[Row] = []
        for line, type_name, row in self.rows:
            kind = TYPES[type_name]
            self.parent = f"{self.product}/{type_name}"
            try:
                if isinstance(row, str):
                    raise LoadError(row)
                message, _ = kind.from_json(row, self.product)
            except (Invalid, LoadError) as error:
                self.errors.append((line, str(error)))
                continue
            batch.append((line, object_pb2.Object(**{type_name: message})))
            if len(batch) == BATCH:
                break
        return batch

    def request(self, batch: list[Row]) -> provisioning_pb2.WriteRequest:
        self.sent += 1
        self.waiting[self.sent] = batch
        return provisioning_pb2.WriteRequest(
            id=self.sent, parent=self.parent, objects=[obj for _, obj in batch]
        )

    def answered(self, answer: provisioning_pb2.WriteResponse) -> None:
        batch = self.waiting.pop(answer.id)
        if answer.revision:
            self.done += len(batch)
            return
        refused = {error.index: error.message for error in answer.errors}
        if not refused:
            raise LoadError("the core refused a batch and did not say why")
        self.errors += [(batch[index][0], text) for index, text in sorted(refused.items())]
        rest = [row for index, row in enumerate(batch) if index not in refused]
        if rest:
            self.again.append(rest)


def load_file(
    path: Path, type_name: str | None, product: str, address: str, token: str, progress: Progress
) -> int:
    """Creates or replaces the objects of a file, and returns how many.

    Args:
        progress: called with the octets read since the last call, and the lines refused meanwhile.

    Raises:
        LoadError: the file cannot be read as CSV, or the core is not there.
    """
    with path.open("rb") as raw, grpc.insecure_channel(address) as channel:
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
        loading = _Loading(text, type_name, product, raw.tell)
        try:
            _exchange(loading, provisioning_pb2_grpc.ProvisioningStub(channel), token, progress)
        except grpc.RpcError as error:
            raise LoadError(error.details() or str(error.code())) from None
        except (csv.Error, UnicodeDecodeError) as error:
            raise LoadError(f"{path.name} is not CSV in UTF-8: {error}") from None
        return loading.done


def _exchange(
    loading: _Loading,
    stub: "provisioning_pb2_grpc.ProvisioningStub",
    token: str,
    progress: Progress,
) -> None:
    outgoing: queue.SimpleQueue[provisioning_pb2.WriteRequest | None] = queue.SimpleQueue()
    answers = iter(stub.Write(iter(outgoing.get, None), metadata=credentials(token)))
    seen = 0
    more = True
    try:
        while more or loading.waiting or loading.again:
            while (more or loading.again) and len(loading.waiting) < WINDOW:
                if batch := loading.batch():
                    outgoing.put(loading.request(batch))
                else:
                    more = False
            position = loading.size()
            progress(position - seen, loading.errors)
            seen, loading.errors = position, []
            if loading.waiting:
                loading.answered(next(answers))
    finally:
        outgoing.put(None)
    progress(0, loading.errors)
