"""The bodies of the references' examples."""

from typing import Any

PROVIDER: dict[str, Any] = {
    "name": "exampleserviceprovider",
    "display_name": "JSMITH",
    "first_name": "John",
    "last_name": "Smith",
    "email": "jsmith@example.com",
    "address": "123 Main St",
    "phone": "5851231234",
    "notes": "Any string here",
}
SUBSCRIBER: dict[str, Any] = {
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
}
OVERRIDE = {
    "stir_shaken": False,
    "whitelist": True,
    "blacklist": True,
    "call_guardian": False,
    "captcha": False,
    "recorded_greeting": False,
}
NUMBER: dict[str, Any] = {
    "number": "5851239876",
    "subscriber_name": "examplesubscriber",
    "service_provider_name": "exampleserviceprovider",
    "nickname": "optionalname",
}
LISTS: dict[str, Any] = {"whitelist": [], "blacklist": []}
LIST_RULE = {
    "personal": False,
    "global": True,
    "override": False,
    "stir_shaken": True,
    "match": "continue",
    "no_match": "next",
    "priority": "2",
}
SCREENING_RULE: dict[str, Any] = {
    "whitelist": LIST_RULE,
    "blacklist": {**LIST_RULE, "match": "terminate", "priority": "3"},
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
}
ORIGINATION_SOURCE: dict[str, Any] = {
    "name": "server1",
    "service_provider_name": "exampleserviceprovider",
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
}


AUDIO: dict[str, Any] = {
    "file": "Hello.wav",
    "location": "/temp/audio",
    "server": "lab-niu01.lab.redcom.com",
    "label": "Hello",
    "service_provider_name": "Name",
}
ADMINISTRATOR: dict[str, Any] = {
    "username": "John_Doe_admin",
    "role_id": "service_provider:exampleserviceprovider",
    "first_name": "John",
    "last_name": "Doe",
    "email": "jdoe@example.com",
    "permissions": "default:service_provider",
}
CRITERIA: dict[str, Any] = {
    "service_provider_name": "exampleserviceprovider",
    "screening_group": "examplegroup",
    "point_code_ranges": "",
    "called_ccs": "",
    "source_ips": "",
}


def integers(value: Any) -> Any:
    """The same with every quoted integer as an integer."""
    if isinstance(value, dict):
        return {key: integers(held) for key, held in value.items()}
    if isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    return value
