"""The docs say what the software does."""

import re
from pathlib import Path

import click
import pytest

from callscreen.cli import main
from callscreen.schema import markdown

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_object_tables_are_those_of_the_protos() -> None:
    assert (ROOT / "docs" / "objects.md").read_text() == markdown.render()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        assert target.startswith("http") or (page.parent / target).exists(), target


def test_operators_are_told_of_every_option() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    for command in main.commands.values():
        for option in command.params:
            if isinstance(option, click.Option) and isinstance(option.envvar, str):
                assert f"`{option.envvar}`" in text, option.envvar


def test_every_dependency_has_its_line() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    page = (ROOT / "docs" / "dependencies.md").read_text()
    for name in re.findall(r'^  "([a-z0-9-]+)[>=]', project, re.MULTILINE):
        assert re.search(rf"\b{name}\b", page, re.IGNORECASE), name
