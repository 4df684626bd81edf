"""What is known of a customer before Stripe is asked: the answer, sources, its newest second."""

from collections.abc import Sequence

import msgspec

from service.documents import CustomerAnswer, decode_customer
from service.keys import Namespace, customer_key
from service.projection import Projection
from workers.algebra.facts import NEVER
from workers.deriving import CUSTOMERS


class Known(msgspec.Struct, frozen=True):
    """One customer as the projection has it."""

    answer: CustomerAnswer | None = None
    """None where nothing was ever heard of it."""
    attached: tuple[str, ...] = ()
    """Sources of which nobody has said that they have gone, also those that cannot be served."""
    second: int = -1
    """The newest second of anything told of it."""


def known(projection: Projection, namespace: Namespace, customers: Sequence[str]) -> list[Known]:
    """Return what is known of each of these customers now; raises UnreadableError."""
    values = projection.load([customer_key(namespace, customer) for customer in customers])
    return [_read(value) if value else Known() for value in values]


def _read(value: bytes) -> Known:
    _, answer, packed = decode_customer(value)
    facts = CUSTOMERS.decode_facts(packed)
    attached = (
        source
        for source, link in facts.links.items()
        if link.times.gone == NEVER and not facts.deleted
    )
    return Known(answer, tuple(attached), answer.second)
