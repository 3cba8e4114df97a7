"""JSON in and out: the forms that are read, and what is refused."""

import math
from typing import Any

import pytest

from callscreen.schema import PRODUCTS, TYPES, Invalid


def read(type_: str, body: Any, product: str = "pcs") -> Any:
    return TYPES[type_].from_json(body, product)[0]


def refused(type_: str, body: Any, product: str = "pcs") -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        TYPES[type_].from_json(body, product)
    return [(error.field, error.code) for error in caught.value.errors]


def test_an_integer_may_be_quoted_or_a_whole_float() -> None:
    for value in (4, "4", 4.0, "+4", "04"):
        rule = read("screening_rule", {"captcha": {"retries": value}})
        assert rule.captcha.retries == 4


@pytest.mark.parametrize("value", [True, 4.5, "4.0", "", "four", [4], {}, math.nan, math.inf, "٤"])
def test_what_is_no_integer(value: Any) -> None:
    body = {"captcha": {"retries": value}}
    assert refused("screening_rule", body) == [("captcha.retries", "type")]


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, str(2**31), 1e300, 10**400])
def test_an_integer_out_of_range(value: Any) -> None:
    body = {"captcha": {"priority": value}}
    assert refused("screening_rule", body) == [("captcha.priority", "range")]


def test_a_boolean_may_be_quoted_and_nothing_else() -> None:
    assert read("subscriber", {"service_enabled": "false"}).service_enabled is False
    assert read("subscriber", {"service_enabled": "true"}).service_enabled is True
    for value in (0, 1, "yes", "True", "", [], {}):
        assert refused("subscriber", {"service_enabled": value}) == [("service_enabled", "type")]


@pytest.mark.parametrize("value", [5, 1.5, True, [], {}, ["a"]])
def test_a_string_is_a_string(value: Any) -> None:
    assert refused("subscriber", {"first_name": value}) == [("first_name", "type")]


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_text_that_nothing_can_hold(value: str) -> None:
    assert refused("subscriber", {"first_name": value}) == [("first_name", "format")]
    assert refused("number", {"whitelist": ["1", value]}) == [("whitelist[1]", "format")]
    assert refused("settings", {"branding": {value: {}}}) == [("branding", "format")]


def test_none_clears_and_stands_in_the_mask() -> None:
    message, mask = TYPES["subscriber"].from_json(
        {"notes": None, "whitelist": None, "override": None}, "pcs"
    )
    assert mask == ("notes", "whitelist", "override")
    assert message.ByteSize() == 0


def test_an_empty_list_stands_in_the_mask() -> None:
    message, mask = TYPES["number"].from_json({"whitelist": []}, "pcs")
    assert mask == ("whitelist",)
    assert message.ByteSize() == 0


def test_an_empty_text_is_kept() -> None:
    message = read("subscriber", {"notes": "", "voicemail": ""})
    assert message.HasField("notes")
    assert message.voicemail == ""
    assert not read("subscriber", {"voicemail": []}).HasField("voicemail")
    assert not read("settings", {"email_settings": {"port": ""}}).email_settings.HasField("port")


def test_a_list_may_be_one_text_with_commas_where_the_reference_shows_it() -> None:
    body = {"permissions": "default:subscriber, view_subscriber,"}
    assert read("administrator", body).permissions == ["default:subscriber", "view_subscriber"]
    assert read("service_selection_criteria", {"called_ccs": "1,44"}).called_ccs == ["1", "44"]
    assert refused("number", {"whitelist": "585,586"}) == [("whitelist", "type")]


def test_the_screening_group_under_both_of_its_names() -> None:
    message, mask = TYPES["service_selection_criteria"].from_json({"group_name": "g"}, "pcs")
    assert (message.screening_group, mask) == ("g", ("screening_group",))
    both = {"group_name": "g", "screening_group": "h"}
    assert refused("service_selection_criteria", both) == [("screening_group", "unknown")]


def test_ranges_are_pairs() -> None:
    body = {"point_code_ranges": [["1", "5"], ["1-2-3", "1-2-9"]]}
    message = read("service_selection_criteria", body)
    assert (message.point_code_ranges[1].first, message.point_code_ranges[1].last) == (
        "1-2-3",
        "1-2-9",
    )
    assert (
        TYPES["service_selection_criteria"].to_json(message, "pcs")["point_code_ranges"]
        == (body["point_code_ranges"])
    )
    for wrong in (["1"], ["1", "2", "3"], "1-2", {"first": "1", "last": "2"}, None):
        assert refused("service_selection_criteria", {"point_code_ranges": [wrong]}) == [
            ("point_code_ranges[0]", "type")
        ]


