"""Events that are kept and tell nothing of a source's state: mandates, transactions."""

from service.event import Event
from workers.algebra.facts import Facts
from workers.handlers.registry import handles


@handles(
    "source.mandate_notification",
    "source.transaction.created",
    "source.transaction.updated",
    of=("source_mandate_notification", "source_transaction", "bitcoin_transaction"),
)
def nothing_told(_event: Event) -> Facts:
    """Tell nothing: the object names a source and shows nothing of it."""
    return Facts()
