"""What permission groups grant: one table, group -> objects -> verbs.

Invariants:
1. What no group of an administrator grants is denied, and so is what its role's ceiling lacks.
2. Administrators and settings are objects of a level: "administrator:subscriber". The other objects
   are one for all levels. cdr, screening, signing, job, password, maintenance and replication are
   no object types; the same table guards them.
3. A group is of a level. An administrator may hold groups of its role's level and of lower ones;
   one of a subscriber holds default:subscriber alone.
4. A job moves objects that its actor has rights on besides: groups that read or write what has a
   CSV form have jobs too.
5. Groups named in NO_OBJECTS grant nothing: no call offers permission groups as objects.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import Final

PLATFORM_OWNER: Final = "platform_owner"
SERVICE_PROVIDER: Final = "service_provider"
SUBSCRIBER: Final = "subscriber"
SERVICE: Final = "service"
LEVELS: Final = (SUBSCRIBER, SERVICE_PROVIDER, PLATFORM_OWNER)  # lowest first
PRODUCTS: Final = ("pcs", "cin")


class Verb(Enum):
    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


Verbs = frozenset[Verb]
Rights = Mapping[str, Verbs]

NONE: Final[Verbs] = frozenset()
READ: Final = frozenset({Verb.READ})
CHANGE: Final = frozenset({Verb.READ, Verb.UPDATE})
ALL: Final = frozenset(Verb)
SIGN: Final = frozenset({Verb.CREATE, Verb.READ})  # read: to verify who calls

# The most that an administrator of a role may do, whatever its groups. An object that is not
# named is not to be touched.
CEILINGS: Final[Mapping[str, Rights]] = {
    PLATFORM_OWNER: {
        "service_provider": ALL,
        "service_selection_criteria": ALL,
        "screening_rule": ALL,
        "audio": ALL,
        "subscriber": ALL,
        "number": ALL,
        "origination_source": ALL,
        "settings:platform_owner": ALL,
        "settings:service_provider": ALL,
        "administrator:platform_owner": ALL,
        "administrator:service_provider": ALL,
        "administrator:subscriber": ALL,
        "password": ALL,
        "job": ALL,
        "cdr": READ,
        "screening": READ,
        "signing": SIGN,
    },
    SERVICE_PROVIDER: {
        "service_provider": CHANGE,
        # Criteria claim calls by their source or country, whoever's numbers they are for: the
        # platform gives them out.
        "service_selection_criteria": READ,
        "screening_rule": ALL,
        "audio": ALL,
        "subscriber": ALL,
        "number": ALL,
        "origination_source": ALL,
        "settings:service_provider": ALL,
        "administrator:service_provider": ALL,
        "administrator:subscriber": ALL,
        "job": ALL,
        "cdr": READ,
        "screening": READ,
        "signing": SIGN,
    },
    SUBSCRIBER: {
        "subscriber": CHANGE,
        "number": CHANGE,
        "job": ALL,
        "cdr": READ,
    },
}


def _union(*parts: Rights) -> Rights:
    """All that any part grants."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: NONE.union(*(part.get(name, NONE) for part in parts)) for name in names}


_VIEWS: Final[Mapping[str, Rights]] = {
    PLATFORM_OWNER: {
        "service_provider": READ,
        "service_selection_criteria": READ,
        "settings:platform_owner": READ,
        "job": ALL,
    },
    SERVICE_PROVIDER: {
        "service_provider": READ,
        "service_selection_criteria": READ,
        "screening_rule": READ,
        "audio": READ,
        "origination_source": READ,
        "settings:service_provider": READ,
        "screening": READ,
        "cdr": READ,
        "job": ALL,
    },
    SUBSCRIBER: {"subscriber": READ, "number": READ, "cdr": READ, "job": ALL},
}
_PROVISIONING: Final[Mapping[str, Rights]] = {
    PLATFORM_OWNER: {"service_provider": ALL, "service_selection_criteria": ALL, "job": ALL},
    SERVICE_PROVIDER: {
        "service_provider": CHANGE,
        "service_selection_criteria": READ,
        "screening_rule": ALL,
        "audio": ALL,
        "origination_source": ALL,
        "subscriber": ALL,
        "number": ALL,
        "job": ALL,
    },
    SUBSCRIBER: {"subscriber": CHANGE, "number": ALL, "job": ALL},
}
_PLATFORM_ADMINISTRATION: Final[Mapping[str, Rights]] = {
    PLATFORM_OWNER: {"settings:platform_owner": ALL, "service_provider": ALL},
    SERVICE_PROVIDER: {"settings:service_provider": ALL, "service_provider": CHANGE},
    SUBSCRIBER: {"subscriber": CHANGE},
}
_USER_ADMINISTRATION: Final[Mapping[str, Rights]] = {
    level: {f"administrator:{level}": ALL, "job": ALL} for level in LEVELS
}


