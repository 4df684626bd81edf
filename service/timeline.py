"""A customer's timeline: what changed its sources or its default, and through what.

Its shape only: the web serves it and the command line prints it. It takes handlers and merge rules
to make one, so the web is handed a function that does.
"""

from collections.abc import Callable
from typing import Literal, TypeAlias

import msgspec

from service.keys import Namespace

What: TypeAlias = Literal[
    "customer.first_seen",
    "customer.deleted",
    "customer.forgotten",
    "source.added",
    "source.changed",
    "source.removed",
    "default.changed",
    "basis.changed",
]
Through: TypeAlias = Literal["event", "rule", "read", "operator", "unknown"]
"""event: Stripe's own object shows it; rule: it follows from Stripe's rules; read: Stripe was
asked; operator: by an order given here; unknown: the events have left the log, and the document
keeps what they told."""


class Teller(msgspec.Struct, frozen=True):
    """An entry of the log that told of a change."""

    id: str
    type: str
    created: int
    """Stripe's time of the event, unix seconds."""
    request: str | None
    """The request that caused it; None when Stripe acted by itself."""
    received: int
    """When it came in, unix seconds."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change, in the order in which Stripe made them: late events stand where they belong."""

    id: str
    object: Literal["customer_change"] = "customer_change"
    type: What
    created: int
    """When it happened, by Stripe's clock, unix seconds."""
    source: str | None = None
    """The source that was added, changed or removed."""
    fields: list[str] = []
    """Of a changed source what changed, without values."""
    default_source: str | None
    """The default from then on."""
    previous_default_source: str | None
    basis: str
    """confirmed, inferred or ambiguous, from then on."""
    through: Through
    rule: str | None = None
    """Which rule makes the default what it is from then on."""
    why: str | None = None
    """The same in a sentence."""
    between: list[str | None] = []
    """What events cannot decide between."""
    events: list[Teller] = []


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """All changes of a customer that are still known, the oldest first."""

    customer: str
    account: str
    mode: str
    deleted: bool
    default_source: str | None
    basis: str
    rule: str | None
    why: str | None
    between: list[str | None]
    whole: bool
    """Whether the entries in the log tell all of it; if not, older ones have left the log."""
    agrees: bool
    """Whether the stored answer is what the rules make of the facts now; if not: onfile rebuild."""
    changes: list[Change]


Tell: TypeAlias = Callable[[Namespace, str], Timeline | None]
"""Return the timeline of a customer, None for one that is not known; may block for a while."""
