"""Settings as they are in force, and where each comes from.

Invariants:
1. A provider's own value is in force where the platform's `__override__` is true at its place.
2. The platform's is in force elsewhere; one that is as documented counts as the default.
3. Secrets are masked; what runs the platform itself is shown to those alone who may read the
   platform's settings.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from ...schema import TYPES, Kind, Shape, format_name
from ...schema.overrides import tree_of
from ...v1.object_pb2 import Object
from ...v1.settings_pb2 import Settings
from ..access import Principal
from ..errors import InvalidInput, NotFound
from ..store.contract import Key, Reader
from .context import Core
from .names import PLATFORM_SETTINGS, found_key, target
from .secrets import masked

KIND: Final = TYPES["settings"]
INTERNAL: Final = frozenset(
    {"security", "email_settings", "application_username", "application_password"}
)
DEFAULT: Final = "default"
PLATFORM: Final = "platform"
OWN: Final = "service_provider"


class Effective(NamedTuple):
    """Settings in force; by each value's dotted path, one of the three words above."""

    settings: Object
    sources: dict[str, str]


def effective_settings(core: Core, caller: Principal, name: str) -> Effective:
    """The settings in force at a place. Raises InvalidInput, NotFound."""
    at = target(name)
    if at.kind is not KIND:
        message = "The name must be that of settings."
        raise InvalidInput(message, [("name", "format", message)])
    with core.store.read() as reader:
        key = found_key(reader, at)
        if not caller.sees(at.product, KIND.type, key):
            raise NotFound
        if key != PLATFORM_SETTINGS and not reader.get(Key(at.product, OWN, key)):
            raise NotFound
        found = in_force(reader, at.product, key[0])
    if not caller.sees(at.product, KIND.type, PLATFORM_SETTINGS):
        found = _without(found, INTERNAL)
    masked(KIND, found.settings)
    return found


def _without(found: Effective, names: Collection[str]) -> Effective:
    """The same without these settings."""
    for name in names:
        found.settings.settings.ClearField(name)  # type: ignore[arg-type]
    return found._replace(
        sources={
            path: source
            for path, source in found.sources.items()
            if path.partition(".")[0] not in names
        }
    )


def in_force(reader: Reader, product: str, provider: str = "") -> Effective:
    """The settings in force for a provider, or ("") the platform; secrets as they are."""
    platform = _stored(reader, product, "") or Object(settings=_defaults(product))
    own = _stored(reader, product, provider) if provider else None
    result = Object(name=format_name(product, KIND.type, (provider,)))
    last = platform if own is None else own
    result.stamps.CopyFrom(last.stamps)
    result.revision = last.revision
    result.settings.CopyFrom(platform.settings)
    allowed = tree_of(platform.settings.override)
    sources: dict[str, str] = {}
    merge = _Merge(product, sources)
    given = None if own is None else own.settings
    merge(KIND.shape, result.settings, given, allowed, _defaults(product), "")
    if provider:
        result.settings.service_provider_name = provider
    return Effective(result, sources)


def platform_settings(reader: Reader, product: str) -> Settings:
    """The platform's settings, complete also where none are stored yet."""
    stored = _stored(reader, product, "")
    return _defaults(product) if stored is None else stored.settings


def _stored(reader: Reader, product: str, provider: str) -> Object | None:
    value = reader.get(Key(product, KIND.type, (provider,)))
    return None if value is None else Object.FromString(value)


def _defaults(product: str) -> Settings:
    settings = Settings()
    KIND.complete(settings, product)
    return settings


class _Merge(NamedTuple):
    """Gives the platform's values those of the provider's that are in force, group by group."""

    product: str
    sources: dict[str, str]

    def __call__(
        self, shape: Shape, into: Any, own: Any, allowed: object, default: Any, prefix: str
    ) -> None:
        tree = allowed if isinstance(allowed, Mapping) else {}
        given, base, usual = _values(own), _values(into), _values(default)
        for field in shape.of(self.product):
            name, path = field.name, prefix + field.json_name
            place = tree.get(field.json_name)
            if field.kind is Kind.MESSAGE and field.shape and not field.repeated:
                groups = getattr(into, name), given.get(name), place, getattr(default, name)
                self(field.shape, *groups, f"{path}.")
            elif place is True and name in given:
                _take(into, own, name)
                self.sources[path] = OWN
            elif name not in KIND.key:
                same = base.get(name) == usual.get(name)
                self.sources[path] = DEFAULT if same else PLATFORM


def _take(into: Any, own: Any, name: str) -> None:
    part = type(own)()
    part.CopyFrom(own)
    for other in _values(own):
        if other != name:
            part.ClearField(other)
    into.ClearField(name)
    into.MergeFrom(part)


def _values(message: Any) -> dict[str, Any]:
    if message is None:
        return {}
    return {descriptor.name: value for descriptor, value in message.ListFields()}


__all__ = ["Effective", "effective_settings", "in_force", "platform_settings"]
