"""Settings: each value held against its own grammar."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscreen.schema import TYPES, Invalid, places
from callscreen.schema.settings_page import leaves

SETTINGS = TYPES["settings"]


def errors(document: Any, product: str = "pcs") -> "list[tuple[str, str]]":
    """Field and code of what is refused of a document."""
    try:
        message, _ = SETTINGS.from_json(document, product)
        SETTINGS.complete(message, product)
        SETTINGS.normalise(message, product, "1")
        SETTINGS.validate(message, product)
    except Invalid as error:
        return [(each.field, each.code) for each in error.errors]
    return []


def nested(path: str, value: Any) -> Any:
    for name in reversed(path.split(".")):
        value = {name: value}
    return value


HOSTS = ["a", "a.example", "a.example:5060", "192.0.2.1", "[2001:db8::1]", "[::1]:5060", "::1"]
NO_HOSTS = ["a b", "a:0", "a:65536", "a:x", "[a]", "[::1", "::g", "fe80::1%eth0", "a/b", "<a>"]
URIS = ["sip:a@b", "sips:a@b:5061;transport=tcp", "sip:b", "SIP:a@b?x=y", "tel:+15", "a@b", "+15"]
NO_URIS = [
    "sip:",
    "sip:@b",
    "sip:a@",
    "sip:a@b c",
    'sip:"a"@b',
    "sip:a@b>",
    "tel:",
    "@b",
    "http://a",
]
NO_PAGES = ["a.example", "//a", "ftp://a", "javascript:alert(1)", "http://", "http://a b"]
NO_RANGES = [[], [3, 3], [4, 3], [1], [0, 251], [-1, 2], [0, 1, 2]]

VALUES: dict[str, tuple[list[Any], list[Any]]] = {
    "branding": (
        [{"x": {"color_hue": 0, "highlight_hue": 360, "logo": "a b.PNG"}}, {"x": {"logo": ""}}],
        [
            {"x": {"color_hue": -1}},
            {"x": {"highlight_hue": 361}},
            {"x": {"logo": "a.svg"}},
            {"x": {"logo": "../a.png"}},
            {"x": {"color_hue": "red"}},
            {"x": {"colour": 1}},
            {"": {}},
            {"x" * 65: {}},
        ],
    ),
    "restworkx.archive_max_days": ([0, "7", 36500], [-1, 36501, "", "week", 1.5]),
    "restworkx.log_duration": ([1, "3650"], [0, 3651]),
    "web_settings.help_page": (
        ["http://a", "https://a.example:8443/x?y#z", "http://[::1]/", ""],
        [*NO_PAGES, "http://u:p@a", "http://a:x", "http://a:70000", "https://a:0", 'http://a/"'],
    ),
    "web_settings.password_length": ([1, 1024, "9"], [0, 1025]),
    "web_settings.number_mask": (
        ["d", "(ddd) ddd-dddd", "{+DDD }(DDD) DDD-DDDD", "x{-x}", "{d}{d}", "+D \u00b7 d"],
        ["", "+1", "{d", "d}", "}d{", "{{d}}", "{d{d}}", "{}d", "d\n", "()", "d" * 65],
    ),
    "web_settings.default_cc": (["44", 1, "+358"], ["0", "1234", "", "x", 0]),
    "security.allow_insecure": ([True, "false"], ["maybe", 2]),
    "screening_engine.egress_route": (
        ["", *HOSTS, "sip:a.example", "sips:[::1]:5061"],
        [*NO_HOSTS, "sip:a@b", "a;b"],
    ),
    "screening_engine.voicemail_service_location": (["", *URIS, *HOSTS], [*NO_URIS, "a b", "a/b"]),
    "screening_engine.sip_routing_prefix": (["", "011", "+*#."], ["a b", "a@b", "x" * 65]),
    "screening_engine.default_treatment": (["voicemail", "continue"], ["next", "screen", ""]),
    "screening_engine.ring_while_contacting_called_party": (["alaw"], ["mp3"]),
    "screening_engine.protected_numbers": ([["911", "+1585*"], []], [["help"], ["+" + "1" * 16]]),
    "screening_engine.network_blocked_contact": (
        ["", "https://a.example/b?c=d", "tel:+15551230000", "mailto:noc@a.example"],
        ["a b", 'a"b', "a;b", "a\\b", "x" * 251],
    ),
    "screening_engine.divert_cert_name": (["", "acme-1"], ["a b", "\n", "é", "x" * 251]),
    "csr_location": (["", *URIS], [*NO_URIS]),
    "screening_engine_uri": (["", "https://a/b"], ["a"]),
    "called_sources_config": (
        [[{"source": "hdr.diversion"}], []],
        [
            [{"source": "hdr.from"}],
            [{}],
            [{"source": "hdr.to"}] * 17,
            [{"source": "hdr.to", "policy": {"heuristic_digits": "guess"}}],
            [{"source": "hdr.to", "policy": {"user_phone_missing_context": "a b"}}],
            [{"source": "hdr.to", "more": 1}],
        ],
    ),
    "calling_sources_config": (
        [
            [{"source": "hdr.history_info", "policy": {"user_phone_missing_context": "+1"}}],
            [{"source": "hdr.from", "policy": {"user_phone_missing_context": "a.example"}}],
        ],
        [[{"source": "request_uri"}]],
    ),
    "email_settings": (
        [
            {"use_email": True, "host": "mail.example"},
            {"use_email": False},
            {"host": "::1", "port": "587"},
            {"port": ""},
        ],
        [
            {"use_email": True},
            {"use_email": True, "host": ""},
            {"host": "mail.example:25"},
            {"host": "a b"},
            {"port": 0},
            {"port": 65536},
            {"messages": {"recover": {"subject": "a\nBcc: b"}}},
            {"messages": {"welcome": {}}},
        ],
    ),
    "__override__": (
        [{"web_settings": {"password_length": True}}, {}],
        [{"web_settings": {"default_cc": True}}, {"nothing": True}, {"web_settings": True}, []],
    ),
    "no_such_setting": ([], [1, {}, "x"]),
}


@pytest.mark.parametrize("path", VALUES)
def test_a_value_is_of_its_form_or_refused(path: str) -> None:
    good, bad = VALUES[path]
    for value in good:
        assert errors(nested(path, value)) == [], value
    for value in bad:
        found = errors(nested(path, value))
        assert found, value
        assert all(field.startswith(path) for field, _ in found), (value, found)


CIN_VALUES: dict[str, tuple[list[Any], list[Any]]] = {
    "screening_engine.redirect_destination": (["12345", *URIS, *HOSTS], [*NO_URIS, "a b"]),
    "screening_engine.anonymous_treatment": (["screen", "voicemail"], ["next", "whatever"]),
    "screening_engine.nomatch_treatment": (["continue"], ["terminate_solicitor"]),
    "cin_settings.csv_retention_days": ([0, "30"], [-1, 36501]),
    "email_settings": ([], [{"use_email": False}]),
    "security": ([], [{"allow_insecure": True}]),
}


@pytest.mark.parametrize("path", CIN_VALUES)
def test_a_value_of_cin_is_of_its_form_or_refused(path: str) -> None:
    good, bad = CIN_VALUES[path]
    for value in good:
        assert errors(nested(path, value), "cin") == [], value
    for value in bad:
        assert errors(nested(path, value), "cin"), value


STEPS = {
    "strip_prefix": ({"prefix": "011"}, [{}, {"prefix": ""}, {"prefix": "a b"}]),
    "extract_substring": (
        {"range": [1, "11"]},
        [{}, *({"range": range_} for range_ in NO_RANGES)],
    ),
    "set_cc": ({"country_code": 44}, [{}, {"country_code": "0"}, {"country_code": "1234"}]),
    "default_cc": ({"country_code": "+1"}, [{}, {"country_code": "x"}]),
    "require_digits": ({"min_length": "3"}, [{"min_length": -1}, {"min_length": 251}]),
    "reverse": (None, [{}]),
}


@pytest.mark.parametrize("type_", STEPS)
def test_a_step_has_what_it_needs(type_: str) -> None:
    good, bad = STEPS[type_]
    for given_ in [good] if good is not None else []:
        step = {"type": type_, **given_}
        assert errors({"called_sources_config": [{"source": "hdr.to", "post": [step]}]}) == []
    for given_ in bad:
        step = {"type": type_, **given_}
        found = errors({"calling_sources_config": [{"source": "hdr.from", "post": [step]}]})
        assert found, step
        assert all(field.startswith("calling_sources_config[0].post[0]") for field, _ in found)


def test_what_a_provider_may_set_is_what_the_reference_says() -> None:
    rules = {setting.path: setting.field.rules for setting in leaves()}
    own = {path for path, rule in rules.items() if rule.overridable and not rule.ours}
    engine = "egress_route reject_with_media voicemail_service_location sip_routing_prefix"
    engine += " use_contact ring_while_contacting_called_party drop_anonymous_calls"
    web = "help_page password_length number_mask"
    assert own == {f"screening_engine.{name}" for name in engine.split()} | {
        f"web_settings.{name}" for name in web.split()
    }


TEXTS = st.text(alphabet=st.sampled_from('abd{}Dx[]:@;/?.0159+*#%<" \n'), max_size=30)
FUNCTIONS = [getattr(places, name) for name in dir(places) if name.startswith("is_")]


@given(text=TEXTS | st.text(max_size=30))
def test_any_text_is_of_a_form_or_not(text: str) -> None:
    for fits in FUNCTIONS:
        assert fits(text) in (True, False)
    for fits in (places.is_location, places.is_route, places.is_host, places.is_web_page):
        if fits(text):
            assert text.isascii()
            assert not set(text) & set('<>" \n')
