"""The docs say what the software does."""

import re
from pathlib import Path

import click
import pytest

from callscreen import metrics_page
from callscreen.cli import main
from callscreen.schema import markdown, settings_page

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_object_tables_are_those_of_the_protos() -> None:
    assert (ROOT / "docs" / "objects.md").read_text() == markdown.render()


def test_the_settings_page_is_that_of_the_protos() -> None:
    assert (ROOT / "docs" / "settings.md").read_text() == settings_page.render()


def test_every_setting_says_what_heeds_it() -> None:
    settings = list(settings_page.leaves())
    assert len(settings) > 50
    assert [setting.path for setting in settings if not setting.field.rules.effect] == []
    assert [setting.path for setting in settings if not setting.field.rules.help] == []


def test_the_metrics_page_is_that_of_the_code() -> None:
    assert (ROOT / "docs" / "metrics.md").read_text() == metrics_page.render()


def test_every_metric_is_named_as_prometheus_wants_it() -> None:
    """Units in the name, counters end in _total: https://prometheus.io/docs/practices/naming/."""
    families = [family for each in metrics_page.PARTS.values() for family in each]
    names = [family.name for family in families]
    assert len(set(names)) == len(names)
    for family in families:
        assert re.fullmatch(r"callscreen_[a-z_]+", family.name)
        assert (family.kind == "counter") == family.name.endswith("_total"), family.name
        assert family.help.endswith("."), family.name


def test_alerts_watch_metrics_that_there_are() -> None:
    text = (ROOT / "deploy" / "alerts.yml").read_text()
    families = [family for each in metrics_page.PARTS.values() for family in each]
    known = {family.name for family in families}
    watched = set(re.findall(r"callscreen_[a-z_]+", text))
    assert len(watched) > 8
    assert {name.removesuffix("_bucket") for name in watched} <= known


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
