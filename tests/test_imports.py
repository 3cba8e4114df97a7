"""Who may import whom: the table of docs/architecture.md, held by reading the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PARTS = ("core", "edge", "fastpath", "gateway", "identity", "ops", "schema", "v1", "cli")
ALLOWED = {
    "schema": {"v1"},
    "fastpath": set(),
    "identity": set(),
    "ops": set(),
    "core": {"schema", "v1", "fastpath", "identity", "ops"},
    "edge": {"v1", "fastpath", "identity", "ops"},
    "gateway": {"schema", "v1", "ops"},
}
FOLDERS = {part: ROOT / part for part in ("core", "edge", "fastpath", "gateway", "identity")}
FOLDERS |= {part: ROOT / "src" / "callscreen" / part for part in ("schema", "ops")}


def modules(part: str) -> Iterator[tuple[str, Path]]:
    """Dotted name below callscreen, and path, of every Python module of a part."""
    folder = FOLDERS[part]
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        yield ".".join((part, *parts)).removesuffix(".__init__"), path


def imports(name: str, path: Path) -> Iterator[str]:
    """Every module of ours that a module imports, dotted below callscreen."""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("callscreen."):
                    yield alias.name.removeprefix("callscreen.")
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                base = package[: len(package) - node.level + 1]
                target = [*base, *(node.module.split(".") if node.module else [])]
            elif node.module and node.module.split(".")[0] == "callscreen":
                target = node.module.split(".")[1:]
            else:
                continue
            for alias in node.names:
                yield ".".join([*target, alias.name])


@pytest.mark.parametrize("part", sorted(ALLOWED))
def test_a_part_imports_only_what_the_table_allows(part: str) -> None:
    wrong = [
        f"{name} imports {target}"
        for name, path in modules(part)
        for target in imports(name, path)
        if target.split(".")[0] in PARTS
        and target.split(".")[0] != part
        and target.split(".")[0] not in ALLOWED[part]
    ]
    assert wrong == []


def test_only_the_wiring_names_lmdb() -> None:
    naming = {
        name
        for name, path in modules("core")
        for target in imports(name, path)
        if target.startswith("core.store.lmdb") and not name.startswith("core.store")
    }
    assert naming == {"core.wiring"}


@pytest.mark.parametrize(
    ("inside", "forbidden"),
    [
        ("core.services", ("core.store",)),
        (
            "core.commands",
            ("core.services", "core.server", "core.wiring", "core.store.lmdb", "core.store.memory"),
        ),
        ("core.store", ("core.commands", "core.services", "core.server", "core.wiring")),
    ],
)
def test_the_core_is_layered(inside: str, forbidden: tuple[str, ...]) -> None:
    wrong = [
        f"{name} imports {target}"
        for name, path in modules("core")
        if name.startswith(inside)
        for target in imports(name, path)
        if target.startswith(forbidden)
    ]
    assert wrong == []
