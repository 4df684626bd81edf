"""An entry of the event log: an event as it is stored, and where it is indexed."""

import hashlib
from typing import Any

import msgspec

from service import compression
from service.event import Event
from service.keys import Namespace, index_bucket

DIGEST_BYTES = 6
"""Only tells apart bodies that carry one and the same event id; 48 bits are plenty for that."""


class NewEntry(msgspec.Struct, frozen=True):
    """An event as it goes into the append script."""

    buckets: tuple[str, str]
    """Where its event id and its request id are indexed."""
    fields: tuple[str | bytes, ...]
    """The nine values an event that lua/append.lua names."""
    size: int
    """Bytes of the compressed body."""


class Entry(msgspec.Struct, frozen=True):
    """One event as it lies in the log."""

    entry_id: str
    id: str
    type: str
    account: str
    mode: str
    customer: str
    object: str
    request: str
    stored: bytes

    @property
    def body(self) -> bytes:
        """The bytes Stripe sent, decompressed anew at each call."""
        return compression.decompress(self.stored)

    @property
    def received_ms(self) -> int:
        """When it was accepted, by the store's clock, in unix milliseconds."""
        return int(self.entry_id.partition("-")[0])

    @property
    def namespace(self) -> Namespace:
        """The account and mode it belongs to."""
        return Namespace(account=self.account, mode=self.mode)


def new_entry(event: Event, body: bytes) -> NewEntry:
    """Return the event ready to be appended, its body compressed."""
    stored = compression.compress(body)
    return NewEntry(
        buckets=(index_bucket(event.id), index_bucket(event.request)),
        fields=(
            event.id,
            digest_of(body),
            event.type,
            event.namespace.account,
            event.namespace.mode,
            event.customer,
            event.object_id,
            event.request,
            stored,
        ),
        size=len(stored),
    )


def unlogged(number: int, event: Event, body: bytes) -> Entry:
    """Return the entry that an event would be, with an id that is in no log."""
    return Entry(
        entry_id=f"0-{number}",
        id=event.id,
        type=event.type,
        account=event.namespace.account,
        mode=event.namespace.mode,
        customer=event.customer,
        object=event.object_id,
        request=event.request,
        stored=compression.compress(body),
    )


def read_entry(item: tuple[bytes, dict[bytes, bytes]]) -> Entry:
    """Return an entry as the stream commands answer it."""
    entry_id, fields = item
    texts: dict[str, Any] = {
        name.decode(): value.decode() for name, value in fields.items() if name != b"body"
    }
    return Entry(entry_id=entry_id.decode(), stored=fields[b"body"], **texts)


def index_fields(entry: Entry) -> list[tuple[str, str]]:
    """Return bucket and field of each place where lua/append.lua indexed the entry."""
    digest = digest_of(entry.body)
    keys = [entry.id, entry.request] if entry.request else [entry.id]
    return [(index_bucket(key), f"{key}:{digest}") for key in keys]


def digest_of(body: bytes) -> str:
    """Return what tells this body apart from others that carry the same event id."""
    return hashlib.blake2b(body, digest_size=DIGEST_BYTES).hexdigest()
