"""A rehearsal of a replay: it says what would change, and changes not a byte."""

from typing import TYPE_CHECKING

from tests.workers.notation import added, created, event, removed, updated
from tests.workers.stored import dumped, stored_answers, stored_values
from workers import replaying
from workers.operators import replays
from workers.operators.overlay import Change, Difference
from workers.operators.rehearsing import Rehearsal, entries_of
from workers.operators.search import Wanted

if TYPE_CHECKING:
    from tests.workers.operators.bench import Bench

HISTORY = [created("A", 1), added("A", 1), added("B", 3), updated(["A", "B"], 4), removed("A", 5)]


def rehearsed(bench: "Bench") -> Rehearsal:
    rehearsal = Rehearsal(bench.projection)
    for entries in entries_of(bench.log, replays.chosen(bench.log, Wanted())):
        rehearsal.apply(entries)
    return rehearsal


def changes_of(difference: Difference) -> dict[str, Change]:
    return {change.part: change for change in difference.changes}


def test_it_changes_not_a_byte_and_foresees_what_the_replay_does(bench: "Bench") -> None:
    bench.accept(*HISTORY)
    bench.drain()
    right = stored_answers(bench.log)
    bench.log.delete(*stored_values(bench.log))
    before = dumped(bench.log)
    foreseen = rehearsed(bench)
    assert dumped(bench.log) == before
    assert foreseen.outcomes["applied"] == 5
    customer, one, two = foreseen.differences()
    assert (customer.document, customer.id, customer.mode) == ("customer", "cus_1", "test")
    told = changes_of(customer)
    assert told["default"] == Change("default", None, "card_B")
    assert told["sources"].after == "card_B"
    assert told["sources.card_B.exp_year"].after == 2030
    assert (one.document, one.id, two.id) == ("source", "card_A", "card_B")
    assert changes_of(one)["gone"].after is True
    replays_all = replays.run(bench.log, replays.chosen(bench.log, Wanted()), skipping=())
    for _ in replays_all:
        replaying.replay(bench.log, bench.projection)
    assert stored_answers(bench.log) == right
    assert list(rehearsed(bench).differences()) == []


def test_it_says_what_would_fail_and_why(bench: "Bench") -> None:
    bench.accept(event("customer.source.created", {"object": "card"}, 5), created("A", 1))
    foreseen = rehearsed(bench)
    assert foreseen.failures == {"object_without_id": 1}
    assert foreseen.outcomes["failed"] == 1


def test_it_shows_no_secret(bench: "Bench") -> None:
    source = {"id": "src_1", "object": "source", "client_secret": "src_client_secret_hidden1"}
    bench.accept(event("source.chargeable", source, 1))
    [difference] = rehearsed(bench).differences()
    assert "hidden1" not in str(difference)
