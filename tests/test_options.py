"""Options of the command that are more than text."""

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from callscreen.cli import main
from callscreen.options import BaseUrl, Networks, Seconds


@pytest.mark.parametrize(
    ("given", "held"),
    [
        ("https://screen.example.com", "https://screen.example.com"),
        ("https://screen.example.com/app/", "https://screen.example.com/app"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
    ],
)
def test_a_public_address_is_the_beginning_of_a_link(given, held):
    assert BaseUrl().convert(given, None, None) == held


@pytest.mark.parametrize(
    "given",
    [
        "",
        "screen.example.com",
        "ftp://screen.example.com",
        "https://",
        "https:///app",
        "https://user@screen.example.com",
        "https://screen.example.com/a b",
        "https://screen.example.com/?x",
        "https://screen.example.com/#x",
        "https://screen.example.com\nx",
        "javascript:alert(1)",
    ],
)
def test_what_is_none_is_refused(given):
    with pytest.raises(click.BadParameter, match="beginning of a web address"):
        BaseUrl().convert(given, None, None)


def numbers(command: click.Command) -> Iterator[click.Parameter]:
    """Every option of a command, and of those below it, that is a number."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from numbers(found)
    for each in command.params:
        if isinstance(each.type, click.types.FloatParamType | click.types.IntParamType):
            yield each


def test_every_option_that_is_a_number_has_a_range():
    found = list(numbers(main))
    assert {"budget", "workers"} <= {each.name for each in found}
    for each in found:
        assert isinstance(each.type, click.IntRange | Seconds), each.name


@pytest.mark.parametrize("given", ["nan", "-nan", "inf", "-inf", "1e400", "-0.1", "60.1", "x"])
def test_what_is_no_time_is_refused(given):
    with pytest.raises(click.BadParameter):
        Seconds(0, 60).convert(given, None, None)
    with pytest.raises(click.BadParameter):
        Seconds().convert(given if given[-1] in "nf0" else "x", None, None)


def test_a_time_is_a_number_of_seconds():
    assert Seconds(0, 60).convert("0.25", None, None) == 0.25


@pytest.mark.parametrize(
    ("command", "missing"), [("screen", "--to"), ("backup", "--to"), ("trace", "--number")]
)
def test_a_required_option_that_is_missing_is_named(command, missing):
    found = CliRunner().invoke(main, [command])
    assert found.exit_code == 2
    assert f"Missing option '{missing}'" in found.output


@pytest.mark.parametrize("given", ["192.0.2.0/33", "192.0.2.1,host", "a b"])
def test_what_are_no_networks_is_refused(given):
    with pytest.raises(click.BadParameter):
        Networks().convert(given, None, None)


@pytest.mark.parametrize("given", ["", "192.0.2.1", "192.0.2.0/24, 2001:db8::/32"])
def test_networks_are_kept_as_they_were_given(given):
    assert Networks().convert(given, None, None) == given
