"""Defaults: the settings documents of both references, and what is filled in elsewhere."""

from typing import Any

import pytest

from callscreen.schema import TYPES

AS_IS = {
    "user_phone_missing_context": None,
    "attempt_implicit_user_phone": False,
    "heuristic_digits": "as-is",
}
MIN_3 = [{"type": "require_digits", "min_length": 3}]
CALLED = [
    {"source": "hdr.to", "policy": AS_IS, "post": []},
    {"source": "request_uri", "policy": AS_IS, "post": []},
]
CALLING = [
    {
        "source": "hdr.from",
        "policy": {**AS_IS, "attempt_implicit_user_phone": True},
        "post": MIN_3,
    },
    {
        "source": "hdr.p_asserted_identity",
        "policy": {
            "user_phone_missing_context": None,
            "attempt_implicit_user_phone": True,
            "heuristic_digits": "longest-digit-substring",
        },
        "post": MIN_3,
    },
]

PCS: dict[str, Any] = {
    "menu_forwarding_configuration_file": (
        "/usr/sipxpress/config/pcs-menu-forwarding-configuration.yml"
    ),
    "screening_engine_uri": "http://niu/pcs-screening-engine",
    "download_directory": "/var/opt/xpressworkx/app-manager/pcs/media/download",
    "upload_directory": "/var/opt/xpressworkx/app-manager/pcs/media/upload",
    "job_log_directory": "/var/opt/xpressworkx/app-manager/pcs/media/download",
    "application_username": "pcs_application_manager",
    "application_password": None,
    "screening_interface_impl": "com.imsworkx.screeningEngine.xtml.ScreeningEngine",
    "csr_location": "sip:csr@localhost",
    "branding": {
        "imsworkx": {
            "color_hue": 202,
            "highlight_hue": 198,
            "logo": "logo.png",
            "label": "Evolve Cellular Inc. &reg;",
        }
    },
    "restworkx": {
        "archive_max_days": 7,
        "audit_log_directory": "/var/opt/xpressworkx/app-manager/pcs/logs/audit-logs/",
        "log_duration": 1,
        "record_max_days": 400,
    },
    "web_settings": {
        "help_page": "http://www.imsworkx.com",
        "password_length": 8,
        "number_mask": "(ddd) ddd-dddd",
        "default_cc": "1",
    },
    "security": {
        "client_cert": None,
        "client_key": None,
        "ca_bundle": None,
        "allow_insecure": False,
    },
    "screening_engine": {
        "trunk_id_in_forward_call": False,
        "egress_route": "",
        "reject_with_media": False,
        "voicemail_service_location": "",
        "sip_routing_prefix": "",
        "use_contact": True,
        "default_treatment": "continue",
        "ring_while_contacting_called_party": "silence",
        "drop_anonymous_calls": False,
    },
    "called_sources_config": CALLED,
    "calling_sources_config": CALLING,
    "email_settings": {
        "use_email": False,
        "host": "",
        "user": "",
        "port": None,  # documented as "": none
        "password": None,
        "use_tls": False,
        "messages": {
            "recover": {
                "subject": "Recover Your Account",
                "headline": "Account Recovery",
                "message": "Click the link below to recover your account.",
            },
            "activate": {
                "subject": "Activate Your Account",
                "headline": "Account Activation",
                "message": "Click the link below to activate your account.",
            },
        },
    },
}

CIN: dict[str, Any] = {
    "menu_forwarding_configuration_file": (
        "/usr/sipxpress/config/cin-menu-forwarding-configuration.yml"
    ),
    "screening_engine_uri": "http://niu/cin-screening-engine",
    "download_directory": "/var/opt/xpressworkx/app-manager/cin/media/download",
    "upload_directory": "/var/opt/xpressworkx/app-manager/cin/media/upload",
    "job_log_directory": "/var/opt/xpressworkx/app-manager/cin/media/download",
    "application_username": "cin_application_manager",
    "application_password": None,
    "branding": {
        "imsworkx": {
            "color_hue": 75,
            "highlight_hue": 79,
            "logo": "logo.png",
            "label": "IMSWorkX, Inc. ®",
        }
    },
    "restworkx": {
        "archive_max_days": 7,
        "audit_log_directory": "/var/opt/xpressworkx/app-manager/cin/logs/audit-logs/",
        "log_duration": 1,
        "record_max_days": 400,
    },
    "web_settings": {
        "help_page": "http://www.imsworkx.com",
        "password_length": 8,
        "number_mask": "{+DDD }(DDD) DDD-DDDD",
    },
    "screening_engine": {
        "egress_route": "",
        "reject_with_media": False,
        "sip_routing_prefix": "",
        "sip_connection_type": "redirect",
        "ring_while_contacting_called_party": "silence",
        "redirect_destination": "12345",
        "anonymous_treatment": "screen",
        "nomatch_treatment": "screen",
    },
    "cin_settings": {"csv_retention_days": 30},
    "csr_location": "sip:csr@localhost",
}


