"""Resource names: every key survives, and nothing else is taken for a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscreen.schema import PRODUCTS, format_name, parse_name

part = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@given(st.sampled_from(PRODUCTS), st.lists(part, max_size=4))
def test_a_name_gives_back_its_key(product: str, key: list[str]) -> None:
    assert parse_name(format_name(product, "number", key)) == (product, "number", tuple(key))


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("pcs/number/acme/alice/%2B15855551234", ("acme", "alice", "+15855551234")),
        ("pcs/settings/", ("",)),
        ("pcs/settings", ()),
        ("cin/administrator/service_provider%3Aacme/john", ("service_provider:acme", "john")),
    ],
)
def test_documented_names(name: str, key: tuple[str, ...]) -> None:
    parsed = parse_name(name)
    assert parsed.key == key
    assert format_name(*parsed) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "pcs",
        "pcs/",
        "xyz/number",
        "PCS/number",
        "pcs/Number",
        "pcs/number/a/b/c/d/e",
        "pcs/number/%00",
        "pcs/number/%ff",
        "pcs/number/\ud800",
        "pcs/number/" + "a" * 5000,
        "/pcs/number",
    ],
)
def test_anything_else_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="resource name"):
        parse_name(name)


@given(st.text())
def test_no_text_raises_anything_but_value_error(name: str) -> None:
    for text in (name, f"pcs/number/{name}"):
        try:
            parsed = parse_name(text)
        except ValueError:
            continue
        assert parse_name(format_name(*parsed)) == parsed
