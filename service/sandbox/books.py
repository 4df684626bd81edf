"""What an account holds, in memory only: customers, sources, who has which, tokens.

An operation works on a draft, which is taken over as a whole or dropped as a whole.
"""

from collections import ChainMap
from collections.abc import MutableMapping
from dataclasses import dataclass, field, fields
from typing import NamedTuple

from service.sandbox.errors import Json


class Token(NamedTuple):
    """A token that somebody made, and what Stripe never shows of it."""

    object: Json
    number: str


@dataclass(frozen=True)
class Books:
    """Everything of one account but its events. The objects inside are replaced, never changed."""

    customers: MutableMapping[str, Json] = field(default_factory=dict)
    """In the order they were made; a deleted one is the stub that Stripe answers."""
    sources: MutableMapping[str, Json] = field(default_factory=dict)
    """Of every kind, attached or not; a deleted card or bank account is a stub."""
    wallets: MutableMapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By customer: the ids of its sources in the order they were added."""
    born: MutableMapping[str, int] = field(default_factory=dict)
    """When a source was made, which a card does not say itself and its second view does."""
    contacts: MutableMapping[str, Json] = field(default_factory=dict)
    """By card: e-mail and phone, which only its second view shows."""
    tokens: MutableMapping[str, Token] = field(default_factory=dict)
    attempts: MutableMapping[str, int] = field(default_factory=dict)
    """By bank account: how often the wrong amounts were named."""

    def draft(self) -> "Books":
        """Return books that read through to these and write beside them."""
        return Books(*(ChainMap({}, getattr(self, each.name)) for each in fields(self)))

    def take_over(self, draft: "Books") -> None:
        """Make what was written into a draft of these books true."""
        for each in fields(self):
            written = getattr(draft, each.name)
            getattr(self, each.name).update(written.maps[0])
