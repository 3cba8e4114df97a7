"""The two API references against the descriptors, both ways: nothing missing, nothing more.

The tables are typed from the references by hand. What they leave open (a limit they do not state)
is not compared; a field that they do not have is marked `ours` in the .proto.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from callscreen.schema import PRODUCTS, TYPES, Kind, Shape


class Spec(NamedTuple):
    """One documented field. `limit`: characters; `product`: the only one that documents it."""

    kind: str
    required: bool = False
    limit: int | None = None
    accepted: tuple[str, ...] = ()
    product: str | None = None
    references: str = ""
    unique: bool = False
    low: int | None = None
    high: int | None = None


def text(limit: int | None = None, **more: Any) -> Spec:
    return Spec("string", limit=limit, **more)


def needed(limit: int | None = None, **more: Any) -> Spec:
    return Spec("string", required=True, limit=limit, **more)


def texts(**more: Any) -> Spec:
    return Spec("list of string", **more)


def number(**more: Any) -> Spec:
    return Spec("integer", **more)


def truth(**more: Any) -> Spec:
    return Spec("boolean", **more)


def group(**more: Any) -> Spec:
    return Spec("object", **more)


ENDS = ("continue", "terminate", "terminate_solicitor", "voicemail")
TREATMENTS = (*ENDS, "next")
PROVIDER = needed(references="service_provider")
CONTACT = {
    "display_name": text(250),
    "first_name": text(250),
    "last_name": text(250),
    "email": text(250),
    "address": text(250),
    "phone": text(250),
    "notes": text(2048),
}
PCS_LISTS = {"whitelist": texts(product="pcs"), "blacklist": texts(product="pcs")}

OBJECTS: dict[str, dict[str, Spec]] = {
    "Administrator": {
        "username": needed(64, unique=True),
        "role_id": needed(),
        "first_name": text(250),
        "last_name": text(250),
        "email": text(250),
        "permissions": texts(
            accepted=(
                "add_permission_group_entries",
                "alter_permission_group",
                "alter_platform_owner_user",
                "alter_service_provider_user",
                "alter_subscriber_user",
                "create_permission_group",
                "default:platform_owner",
                "default:service_provider",
                "list_permission_group_entries",
                "list_permission_groups",
                "pcs_default:pcs_application_provisioning",
                "pcs_default:pcs_platform_owner_administration",
                "pcs_default:pcs_platform_owner_platform_administration",
                "pcs_default:pcs_platform_owner_provisioning",
                "pcs_default:pcs_platform_owner_user_administration",
                "pcs_default:pcs_platform_owner_views",
                "pcs_default:pcs_service_provider_platform_administration",
                "pcs_default:pcs_service_provider_provisioning",
                "pcs_default:pcs_service_provider_user_administration",
                "pcs_default:pcs_service_provider_views",
                "pcs_default:pcs_subscriber_administration",
                "pcs_default:pcs_subscriber_platform_administration",
                "pcs_default:pcs_subscriber_provisioning",
                "pcs_default:pcs_subscriber_user_administration",
                "pcs_default:pcs_subscriber_views",
                "pcs_view_screening_rule",
                "remove_permission_group",
                "remove_permission_group_entries",
                "screening_engine_view_screening_treatment",
                "view_permission_group",
                "view_service_provider",
                "view_subscriber",
                "view_subscriber_user",
                "default:subscriber",
            )
        ),
    },
    "ServiceProvider": {"name": needed(64, unique=True), **CONTACT, **PCS_LISTS},
    "ServiceSelectionCriteria": {
        "service_provider_name": PROVIDER,
        "screening_group": text(),
        "point_code_ranges": Spec("list of object"),
        "called_ccs": texts(),
        "source_ips": texts(),
    },
    "ScreeningRule": {
        "whitelist": group(),
        "blacklist": group(),
        "call_guardian": group(),
        "captcha": group(),
        "recorded_greeting": group(),
        "stir_shaken": group(),
        "error_treatment": text(accepted=("continue", "terminate", "terminate_solicitor", "next")),
        "service_provider_name": needed(references="service_provider", unique=True),
    },
    "ListRule": {
        "personal": truth(required=True),
        "global": truth(required=True),
        "override": truth(required=True),
        "stir_shaken": truth(required=True),
        "match": needed(accepted=TREATMENTS),
        "no_match": needed(accepted=TREATMENTS),
        "priority": number(required=True),
    },
    "CallGuardianRule": {
        "enabled": truth(required=True),
        "override": truth(required=True),
        "lower_threshold": number(required=True),
        "lower_treatment": needed(accepted=TREATMENTS),
        "mid_treatment": needed(accepted=TREATMENTS),
        "upper_threshold": number(required=True),
        "upper_treatment": needed(accepted=TREATMENTS),
        "priority": number(required=True),
        "timeout": number(required=True),
        "customer_identifier": needed(),
        "database_address": needed(),
    },
    "CaptchaRule": {
        "enabled": truth(required=True),
        "override": truth(required=True),
        "audio": needed(),
        "first_digit_timeout": number(required=True),
        "inter_digit_timeout": number(required=True),
        "pass": group(required=True),
        "fail": group(required=True),
        "digit_length": number(required=True),
        "retries": number(required=True),
        "priority": number(required=True),
    },
    "PlayedTreatment": {"treatment": needed(accepted=TREATMENTS), "audio": needed()},
    "RecordedGreetingRule": {
        "enabled": truth(required=True),
        "override": truth(required=True),
        "audio_called": needed(),
        "audio_calling": needed(),
        "option_1": needed(accepted=ENDS),
        "option_2": needed(accepted=ENDS),
        "option_3": needed(accepted=ENDS),
        "option_4": needed(accepted=ENDS),
        "priority": number(required=True),
    },
    "StirShakenRule": {
        "enabled": truth(required=True),
        "override": truth(required=True),
        "auth_address": needed(),
        "invalid": needed(accepted=TREATMENTS),
        "priority": number(required=True),
    },
    "Audio": {
        "file": needed(),
        "location": needed(),
        "server": needed(),
        "label": text(),
        "service_provider_name": PROVIDER,
    },
    "Subscriber": {
        "name": needed(64),
        "service_provider_name": PROVIDER,
        **CONTACT,
        "voicemail": text(),
        "service_enabled": truth(),
        **PCS_LISTS,
        "override": group(product="pcs"),
    },
    "Override": {
        "stir_shaken": truth(),
        "whitelist": truth(),
        "blacklist": truth(),
        "call_guardian": truth(),
        "captcha": truth(),
        "recorded_greeting": truth(),
    },
    "Number": {
        "number": needed(250, unique=True),
        "subscriber_name": needed(references="subscriber"),
        "service_provider_name": PROVIDER,
        "nickname": text(250),
        **PCS_LISTS,
        "ivr_pin": text(product="cin"),
        "override_pin": text(product="cin"),
        "vip": texts(product="cin"),
        "blocked": texts(product="cin"),
    },
    "OriginationSource": {
        "name": text(64),
        "service_provider_name": PROVIDER,
        "source_ip": texts(unique=True),
        "orig_id": needed(),
        "attest": needed(accepted=("A", "B", "C", "N")),
        "cert_name": needed(),
        "source_numbers": Spec("list of object"),
    },
    "SourceNumbers": {
        "service_provider_name": text(references="service_provider"),
        "source_name": text(64),
        "numbers_n": texts(required=True),
        "orig_id_n": needed(),
        "attest_n": needed(accepted=("A", "B", "C", "N")),
        "cert_name_n": needed(),
        "priority": number(required=True),
    },
}

CIN_TREATMENTS = ("continue", "screen", "terminate", "voicemail")
SOURCE = {"policy": group(), "post": Spec("list of object")}

SETTINGS: dict[str, dict[str, Spec]] = {
    "Settings": {
        "menu_forwarding_configuration_file": text(),
        "screening_engine_uri": text(),
        "download_directory": text(),
        "upload_directory": text(),
        "job_log_directory": text(),
        "application_username": text(),
        "application_password": text(),
        "screening_interface_impl": text(product="pcs"),
        "csr_location": text(),
        "branding": Spec("map"),
        "restworkx": group(),
        "web_settings": group(),
        "security": group(product="pcs"),
        "screening_engine": group(),
        "called_sources_config": Spec("list of object"),
        "calling_sources_config": Spec("list of object"),
        "email_settings": group(product="pcs"),
        "cin_settings": group(product="cin"),
        "__override__": Spec("tree"),
    },
    "Branding": {
        "color_hue": number(low=0, high=360),
        "highlight_hue": number(low=0, high=360),
        "logo": text(),
        "label": text(),
    },
    "RestworkxSettings": {
        "archive_max_days": number(),
        "audit_log_directory": text(),
        "log_duration": number(),
    },
    "WebSettings": {
        "help_page": text(),
        "password_length": number(),
        "number_mask": text(),
        "default_cc": text(),
    },
    "SecuritySettings": {
        "client_cert": text(),
        "client_key": text(),
        "ca_bundle": text(),
        "allow_insecure": truth(),
    },
    "ScreeningEngineSettings": {
        "trunk_id_in_forward_call": truth(product="pcs"),
        "egress_route": text(),
        "reject_with_media": truth(),
        "voicemail_service_location": text(product="pcs"),
        "sip_routing_prefix": text(),
        "use_contact": truth(product="pcs"),
        "default_treatment": text(accepted=ENDS, product="pcs"),
        "ring_while_contacting_called_party": text(accepted=("silence", "ulaw", "alaw")),
        "drop_anonymous_calls": truth(product="pcs"),
        "sip_connection_type": text(product="cin"),
        "redirect_destination": text(product="cin"),
        "anonymous_treatment": text(accepted=CIN_TREATMENTS, product="cin"),
        "nomatch_treatment": text(accepted=CIN_TREATMENTS, product="cin"),
    },
    "CalledSource": {
        "source": needed(accepted=("request_uri", "hdr.to", "hdr.diversion")),
        **SOURCE,
    },
    "CallingSource": {
        "source": needed(
            accepted=("hdr.from", "hdr.diversion", "hdr.p_asserted_identity", "hdr.history_info")
        ),
        **SOURCE,
    },
    "NumberPolicy": {
        "user_phone_missing_context": text(),
        "attempt_implicit_user_phone": truth(),
        "heuristic_digits": text(accepted=("longest-digit-substring", "as-is")),
    },
    "PostStep": {
        "type": needed(
            accepted=(
                "strip_prefix",
                "extract_substring",
                "set_cc",
                "default_cc",
                "require_digits",
            )
        ),
        "prefix": text(),
        "range": Spec("list of integer"),
        "country_code": text(),
        "min_length": number(),
    },
    "EmailSettings": {
        "use_email": truth(),
        "host": text(),
        "user": text(),
        "port": number(),
        "password": text(),
        "use_tls": truth(),
        "messages": group(),
    },
    "MailTexts": {"recover": group(), "activate": group()},
    "MailText": {"subject": text(), "headline": text(), "message": text()},
    "CinSettings": {"csv_retention_days": number()},
}

DOCUMENTED = OBJECTS | SETTINGS

# Documented as an array of arrays, each [first, last]; held as messages.
OURS = {"PointCodeRange", "StirShakenSettings"}

PCS_ONLY = {"service_selection_criteria", "screening_rule", "audio", "origination_source"}

OVERRIDABLE = {
    "web_settings.help_page",
    "web_settings.password_length",
    "web_settings.number_mask",
    "screening_engine.egress_route",
    "screening_engine.reject_with_media",
    "screening_engine.voicemail_service_location",
    "screening_engine.sip_routing_prefix",
    "screening_engine.use_contact",
    "screening_engine.ring_while_contacting_called_party",
    "screening_engine.drop_anonymous_calls",
}


def shapes(*shape: Shape) -> Iterator[Shape]:
    for own in shape:
        yield own
        yield from shapes(*(field.shape for field in own.fields if field.shape))


SHAPES = {shape.name: shape for shape in shapes(*(own.shape for own in TYPES.values()))}


def test_every_documented_object_is_here_and_no_other() -> None:
    assert set(SHAPES) == set(DOCUMENTED) | OURS
    assert set(TYPES) == {
        "administrator",
        "service_provider",
        "service_selection_criteria",
        "screening_rule",
        "audio",
        "subscriber",
        "number",
        "origination_source",
        "settings",
    }


def test_the_products_that_have_an_object() -> None:
    for own in TYPES.values():
        assert own.products == (("pcs",) if own.type in PCS_ONLY else PRODUCTS), own


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
def test_every_documented_field_is_here_and_no_other(name: str) -> None:
    fields = {field.json_name for field in SHAPES[name].fields if not field.rules.ours}
    assert fields == set(DOCUMENTED[name])


@pytest.mark.parametrize(
    ("name", "field"), [(name, field) for name, fields in DOCUMENTED.items() for field in fields]
)
def test_a_field_is_as_documented(name: str, field: str) -> None:
    spec = DOCUMENTED[name][field]
    own = next(held for held in SHAPES[name].fields if held.json_name == field)
    rules = own.rules
    found = Spec(
        kind=f"list of {own.kind.value}" if own.repeated else own.kind.value,
        required=rules.required,
        limit=rules.max_len if spec.limit else None,
        accepted=own.accepted("pcs"),
        product=own.product,
        references=rules.references,
        unique=rules.unique,
        low=rules.minimum if spec.low is not None else None,
        high=rules.maximum if spec.high is not None else None,
    )
    assert found._replace(accepted=()) == spec._replace(accepted=())
    assert sorted(found.accepted) == sorted(spec.accepted)


def test_every_text_and_list_has_a_limit_of_ours_at_least() -> None:
    for shape in SHAPES.values():
        for field in shape.fields:
            if field.repeated or field.kind is Kind.MAP:
                assert field.rules.max_items, (shape.name, field.name)
            if field.kind is Kind.STRING:
                rules = field.rules
                bounded = rules.max_len or rules.accepted or rules.format or rules.references
                assert bounded, (shape.name, field.name)


def test_the_settings_that_a_provider_may_hold() -> None:
    found = {
        f"{group.name}.{field.name}"
        for group in SHAPES["Settings"].fields
        for field in (group.shape.fields if group.shape else ())
        if field.rules.overridable and not field.rules.ours
    }
    assert found == OVERRIDABLE


def test_call_intercept_names_its_own_permission_groups() -> None:
    field = next(held for held in SHAPES["Administrator"].fields if held.name == "permissions")
    documented = OBJECTS["Administrator"]["permissions"].accepted
    assert sorted(field.accepted("cin")) == sorted(
        group.replace("pcs_", "cin_") for group in documented
    )


def test_every_field_has_its_line_for_people() -> None:
    for shape in SHAPES.values():
        assert all(field.rules.help.endswith(".") for field in shape.fields), shape.name
