"""Turns published objects and changes into what the index holds.

Reads messages of callscreen.v1 by their field names alone, so that it needs none of them.

Invariants:
1. One `apply` is one transaction of the index, and carries the change's revision. A provider's long
   lists that come unchanged are no part of it: the index holds them.
2. Kinds of objects that no decision needs are passed over.
3. Of objects that are few the octets are kept, so that what an index was filled from can be told
   again; numbers, subscribers and providers' lists the index itself can tell.
4. Settings of a provider hold its own value where the platform's `__override__` is true at that
   setting's place, else the platform's; a setting that nobody has given has its documented default.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol
from urllib.parse import unquote

from .changes import number_puts
from .extract_types import NumberSource, number_source
from .model import (
    CIN,
    LIST_RULES,
    PCS,
    PRODUCT_NAMES,
    RULES,
    STIR_RULE,
    EngineSettings,
    Operation,
    PlanStep,
    SourceNumbers,
    StirSettings,
)

__all__ = ["Loader"]

CHUNK = 10_000  # objects of one transaction of a load
KEPT = frozenset(("screening_rule", "service_selection_criteria", "origination_source", "settings"))
LONG_LISTS = 1_000  # entries of a provider from which on its lists are known again by a digest
PREFIX = 4  # characters of a name: the product and what follows it
PRODUCT_NUMBERS = {f"{name}/": place for place, name in enumerate(PRODUCT_NAMES) if name}
ENGINE_FIELDS = tuple(
    field for field in EngineSettings._fields if field not in ("protected_numbers", "default_cc")
)

Operations = list[Operation]
Key = Sequence[str]


class AnyIndex(Protocol):
    revision: int

    def commit(self, operations: Iterable[Operation], revision: int) -> None: ...


def _provider(product: int, body: Any) -> Operations:
    return [("put_provider", (product, body.name, body.whitelist, body.blacklist))]


def _digest(body: Any) -> bytes:
    """Of the lists alone: a provider's other fields change without them."""
    lists = type(body)()
    lists.CopyFrom(body)
    for field, _ in body.ListFields():
        if field.name not in LIST_RULES:  # the lists are named as the rules that use them
            lists.ClearField(field.name)
    return hashlib.sha256(lists.SerializeToString(deterministic=True)).digest()


def _subscriber(product: int, body: Any) -> Operations:
    enabled = body.service_enabled if body.HasField("service_enabled") else True
    override: frozenset[str] = frozenset()
    if body.HasField("override"):
        override = frozenset(rule for rule in RULES if getattr(body.override, rule))
    owner = product, body.service_provider_name, body.name
    lists = list(body.whitelist), list(body.blacklist)
    return [("put_subscriber", (*owner, enabled, override, *lists, body.voicemail or None))]


def _number(product: int, body: Any) -> Operations:
    lists = (body.vip, body.blocked) if product == CIN else (body.whitelist, body.blacklist)
    owner = body.service_provider_name, body.subscriber_name
    return [("put_number", (product, *owner, body.number, list(lists[0]), list(lists[1])))]


def _plan_step(rule: str, body: Any) -> PlanStep | None:
    """The step of one rule; None where it is off."""
    if rule not in LIST_RULES:
        step = PlanStep(rule, body.priority, body.override) if body.enabled else None
        if step is None or rule != STIR_RULE:
            return step
        return step._replace(invalid=body.invalid or "next", auth_address=body.auth_address)
    everyone = getattr(body, "global")
    if not (body.personal or everyone):
        return None
    treatments = body.match or "next", body.no_match or "next"
    flags = body.override, body.personal, everyone, body.stir_shaken
    return PlanStep(rule, body.priority, *flags, *treatments)


def _plan(_product: int, body: Any) -> Operations:
    given = (_plan_step(rule, getattr(body, rule)) for rule in RULES if body.HasField(rule))
    steps = [step for step in given if step is not None]
    return [("put_plan", (body.service_provider_name, steps, body.error_treatment or None))]


def _criteria(_product: int, body: Any) -> Operations:
    ranges = [(each.first, each.last) for each in body.point_code_ranges]
    key = body.service_provider_name, body.screening_group
    return [("put_criteria", (*key, list(body.source_ips), list(body.called_ccs), ranges))]


