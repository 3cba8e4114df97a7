"""Keys, paths, references, uniqueness, and what goes with what."""

import pytest

from callscreen.schema import PRODUCTS, TYPES, above, body_of, children, kind_of
from callscreen.v1 import (
    administrator_pb2,
    object_pb2,
    origination_source_pb2,
    screening_rule_pb2,
    service_provider_pb2,
    settings_pb2,
    subscriber_pb2,
)

ADMINISTRATOR = TYPES["administrator"]


@pytest.mark.parametrize(
    ("key", "path"),
    [
        (("platform_owner", "john"), ("", "", "john")),
        (("service_provider:acme", "john"), ("acme", "", "john")),
        (("subscriber:acme:alice", "john"), ("acme", "alice", "john")),
    ],
)
def test_an_administrator_lies_below_what_its_role_names(
    key: tuple[str, ...], path: tuple[str, ...]
) -> None:
    assert ADMINISTRATOR.path_of(key) == path
    assert ADMINISTRATOR.key_of_path(path) == key
    assert ADMINISTRATOR.path_of(key[:1]) == path[:2]
    assert ADMINISTRATOR.path_of(()) == ()


@pytest.mark.parametrize(
    "role",
    ["", "acme", "service_provider", "service_provider:", "subscriber:acme", "platform_owner:x"],
)
def test_what_is_no_role_lies_below_nothing(role: str) -> None:
    assert ADMINISTRATOR.path_of((role, "john")) == ("", f":{role}", "john")


def test_every_other_path_is_its_key() -> None:
    for own in TYPES.values():
        if own is not ADMINISTRATOR:
            assert own.path_of(("a", "b")) == ("a", "b")
            assert own.key_of_path(["a", "b"]) == ("a", "b")


def test_what_goes_with_a_provider_and_with_a_subscriber() -> None:
    def names(type_: str, product: str) -> list[str]:
        return [own.type for own in children(type_, product)]

    assert names("service_provider", "pcs") == [
        "administrator",
        "service_selection_criteria",
        "screening_rule",
        "audio",
        "subscriber",
        "number",
        "origination_source",
        "settings",
    ]
    assert names("service_provider", "cin") == [
        "administrator",
        "subscriber",
        "number",
        "settings",
    ]
    for product in PRODUCTS:
        assert names("subscriber", product) == ["administrator", "number"]
        assert names("number", product) == []


def test_what_a_type_lies_below() -> None:
    assert above("number") == ("subscriber", "service_provider")
    assert above("settings") == ("service_provider",)
    assert above("service_provider") == ()


def test_keys() -> None:
    number = subscriber_pb2.Number(
        number="+1585", subscriber_name="alice", service_provider_name="acme"
    )
    assert TYPES["number"].key_of(number) == ("acme", "alice", "+1585")
    assert TYPES["settings"].key_of(settings_pb2.Settings()) == ("",)


def test_references() -> None:
    number = subscriber_pb2.Number(
        number="+1585", subscriber_name="alice", service_provider_name="acme"
    )
    assert list(TYPES["number"].references(number)) == [
        ("subscriber_name", "subscriber", ("acme", "alice")),
        ("service_provider_name", "service_provider", ("acme",)),
    ]
    source = origination_source_pb2.OriginationSource(service_provider_name="acme")
    source.source_numbers.add()
    source.source_numbers.add(service_provider_name="other")
    assert list(TYPES["origination_source"].references(source)) == [
        ("service_provider_name", "service_provider", ("acme",)),
        ("source_numbers[1].service_provider_name", "service_provider", ("other",)),
    ]
    assert list(TYPES["settings"].references(settings_pb2.Settings())) == []
    assert list(TYPES["service_provider"].references(service_provider_pb2.ServiceProvider())) == []


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("platform_owner", []),
        ("service_provider:acme", [("role_id", "service_provider", ("acme",))]),
        ("subscriber:acme:alice", [("role_id", "subscriber", ("acme", "alice"))]),
    ],
)
def test_a_role_names_what_must_exist(role: str, expected: list[object]) -> None:
    admin = administrator_pb2.Administrator(username="john", role_id=role)
    assert list(ADMINISTRATOR.references(admin)) == expected


def test_unique_values() -> None:
    admin = administrator_pb2.Administrator(username="john", role_id="platform_owner")
    assert list(ADMINISTRATOR.uniques(admin)) == [("username", "john")]
    source = origination_source_pb2.OriginationSource(source_ip=["10.0.0.1", "10.1.0.0/16"])
    assert list(TYPES["origination_source"].uniques(source)) == [
        ("source_ip", "10.0.0.1"),
        ("source_ip", "10.1.0.0/16"),
    ]
    number = subscriber_pb2.Number(number="+1585")
    assert list(TYPES["number"].uniques(number)) == [("number", "+1585")]


def test_a_key_of_one_field_needs_no_uniqueness_besides() -> None:
    provider = service_provider_pb2.ServiceProvider(name="acme")
    assert list(TYPES["service_provider"].uniques(provider)) == []
    rules = screening_rule_pb2.ScreeningRule(service_provider_name="acme")
    assert list(TYPES["screening_rule"].uniques(rules)) == []


def test_the_type_and_the_body_of_an_object() -> None:
    obj = object_pb2.Object(number=subscriber_pb2.Number(number="+1585"))
    assert kind_of(obj) is TYPES["number"]
    assert body_of(obj) == obj.number
    with pytest.raises(ValueError, match="no kind"):
        kind_of(object_pb2.Object())


def test_every_kind_of_object_is_a_type_under_its_own_name() -> None:
    kinds = [field.name for field in object_pb2.Object.DESCRIPTOR.oneofs_by_name["kind"].fields]
    assert list(TYPES) == kinds
    for name, own in TYPES.items():
        assert own.type == name
        assert set(own.key) <= {field.name for field in own.fields}


def test_what_edges_are_told() -> None:
    unpublished = {own.type for own in TYPES.values() if not own.screened}
    assert unpublished == {"administrator", "audio"}
    assert TYPES["origination_source"].generated == "name"
