"""The references' own examples are read, completed, held valid, and answered."""

from typing import Any

import pytest

from callscreen.schema import MASK, TYPES

from ..references import (
    ADMINISTRATOR,
    AUDIO,
    CRITERIA,
    LISTS,
    NUMBER,
    ORIGINATION_SOURCE,
    OVERRIDE,
    PROVIDER,
    SCREENING_RULE,
    SUBSCRIBER,
    integers,
)

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
        ADMINISTRATOR,
        {"username": "john_doe_admin", "permissions": ["default:service_provider"]},
    ),
    (
        "pcs",
        "service_provider",
        {**PROVIDER, "whitelist": ["5855551234"], "blacklist": ["5859879876"]},
        {"whitelist": ["+15855551234"], "blacklist": ["+15859879876"]},
    ),
    ("cin", "service_provider", PROVIDER, {}),
    (
        "pcs",
        "service_selection_criteria",
        CRITERIA,
        {"point_code_ranges": [], "called_ccs": [], "source_ips": []},
    ),
    ("pcs", "screening_rule", SCREENING_RULE, None),
    ("pcs", "audio", AUDIO, {}),
    ("pcs", "subscriber", {**SUBSCRIBER, **LISTS, "override": OVERRIDE}, {}),
    ("cin", "subscriber", {**SUBSCRIBER, "voicemail": []}, {"voicemail": None}),
    ("pcs", "number", {**NUMBER, **LISTS}, {"number": "+15851239876"}),
    (
        "cin",
        "number",
        {**NUMBER, "ivr_pin": "1111", "override_pin": "2222", "vip": [], "blocked": []},
        {"number": "+15851239876", "ivr_pin": MASK, "override_pin": MASK},
    ),
    (
        "pcs",
        "origination_source",
        ORIGINATION_SOURCE,
        {"source_ip": ["145.123.233.21", "192.168.1.0/24"], "source_numbers": SOURCE_NUMBERS},
    ),
]


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
    expected = integers(body) if otherwise is None else {**body, **otherwise}
    assert {name: answer[name] for name in body} == expected
