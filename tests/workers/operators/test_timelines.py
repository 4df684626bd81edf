"""A customer's timeline out of the log: every entry that told of it, and no other."""

from typing import TYPE_CHECKING

from service.keys import LOG, Namespace, mentions_key
from service.settings import Settings
from service.timeline import Timeline
from tests.workers.notation import CUSTOMER, added, card, created, customer, event, removed, updated
from workers.operators.timelines import Timelines, opened_when_asked

if TYPE_CHECKING:
    from tests.workers.operators.bench import Bench, Handlers

TEST = Namespace("", "test")


def timeline(bench: "Bench", customer_id: str = CUSTOMER) -> Timeline:
    found = Timelines(bench.log, bench.projection)(TEST, customer_id)
    assert found
    return found


def told(bench: "Bench") -> list[tuple[str, str | None]]:
    return [(change.type, change.source) for change in timeline(bench).changes]


def test_every_event_of_the_customer_is_in_it_and_none_of_another(bench: "Bench") -> None:
    other = event("customer.created", customer(None, id="cus_2"), 3)
    bench.accept(created("A", 1), other, added("A", 1), added("B", 4), removed("A", 6))
    bench.drain()
    assert told(bench) == [
        ("customer.first_seen", None),
        ("source.added", "card_A"),
        ("default.changed", None),
        ("source.added", "card_B"),
        ("basis.changed", None),
        ("source.removed", "card_A"),
        ("default.changed", None),
    ]
    assert timeline(bench).whole
    assert timeline(bench, "cus_2").changes[0].events[0].type == "customer.created"


def test_a_source_that_was_nobodys_is_told_of_from_its_beginning(bench: "Bench") -> None:
    source = {"id": "src_1", "object": "source", "status": "chargeable"}
    deleted = event("customer.source.deleted", source | {"status": "consumed"}, 9)
    bench.accept(deleted)  # which names no customer, and comes before all else
    bench.drain()
    attached = event("customer.source.created", source | {"customer": CUSTOMER}, 5)
    bench.accept(created(None, 1), event("source.chargeable", source, 4), attached)
    bench.drain()
    assert ("source.removed", "src_1") in told(bench)
    assert timeline(bench).whole
    assert bench.log.exists(mentions_key(TEST, "src_1"))


def test_an_event_that_failed_is_in_it_once_it_is_applied(
    bench: "Bench", handlers: "Handlers"
) -> None:
    bench.accept(created("A", 1))
    bench.drain()
    handlers.broken = True
    bench.accept(updated(("A", "B"), 5))
    bench.drain()
    assert timeline(bench).default_source == "card_A"
    handlers.broken = False
    bench.try_again(bench.event_ids()[1])
    now = timeline(bench)
    assert (now.default_source, now.whole) == ("card_B", True)
    assert now.changes[-1].events[0].id == bench.event_ids()[1]


def test_without_the_entries_the_document_still_tells_it(bench: "Bench") -> None:
    bench.accept(created("A", 1), added("A", 1), event("source.canceled", card("A"), 2))
    bench.drain()
    bench.log.delete(LOG)
    left = timeline(bench)
    assert not left.whole
    assert left.agrees
    assert (left.default_source, left.changes[-1].through) == ("card_A", "unknown")


def test_an_unknown_customer_has_none_and_the_stores_are_opened_when_asked(bench: "Bench") -> None:
    tell = opened_when_asked(Settings(redis_url=bench.desk.settings.redis_url))
    assert tell(TEST, "cus_unknown") is None
    bench.accept(created("A", 1))
    bench.drain()
    assert tell(TEST, CUSTOMER) == timeline(bench)
