"""Credentials and tokens inside a transaction.

Invariants:
1. Removing a credential removes every token it names; moving one voids them.
2. A live token's entry is named by exactly one credential.
3. Who cannot log in, having no password, counts for nothing among a product's platform owners.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from ...schema import TYPES, parse_name
from ...v1.administrator_pb2 import Administrator
from ..access import PLATFORM_OWNER
from ..limits import TOKEN_SECONDS, TOKENS_EACH
from ..private import Credential, Token, credential_key, token_key
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
    """User names of the platform owners who can log in, as the store has them."""
    for _, found in draft.below(KIND, product, KIND.path_of((PLATFORM_OWNER,))):
        if credential_of(draft, product, found.administrator.username) is not None:
            yield found.administrator.username


def is_last_owner(draft: Draft, product: str, who: Administrator) -> bool:
    """Whether nobody but this platform owner could log in as one."""
    return who.role_id == PLATFORM_OWNER and set(islice(owners(draft, product), 2)) == {
        who.username
    }


def set_password_hash(draft: Draft, product: str, username: str, password: str) -> None:
    """A new password (its hash); the tokens of the old one are void."""
    void_tokens(draft, product, username)
    draft.set_private(credential_key(product, username), Credential(password).encode())


def add_token(draft: Draft, product: str, who: Administrator, digest: bytes) -> float:
    """Makes a token live; its expiry in Unix seconds. Expired tokens are removed meanwhile."""
    held = credential_of(draft, product, who.username)
    if held is None:
        raise KeyError(who.username)
    kept = [token for token in held.tokens if token[1] > draft.now][-(TOKENS_EACH - 1) :]
    for token in held.tokens:
        if token not in kept:
            draft.set_private(token_key(bytes.fromhex(token[0])), None)
    expiry = draft.now + TOKEN_SECONDS
    entry = Token(product, who.username, who.role_id, expiry)
    draft.set_private(token_key(digest), entry.encode())
    tokens = (*kept, (digest.hex(), expiry))
    draft.set_private(credential_key(product, who.username), replace(held, tokens=tokens).encode())
    return expiry


def drop_token(draft: Draft, product: str, username: str, digest: bytes) -> None:
    """Ends one token."""
    draft.set_private(token_key(digest), None)
    held = credential_of(draft, product, username)
    if held is not None:
        tokens = tuple(token for token in held.tokens if token[0] != digest.hex())
        draft.set_private(credential_key(product, username), replace(held, tokens=tokens).encode())


def void_tokens(draft: Draft, product: str, username: str) -> None:
    """Ends every token of an administrator; its password stays."""
    held = credential_of(draft, product, username)
    if held is None:
        return
    for digest, _ in held.tokens:
        draft.set_private(token_key(bytes.fromhex(digest)), None)
    draft.set_private(credential_key(product, username), replace(held, tokens=()).encode())


def drop_credential(draft: Draft, product: str, username: str) -> None:
    """An administrator is gone: so are its password and its tokens."""
    if credential_of(draft, product, username) is not None:
        void_tokens(draft, product, username)
        draft.set_private(credential_key(product, username), None)


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
    "move_credential",
    "owners",
    "set_password_hash",
    "void_tokens",
]