def _source(_product: int, body: Any) -> Operations:
    groups = [
        SourceNumbers(
            list(group.numbers_n),
            group.orig_id_n,
            group.attest_n,
            group.cert_name_n,
            group.priority,
        )
        for group in body.source_numbers
    ]
    own = list(body.source_ip), body.orig_id, body.attest, body.cert_name
    return [("put_source", (body.service_provider_name, body.name, *own, groups))]


PUTS: dict[str, Callable[[int, Any], Operations]] = {
    "service_provider": _provider,
    "subscriber": _subscriber,
    "number": _number,
    "screening_rule": _plan,
    "service_selection_criteria": _criteria,
    "origination_source": _source,
}

DROPS: dict[str, Callable[[int, Key], Operation]] = {
    "service_provider": lambda product, key: ("drop_provider", (product, key[0])),
    "subscriber": lambda product, key: ("drop_subscriber", (product, key[0], key[1])),
    # A number that has moved to another owner meanwhile is that one's, and stays.
    "number": lambda product, key: ("drop_number", (product, key[2], (key[0], key[1]))),
    "screening_rule": lambda _, key: ("drop_plan", (key[0],)),
    "service_selection_criteria": lambda _, key: ("drop_criteria", (key[0], key[1])),
    "origination_source": lambda _, key: ("drop_source", (key[0], key[1])),
}


def engine_settings(product: int, platform: Any | None, own: Any | None) -> EngineSettings:
    """The effective settings from the platform's message and a provider's own, if any."""
    values: dict[str, Any] = {}
    protected: list[str] = []
    for message, allowed in ((platform, None), (own, _overrides(platform))):
        if message is None:
            continue
        group = message.screening_engine
        for field in ENGINE_FIELDS:
            if (allowed is None or field in allowed) and group.HasField(field):
                values[field] = getattr(group, field)
        if allowed is None or "protected_numbers" in allowed:
            protected += group.protected_numbers
    if product == CIN:
        # CIN has no use_contact: calls go to the egress_route, without one to the Contact's host.
        values["use_contact"] = not values.get("egress_route")
    if platform is not None and platform.web_settings.HasField("default_cc"):
        values["default_cc"] = platform.web_settings.default_cc
    return EngineSettings(protected_numbers=tuple(protected), **values)


def stir_settings(platform: Any | None) -> StirSettings:
    """How callers' identities are verified, from PCS's message of the platform, if any."""
    if platform is None:
        return StirSettings()
    group = platform.stir_shaken
    given = (field for field in StirSettings._fields if group.HasField(field))
    return StirSettings(**{field: getattr(group, field) for field in given})


def _overrides(platform: Any | None) -> frozenset[str]:
    """Fields of screening_engine of which a provider may hold its own value."""
    if platform is None or "screening_engine" not in platform.override.fields:
        return frozenset()
    places = platform.override.fields["screening_engine"].struct_value.fields
    return frozenset(field for field, value in places.items() if value.bool_value)


def _number_sources(platform: Any | None) -> tuple[tuple[NumberSource, ...], ...]:
    """Of called and of calling numbers; both empty where the product's settings are not there."""
    if platform is None:
        return (), ()
    called, calling = platform.called_sources_config, platform.calling_sources_config
    return tuple(map(number_source, called)), tuple(map(number_source, calling))


