"""The private table: every log-in and mail belongs to somebody, and every token to a log-in."""

from collections.abc import Iterator

from ...schema import parse_name
from ..commands.archive_keys import BATCHES
from ..private import (
    CREDENTIALS,
    LETTERS,
    REDEEMABLE,
    SETUPS,
    STOWED,
    TOKENS,
    Credential,
    Token,
    Waiting,
    credential_key,
    redeemable_key,
    setup_key,
    token_key,
)
from ..store.offline import Tables
from ..store.tables import OBJECTS, PRIVATE, UNIQUE_VALUES, encode_parts
from .findings import Finding


def check_private(tables: Tables) -> Iterator[Finding]:
    yield from _check_credentials(tables)
    yield from _check_tokens(tables)
    yield from _check_setups(tables)
    yield from _check_letters(tables)
    yield from _check_stowed(tables)


def _check_credentials(tables: Tables) -> Iterator[Finding]:
    for key, value in tables.items(PRIVATE, CREDENTIALS):
        product, username = _parts(key, CREDENTIALS)
        who = f"{product} {username}"
        if not _is_administrator(tables, product, username):
            yield Finding("credential", f"{who} has a password and is no administrator")
        try:
            held = Credential.decode(value)
        except (ValueError, KeyError, TypeError):
            yield Finding("credential", f"that of {who} cannot be decoded")
            continue
        for digest, _ in (*held.tokens, *held.sessions):
            if tables.get(PRIVATE, token_key(bytes.fromhex(digest))) is None:
                yield Finding("token", f"{who} names one that is not there")


def _check_tokens(tables: Tables) -> Iterator[Finding]:
    for key, value in tables.items(PRIVATE, TOKENS):
        digest = key.removeprefix(TOKENS).hex()
        try:
            token = Token.decode(value)
            credential = tables.get(PRIVATE, credential_key(token.product, token.username))
            held = Credential.decode(credential) if credential else Credential("")
        except (ValueError, KeyError, TypeError):
            yield Finding("token", f"{digest[:8]} or its log-in cannot be decoded")
            continue
        if sum(digest == each for each, _ in (*held.tokens, *held.sessions)) != 1:
            yield Finding("token", f"{digest[:8]} of {token.username} is not one of its log-ins")


def _check_setups(tables: Tables) -> Iterator[Finding]:
    for key, value in tables.items(PRIVATE, SETUPS):
        product, username = _parts(key, SETUPS)
        if tables.get(PRIVATE, redeemable_key(value)) is None:
            yield Finding("token", f"that for the password of {product} {username} is not there")
        if not _is_administrator(tables, product, username):
            yield Finding("token", f"one is for the password of {username}, no administrator")
    for key, value in tables.items(PRIVATE, REDEEMABLE):
        digest = key.removeprefix(REDEEMABLE)
        try:
            token = Token.decode(value)
        except (ValueError, TypeError):
            yield Finding("token", f"{digest.hex()[:8]} cannot be decoded")
            continue
        if tables.get(PRIVATE, setup_key(token.product, token.username)) != digest:
            yield Finding("token", f"one for the password of {token.username} is not the last")


def _check_letters(tables: Tables) -> Iterator[Finding]:
    for key, value in tables.items(PRIVATE, LETTERS):
        product, username = _parts(key, LETTERS)
        if not _is_administrator(tables, product, username):
            yield Finding("mail", f"one waits for {product} {username}, no administrator")
        try:
            Waiting.decode(value)
        except (ValueError, TypeError):
            yield Finding("mail", f"the one that waits for {product} {username} cannot be decoded")


def _check_stowed(tables: Tables) -> Iterator[Finding]:
    for key, _ in tables.items(PRIVATE, STOWED):
        product, batch, username = (*_parts(key, STOWED), "", "", "")[:3]
        if tables.get(OBJECTS, encode_parts((product, BATCHES, batch))) is None:
            yield Finding("credential", f"that of {username} waits for batch {batch}, not there")


def _parts(key: bytes, prefix: bytes) -> tuple[str, ...]:
    return tuple(key.removeprefix(prefix).decode(errors="replace").split("\0"))


def _is_administrator(tables: Tables, product: str, username: str) -> bool:
    mark = "\0".join((product, "administrator", "username", username)).encode()
    name = tables.get(UNIQUE_VALUES, mark)
    try:
        return name is not None and parse_name(name.decode()).key[1] == username
    except (ValueError, IndexError):
        return False


__all__ = ["check_private"]
