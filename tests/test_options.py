"""Options of the command that are more than text."""

import click
import pytest

from callscreen.options import BaseUrl


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
