"""Who may do what."""

import pytest

from callscreen.core.access import (
    Verb,
    levels_below,
    parse_role,
    place_of,
    principal,
    service,
)
from callscreen.core.errors import PermissionDenied

PLATFORM = principal("pcs", "root", "platform_owner")
ACME = principal("pcs", "acme_admin", "service_provider:acme")
ALICE = principal("pcs", "alice", "subscriber:acme:alice")

# caller, type, key -> the verbs that are allowed
RIGHTS = [
    (PLATFORM, "service_provider", ("acme",), "create read update delete"),
    (PLATFORM, "settings", ("",), "create read update delete"),
    (PLATFORM, "administrator", ("platform_owner", "root"), "create read update delete"),
    (PLATFORM, "cdr", ("acme",), "read"),
    (PLATFORM, "replication", (), ""),
    (ACME, "service_provider", ("acme",), "read update"),
    (ACME, "service_provider", ("other",), ""),
    (ACME, "subscriber", ("acme", "alice"), "create read update delete"),
    (ACME, "subscriber", ("other", "alice"), ""),
    (ACME, "number", ("acme", "alice", "+15855551234"), "create read update delete"),
    (ACME, "settings", ("acme",), "create read update delete"),
    (ACME, "settings", ("",), ""),
    (ACME, "service_selection_criteria", ("acme", "pcs:acme"), "read"),
    (ACME, "screening_rule", ("acme",), "create read update delete"),
    (ACME, "screening_rule", ("other",), ""),
    (ACME, "administrator", ("service_provider:acme", "x"), "create read update delete"),
    (ACME, "administrator", ("subscriber:acme:alice", "x"), "create read update delete"),
    (ACME, "administrator", ("service_provider:other", "x"), ""),
    (ACME, "administrator", ("platform_owner", "x"), ""),
    (ACME, "password", ("service_provider:acme", "x"), ""),
    (ACME, "cdr", ("acme",), "read"),
    (ACME, "cdr", (), ""),
    (ALICE, "subscriber", ("acme", "alice"), "read update"),
    (ALICE, "subscriber", ("acme", "bob"), ""),
    (ALICE, "number", ("acme", "alice", "+15855551234"), "read update"),
    (ALICE, "number", ("acme", "bob", "+15855551234"), ""),
    (ALICE, "service_provider", ("acme",), ""),
    (ALICE, "administrator", ("subscriber:acme:alice", "alice"), ""),
    (ALICE, "cdr", ("acme", "alice"), "read"),
    (ALICE, "cdr", ("acme", "bob"), ""),
]


@pytest.mark.parametrize(("caller", "type_", "key", "verbs"), RIGHTS)
def test_a_role_may_what_the_table_says_and_no_more(caller, type_, key, verbs):
    for verb in Verb:
        if verb.value in verbs.split():
            caller.require("pcs", type_, key, verb)
        else:
            with pytest.raises(PermissionDenied) as denied:
                caller.require("pcs", type_, key, verb)
            assert str(denied.value) == "You do not have permission to perform that operation."


def test_a_token_of_one_product_reaches_no_other():
    for verb in Verb:
        assert not PLATFORM.may("cin", "number", verb)
        assert service().may("cin", "number", verb)


def test_a_type_that_the_table_does_not_name_is_denied():
    for caller in (PLATFORM, ACME, ALICE):
        assert not any(caller.may("pcs", "new_type", verb) for verb in Verb)


def test_nobody_outranks_an_internal_service():
    assert service().outranks("pcs", PLATFORM)
    assert PLATFORM.outranks("pcs", ACME)
    assert not ACME.outranks("pcs", PLATFORM)
    assert not ALICE.outranks("pcs", ACME)


PARTS = [
    ("number", ("acme",), ("acme",)),
    ("administrator", (), None),
    ("administrator", ("", ""), None),
    ("administrator", ("acme", ""), None),
    ("administrator", ("acme", "alice"), ("acme", "alice")),
    ("administrator", ("acme",), None),
    ("settings", (), None),
    ("settings", ("",), None),
    ("settings", ("acme",), None),
]


@pytest.mark.parametrize(("type_", "path", "part"), PARTS)
def test_of_some_levels_that_part_is_read_which_is_one(type_, path, part):
    groups = ["view_subscriber", "view_subscriber_user"]
    assert principal("pcs", "x", "platform_owner", groups).readable("pcs", type_, path) == part
    for whole in (PLATFORM, service()):
        assert whole.readable("pcs", type_, path) == path
    assert PLATFORM.readable("cin", type_, path) is None


def test_the_platform_s_own_are_a_part_of_all():
    group = "pcs_default:pcs_platform_owner_administration"
    caller = principal("pcs", "x", "platform_owner", [group])
    assert caller.readable("pcs", "administrator", ()) == ("", "")
    assert caller.readable("pcs", "settings", ()) == ("",)
    own = principal("pcs", "x", "service_provider:acme", ["alter_service_provider_user"])
    assert own.readable("pcs", "administrator", ("acme",)) == ("acme", "")
    assert ACME.readable("pcs", "administrator", ("acme",)) == ("acme",)
    assert levels_below("administrator", ("",)) == [("administrator:platform_owner", ("", ""))]


@pytest.mark.parametrize(
    ("role_id", "role", "place"),
    [
        ("platform_owner", "platform_owner", ()),
        ("service_provider:acme", "service_provider", ("acme",)),
        ("subscriber:acme:alice", "subscriber", ("acme", "alice")),
    ],
)
def test_a_role_names_its_place(role_id, role, place):
    assert parse_role(role_id) == (role, place)
    assert principal("pcs", "x", role_id).role_id == role_id
    assert principal("pcs", "x", role_id).groups == (f"default:{role}",)


@pytest.mark.parametrize(
    "role_id",
    [
        "",
        "platform_owner:x",
        "service_provider",
        "service_provider:",
        "subscriber:acme",
        "subscriber::alice",
        "subscriber:acme:",
        "root",
    ],
)
def test_what_is_no_role_gives_nobody(role_id):
    with pytest.raises(ValueError, match="no role"):
        parse_role(role_id)
    assert place_of("administrator", (role_id, "x")) == ()
