"""Two workers on one customer: every order of their steps ends the same, and complete."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pytest

from tests.workers.fold import TEST, Fold, facts_told
from tests.workers.notation import CUSTOMER, added, created, event, source_id
from tests.workers.stored import stored_documents, unversioned
from tests.workers.turns import SteppedProjection, every_order
from workers.apply import Told, apply

if TYPE_CHECKING:
    import redis

    from tests.conftest import Store

SOURCE = {"id": source_id("S", "source"), "object": "source", "metadata": {}}
ATTACHED = event(
    "customer.source.created", {**SOURCE, "customer": CUSTOMER, "status": "chargeable"}, 5
)
DELETED = event("customer.source.deleted", {**SOURCE, "status": "consumed"}, 9)
CUSTOMER_DELETED = event(
    "customer.deleted", {"id": CUSTOMER, "object": "customer", "default_source": None}, 9
)
VIEW = event(
    "payment_method.attached",
    {"id": source_id("A"), "object": "payment_method", "customer": CUSTOMER, "metadata": {}},
    5,
)

CASES: dict[str, tuple[list[bytes], list[bytes], list[bytes]]] = {
    "created and deleted of a Source that names no customer": ([], [ATTACHED], [DELETED]),
    "the same of a known customer": ([created(None, 1)], [ATTACHED], [DELETED]),
    "created and created, two sources": ([created(None, 1)], [added("A", 5)], [added("B", 6)]),
    "created and created, the same source twice": ([], [added("A", 5)], [added("A", 5)]),
    "one source in its two views": ([], [added("A", 5)], [VIEW]),
    "customer deleted and source created": (
        [created(None, 1)],
        [CUSTOMER_DELETED],
        [added("A", 5)],
    ),
    "two batches of both": ([], [created(None, 1), ATTACHED, added("A", 5)], [DELETED, VIEW]),
}

FEWEST_ORDERS = 15
"""Of two steps (a customer without sources) and four (a source, then its customer): 6 over 2."""


@pytest.mark.parametrize(("before", "one", "other"), CASES.values(), ids=CASES)
def test_every_interleaving_ends_the_same_and_loses_no_fact(
    store: "Store", before: list[bytes], one: list[bytes], other: list[bytes]
) -> None:
    expected = Fold([facts_told(body) for body in (*before, *one, *other)])
    orders: set[tuple[int, ...]] = set()
    with store.client() as client, store.client() as one_client, store.client() as other_client:

        def begin() -> None:
            client.flushdb()
            _work(before, client)(lambda: None)

        for order in every_order(begin, [_work(one, one_client), _work(other, other_client)]):
            orders.add(tuple(order))
            stored = stored_documents(client)
            assert {s: answer for s, (answer, _) in stored.items()} == expected.answers(), order
            facts = {subject: unversioned(known) for subject, (_, known) in stored.items()}
            assert facts == {s: unversioned(known) for s, known in expected.facts().items()}, order
    assert len(orders) >= FEWEST_ORDERS


def _work(bodies: Sequence[bytes], client: "redis.Redis") -> Callable[[Callable[[], None]], object]:
    told = [Told(str(n), TEST, facts_told(body)) for n, body in enumerate(bodies)]
    return lambda step: apply(SteppedProjection(client, step), told)
