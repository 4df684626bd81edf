"""An entry of the event log: an event as it is stored, and where it is indexed."""

from functools import cached_property

import msgspec

from service import compression, sealing
from service.compression import LackingError, UnreadableError
from service.drop import KEEP_ALL, Drop
from service.event import Event, NotAnEventError, Unprojected, read_event
from service.event_types import LOGGED_TYPES
from service.keys import Namespace
from service.log.index import Row, rows_of


class NewEntry(msgspec.Struct, frozen=True):
    """An event as it goes into the append script."""

    buckets: tuple[str, str]
    """Where its event id and its request id are indexed."""
    fields: tuple[str | bytes, ...]
    """The seven values an event that lua/append.lua names."""
    size: int
    """Bytes of the body as it is stored."""


class Entry(msgspec.Struct, frozen=True, dict=True):
    """One event as it lies in the log.

    What tells it apart stands beside its body, and can be read where the body cannot; all else is
    read from the body, by whoever asks first.
    """

    entry_id: str
    id: str
    type: str
    account: str
    mode: str
    stored: bytes
    """The body, compressed, and sealed if the settings had a key."""

    @property
    def body(self) -> bytes:
        """The bytes Stripe sent, opened and decompressed anew at each call.

        Raises:
            UnreadableError: see sealing and compression.

        """
        return compression.decompress(_opened(self))

    def read(self, drop: Drop = KEEP_ALL) -> Event | Unprojected:
        """Return what the body says without what is dropped, read anew at each call.

        Raises:
            NotAnEventError: it is no event to this version of the program.
            UnreadableError: the stored bytes are damaged, or of a newer version.

        """
        return read_event(drop(self.body), projected=LOGGED_TYPES)

    def demand(self) -> None:
        """Make sure that what is empty below is not merely out of this process's reach.

        Raises:
            LackingError: another process, or this one with one key more, can read the body.

        """
        if isinstance(self._said, LackingError):
            raise self._said

    @property
    def customer(self) -> str:
        """The customer it is about; empty for nobody, or where the body cannot be read."""
        return self._said.customer if isinstance(self._said, Event) else ""

    @property
    def object(self) -> str:
        """The id of `data.object`; empty as the customer is."""
        return self._said.object_id if isinstance(self._said, Event) else ""

    @property
    def request(self) -> str:
        """The API request that caused it; empty when Stripe acted by itself."""
        return self._said.request if isinstance(self._said, Event) else ""

    @property
    def received_ms(self) -> int:
        """When it was accepted, by the store's clock, in unix milliseconds."""
        return int(self.entry_id.partition("-")[0])

    @property
    def namespace(self) -> Namespace:
        """The account and mode it belongs to."""
        return Namespace(account=self.account, mode=self.mode)

    @cached_property
    def _said(self) -> Event | Unprojected | Exception:
        """What the body says, or why nobody knows."""
        try:
            return self.read()
        except (NotAnEventError, UnreadableError) as error:
            return error


def new_entry(event: Event, body: bytes) -> NewEntry:
    """Return the event ready to be appended, its body compressed and sealed."""
    stored = compression.compress(body)
    keyring = sealing.current
    if keyring.key_id:
        stored = keyring.seal(stored, _place(event.id, event.namespace))
    by_id, by_request = rows_of(event.id, event.request, body, keyring.digest_keys[0])
    known_as = by_id.field
    for key in keyring.digest_keys[1:]:
        known_as += rows_of(event.id, "", body, key)[0].field
    return NewEntry(
        buckets=(by_id.bucket, by_request.bucket),
        fields=(
            known_as,
            by_request.field,
            event.id,
            event.type,
            event.namespace.account,
            event.namespace.mode,
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
        stored=compression.compress(body),
    )


def read_entry(item: tuple[bytes, dict[bytes, bytes]]) -> Entry:
    """Return an entry as the stream commands answer it.

    Older ones have fields for customer, object and request too, which their bodies say as well.
    What somebody else has written there lacks some: they are empty, and its body cannot be read.
    """
    entry_id, fields = item
    return Entry(
        entry_id=entry_id.decode(),
        id=_text(fields, b"id"),
        type=_text(fields, b"type"),
        account=_text(fields, b"account"),
        mode=_text(fields, b"mode"),
        stored=fields.get(b"body", b""),
    )


def resealed(entry: Entry) -> bytes:
    """Return the stored body as the key that seals now would have it; raises UnreadableError."""
    return sealing.current.seal(_opened(entry), _place(entry.id, entry.namespace))


def index_rows(entry: Entry) -> list[tuple[Row, Row]]:
    """Return every row of the index that may lead to the entry, by its id and by its request.

    The first two are those that it would get now; raises UnreadableError.
    """
    body = entry.body
    keys = sealing.current.digest_keys
    return [rows_of(entry.id, entry.request, body, key) for key in keys]


def _text(fields: dict[bytes, bytes], name: bytes) -> str:
    return fields.get(name, b"").decode(errors="replace")


def _opened(entry: Entry) -> bytes:
    if not sealing.is_sealed(entry.stored):
        return entry.stored
    return sealing.current.unseal(entry.stored, _place(entry.id, entry.namespace))


def _place(event_id: str, namespace: Namespace) -> bytes:
    return f"event\0{namespace.text}\0{event_id}".encode()
