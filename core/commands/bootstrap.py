"""What the core puts in place before it serves.

Invariants:
1. Both products have platform settings, complete: at a later start new settings get their default
   and those that are set keep their value.
2. A product without a platform owner who can log in gets `<product>_administrator`; one with any
   gets none.
"""

from itertools import chain, count

from ...schema import PRODUCTS, TYPES, body_of
from ..access import PLATFORM_OWNER, service
from ..permissions import default_of
from .context import Core
from .credentials import KIND, administrator_of, owners, set_password_hash
from .draft import Draft, name_of
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

    return await core.write(service(ACTOR), work)


def lacks_owner(core: Core) -> bool:
    """Whether a product has no platform owner who can log in: bootstrap would make one."""
    with core.store.read() as reader:
        draft = Draft(reader, service(ACTOR), core.clock())
        return not all(_has_owner(draft, product) for product in PRODUCTS)


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
    return next(owners(draft, product), None) is not None


def _administrator(core: Core, draft: Draft, product: str, password_hash: str) -> str:
    """Makes one, or gives the one of that name a password; another role's is left alone."""
    names = (f"{product}_administrator{suffix}" for suffix in chain([""], count(2)))
    for username in names:
        found = administrator_of(draft, product, username)
        if found is None or found.role_id == PLATFORM_OWNER:
            break
    if found is not None:
        draft.audit(product, name_of(KIND, product, found), "password", found.role_id)
    else:
        groups = default_of(PLATFORM_OWNER)
        body = KIND.message(username=username, role_id=PLATFORM_OWNER, permissions=groups)
        subject = Subject(KIND, product, body)
        settle(draft, subject, core.means)
        draft.put(KIND, product, stamped(draft, subject), None)
    set_password_hash(draft, product, username, password_hash)
    return username


__all__ = ["ACTOR", "bootstrap", "lacks_owner"]
