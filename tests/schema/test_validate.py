"""Validation: each rule of the .proto is held, with its code and its sentence."""

from typing import Any

import pytest

from callscreen.schema import TYPES, Invalid
from callscreen.v1 import (
    administrator_pb2,
    audio_pb2,
    origination_source_pb2,
    screening_rule_pb2,
    service_provider_pb2,
    settings_pb2,
    subscriber_pb2,
)

ServiceProvider = service_provider_pb2.ServiceProvider
Number = subscriber_pb2.Number


def errors(type_: str, message: Any, product: str = "pcs") -> list[tuple[str, str]]:
    try:
        TYPES[type_].validate(message, product)
    except Invalid as invalid:
        return [(error.field, error.code) for error in invalid.errors]
    return []


def test_the_documented_sentence_for_a_missing_field() -> None:
    with pytest.raises(Invalid) as caught:
        TYPES["service_provider"].validate(ServiceProvider(last_name="api_test"), "pcs")
    assert str(caught.value) == "ServiceProvider(): Field 'name' is required, but missing."
    assert [tuple(error) for error in caught.value.errors] == [
        ("name", "required", "ServiceProvider(): Field 'name' is required, but missing.")
    ]


def test_an_empty_text_is_missing_where_one_is_required() -> None:
    assert errors("service_provider", ServiceProvider(name="")) == [("name", "required")]
    assert errors("service_provider", ServiceProvider(name="a", notes="")) == []


def test_every_missing_field_is_told() -> None:
    assert errors("number", Number()) == [
        ("number", "required"),
        ("subscriber_name", "required"),
        ("service_provider_name", "required"),
    ]


def test_a_rule_given_must_be_whole() -> None:
    rules = screening_rule_pb2.ScreeningRule(service_provider_name="acme")
    assert errors("screening_rule", rules) == []
    rules.captcha.enabled = True
    getattr(rules.captcha, "pass").treatment = "maybe"
    found = errors("screening_rule", rules)
    assert ("captcha.pass.treatment", "not_accepted") in found
    assert ("captcha.pass.audio", "required") in found
    assert ("captcha.fail", "required") in found
    assert ("captcha.priority", "required") in found


@pytest.mark.parametrize("name", ["a/b", "a:b", "a\nb", "a\x7f", "a\0b", "a" * 65])
def test_names_stand_in_urls_and_role_ids(name: str) -> None:
    found = errors("service_provider", ServiceProvider(name=name))
    assert [field for field, _ in found] == ["name"]
    subscriber = subscriber_pb2.Subscriber(name=name, service_provider_name="acme")
    assert [field for field, _ in errors("subscriber", subscriber)] == ["name"]


@pytest.mark.parametrize("name", ["a", "Ünïcode & Söhne", "a b", "a" * 64, "%2F", ".."])
def test_other_names_are_the_products_own(name: str) -> None:
    assert errors("service_provider", ServiceProvider(name=name)) == []


def test_limits_of_text() -> None:
    provider = ServiceProvider(name="a", notes="n" * 2048, email="e" * 250)
    assert errors("service_provider", provider) == []
    provider = ServiceProvider(name="a", notes="n" * 2049, email="e" * 251, phone="1\0")
    assert errors("service_provider", provider) == [
        ("email", "too_long"),
        ("phone", "format"),
        ("notes", "too_long"),
    ]


def test_an_entry_is_named_by_its_place() -> None:
    admin = administrator_pb2.Administrator(
        username="john", role_id="platform_owner", permissions=["view_subscriber", "root", "x" * 65]
    )
    assert errors("administrator", admin) == [
        ("permissions[1]", "not_accepted"),
        ("permissions[2]", "too_long"),
    ]


def test_permission_groups_carry_the_products_name() -> None:
    admin = administrator_pb2.Administrator(
        username="john",
        role_id="platform_owner",
        permissions=["pcs_default:pcs_subscriber_views"],
    )
    assert errors("administrator", admin, "pcs") == []
    assert errors("administrator", admin, "cin") == [("permissions[0]", "not_accepted")]


def test_counts_of_entries() -> None:
    number = Number(number="+1", subscriber_name="a", service_provider_name="b")
    number.whitelist.extend(["+1"] * 10_001)
    assert errors("number", number) == [("whitelist", "too_many")]
    source = origination_source_pb2.OriginationSource(
        service_provider_name="acme", orig_id="o", attest="A", cert_name="c"
    )
    source.source_numbers.add(orig_id_n="o", attest_n="B", cert_name_n="c", priority=0)
    assert errors("origination_source", source) == [("source_numbers[0].numbers_n", "required")]


def test_ranges_of_numbers() -> None:
    settings = settings_pb2.Settings()
    settings.branding["x"].color_hue = 361
    settings.restworkx.log_duration = 0
    assert errors("settings", settings) == [
        ("branding.x.color_hue", "range"),
        ("restworkx.log_duration", "range"),
    ]


