"""What the core puts in place before it serves.

Invariants:
1. Both products have platform settings, complete: at a later start new settings get their default
   and those that are set keep their value.
2. A product without a platform owner gets `<product>_administrator`; one with any gets none.
"""

from ...schema import PRODUCTS, TYPES, body_of
from ..access import PLATFORM_OWNER
from .context import Core
from .credentials import set_password_hash
from .draft import Draft
from .names import PLATFORM_SETTINGS
from .prepare import Subject, settle, stamped

ACTOR = "callscreen"  # who made what was there from the start


async def bootstrap(core: Core, password_hash: str) -> tuple[str, ...]:
    """The names of the administrators made now, who have that password."""

    def work(draft: Draft) -> tuple[str, ...]:
        made = []
        for product in PRODUCTS:
            _settings(core, draft, product)
            if not _has_owner(draft, product):
                made.append(_administrator(core, draft, product, password_hash))
        return tuple(made)

    return await core.write(ACTOR, work)


def lacks_owner(core: Core) -> bool:
    """Whether a product has no platform owner: bootstrap would make one."""
    kind = TYPES["administrator"]
    path = kind.path_of((PLATFORM_OWNER,))
    with core.store.read() as reader:
        return any(
            next(reader.scan(product, kind.type, path), None) is None for product in PRODUCTS
        )


def _settings(core: Core, draft: Draft, product: str) -> None:
    kind = TYPES["settings"]
    old = draft.find(kind, product, PLATFORM_SETTINGS)
    subject = Subject(kind, product, kind.message(), old=old)
    if old is not None:
        subject.body.CopyFrom(body_of(old))
        kind.complete(subject.body, product)
        if subject.body == body_of(old):
            return
    settle(draft, subject, core.means)
    draft.put(kind, product, stamped(draft, subject), old)


def _has_owner(draft: Draft, product: str) -> bool:
    kind = TYPES["administrator"]
    return next(draft.below(kind, product, kind.path_of((PLATFORM_OWNER,))), None) is not None


def _administrator(core: Core, draft: Draft, product: str, password_hash: str) -> str:
    kind = TYPES["administrator"]
    username = f"{product}_administrator"
    body = kind.message(username=username, role_id=PLATFORM_OWNER)
    subject = Subject(kind, product, body)
    settle(draft, subject, core.means)
    draft.put(kind, product, stamped(draft, subject), None)
    set_password_hash(draft, product, username, password_hash)
    return username


__all__ = ["ACTOR", "bootstrap", "lacks_owner"]
