"""The references' own examples are read, completed, held valid, and answered."""

from typing import Any

import pytest

from callscreen.schema import MASK, TYPES

SOURCE_NUMBERS = [
    {
        "service_provider_name": None,
        "source_name": None,
        "numbers_n": ["+1585xxxxxxx", "+1716555xxxx"],
        "orig_id_n": "def-544333-uvw",
        "attest_n": "B",
        "cert_name_n": "Certificate1",
        "priority": 0,
    },
    {
        "service_provider_name": None,
        "source_name": None,
        "numbers_n": ["+1613xxxxxxx"],
        "orig_id_n": "ghi-655222-rst",
        "attest_n": "C",
        "cert_name_n": "Certificate2",
        "priority": 1,
    },
]

# Product, object, the documented body, and what is answered otherwise than it was sent
# (None: the numbers in it are unquoted).
EXAMPLES: list[tuple[str, str, dict[str, Any], dict[str, Any] | None]] = [
    (
        "pcs",
        "administrator",
        {
            "username": "John_Doe_admin",
            "role_id": "service_provider:exampleserviceprovider",
            "first_name": "John",
            "last_name": "Doe",
            "email": "jdoe@example.com",
            "permissions": "default:service_provider",
        },
        {"username": "john_doe_admin", "permissions": ["default:service_provider"]},
    ),
    (
        "pcs",
        "service_provider",
        {
            "name": "exampleserviceprovider",
            "display_name": "JSMITH",
            "first_name": "John",
            "last_name": "Smith",
            "email": "jsmith@example.com",
            "address": "123 Main St",
            "phone": "5851231234",
            "notes": "Any string here",
            "whitelist": ["5855551234"],
            "blacklist": ["5859879876"],
        },
        {"whitelist": ["+15855551234"], "blacklist": ["+15859879876"]},
    ),
    (
        "pcs",
        "service_selection_criteria",
        {
            "service_provider_name": "exampleserviceprovider",
            "screening_group": "examplegroup",
            "point_code_ranges": "",
            "called_ccs": "",
            "source_ips": "",
        },
        {"point_code_ranges": [], "called_ccs": [], "source_ips": []},
    ),
    (
        "pcs",
        "screening_rule",
        {
            "whitelist": {
                "personal": False,
                "global": True,
                "override": False,
                "stir_shaken": True,
                "match": "continue",
                "no_match": "next",
                "priority": "2",
            },
            "blacklist": {
                "personal": False,
                "global": True,
                "override": False,
                "stir_shaken": True,
                "match": "terminate",
                "no_match": "next",
                "priority": "3",
            },
            "call_guardian": {
                "enabled": True,
                "override": False,
                "lower_threshold": "-2",
                "lower_treatment": "terminate",
                "mid_treatment": "next",
                "upper_threshold": "3",
                "upper_treatment": "continue",
                "priority": "4",
                "timeout": "10",
                "customer_identifier": "exampleuser",
                "database_address": "10.10.10.10",
            },
            "captcha": {
                "enabled": True,
                "override": False,
                "audio": "/usr/sipxpress/media/local/afrar5aghsyunasf.wav",
                "first_digit_timeout": "4000",
                "inter_digit_timeout": "8000",
                "pass": {"treatment": "continue", "audio": "default"},
                "fail": {"treatment": "next", "audio": "default"},
                "digit_length": "4",
                "retries": "1",
                "priority": "5",
            },
            "recorded_greeting": {
                "enabled": True,
                "override": False,
                "audio_called": "default",
                "audio_calling": "usr/sipxpress/media/local/audio.wav",
                "option_1": "continue",
                "option_2": "terminate",
                "option_3": "terminate_solicitor",
                "option_4": "voicemail",
                "priority": "6",
            },
            "stir_shaken": {
                "enabled": True,
                "override": False,
                "auth_address": "10.10.10.10",
                "invalid": "terminate",
                "priority": "1",
            },
            "error_treatment": "continue",
            "service_provider_name": "exampleserviceprovider",
        },
        None,
    ),
    (
        "pcs",
        "audio",
        {
            "file": "Hello.wav",
            "location": "/temp/audio",
            "server": "lab-niu01.lab.redcom.com",
            "label": "Hello",
            "service_provider_name": "Name",
        },
        {},
    ),
    (
        "pcs",
        "subscriber",
        {
            "name": "examplesubscriber",
            "display_name": "ExampleSubscriber",
            "service_provider_name": "exampleserviceprovider",
            "first_name": "Jane",
            "last_name": "Doe",
            "email": "jdoe@example.com",
            "address": "123 Main St",
            "phone": "5851234321",
            "notes": "This is an example Subscriber.",
            "voicemail": "",
            "service_enabled": True,
            "whitelist": [],
            "blacklist": [],
            "override": {
                "stir_shaken": False,
                "whitelist": True,
                "blacklist": True,
                "call_guardian": False,
                "captcha": False,
                "recorded_greeting": False,
            },
        },
        {},
    ),
    (
        "cin",
        "subscriber",
        {
            "name": "examplesubscriber",
            "display_name": "ExampleSubscriber",
            "service_provider_name": "exampleserviceprovider",
            "voicemail": [],
            "service_enabled": True,
        },
        {"voicemail": None},
    ),
    (
        "pcs",
        "number",
        {
            "number": "5851239876",
            "subscriber_name": "examplesubscriber",
            "service_provider_name": "exampleserviceprovider",
            "nickname": "optionalname",
            "whitelist": [],
            "blacklist": [],
        },
        {"number": "+15851239876"},
    ),
    (
        "cin",
        "number",
        {
            "number": "5851239876",
            "subscriber_name": "examplesubscriber",
            "service_provider_name": "exampleserviceprovider",
            "nickname": "optionalname",
            "ivr_pin": "1111",
            "override_pin": "2222",
            "vip": [],
            "blocked": [],
        },
        {"number": "+15851239876", "ivr_pin": MASK, "override_pin": MASK},
    ),
    (
        "pcs",
        "origination_source",
        {
            "name": "server1",
            "service_provider_name": "example_sp",
            "source_ip": ["145.123.233.21", "192.168.1/24"],
            "orig_id": "abc-433444-xyz",
            "attest": "A",
            "cert_name": "Certificate0",
            "source_numbers": [
                {
                    "numbers_n": ["585xxxxxxx", "716555xxxx"],
                    "orig_id_n": "def-544333-uvw",
                    "attest_n": "B",
                    "cert_name_n": "Certificate1",
                    "priority": 0,
                },
                {
                    "numbers_n": ["613xxxxxxx"],
                    "orig_id_n": "ghi-655222-rst",
                    "attest_n": "C",
                    "cert_name_n": "Certificate2",
                    "priority": 1,
                },
            ],
        },
        {"source_ip": ["145.123.233.21", "192.168.1.0/24"], "source_numbers": SOURCE_NUMBERS},
    ),
]


def unquoted(value: Any) -> Any:
    """The same with every integer that stands in quotes taken out of them."""
    if isinstance(value, dict):
        return {name: unquoted(held) for name, held in value.items()}
    is_number = isinstance(value, str) and value.removeprefix("-").isdecimal()
    return int(value) if is_number else value


@pytest.mark.parametrize(("product", "type_", "body", "otherwise"), EXAMPLES)
def test_the_references_own_examples(
    product: str, type_: str, body: dict[str, Any], otherwise: dict[str, Any] | None
) -> None:
    own = TYPES[type_]
    message, mask = own.from_json(body, product)
    assert mask == tuple(body)
    own.complete(message, product)
    own.normalise(message, product, "1")
    own.validate(message, product)
    answer = own.to_json(message, product)
    expected = unquoted(body) if otherwise is None else {**body, **otherwise}
    assert {name: answer[name] for name in body} == expected
