"""Ends the caller's own token.

Invariants:
1. Only the token presented ends; the administrator's others live on.
2. The service token is no administrator's: it cannot be revoked here.
"""

from ..access import SERVICE, Principal
from ..errors import PermissionDenied
from .context import Core
from .credentials import drop_token


async def revoke(core: Core, caller: Principal) -> None:
    """Raises PermissionDenied."""
    if caller.role == SERVICE:
        raise PermissionDenied
    await core.write(
        caller.username,
        lambda draft: drop_token(draft, caller.product, caller.username, caller.token),
    )


__all__ = ["revoke"]