def test_fields_and_objects_of_the_other_product() -> None:
    number = Number(number="+1", subscriber_name="a", service_provider_name="b", vip=["+1"])
    assert errors("number", number, "cin") == []
    assert errors("number", number, "pcs") == [("vip", "product")]
    assert errors("audio", audio_pb2.Audio(), "cin") == [("audio", "product")]


@pytest.mark.parametrize(("pin", "good"), [("1111", True), ("123", False), ("12a4", False)])
def test_pins(pin: str, good: bool) -> None:
    number = Number(number="+1", subscriber_name="a", service_provider_name="b", ivr_pin=pin)
    assert (errors("number", number, "cin") == []) is good


def test_a_hashed_pin_passes() -> None:
    number = Number(number="+1", subscriber_name="a", service_provider_name="b")
    number.override_pin = "hmac-sha256$" + "0" * 64
    assert errors("number", number, "cin") == []


@pytest.mark.parametrize(("lower", "upper", "good"), [(-2, 3, True), (3, 3, False), (4, 3, False)])
def test_the_lower_threshold_is_below_the_upper(lower: int, upper: int, good: bool) -> None:
    rule = screening_rule_pb2.CallGuardianRule(
        enabled=True,
        override=False,
        lower_threshold=lower,
        lower_treatment="terminate",
        mid_treatment="next",
        upper_threshold=upper,
        upper_treatment="continue",
        priority=4,
        timeout=10,
        customer_identifier="u",
        database_address="10.10.10.10",
    )
    rules = screening_rule_pb2.ScreeningRule(service_provider_name="acme", call_guardian=rule)
    expected = [] if good else [("call_guardian.lower_threshold", "range")]
    assert errors("screening_rule", rules) == expected


@pytest.mark.parametrize(
    ("step", "wrong"),
    [
        ({"type": "strip_prefix", "prefix": "9"}, None),
        ({"type": "strip_prefix"}, "prefix"),
        ({"type": "extract_substring", "range": [0, 10]}, None),
        ({"type": "extract_substring"}, "range"),
        ({"type": "extract_substring", "range": [3]}, "range"),
        ({"type": "extract_substring", "range": [3, 3]}, "range"),
        ({"type": "set_cc", "country_code": "44"}, None),
        ({"type": "set_cc"}, "country_code"),
        ({"type": "default_cc"}, "country_code"),
        ({"type": "require_digits"}, None),
        ({"type": "reverse"}, "type"),
        ({}, "type"),
    ],
)
def test_a_post_step_has_what_it_needs(step: dict[str, Any], wrong: str | None) -> None:
    settings = settings_pb2.Settings()
    settings.called_sources_config.add(source="hdr.to").post.add(**step)
    path = f"called_sources_config[0].post[0].{wrong}"
    assert [field for field, _ in errors("settings", settings)] == ([path] if wrong else [])


@pytest.mark.parametrize(
    ("first", "last", "good"),
    [
        ("1", "5", True),
        ("5", "5", True),
        ("5", "1", False),
        ("1-2-3", "1-3-0", True),
        ("1-3-0", "1-2-9", False),
        ("1", "1-2-3", False),
    ],
)
def test_point_codes_rise(first: str, last: str, good: bool) -> None:
    criteria = service_provider_pb2.ServiceSelectionCriteria(service_provider_name="acme")
    criteria.point_code_ranges.add(first=first, last=last)
    expected = [] if good else [("point_code_ranges[0].last", "range")]
    assert errors("service_selection_criteria", criteria) == expected


def test_a_providers_own_settings_hold_only_what_it_may_set() -> None:
    settings = settings_pb2.Settings(service_provider_name="acme")
    settings.web_settings.password_length = 12
    settings.screening_engine.egress_route = "sbc.example"
    assert errors("settings", settings) == []
    settings.web_settings.default_cc = "44"
    settings.csr_location = "sip:csr@example"
    settings.called_sources_config.add(source="hdr.to")
    assert errors("settings", settings) == [
        ("csr_location", "read_only"),
        ("web_settings.default_cc", "read_only"),
        ("called_sources_config", "read_only"),
    ]


def test_an_override_sent_as_protobuf_is_held_to_the_same_rules() -> None:
    settings = settings_pb2.Settings()
    settings.override.update(
        {
            "web_settings": {"password_length": True, "default_cc": True, "x": 1},
            "branding": [1],
        }
    )
    assert sorted(errors("settings", settings)) == [
        ("__override__.branding", "not_accepted"),
        ("__override__.web_settings.default_cc", "not_accepted"),
        ("__override__.web_settings.x", "unknown"),
    ]


def test_the_name_of_a_wav_file() -> None:
    audio = audio_pb2.Audio(location="/x", server="s", service_provider_name="acme")
    for name, good in (("Hello.wav", True), ("a/b.wav", False), ("Hello.mp3", False)):
        audio.file = name
        assert errors("audio", audio) == ([] if good else [("file", "pattern")])


def test_not_more_than_a_hundred_errors_are_told() -> None:
    settings = settings_pb2.Settings()
    for place in range(1000):
        settings.branding[f"b{place}"].color_hue = 400
    assert len(errors("settings", settings)) == 100
