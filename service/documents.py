"""How a document lies in the projection: a version, then the answer and the facts, compressed.

All but the version may be sealed, for the key that it lies under and for that version; whoever
loads a document opens it, and whoever commits one seals it.

The answer repeats most of the newest fact, so compressing both as one costs little more than one.
The web reads the answer and leaves the facts undecoded; the worker reads both.
"""

from typing import TypeVar

import msgspec

from service import compression, sealing

VERSION_BYTES = 8

T = TypeVar("T")


class SourceAnswer(msgspec.Struct, array_like=True, frozen=True):
    """What a query about one source returns."""

    body: bytes
    """The object as JSON; empty when only its existence is known."""
    kind: str
    """Its own `object`: card, bank_account, source …"""
    owner: str
    """The customer it belongs or belonged to; empty when nobody's."""
    gone: bool
    second: int
    """The greatest second of any fact in it, unix time."""
    event: str
    """The id of the newest event in it."""
    decided: bool
    """False when events cannot tell which of several bodies is the newest."""


class ListedSource(msgspec.Struct, array_like=True, frozen=True):
    """A source as it stands in its customer's list."""

    id: str
    kind: str
    body: bytes


class CustomerAnswer(msgspec.Struct, array_like=True, frozen=True):
    """What every query about one customer returns, ready to serve."""

    body: bytes
    """The customer as JSON with its default written in and without `sources`; or the stub of a
    deleted one."""
    deleted: bool
    default: str
    """The default source's id; empty for null."""
    basis: str
    """confirmed, inferred or ambiguous."""
    sources: list[ListedSource]
    """Attached and servable, newest first."""
    second: int
    event: str
    ambiguous: list[str]
    """Which of default, order, object events cannot tell."""


def encode_document(version: int, answer: msgspec.Struct, facts: bytes) -> bytes:
    """Return the stored form of a document."""
    packed = msgspec.msgpack.encode((answer, facts))
    return version.to_bytes(VERSION_BYTES, "big") + compression.compress(packed)


def decode_source(value: bytes) -> tuple[int, SourceAnswer, bytes]:
    """Return version, answer and facts of a source's document; raises UnreadableError."""
    answer, facts = read_part(_SOURCE, _packed(value))
    return version_of(value), answer, facts


def decode_customer(value: bytes) -> tuple[int, CustomerAnswer, bytes]:
    """Return version, answer and facts of a customer's document; raises UnreadableError."""
    answer, facts = read_part(_CUSTOMER, _packed(value))
    return version_of(value), answer, facts


def read_part(decoder: msgspec.msgpack.Decoder[T], packed: bytes) -> T:
    """Return a part of a document; raises UnreadableError where it is not what was stored."""
    try:
        return decoder.decode(packed)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise compression.UnreadableError("it is damaged") from None


def version_of(value: bytes | None) -> int:
    """Return a stored document's version; 0 where there is none yet."""
    return int.from_bytes(value[:VERSION_BYTES], "big") if value else 0


def sealed(key: str, value: bytes) -> bytes:
    """Return a document as it is to lie under its key: sealed, if the settings have a key."""
    if not sealing.current.key_id:
        return value
    version = value[:VERSION_BYTES]
    return version + sealing.current.seal(value[VERSION_BYTES:], _place(key, version))


def opened(key: str, value: bytes) -> bytes:
    """Return the document that lies under a key, opened.

    One that cannot be opened is returned as it lies, and whoever decodes it is told why: it is no
    fault of those that are loaded with it.
    """
    if not sealing.is_sealed(value, VERSION_BYTES):
        return value
    version = value[:VERSION_BYTES]
    try:
        return version + sealing.current.unseal(value[VERSION_BYTES:], _place(key, version))
    except compression.UnreadableError:
        return value


def key_id_of(value: bytes) -> str:
    """Return the id of the key under which a stored document is sealed; empty when it is not."""
    return sealing.key_id_of(value[VERSION_BYTES:])


def _packed(value: bytes) -> bytes:
    stored = value[VERSION_BYTES:]
    if sealing.is_sealed(stored):
        raise sealing.current.trouble(stored)
    return compression.decompress(stored)


def _place(key: str, version: bytes) -> bytes:
    return b"document\0" + version + key.encode()


_SOURCE = msgspec.msgpack.Decoder(tuple[SourceAnswer, bytes])
_CUSTOMER = msgspec.msgpack.Decoder(tuple[CustomerAnswer, bytes])
