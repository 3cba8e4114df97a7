"""Keys behind PKCS#11: a hardware security module, or a token kept in software.

Invariants
1. A key never leaves its token: it is used by its handle, and one that could be read is refused.
2. A process has one session with a token, and calls into a module one after another, in one
   thread: modules are opened without locks of their own. A call that hangs holds nobody else:
   what is asked of its module until it comes back is refused at once.
3. The PIN stands in a file that only its owner may read; it is in no option, log or message.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from .attended import Line, Stuck
from .composing import Unusable
from .keyfiles import Refused, read_secret

if TYPE_CHECKING:
    import pkcs11

__all__ = ["SCHEME", "HardwareKey", "Place", "Token", "read_place"]

log = logging.getLogger("callscreen.identity")

SCHEME = "pkcs11:"
NAMES = frozenset({"folder", "module-path", "token", "pin-source"})
SIGNATURE_OCTETS = 64  # r and s
SIGN_SECONDS = 0.5  # that a call waits for its signature, its turn included
LOAD_SECONDS = 10.0  # that the load of a key does, the opening of a session included

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Place:
    """Where keys are: a module, its token; `folder` holds the certificates that go with them."""

    folder: Path
    module: str
    token: str
    pin: Path


def read_place(text: str) -> Place:
    """`pkcs11:folder=...;module-path=...;token=...;pin-source=...`, percent-encoded where needed
    (RFC 7512 section 2.3). Raises ValueError."""
    given: dict[str, str] = {}
    for part in text.removeprefix(SCHEME).replace("?", ";").replace("&", ";").split(";"):
        name, equals, value = part.partition("=")
        if not equals or name not in NAMES or name in given or not value:
            raise ValueError(
                f"{SCHEME} takes {', '.join(sorted(NAMES))}, each once with a value, not {name!r}"
            )
        given[name] = unquote(value)
    if missing := NAMES - given.keys():
        raise ValueError(f"{SCHEME} lacks {', '.join(sorted(missing))}")
    pin = Path(given["pin-source"].removeprefix("file:"))
    return Place(Path(given["folder"]), given["module-path"], given["token"], pin)


class Token:
    """The session with one token. Threads may share it."""

    def __init__(self, place: Place) -> None:
        """Opens nothing yet. ValueError where the package for PKCS#11 is not installed."""
        try:
            import pkcs11
        except ImportError as error:
            raise ValueError("keys behind PKCS#11 need the package callscreen[pkcs11]") from error
        self._pkcs11 = pkcs11
        self._place = place
        self._line = LINES.setdefault(place.module, Line("pkcs11"))
        self._session: Any = None
        self._told = False  # that it does not answer

    def run(self, call: Callable[["pkcs11.Session"], Found], seconds: float) -> Found:
        """What a call gives of the session, which is opened where it is not.

        Raises Refused where the token cannot be had, or does not answer within so many seconds;
        what it refuses ends the session.
        """
        try:
            found = self._line.do(lambda: self._done(call), seconds)
        except Stuck:
            if not self._told:
                self._told = True
                log.error("the token %s does not answer: nothing is signed", self._place.token)
            raise Refused(f"the token {self._place.token} does not answer") from None
        if self._told:
            self._told = False
            log.info("the token %s answers again", self._place.token)
        return found

    def _done(self, call: Callable[["pkcs11.Session"], Found]) -> Found:
        try:
            if self._session is None:
                self._session = self._open()
            return call(self._session)
        except (self._pkcs11.PKCS11Error, RuntimeError) as error:
            self._leave()
            raise Refused(f"the token {self._place.token}: {told(error)}") from error

    def key(self, label: str, public: EllipticCurvePublicKey) -> "HardwareKey":
        """The private key of that label. Raises Refused unless it fits and stays where it is."""
        key = HardwareKey(self, label)
        probe = b"does the key fit the certificate?"
        try:
            check_signature(public, key.sign(probe, LOAD_SECONDS), probe)
        except Unusable as error:
            raise Refused(str(error)) from error
        return key

    def find(self, session: "pkcs11.Session", label: str) -> Any:
        """Raises Refused, and errors of the token."""
        kinds = self._pkcs11
        template = {
            kinds.Attribute.CLASS: kinds.ObjectClass.PRIVATE_KEY,
            kinds.Attribute.KEY_TYPE: kinds.KeyType.EC,
            kinds.Attribute.LABEL: label,
        }
        found: list[Any] = list(session.get_objects(template))
        if not found:
            raise Refused(f"no private key of elliptic curves is called {label}")
        if len(found) > 1:
            raise Refused(f"several private keys are called {label}")
        key = found[0]
        if not key[kinds.Attribute.SENSITIVE] or key[kinds.Attribute.EXTRACTABLE]:
            raise Refused(f"the key {label} can be read out of its token")
        return key

    def _open(self) -> Any:
        pin = read_secret(self._place.pin).decode(errors="replace").strip()
        token = self._pkcs11.lib(self._place.module).get_token(token_label=self._place.token)
        try:
            return token.open(user_pin=pin)
        except self._pkcs11.UserAlreadyLoggedIn:
            return token.open()  # a login holds for every session of a process

    def _leave(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            try:
                session.close()
            except self._pkcs11.PKCS11Error:
                return  # it was gone before


class HardwareKey:
    """A key by its handle, found again where its session ended."""

    def __init__(self, token: Token, label: str) -> None:
        self._token = token
        self._label = label
        self._handle: Any = None
        self._of: Any = None  # the session that the handle is of
        from pkcs11 import Mechanism

        self._mechanism = Mechanism.ECDSA

    def sign(self, octets: bytes, seconds: float = SIGN_SECONDS) -> bytes:
        """r and s over the SHA-256 of the octets. Raises Unusable, also after so long."""
        digest = sha256(octets).digest()

        def signed(session: "pkcs11.Session") -> Any:
            if self._of is not session:
                self._handle, self._of = self._token.find(session, self._label), session
            return self._handle.sign(digest, mechanism=self._mechanism)

        try:
            signature = self._token.run(signed, seconds)
        except Refused as error:
            raise Unusable(str(error)) from error
        if len(signature) != SIGNATURE_OCTETS:
            raise Unusable(f"the token answers with {len(signature)} octets")
        return bytes(signature)


LINES: dict[str, Line] = {}  # by module: of all that is called in it


def told(error: Exception) -> str:
    """An error of the module in words; many have a name alone."""
    return f"{type(error).__name__} {error}".strip()


def check_signature(public: EllipticCurvePublicKey, signature: bytes, octets: bytes) -> None:
    """Raises Refused unless the signature is the key's."""
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        public.verify(encode_dss_signature(r, s), octets, ECDSA(SHA256()))
    except InvalidSignature:
        raise Refused("the key does not fit the certificate") from None
