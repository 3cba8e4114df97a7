"""The table of permission groups: as documented, and never beyond a role's ceiling."""

from itertools import product as pairs
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.core.access import Principal, guarded, principal
from callscreen.core.permissions import (
    CEILINGS,
    GROUPS,
    LEVELS,
    NO_OBJECTS,
    Verb,
    fits,
    lies_within,
    objects,
    rights_of,
)
from callscreen.schema import TYPES

PAGE = (Path(__file__).parents[2] / "docs" / "permissions.md").read_text()
ROLES = {
    "platform_owner": "platform_owner",
    "service_provider": "service_provider:acme",
    "subscriber": "subscriber:acme:alice",
}
# object of the table -> a key of it, within reach of all three roles but for what is the platform's
KEYS = {
    "service_provider": ("acme",),
    "service_selection_criteria": ("acme", "pcs:acme"),
    "screening_rule": ("acme",),
    "audio": ("acme", "a.wav"),
    "subscriber": ("acme", "alice"),
    "number": ("acme", "alice", "+1"),
    "origination_source": ("acme", "sbc"),
    "settings:platform_owner": ("",),
    "settings:service_provider": ("acme",),
    "administrator:platform_owner": ("platform_owner", "x"),
    "administrator:service_provider": ("service_provider:acme", "x"),
    "administrator:subscriber": ("subscriber:acme:alice", "x"),
    "password": ("platform_owner", "x"),
    "cdr": ("acme", "alice"),
    "screening": ("acme",),
    "signing": ("acme",),
    "job": (),
    "replication": (),
    "maintenance": (),
}
PLATFORM_ONLY = {"settings:platform_owner", "administrator:platform_owner", "password"}


def documented(product):
    """The table of the page: group -> level, {(object, verb)}."""
    found = {}
    for line in PAGE.replace("<product>", product).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("| `") or len(cells) != 3 or cells[1] not in LEVELS:
            continue
        granted = set()
        for part in cells[2].split("; "):
            names, _, verbs = part.rpartition(": ")
            which = [verb.value for verb in Verb] if verbs == "all" else verbs.split(", ")
            granted |= set(pairs(names.split(", "), map(Verb, which)))
        found[cells[0].strip("`")] = (cells[1], granted)
    return found


@pytest.mark.parametrize("product", ["pcs", "cin"])
def test_the_page_has_the_table_and_the_table_every_documented_group(product):
    table = {
        name: (level, {(each, verb) for each, verbs in grants.items() for verb in verbs})
        for name, (level, grants) in GROUPS[product].items()
        if name not in NO_OBJECTS
    }
    assert documented(product) == table
    assert all(f"`{name}`" in PAGE for name in NO_OBJECTS)
    field = next(each for each in TYPES["administrator"].fields if each.name == "permissions")
    assert set(GROUPS[product]) == set(field.accepted(product))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("group", sorted(GROUPS["pcs"]))
def test_a_group_grants_its_objects_and_verbs_and_nothing_else(group, role):
    caller = principal("pcs", "x", ROLES[role], [group])
    level, granted = documented("pcs").get(group, ("platform_owner", set()))
    holds = fits("pcs", role, group)
    assert holds is (
        group == "default:subscriber"
        if role == "subscriber"
        else LEVELS.index(level) <= LEVELS.index(role)
    )
    for name, verb in pairs(KEYS, Verb):
        type_, _, _ = name.partition(":")
        key = KEYS[name]
        within = verb in CEILINGS[role].get(name, ())
        may = holds and (name, verb) in granted and within
        assert caller.may_at("pcs", type_, key, verb) is may, (name, verb)
        assert not caller.may_at("cin", type_, key, verb)
        if may:
            assert caller.may("pcs", type_, verb)
        if name != "job":
            reached = role == "platform_owner" or name not in PLATFORM_ONLY
            assert caller.sees("pcs", type_, key) is (
                reached and caller.may_at("pcs", type_, key, Verb.READ)
            )


def test_every_type_has_a_line_in_the_ceiling_of_the_platform_owner():
    named = {name for type_ in TYPES for name in guarded(type_)}
    assert named < set(CEILINGS["platform_owner"])
    every = (grants for table in GROUPS.values() for _, grants in table.values())
    assert set(objects(every)) <= set(KEYS)


def test_replication_and_maintenance_are_granted_to_nobody():
    for role in ROLES.values():
        for verb, name in pairs(Verb, ("replication", "maintenance")):
            assert not principal("pcs", "x", role).may("pcs", name, verb)


GROUP_LISTS = st.lists(st.sampled_from([*GROUPS["pcs"], *GROUPS["cin"], "root", ""]), max_size=8)


@given(st.sampled_from(["pcs", "cin", ""]), st.sampled_from([*LEVELS, "root", ""]), GROUP_LISTS)
@settings(max_examples=200, deadline=None)
def test_no_groups_go_beyond_the_ceiling_of_the_role(product, role, groups):
    rights = rights_of(product, role, tuple(groups))
    assert lies_within(rights, CEILINGS.get(role, {}))
    assert not rights or product


@given(st.sampled_from(LEVELS), GROUP_LISTS, GROUP_LISTS)
@settings(max_examples=200, deadline=None)
def test_more_groups_grant_no_less_and_whoever_has_them_outranks_who_has_some(role, some, more):
    if not some:
        return  # none stands for all
    place = ROLES[role]
    one, other = (principal("pcs", "x", place, groups) for groups in (some, some + more))
    assert lies_within(one.rights, other.rights)
    assert other.outranks("pcs", one)
    assert not other.outranks("cin", one)
    assert one.outranks("pcs", other) is lies_within(other.rights, one.rights)


@given(GROUP_LISTS)
@settings(max_examples=50, deadline=None)
def test_a_subscriber_s_administrator_has_all_of_its_role_or_nothing(groups):
    rights = rights_of("pcs", "subscriber", tuple(groups))
    whole = not groups or "default:subscriber" in groups
    assert dict(rights) == (CEILINGS["subscriber"] if whole else {})


def test_without_a_role_there_are_no_rights():
    nobody = Principal(username="", role="")
    assert not nobody.rights
    assert not any(nobody.may("", "number", verb) for verb in Verb)
    with pytest.raises(TypeError):
        nobody.rights["number"] = frozenset(Verb)