class Loader:
    """Feeds one index. To start over after a gap, take a new index and a new loader, and swap."""

    def __init__(self, index: AnyIndex) -> None:
        self._index = index
        self._platform: dict[int, Any] = {}
        self._own: dict[int, dict[str, Any]] = {PCS: {}, CIN: {}}
        self._digests: dict[tuple[int, str], bytes] = {}  # of providers' long lists in the index
        self._coming: dict[tuple[int, str], bytes] = {}  # and in the transaction; b"" for none
        self._kept: dict[str, bytes] = {}  # objects by name

    def load(self, objects: Iterable[Any]) -> None:
        """Puts objects of a snapshot, in any order; the index keeps its revision.

        May be called for each chunk. Set `index.revision` when the snapshot is whole.
        """
        operations: Operations = []
        for count, each in enumerate(objects, 1):  # none is held longer than it is read
            operations += self._put(each)
            if count % CHUNK == 0:
                self._commit(operations, self._index.revision)
                operations = []
        self._commit(operations, self._index.revision)

    def apply(self, change: Any) -> None:
        """Applies a committed change, all of it or nothing."""
        self._commit(self._changed(change), change.revision)

    def apply_record(
        self, record: bytes, revision: int, layout: Sequence[int], decode: Callable[[bytes], Any]
    ) -> None:
        """The same from the change's octets; see `apply_records`."""
        self.apply_records([record], revision, layout, decode)

    def apply_records(
        self,
        records: Iterable[bytes],
        revision: int,
        layout: Sequence[int],
        decode: Callable[[bytes], Any],
    ) -> None:
        """Changes in order as one transaction, which has the revision of the last.

        `layout` as `number_puts` wants it: where a change only puts numbers, as those of an import
        do, no message is made of it.
        """
        operations: Operations = []
        for record in records:
            puts = number_puts(record, layout)
            if puts is None:
                operations += self._changed(decode(record))
            else:
                operations.append(("put_numbers", (puts,)))
        self._commit(operations, revision)

    def kept(self) -> list[bytes]:
        """Objects, encoded, that with what the index can tell of itself make another like it."""
        return list(self._kept.values())

    def digests(self) -> list[tuple[int, str, str]]:
        """Product, provider and digest, in hexadecimal, of the long lists that the index has."""
        return [(*key, digest.hex()) for key, digest in self._digests.items()]

    def know(self, digests: Iterable[tuple[int, str, str]]) -> None:
        """The index has these lists already."""
        self._digests |= {(product, name): bytes.fromhex(it) for product, name, it in digests}

    def _commit(self, operations: Operations, revision: int) -> None:
        try:
            self._index.commit(operations, revision)
            for key, digest in self._coming.items():
                if digest:
                    self._digests[key] = digest
                else:
                    self._digests.pop(key, None)
        finally:
            self._coming.clear()

    def _changed(self, change: Any) -> Operations:
        operations: Operations = []
        for mutation in change.mutations:
            if mutation.HasField("put"):
                operations += self._put(mutation.put)
            else:
                operations += self._drop(mutation.name)
        return operations

    def _put(self, each: Any) -> Operations:
        kind = each.WhichOneof("kind")
        product = PRODUCT_NUMBERS[each.name[:PREFIX]]
        if kind in KEPT:
            self._kept[each.name] = each.SerializeToString()
        if kind == "settings":
            return list(self._settings(product, each.settings.service_provider_name, each.settings))
        if kind == "service_provider" and self._holds(product, each.service_provider):
            return []
        put = PUTS.get(kind)
        return put(product, getattr(each, kind)) if put else []

    def _drop(self, name: str) -> Operations:
        product_name, kind, *key = (unquote(part) for part in name.split("/"))
        product = PRODUCT_NAMES.index(product_name)
        self._kept.pop(name, None)
        if kind == "settings":
            return list(self._settings(product, key[0] if key else "", None))
        if kind == "service_provider":
            self._coming[product, key[0]] = b""
        drop = DROPS.get(kind)
        return [drop(product, key)] if drop else []

    def _holds(self, product: int, body: Any) -> bool:
        """Whether the index has these lists of a provider already; long ones only."""
        key = product, body.name
        long = len(body.whitelist) + len(body.blacklist) >= LONG_LISTS
        digest = _digest(body) if long else b""
        if long and self._coming.get(key, self._digests.get(key)) == digest:
            return True
        self._coming[key] = digest
        return False

    def _settings(self, product: int, provider: str, body: Any | None) -> Iterator[Operation]:
        """What a change of settings does: the platform's change those of every provider."""
        own = self._own[product]
        if provider:
            own.pop(provider, None)
            if body is None:
                yield "drop_settings", (product, provider)
                return
            own[provider] = body
        elif body is None:
            self._platform.pop(product, None)
        else:
            self._platform[product] = body
        platform = self._platform.get(product)
        if not provider:
            yield "put_settings", (product, "", engine_settings(product, platform, None))
            yield "put_number_sources", (product, *_number_sources(platform))
            if product == PCS:
                yield "put_stir_settings", (stir_settings(platform),)
        for name in [provider] if provider else own:
            yield "put_settings", (product, name, engine_settings(product, platform, own[name]))
