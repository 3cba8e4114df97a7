"""Ends the caller's own token.

Invariants:
1. Only the token presented ends, be it a web session's or not; the administrator's others live on.
2. The service token is no administrator's: it cannot be revoked here.
"""

from ...schema import format_name
from ..access import SERVICE, Principal
from ..errors import PermissionDenied
from .context import Core
from .credentials import KIND, drop_token
from .draft import Draft


async def revoke(core: Core, caller: Principal) -> None:
    """Raises PermissionDenied."""
    if caller.role == SERVICE:
        raise PermissionDenied

    def work(draft: Draft) -> None:
        drop_token(draft, caller.product, caller.username, caller.token)
        name = format_name(caller.product, KIND.type, (caller.role_id, caller.username))
        draft.audit(caller.product, name, "logout")

    await core.write(caller, work)


__all__ = ["revoke"]
