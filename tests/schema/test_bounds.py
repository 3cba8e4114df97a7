"""What is too long or too many is refused at once, however much of it there is."""

from collections.abc import Iterator

import pytest

from callscreen.schema import TYPES, Invalid


@pytest.mark.parametrize(
    ("type_", "body", "field"),
    [
        ("settings", {"called_sources_config": [{}] * 300_000}, "called_sources_config"),
        ("origination_source", {"source_numbers": [{"a": 1}] * 100_000}, "source_numbers"),
        ("settings", {"branding": {str(n): {} for n in range(100_000)}}, "branding"),
        ("administrator", {"permissions": "a," * 300_000}, "permissions"),
        ("subscriber", {"whitelist": ["+1585"] * 10_001}, "whitelist"),
    ],
)
def test_what_is_too_long_is_refused_before_it_is_looked_into(
    type_: str, body: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        TYPES[type_].from_json(body, "pcs")
    assert [(error.field, error.code) for error in refused.value.errors] == [(field, "too_many")]


def test_only_as_many_unknown_names_are_looked_at_as_are_told() -> None:
    looked_at = []

    class Body(dict[str, int]):
        def items(self) -> Iterator[tuple[str, int]]:  # type: ignore[override]
            for item in super().items():
                looked_at.append(item)
                yield item

    with pytest.raises(Invalid) as refused:
        TYPES["settings"].from_json(
            {"web_settings": Body.fromkeys(map(str, range(9999)), 1)}, "pcs"
        )
    assert len(looked_at) <= len(refused.value.errors) + 1 <= 101


def test_a_name_in_a_map_has_a_length() -> None:
    body = {"branding": {"n" * 65: {"nonsense": 1}, "n" * 64: {}}}
    with pytest.raises(Invalid) as refused:
        TYPES["settings"].from_json(body, "pcs")
    assert [(error.field, error.code) for error in refused.value.errors] == [
        ("branding", "too_long")
    ]


def test_a_message_with_too_many_entries_is_refused_whatever_they_are() -> None:
    settings = TYPES["settings"]
    message = settings.message(service_provider_name="")
    for _ in range(1000):
        message.called_sources_config.add()
    settings.complete(message, "pcs")
    assert sum(source.HasField("policy") for source in message.called_sources_config) == 16
    settings.normalise(message, "pcs", "1")
    with pytest.raises(Invalid, match="'called_sources_config' must have at most 16 entries"):
        settings.validate(message, "pcs")


def test_the_default_country_code_is_never_empty() -> None:
    settings = TYPES["settings"]
    message, _ = settings.from_json({"web_settings": {"default_cc": ""}}, "cin")
    settings.complete(message, "cin")
    settings.normalise(message, "cin", "1")
    with pytest.raises(Invalid, match=r"'web_settings\.default_cc' must have at least 1 char"):
        settings.validate(message, "cin")
