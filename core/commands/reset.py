"""Begins a new password for an administrator who has lost the old one, which works until then.

Invariants:
1. Whoever may change the administrator is answered a token, which redeems nothing where there is no
   such administrator; whoever may not is denied.
2. Who shows no token of a caller is answered nothing, before anything is looked up: known and
   unknown users cannot be told apart. Only where mail is on does it have an effect.
3. Such resets are limited by address and by user name.
"""

from functools import partial

from ...v1.object_pb2 import Object
from ..access import Principal, Verb
from ..errors import InvalidInput, NotFound, TooMuch
from ..limits import RESET_SECONDS, USERNAME_CHARS
from ..logins import network_of
from ..mail import Letter
from ..origin import current
from .activation import RECOVER, Issued, issue, letter, posted, server_for
from .authenticate import new_token
from .context import Core
from .credentials import KIND
from .draft import Draft
from .grants import check_grants
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
        return _by_stranger(core, at)

    caller.require(at.product, KIND.type, at.key, Verb.UPDATE)

    def work(draft: Draft) -> tuple[Issued, Object | None]:
        key = canonical(draft.reader, at)
        found = draft.find(KIND, at.product, key)
        if found is None:
            return Issued(new_token(core.means), draft.now + RESET_SECONDS), None
        check_grants(caller, at.product, found.administrator)
        return _issued(core, draft, at, found), found

    issued, found = await core.write(caller, work)
    if found is not None:
        who = found.administrator
        core.mail.post(partial(posted, core, at.product, who, RECOVER, issued.token))
    return issued


def _by_stranger(core: Core, at: Target) -> Issued:
    address, now = network_of(current().source_ip), core.ticks()
    username = at.key[-1].lower()[:USERNAME_CHARS]
    if not (core.resets_here.take(address, now) and core.resets.take((at.product, username), now)):
        raise TooMuch
    core.mail.post(partial(_mailed, core, at))
    return NOTHING


async def _mailed(core: Core, at: Target) -> Letter | None:
    """The letter to an administrator that a stranger names, if it is there and can be reached."""

    def work(draft: Draft) -> Letter | None:
        try:
            found = draft.find(KIND, at.product, found_key(draft.reader, at))
        except NotFound:
            return None
        if found is None:
            return None
        who = found.administrator
        server = server_for(draft.reader, at.product, who)
        if server is None:
            return None
        token = _issued(core, draft, at, found).token
        return letter(core, server, at.product, who, RECOVER, token)

    return await core.write(Principal(username="", role="", product=at.product), work)


def _issued(core: Core, draft: Draft, at: Target, found: Object) -> Issued:
    who = found.administrator
    draft.audit(at.product, found.name, "reset", who.role_id)
    return issue(draft, core.means, at.product, who, RECOVER)


__all__ = ["NOTHING", "reset"]