def test_codes_may_be_numbers() -> None:
    body = {"point_code_ranges": [[1.0, "5"]], "called_ccs": [1, "44", 7.0]}
    message = read("service_selection_criteria", body)
    assert TYPES["service_selection_criteria"].to_json(message, "pcs")["point_code_ranges"] == [
        ["1", "5"]
    ]
    assert message.called_ccs == ["1", "44", "7"]
    assert read("settings", {"web_settings": {"default_cc": 44}}).web_settings.default_cc == "44"
    for wrong in (-1, 1.5, math.inf, math.nan, -1.0, 1e40, True, 10**40, None):
        assert refused("service_selection_criteria", {"called_ccs": [wrong]}) == [
            ("called_ccs[0]", "type")
        ]


def test_an_unknown_field() -> None:
    with pytest.raises(Invalid, match=r"^ServiceProvider\(\): Field 'foo' is unknown\.$"):
        TYPES["service_provider"].from_json({"name": "a", "foo": 1}, "pcs")
    assert refused("screening_rule", {"captcha": {"pass": {"foo": 1}}}) == [
        ("captcha.pass.foo", "unknown")
    ]


def test_a_field_of_the_other_product_is_unknown() -> None:
    assert refused("number", {"vip": []}) == [("vip", "unknown")]
    assert refused("number", {"whitelist": []}, "cin") == [("whitelist", "unknown")]
    assert "vip" not in TYPES["number"].to_json(TYPES["number"].message(), "pcs")


@pytest.mark.parametrize("name", ["\ud800", "a\nb", "x" * 5000, "é", "'"])
def test_a_message_holds_a_strange_name_safely(name: str) -> None:
    with pytest.raises(Invalid) as caught:
        TYPES["number"].from_json({name: 1}, "pcs")
    (error,) = caught.value.errors
    assert error.code == "unknown"
    assert error.message.isascii()
    assert error.message.isprintable()
    assert len(error.message) < 1000


@pytest.mark.parametrize("body", [None, [], "x", 1, True, [{}]])
def test_a_body_is_an_object(body: Any) -> None:
    assert refused("number", body) == [("", "type")]


@pytest.mark.parametrize("name", ["whitelist", "nickname", "number", "unknown"])
@pytest.mark.parametrize("wrap", [lambda value: [value], lambda value: {"a": value}])
def test_any_depth_is_refused_without_descending(name: str, wrap: Any) -> None:
    value: Any = 1
    for _ in range(100_000):
        value = wrap(value)
    with pytest.raises(Invalid):
        TYPES["number"].from_json({name: value}, "pcs")
    with pytest.raises(Invalid):
        TYPES["settings"].from_json({"__override__": {"web_settings": value}}, "pcs")
    while isinstance(value, list | dict):  # taken apart here: freeing it whole recurses
        value = value[0] if isinstance(value, list) else value["a"]


def test_all_errors_are_told_at_once() -> None:
    body = {"name": 1, "whitelist": ["5", 6], "notes": [], "extra": None}
    assert refused("service_provider", body) == [
        ("name", "type"),
        ("whitelist[1]", "type"),
        ("notes", "type"),
        ("extra", "unknown"),
    ]


def test_not_more_than_a_hundred_errors_are_told() -> None:
    assert len(refused("number", {"whitelist": [1] * 10_000})) == 100


@pytest.mark.parametrize("product", PRODUCTS)
def test_the_override_option(product: str) -> None:
    body = {"__override__": {"web_settings": {"password_length": "true", "help_page": False}}}
    message, mask = TYPES["settings"].from_json(body, product)
    assert mask == ("override",)
    TYPES["settings"].complete(message, product)
    TYPES["settings"].validate(message, product)
    assert TYPES["settings"].to_json(message, product)["__override__"] == {
        "web_settings": {"password_length": True, "help_page": False}
    }


@pytest.mark.parametrize(
    ("tree", "field", "code"),
    [
        ([], "__override__", "type"),
        ({"web_settings": True}, "__override__.web_settings", "type"),
        (
            {"web_settings": {"password_length": 1}},
            "__override__.web_settings.password_length",
            "type",
        ),
        (
            {"web_settings": {"default_cc": True}},
            "__override__.web_settings.default_cc",
            "not_accepted",
        ),
        ({"web_settings": {"foo": True}}, "__override__.web_settings.foo", "unknown"),
        ({"cin_settings": {}}, "__override__.cin_settings", "unknown"),
        ({"__override__": {}}, "__override__.__override__", "not_accepted"),
    ],
)
def test_what_has_no_override_option(tree: Any, field: str, code: str) -> None:
    assert refused("settings", {"__override__": tree}) == [(field, code)]