def _administration(level: str) -> Rights:
    parts = (_VIEWS, _PROVISIONING, _PLATFORM_ADMINISTRATION, _USER_ADMINISTRATION)
    return _union(*(part[level] for part in parts))


# group -> its level and what it grants; "{product}" stands for pcs or cin
_TABLE: Final[Mapping[str, tuple[str, Rights]]] = {
    **{f"default:{level}": (level, CEILINGS[level]) for level in LEVELS},
    **{
        f"{{product}}_default:{{product}}_{level}_{name}": (level, grants[level])
        for level in LEVELS
        for name, grants in (
            ("views", _VIEWS),
            ("provisioning", _PROVISIONING),
            ("platform_administration", _PLATFORM_ADMINISTRATION),
            ("user_administration", _USER_ADMINISTRATION),
        )
    },
    **{
        f"{{product}}_default:{{product}}_{level}_administration": (level, _administration(level))
        for level in (PLATFORM_OWNER, SUBSCRIBER)
    },
    "{product}_default:{product}_application_provisioning": (
        PLATFORM_OWNER,
        _union(*_PROVISIONING.values()),
    ),
    **{f"alter_{level}_user": (level, {f"administrator:{level}": CHANGE}) for level in LEVELS},
    "view_service_provider": (SERVICE_PROVIDER, {"service_provider": READ}),
    "view_subscriber": (SUBSCRIBER, {"subscriber": READ, "number": READ}),
    "view_subscriber_user": (SUBSCRIBER, {"administrator:subscriber": READ}),
    "{product}_view_screening_rule": (SERVICE_PROVIDER, {"screening_rule": READ}),
    "screening_engine_view_screening_treatment": (SERVICE_PROVIDER, {"screening": READ}),
}
NO_OBJECTS: Final = (
    "add_permission_group_entries",
    "alter_permission_group",
    "create_permission_group",
    "list_permission_group_entries",
    "list_permission_groups",
    "remove_permission_group",
    "remove_permission_group_entries",
    "view_permission_group",
)
# product -> group -> its level and what it grants
GROUPS: Final[Mapping[str, Mapping[str, tuple[str, Rights]]]] = {
    product: {
        **{name.replace("{product}", product): row for name, row in _TABLE.items()},
        **{name: (PLATFORM_OWNER, {}) for name in NO_OBJECTS},
    }
    for product in PRODUCTS
}


def default_of(role: str) -> tuple[str, ...]:
    """The groups of an administrator that was given none."""
    return (f"default:{role}",)


@lru_cache(maxsize=4_096)
def rights_of(product: str, role: str, groups: tuple[str, ...]) -> Rights:
    """What the groups grant within the role's ceiling; no groups at all: the role's default.

    A role that is none, and a group that is none or does not fit the role, grants nothing.
    """
    ceiling = CEILINGS.get(role, {})
    known = GROUPS.get(product, {})
    held = [known[name][1] for name in groups or default_of(role) if fits(product, role, name)]
    union = _union(*held)
    granted = {name: verbs & ceiling.get(name, NONE) for name, verbs in union.items()}
    return MappingProxyType({name: verbs for name, verbs in granted.items() if verbs})


def fits(product: str, role: str, group: str) -> bool:
    """Whether an administrator of that role may hold the group."""
    row = GROUPS.get(product, {}).get(group)
    if row is None or role not in LEVELS:
        return False
    if role == SUBSCRIBER:
        return (group,) == default_of(role)
    return LEVELS.index(row[0]) <= LEVELS.index(role)


def lies_within(rights: Rights, other: Rights) -> bool:
    """Whether all of the first is granted by the second."""
    return all(verbs <= other.get(name, NONE) for name, verbs in rights.items())


def objects(groups: Iterable[Rights]) -> tuple[str, ...]:
    """Every object that any of these grants anything on, in order."""
    return tuple(sorted({name for rights in groups for name in rights}))


__all__ = [
    "ALL",
    "CEILINGS",
    "GROUPS",
    "LEVELS",
    "NONE",
    "NO_OBJECTS",
    "PLATFORM_OWNER",
    "SERVICE",
    "SERVICE_PROVIDER",
    "SUBSCRIBER",
    "Rights",
    "Verb",
    "default_of",
    "fits",
    "lies_within",
    "objects",
    "rights_of",
]