def defaults(product: str) -> dict[str, Any]:
    """The platform's settings when nothing was ever set."""
    settings = TYPES["settings"]
    message = settings.message()
    settings.complete(message, product)
    settings.normalise(message, product, "1")
    settings.validate(message, product)
    return settings.to_json(message, product)


def test_pcs_starts_with_the_documented_settings() -> None:
    found = defaults("pcs")
    assert found.pop("service_provider_name") is None
    assert found.pop("__override__") is None
    assert found["screening_engine"].pop("protected_numbers") == []
    assert found["screening_engine"].pop("network_blocked_contact") == ""
    assert found["screening_engine"].pop("divert_cert_name") == ""
    assert found.pop("stir_shaken") == {
        "freshness": 60,
        "fetch_budget": 300,
        "require_date": False,
        "require_identity": False,
        "replayed_invalid": True,
        "malformed_failed": False,
    }
    assert found == PCS
    assert list(found) == list(PCS)


def test_cin_starts_with_the_documented_settings() -> None:
    found = defaults("cin")
    assert found.pop("service_provider_name") is None
    assert found.pop("__override__") is None
    assert found["screening_engine"].pop("protected_numbers") == []
    assert found["web_settings"].pop("default_cc") == "1"
    assert found.pop("called_sources_config") == CALLED
    assert found.pop("calling_sources_config") == CALLING
    assert found == CIN


@pytest.mark.parametrize(("product", "document"), [("pcs", PCS), ("cin", CIN)])
def test_the_documented_settings_can_be_sent_back_with_numbers_quoted(
    product: str, document: dict[str, Any]
) -> None:
    def quoted(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: quoted(held) for name, held in value.items()}
        if isinstance(value, list):
            return [quoted(held) for held in value]
        return str(value) if type(value) is int else value

    settings = TYPES["settings"]
    message, mask = settings.from_json(quoted(document), product)
    assert set(mask) == set(document)
    settings.complete(message, product)
    settings.validate(message, product)
    assert settings.to_json(message, product) == defaults(product)


def test_filling_in_changes_nothing_that_is_there() -> None:
    settings = TYPES["settings"]
    body = {
        "web_settings": {"default_cc": "44", "help_page": ""},
        "called_sources_config": [{"source": "hdr.diversion"}],
        "branding": {"acme": {"logo": "a.png"}},
    }
    message, _ = settings.from_json(body, "pcs")
    settings.complete(message, "pcs")
    found = settings.to_json(message, "pcs")
    assert found["web_settings"] == {**PCS["web_settings"], "default_cc": "44", "help_page": ""}
    assert found["called_sources_config"] == [
        {"source": "hdr.diversion", "policy": AS_IS, "post": []}
    ]
    assert list(found["branding"]) == ["acme"]
    before = message.SerializeToString(deterministic=True)
    settings.complete(message, "pcs")
    assert message.SerializeToString(deterministic=True) == before


def test_two_objects_never_share_a_default() -> None:
    settings = TYPES["settings"]
    first, second = settings.message(), settings.message()
    settings.complete(first, "pcs")
    settings.complete(second, "pcs")
    first.branding["imsworkx"].logo = "other.png"  # type: ignore[attr-defined]
    assert second.branding["imsworkx"].logo == "logo.png"  # type: ignore[attr-defined]


def test_a_providers_own_settings_are_left_sparse() -> None:
    settings = TYPES["settings"]
    message, _ = settings.from_json({"web_settings": {"password_length": 12}}, "pcs")
    settings.complete(message, "pcs", {"service_provider_name": "acme"})
    assert settings.key_of(message) == ("acme",)
    found = {name: value for name, value in settings.to_json(message, "pcs").items() if value}
    assert found == {
        "service_provider_name": "acme",
        "web_settings": {
            "help_page": None,
            "password_length": 12,
            "number_mask": None,
            "default_cc": None,
        },
    }


def test_a_subscriber_is_in_service_with_no_rule_turned_off() -> None:
    subscriber = TYPES["subscriber"]
    message, _ = subscriber.from_json({"name": "alice"}, "pcs")
    subscriber.complete(message, "pcs", {"service_provider_name": "acme"})
    found = subscriber.to_json(message, "pcs")
    assert found["service_provider_name"] == "acme"
    assert found["service_enabled"] is True
    assert set(found["override"].values()) == {False}


def test_the_screening_group_is_named_after_the_provider() -> None:
    criteria = TYPES["service_selection_criteria"]
    message = criteria.message()
    criteria.complete(message, "pcs")
    assert not message.HasField("screening_group")
    criteria.complete(message, "pcs", {"service_provider_name": "acme"})
    assert criteria.key_of(message) == ("acme", "pcs:acme")


def test_a_rule_left_out_stays_out() -> None:
    rules = TYPES["screening_rule"]
    message, _ = rules.from_json({"error_treatment": "next"}, "pcs")
    rules.complete(message, "pcs", {"service_provider_name": "acme"})
    assert rules.to_json(message, "pcs")["whitelist"] is None
