"""Which handler reads which event: by the object it carries, then by the event's type."""

import re
from collections.abc import Callable
from typing import TypeAlias

from service.event import Event
from workers.algebra.facts import CustomerFacts, Facts, SourceFacts

Handler: TypeAlias = Callable[[Event], Facts]


class UnprojectableError(Exception):
    """The event's object is not what its type promises: no retry will change that."""

    def __init__(self, reason: str, explanation: str) -> None:
        super().__init__(f"{reason}: {explanation}")
        self.reason = reason


def handles(*types: str, of: tuple[str, ...] = ()) -> Callable[[Handler], Handler]:
    """Register a handler for these event types, and for every event carrying these objects.

    Args:
        types: the event types it reads; each may have one handler only.
        of: the kinds of object (their own `object`) it reads, whatever the event is called.

    """

    def register(handler: Handler) -> Handler:
        for names, table in ((types, _BY_TYPE), (of, _BY_OBJECT)):
            for name in names:
                if name in table:
                    raise ValueError(f"{name} has two handlers: {table[name]} and {handler}")
                table[name] = handler
        return handler

    return register


def facts_of(event: Event) -> Facts:
    """Return the facts an event tells.

    Raises:
        UnprojectableError: its object is not what its type promises.

    """
    if not event.object.startswith(b"{"):
        raise UnprojectableError(
            "object_not_an_object", f"{event.type} carries no object in data.object"
        )
    facts = _handler_of(event)(event)
    return _only_placeholders(facts) if _PLACEHOLDER_EVENT.fullmatch(event.id) else facts


def handled_types() -> frozenset[str]:
    """Return every event type that has a handler."""
    return frozenset(_BY_TYPE)


def _handler_of(event: Event) -> Handler:
    """Go by the object's own word first: captured events carry what their type does not promise."""
    kind = event.kind
    if kind in _BY_OBJECT:
        return _BY_OBJECT[kind]
    if kind:
        shown = kind if _KIND.fullmatch(kind) else "thing whose name is no name"
        raise UnprojectableError("object_of_unknown_kind", f"{event.type} carries a {shown}")
    return _BY_TYPE[event.type]


def _only_placeholders(facts: Facts) -> Facts:
    """Keep what a dashboard's test event says of placeholders; it may name real objects too."""
    return Facts(
        sources={
            source: SourceFacts(
                snapshots=told.snapshots,
                views=told.views,
                owners={owner for owner in told.owners if _PLACEHOLDER.fullmatch(owner)},
                times=told.times,
            )
            for source, told in facts.sources.items()
            if _PLACEHOLDER.fullmatch(source)
        },
        customers=_placeholders(facts.customers),
    )


def _placeholders(customers: dict[str, CustomerFacts]) -> dict[str, CustomerFacts]:
    return {c: told for c, told in customers.items() if _PLACEHOLDER.fullmatch(c)}


_KIND = re.compile(r"[a-z][a-z0-9_.]{0,63}")
"""What Stripe calls its objects; anything else could be anybody's text, and goes into no log."""

_PLACEHOLDER_EVENT = re.compile(r"evt_0+")
_PLACEHOLDER = re.compile(r"[a-z]+_0+")

_BY_TYPE: dict[str, Handler] = {}
_BY_OBJECT: dict[str, Handler] = {}
