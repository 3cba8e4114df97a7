"""gRPC ignores an option that it does not know: every name given must be one that it holds."""

import re
from pathlib import Path

import pytest
from grpc._cython import cygrpc

ROOT = Path(__file__).parent.parent
SOURCES = {
    path: names
    for folder in ("core", "edge", "gateway", "src/callscreen/ops")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if (names := re.findall(r'"(grpc\.[a-z0-9_.]+_[a-z0-9_]+)"', path.read_text()))
}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_channel_option_is_known_to_the_library(path: Path) -> None:
    library = Path(cygrpc.__file__).read_bytes()
    assert [name for name in SOURCES[path] if name.encode() not in library] == []


def test_the_options_are_found() -> None:
    assert {path.parent.name for path in SOURCES} >= {"core", "edge", "gateway", "ops"}
