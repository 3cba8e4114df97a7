"""Begins a new password for an administrator who has lost the old one, which works until then.

Invariants:
1. Whoever may change the administrator is answered a token, which redeems nothing where there is no
   such administrator; whoever may not is denied.
2. Who shows no token of a caller is answered nothing, before the name is looked up: known and
   unknown users cannot be told apart. Only where mail is on does it have an effect, and then what
   was answered is durable: it is looked up afterwards, with the mail that waits.
3. Such resets are limited by address and by user name; so is how many wait.
"""

from ...v1.object_pb2 import Object
from ..access import Principal, Verb
from ..errors import InvalidInput, NotFound, TooMuch
from ..limits import RESET_SECONDS, USERNAME_CHARS
from ..logins import network_of
from ..origin import current
from ..private import ASKED, Asked, asked_key
from .activation import RECOVER, Issued, has_room, is_on, issue, server_for
from .authenticate import new_token
from .context import Core
from .credentials import KIND
from .draft import Draft
from .effective import platform_settings
from .grants import check_grants
from .means import Means
from .names import Target, canonical, found_key, target

NOTHING = Issued("", 0.0)


async def reset(core: Core, caller: Principal, name: str) -> Issued:
    """What is answered; `caller` without a role is a stranger.

    Raises InvalidInput, Invalid, NotFound, PermissionDenied, TooMuch.
    """
    at = target(name)
    if at.kind is not KIND:
        message = "The name must be an administrator's."
        raise InvalidInput(message, [("name", "format", message)])
    if not caller.role:
        await _asked(core, at, name)
        return NOTHING

    caller.require(at.product, KIND.type, at.key, Verb.UPDATE)

    def work(draft: Draft) -> Issued:
        key = canonical(draft.reader, at)
        found = draft.find(KIND, at.product, key)
        if found is None:
            return Issued(new_token(core.means), draft.now + RESET_SECONDS)
        check_grants(caller, at.product, found.administrator)
        return _issued(draft, core.means, at, found)

    return await core.write(caller, work)


async def _asked(core: Core, at: Target, name: str) -> None:
    """Keeps what a stranger asks for. Raises TooMuch."""
    of, now = current(), core.ticks()
    username = at.key[-1].lower()[:USERNAME_CHARS]
    here = core.resets_here.take(network_of(of.source_ip), now)
    if not (here and core.resets.take((at.product, username), now)):
        raise TooMuch
    with core.store.read() as reader:
        if not is_on(platform_settings(reader, at.product).email_settings):
            return

    def work(draft: Draft) -> None:
        if not has_room(draft.reader, ASKED):
            raise TooMuch
        asked = Asked(draft.now, name, of.request_id, of.source_ip, of.method)
        draft.set_private(asked_key(name), asked.encode())

    await core.write(Principal(username="", role="", product=at.product), work)


def begin(draft: Draft, means: Means, name: str) -> None:
    """What a stranger asked for, where the name is somebody's who can be mailed."""
    at = target(name)
    try:
        found = draft.find(KIND, at.product, found_key(draft.reader, at))
    except NotFound:
        return
    if found is not None and server_for(draft.reader, at.product, found.administrator):
        _issued(draft, means, at, found)


def _issued(draft: Draft, means: Means, at: Target, found: Object) -> Issued:
    who = found.administrator
    draft.audit(at.product, found.name, "reset", who.role_id)
    return issue(draft, means, at.product, who, RECOVER)


__all__ = ["NOTHING", "begin", "reset"]
