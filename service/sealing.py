"""Seal what is stored: encrypted under a key of the settings, and bound to the place it lies in.

Event bodies and documents are sealed after they are compressed and opened before they are read;
both forms, and those of several keys, lie side by side at any time. Nonces are random, and there is
no counting what all processes have ever sealed under one key: AES-GCM would be safe for four
billion (NIST SP 800-38D, 8.3), a few months of a large shop's events. AES-GCM-SIV (RFC 8452) does
not break when a nonce comes twice, and costs a microsecond or two more.

    mark, form: a byte each | key id: 4 | nonce: 12 | ciphertext | tag: 16
"""

import os
from base64 import b64decode
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

from service.compression import LackingError, UnreadableError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

PLAIN = "none"
"""In the place of a key: what is written from now on is not sealed."""

KEY_BYTES = 32
KEY_ID_BYTES = 4

MARK = b"\xe1"
"""How nothing begins that is not sealed: neither JSON, `{`, nor a zstd frame, `(`."""

FORM = b"\x01"
_START = MARK + FORM
_NONCE_BYTES = 12
_KEY_ID_END = len(_START) + KEY_ID_BYTES
_NONCE_END = _KEY_ID_END + _NONCE_BYTES


class MissingKeyError(LackingError):
    """The stored bytes are sealed under a key that this process was not given."""

    def __init__(self, key_id: str) -> None:
        super().__init__(
            f"it is encrypted under key {key_id}, which is not in ONFILE_ENCRYPTION_KEYS: "
            "add that key again, behind the first"
        )
        self.key_id = key_id


class NewerFormError(LackingError):
    """The stored bytes are sealed in a way that this version of the program does not know."""


class Keyring:
    """The keys of a process: the first one seals, each opens what was sealed under it."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        """`keys` are 32 bytes in base64 each; PLAIN as the first for sealing nothing any more."""
        secrets = [b"" if key == PLAIN else b64decode(key) for key in keys] or [b""]
        self._ciphers = {id_of(secret): _cipher(secret) for secret in secrets if secret}
        self._damage = _damage() if self._ciphers else ()
        self._seals_with = id_of(secrets[0]) if secrets[0] else b""
        self.key_id = self._seals_with.hex()
        """The id of the key that seals; empty when none does."""
        self.key_ids = [key_id.hex() for key_id in self._ciphers]
        """The ids of all keys, that which seals first."""
        secrets_and_none = dict.fromkeys([*secrets, b""])
        self.digest_keys = tuple(
            _derived(secret, "index") if secret else b"" for secret in secrets_and_none
        )
        """What digests of bodies are keyed with: for what is sealed from now on, then for what was
        sealed under the other keys, and not at all (an empty one)."""

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """Return the bytes sealed, to be opened in this place alone; themselves where no key seals.

        A place is whatever tells one thing that is stored from every other.
        """
        if not self._seals_with:
            return plain
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._seals_with].encrypt(nonce, plain, place)
        return b"".join((MARK, FORM, self._seals_with, nonce, sealed))

    def unseal(self, stored: bytes, place: bytes) -> bytes:
        """Return what was given to seal, and bytes that are not sealed as they are.

        Raises:
            LackingError: another process, or this one with one key more, can open them.
            UnreadableError: they are damaged, or were sealed for another place.

        """
        if not is_sealed(stored):
            return stored
        cipher = self._ciphers.get(stored[len(_START) : _KEY_ID_END])
        if cipher is None or not stored.startswith(_START):
            raise self.trouble(stored)
        try:
            return cipher.decrypt(stored[_KEY_ID_END:_NONCE_END], stored[_NONCE_END:], place)
        except self._damage:
            raise self.trouble(stored) from None

    def trouble(self, stored: bytes) -> UnreadableError:
        """Return why these bytes could not be opened."""
        if len(stored) >= len(_START) and not stored.startswith(_START):
            return NewerFormError("it is encrypted in a newer way: run a newer version of Onfile")
        key_id = key_id_of(stored)
        if key_id not in self.key_ids and len(stored) > _NONCE_END:
            return MissingKeyError(key_id)
        return UnreadableError("it is damaged, or was encrypted for another place")


def is_sealed(stored: bytes, start: int = 0) -> bool:
    """Tell whether these bytes, from `start` on, are sealed, under whatever key."""
    return stored.startswith(MARK, start)


def key_id_of(stored: bytes) -> str:
    """Return the id of the key under which these bytes are sealed; empty when they are not."""
    return stored[len(_START) : _KEY_ID_END].hex() if is_sealed(stored) else ""


def id_of(secret: bytes) -> bytes:
    """Return what tells a key from others, and says nothing else of it."""
    return blake2b(b"onfile key id", key=secret, digest_size=KEY_ID_BYTES).digest()


def use(keys: Sequence[str]) -> None:
    """Have this process seal and open with these keys from now on."""
    global current  # noqa: PLW0603 - as dictionaries are: whatever is read anywhere is read with it
    current = Keyring(keys)


def _cipher(secret: bytes) -> "AESGCMSIV":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV  # noqa: PLC0415 - an extra

    return AESGCMSIV(_derived(secret, "seal"))


def _damage() -> tuple[type[Exception], ...]:
    """Return what a cipher raises: ValueError where there is too little to be anything."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - an extra

    return InvalidTag, ValueError


def _derived(secret: bytes, purpose: str) -> bytes:
    """Return a key for one purpose alone."""
    return blake2b(f"onfile {purpose}".encode(), key=secret, digest_size=KEY_BYTES).digest()


current = Keyring()
"""The keyring in force: none but what `use` was told."""
