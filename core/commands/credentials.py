"""Credentials and tokens inside a transaction.

Invariants:
1. Removing a credential removes every token it names; moving one voids them. So it goes with the
   token that would set a password, and the mail that would carry it: it is void once there is a
   new one, another name or role.
2. A live token's entry is named by exactly one credential.
3. API tokens and those of web sessions are counted apart.
4. Who cannot log in, having no password, or may not do all, counts for nothing among a product's
   platform owners.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from ...schema import TYPES, parse_name
from ...v1.administrator_pb2 import Administrator
from ..access import PLATFORM_OWNER, parse_role
from ..limits import SESSION_SECONDS, TOKEN_SECONDS, TOKENS_EACH
from ..permissions import CEILINGS, rights_of
from ..private import (
    Credential,
    Token,
    credential_key,
    letter_key,
    redeemable_key,
    setup_key,
    stowed_key,
    token_key,
)
from .draft import Draft

KIND = TYPES["administrator"]


def credential_of(draft: Draft, product: str, username: str) -> Credential | None:
    value = draft.private(credential_key(product, username))
    return None if value is None else Credential.decode(value)


def administrator_of(draft: Draft, product: str, username: str) -> Administrator | None:
    """The administrator of that name: names are unique in a product, whatever the role."""
    name = draft.holder(product, KIND.type, "username", username)
    if name is None:
        return None
    found = draft.find(KIND, product, parse_name(name).key)
    return None if found is None else found.administrator


def owners(draft: Draft, product: str) -> Iterator[str]:
    """User names of the platform owners of the store who can log in and may do all still."""
    for path, _ in draft.below(KIND, product, KIND.path_of((PLATFORM_OWNER,))):
        found = draft.find(KIND, product, KIND.key_of_path(path))
        who = None if found is None else found.administrator
        if who is None or not may_all(product, who):
            continue
        if credential_of(draft, product, who.username) is not None:
            yield who.username


def may_all(product: str, who: Administrator) -> bool:
    """Whether an administrator may do all that any may."""
    role = parse_role(who.role_id)[0]
    return CEILINGS[PLATFORM_OWNER] == rights_of(product, role, tuple(who.permissions))


def is_last_owner(draft: Draft, product: str, who: Administrator) -> bool:
    """Whether nobody but this platform owner could log in as one who may do all."""
    return who.role_id == PLATFORM_OWNER and set(islice(owners(draft, product), 2)) == {
        who.username
    }


def set_password_hash(draft: Draft, product: str, username: str, password: str) -> None:
    """A new password (its hash); the tokens of the old one are void."""
    void_tokens(draft, product, username)
    draft.set_private(credential_key(product, username), Credential(password).encode())


def add_token(
    draft: Draft, product: str, who: Administrator, digest: bytes, session: bool = False
) -> float:
    """Makes a token live; its expiry in Unix seconds. Expired tokens are removed meanwhile."""
    held = credential_of(draft, product, who.username)
    if held is None:
        raise KeyError(who.username)
    expiry = draft.now + (SESSION_SECONDS if session else TOKEN_SECONDS)
    draft.set_private(token_key(digest), Token(product, who.username, who.role_id, expiry).encode())
    before = held.sessions if session else held.tokens
    live = [token for token in before if token[1] > draft.now][-(TOKENS_EACH - 1) :]
    _end(draft, (token for token in before if token not in live))
    after = (*live, (digest.hex(), expiry))
    new = replace(held, sessions=after) if session else replace(held, tokens=after)
    draft.set_private(credential_key(product, who.username), new.encode())
    return expiry


def drop_token(draft: Draft, product: str, username: str, digest: bytes) -> None:
    """Ends one token."""
    draft.set_private(token_key(digest), None)
    held = credential_of(draft, product, username)
    if held is not None:
        tokens, sessions = (
            tuple(token for token in kind if token[0] != digest.hex())
            for kind in (held.tokens, held.sessions)
        )
        new = replace(held, tokens=tokens, sessions=sessions)
        draft.set_private(credential_key(product, username), new.encode())


def void_tokens(draft: Draft, product: str, username: str) -> None:
    """Ends every token of an administrator, also what would set its password; that stays."""
    void_setup(draft, product, username)
    held = credential_of(draft, product, username)
    if held is None:
        return
    _end(draft, (*held.tokens, *held.sessions))
    new = replace(held, tokens=(), sessions=())
    draft.set_private(credential_key(product, username), new.encode())


def _end(draft: Draft, tokens: Iterable[tuple[str, float]]) -> None:
    for digest, _ in tokens:
        draft.set_private(token_key(bytes.fromhex(digest)), None)


def set_up(draft: Draft, product: str, who: Administrator, digest: bytes, seconds: float) -> float:
    """Makes a token live that sets the password, once; its expiry. The one before is void."""
    void_setup(draft, product, who.username)
    expiry = draft.now + seconds
    entry = Token(product, who.username, who.role_id, expiry)
    draft.set_private(redeemable_key(digest), entry.encode())
    draft.set_private(setup_key(product, who.username), digest)
    return expiry


def void_setup(draft: Draft, product: str, username: str) -> None:
    """Ends the token that would set an administrator's password: its mail need not be sent."""
    digest = draft.private(setup_key(product, username))
    if digest is not None:
        draft.set_private(redeemable_key(digest), None)
        draft.set_private(setup_key(product, username), None)
    if draft.private(letter_key(product, username)) is not None:
        draft.set_private(letter_key(product, username), None)


def drop_credential(draft: Draft, product: str, username: str) -> None:
    """An administrator is gone: so are its password and its tokens."""
    void_tokens(draft, product, username)
    if credential_of(draft, product, username) is not None:
        draft.set_private(credential_key(product, username), None)


def stow_credential(draft: Draft, product: str, username: str, batch: str) -> None:
    """An administrator goes into the archive: its password waits there, its tokens are void."""
    void_tokens(draft, product, username)
    held = credential_of(draft, product, username)
    if held is not None:
        draft.set_private(credential_key(product, username), None)
        draft.set_private(stowed_key(product, batch, username), held.encode())


def unstow_credential(draft: Draft, product: str, username: str, batch: str) -> None:
    """It comes back from there: so does its password, if it had one."""
    value = draft.private(stowed_key(product, batch, username))
    if value is not None:
        draft.set_private(credential_key(product, username), value)
        purge_credential(draft, product, username, batch)


def purge_credential(draft: Draft, product: str, username: str, batch: str) -> None:
    """It will not come back."""
    if draft.private(stowed_key(product, batch, username)) is not None:
        draft.set_private(stowed_key(product, batch, username), None)


def move_credential(draft: Draft, product: str, old: Administrator, new: Administrator) -> None:
    """An administrator has another name or role: the password goes with it, tokens are void."""
    void_tokens(draft, product, old.username)
    held = credential_of(draft, product, old.username)
    if held is not None and old.username != new.username:
        draft.set_private(credential_key(product, old.username), None)
        draft.set_private(credential_key(product, new.username), held.encode())


__all__ = [
    "add_token",
    "administrator_of",
    "credential_of",
    "drop_credential",
    "drop_token",
    "is_last_owner",
    "may_all",
    "move_credential",
    "owners",
    "purge_credential",
    "set_password_hash",
    "set_up",
    "stow_credential",
    "unstow_credential",
    "void_setup",
    "void_tokens",
]
