"""An entry of the event log: an event as it is stored, and where it is indexed."""

from typing import Any

import msgspec

from service import compression
from service.event import Event
from service.keys import Namespace
from service.log.index import NO_ROW, Row, rows_of


class NewEntry(msgspec.Struct, frozen=True):
    """An event as it goes into the append script."""

    buckets: tuple[str, str]
    """Where its event id and its request id are indexed."""
    fields: tuple[str | bytes, ...]
    """The ten values an event that lua/append.lua names."""
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
    by_id, by_request = rows_of(event.id, event.request, body)
    return NewEntry(
        buckets=(by_id.bucket, by_request.bucket),
        fields=(
            by_id.field,
            by_request.field,
            event.id,
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


def index_rows(entry: Entry) -> list[Row]:
    """Return every row of the index that leads to the entry."""
    return [row for row in rows_of(entry.id, entry.request, entry.body) if row != NO_ROW]
