"""Forgetting a customer: nothing of it stays, nothing of others goes, nothing brings it back."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import redis
import zstandard

from service import compression, doorbell
from service.compression import UnknownDictionaryError
from service.keys import DISCARDED, FAILED, LOG, OVERCOME, RETRIES, Namespace
from service.log import event_log
from service.log.backlog import backlog
from service.log.entry import read_entry
from tests.store_contents import in_files, in_keys
from tests.workers.notation import (
    CUSTOMER,
    added,
    card,
    created,
    customer,
    embedded,
    event,
    removed,
    updated,
)
from tests.workers.operators.bench import KEY, bench_on
from tests.workers.stored import stored_answers, stored_documents, stored_values
from workers import doubts, draining, erasing, jobs, maintenance, retries, rounds
from workers.algebra.facts import NEVER, CustomerFacts, SourceFacts
from workers.failures import SuspectError
from workers.operators import dead_letters, forgetting, person, vouching
from workers.operators.forgetting import Forgotten, forget
from workers.operators.timelines import Timelines

if TYPE_CHECKING:
    from tests.conftest import Store
    from tests.workers.operators.bench import Bench, Handlers

TEST = Namespace("", "test")
SECRETS = (b"Zoe Quirk", b"zoe@quirk.example", b"8x57")
"""Her name, her e-mail, and the last four of her cards: no digits that a clock could write."""

PERSONAL: dict[str, Any] = {"name": "Zoe Quirk", "email": "zoe@quirk.example"}
CARD: dict[str, Any] = {"name": "Zoe Quirk", "last4": "8x57"}


@pytest.fixture(params=[(), (KEY,)], ids=["plain", "encrypted"])
def keys(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """All that is proved here holds with encryption as it does without."""
    given: tuple[str, ...] = request.param
    return given


def payment_method(at: int, owner: str | None, kind: str = "updated") -> bytes:
    details = {"name": "Zoe Quirk", "email": "zoe@quirk.example"}
    fields = {
        "id": "pm_1",
        "object": "payment_method",
        "billing_details": details,
        "card": {"last4": "8x57"},
        "customer": owner,
    }
    previous = {"customer": CUSTOMER} if kind == "detached" else None
    return event(f"payment_method.{kind}", fields, at, previous=previous)


def life() -> list[bytes]:
    """Return what is told of her: by name, by a Source that names nobody, by PaymentMethods."""
    loose = {"id": "src_1", "object": "source", "owner": PERSONAL, "status": "chargeable"}
    owned = loose | {"customer": CUSTOMER}
    return [
        event("source.chargeable", loose, 1),
        created("A", 2, **PERSONAL, sources=embedded(card("A", **CARD))),
        added("A", 2, **CARD),
        event("customer.source.created", owned, 3),
        payment_method(3, CUSTOMER, "attached"),
        payment_method(4, None, "detached"),
        payment_method(5, None),
        event("customer.source.deleted", loose | {"status": "consumed"}, 6),
        removed("A", 7),
    ]


def other() -> list[bytes]:
    """Return the life of somebody else, who mentions her."""
    shown = customer(None, id="cus_2", name="Yan", metadata={"referred_by": CUSTOMER})
    return [
        event("customer.created", shown, 1),
        event("customer.source.created", card("Y", customer="cus_2"), 2),
    ]


def stored_bodies(bench: "Bench") -> list[tuple[str, bytes]]:
    """Return every event of the log as it is stored, by its id."""
    items: Any = bench.log.xrange(LOG)
    return [(entry.id, entry.stored) for entry in map(read_entry, items)]


def shown_of(bench: "Bench") -> set[bytes]:
    found = in_keys(bench.log)
    return {secret for secret in SECRETS if secret in found}


def accounted(bench: "Bench") -> bool:
    now = backlog(bench.log)
    return now.accepted == now.applied + now.pending + now.failing + now.discarded


def forgotten(bench: "Bench") -> Forgotten:
    done = forget(bench.desk, person.find(bench.desk, TEST, CUSTOMER))
    assert done.complete
    return done


def test_nothing_of_the_customer_stays_and_nothing_of_another_goes(bench: "Bench") -> None:
    bench.accept(*life(), *other())
    bench.drain()
    assert shown_of(bench) == set(SECRETS)
    before = stored_answers(bench.log)["cus_2"]
    done = forgotten(bench)
    assert done.person.sources == ["card_A", "src_1"]
    assert done.person.payment_methods == ["pm_1"]
    assert (done.person.documents, done.erased_entries, done.tombstones) == (3, len(life()), 3)
    assert shown_of(bench) == set()
    assert len(bench.event_ids()) == len(other())
    assert stored_answers(bench.log)["cus_2"] == before
    documents = stored_documents(bench.log)
    since = documents[CUSTOMER][1].forgotten
    assert documents[CUSTOMER][1] == CustomerFacts(forgotten=since)
    assert documents["card_A"][1] == documents["src_1"][1] == SourceFacts(forgotten=since)
    assert documents[CUSTOMER][0].deleted
    assert bench.log.keys("onfile:m:*cus_1") == bench.log.keys("onfile:m:*src_1") == []
    assert not [key for key in bench.log.keys("onfile:index:*") if len(bench.log.hgetall(key)) > 4]
    assert accounted(bench)


@pytest.mark.parametrize("damage", [b"", b"\xff" * 7, b"\xff" * 40, b"\0" * 8 + b"{}"])
@pytest.mark.parametrize("of", ["c", "s"])
def test_a_damaged_document_is_erased_all_the_same(bench: "Bench", of: str, damage: bytes) -> None:
    bench.accept(*life(), *other())
    bench.drain()
    logged: Any = bench.log.xrange(LOG)
    for entry_id, fields in logged:  # the log knows nothing of her any more
        if b"cus_2" not in fields.values():
            bench.log.xdel(LOG, entry_id)
    damaged = f"onfile:{of}:{{test::{CUSTOMER if of == 'c' else 'card_A'}}}"
    assert bench.log.exists(damaged)
    bench.log.set(damaged, damage + b"Zoe Quirk" if damage else damage)
    done = forgotten(bench)
    assert "card_A" in done.person.sources
    assert shown_of(bench) == set()
    documents = stored_documents(bench.log)
    since = documents[CUSTOMER][1].forgotten
    assert documents[CUSTOMER][1] == CustomerFacts(forgotten=since)
    assert documents["card_A"][1] == SourceFacts(forgotten=since)


def test_what_a_newer_version_wrote_is_left_to_that_one(bench: "Bench") -> None:
    bench.accept(*life())
    bench.drain()
    frame = zstandard.ZstdCompressor(dict_data=a_dictionary()).compress(b"x" * 100)
    bench.log.set(f"onfile:c:{{test::{CUSTOMER}}}", bytes(8) + frame)
    with pytest.raises(UnknownDictionaryError, match="run a version of Onfile that has it"):
        person.find(bench.desk, TEST, CUSTOMER)


def a_dictionary() -> zstandard.ZstdCompressionDict:
    samples: list[Any] = [f"sample {n} of some length {n * n}".encode() * 3 for n in range(200)]
    return zstandard.train_dictionary(1024, samples, dict_id=compression.IDS[-1])


def test_a_source_that_another_customer_claims_more_rightly_stays_with_its_events(
    bench: "Bench",
) -> None:
    theirs = [
        event("customer.created", customer("S", id="cus_2", name="Yan"), 1),
        event("customer.source.created", card("S", customer="cus_2"), 6),
    ]
    bench.accept(created("S", 1, **PERSONAL), added("S", 5), *theirs)
    bench.drain()
    before = stored_answers(bench.log)
    assert forgotten(bench).person.sources == []
    after = stored_answers(bench.log)
    assert (after["cus_2"], after["card_S"]) == (before["cus_2"], before["card_S"])
    assert len(bench.event_ids()) == len(theirs)


def test_an_event_of_another_customer_stays_though_it_shows_a_source_of_hers(
    bench: "Bench",
) -> None:
    bench.accept(*life()[1:3])
    bench.drain()
    forgotten(bench)
    bench.accept(event("customer.created", customer("A", id="cus_2", name="Yan"), 9))
    bench.drain()
    assert len(bench.event_ids()) == 1
    assert shown_of(bench) == set()


def test_what_comes_late_or_is_applied_again_brings_nothing_back(bench: "Bench") -> None:
    bench.accept(*life()[:3])  # so that nobody knows yet whose the Source is
    bench.drain()
    assert "src_1" not in forgotten(bench).person.sources
    fresh = added("B", 9, **CARD), updated(("A", "B"), 9, **PERSONAL)
    unreadable = {"object": "card", "customer": CUSTOMER} | CARD
    bench.accept(*life()[:6], *fresh, event("customer.source.created", unreadable, 9))
    assert "failed" not in +Counter(bench.drain())
    bench.accept(*life()[6:])  # the first of it names nobody
    bench.drain()
    assert shown_of(bench) == set()
    assert bench.event_ids() == []
    assert accounted(bench)
    again = forgotten(bench)
    assert (again.person.documents, again.erased_entries) == (0, 0)


def test_a_worker_that_has_its_events_in_hand_brings_nothing_back(
    bench: "Bench", monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.accept(*life()[1:3])
    bench.drain()
    bench.accept(added("B", 9, **CARD), updated(("A", "B"), 9, **PERSONAL))
    sound = rounds.run

    def run(*arguments: Any) -> rounds.Round:
        forgotten(bench)
        return sound(*arguments)

    monkeypatch.setattr(rounds, "run", run)
    bench.drain()
    assert shown_of(bench) == set()
    assert stored_documents(bench.log)["card_B"][1].forgotten != NEVER
    assert accounted(bench)


@pytest.mark.parametrize("steps", range(8))
def test_stopped_at_any_point_and_run_again_it_ends_the_same(
    bench: "Bench", monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    bench.accept(*life())
    bench.drain()
    left = steps

    def stopping(sound: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any) -> Any:
            nonlocal left
            left -= bool(arguments[-1])  # a piece without entries is no step
            if left < 0:
                raise KeyboardInterrupt
            return sound(*arguments)

        return step

    with monkeypatch.context() as patch:
        patch.setattr(forgetting, "PIECE", 2)
        for name in ("_erase_entries", "_entomb", "rewrite_log"):
            patch.setattr(forgetting, name, stopping(getattr(forgetting, name)))
        with pytest.raises(KeyboardInterrupt):
            forgotten(bench)
    forgotten(bench)
    assert shown_of(bench) == set()
    assert bench.event_ids() == []
    assert accounted(bench)


@pytest.mark.parametrize("applied", [True, False])
def test_what_is_pending_counts_as_applied(bench: "Bench", *, applied: bool) -> None:
    bench.accept(*life()[:3])
    if applied:
        bench.drain()
    bench.accept(*life()[3:], *other())
    event_log.claim_new(bench.log, "worker", 2)
    forgotten(bench)
    assert accounted(bench)
    bench.drain()
    now = backlog(bench.log)
    assert (now.accepted, now.applied, now.pending) == (11, 11, 0)
    assert shown_of(bench) == set()
    assert accounted(bench)


def test_what_failed_or_was_given_up_goes_with_its_history_and_its_job(
    bench: "Bench", handlers: "Handlers"
) -> None:
    handlers.broken = True
    for body in life()[1:4]:
        bench.accept(body)
        bench.drain()
    retrying, failed, given_up = bench.event_ids()
    for event_id in (failed, given_up):
        for _ in range(retries.MOST_ATTEMPTS):
            bench.try_again(event_id)
    [treated] = dead_letters.named(bench.log, [given_up])
    dead_letters.discard(bench.log, treated)
    found = person.find(bench.desk, TEST, CUSTOMER)
    assert found.states == {"retrying": 1, "failed": 1, "discarded": 1}
    forgotten(bench)
    assert not bench.log.exists(RETRIES, DISCARDED, OVERCOME)
    assert not [key for key in bench.log.keys("rq:job:evt_*") if retrying.encode() in key]
    assert accounted(bench)
    maintenance.enqueue_lost_retries(bench.log)
    bench.work()
    assert accounted(bench)


def test_a_worker_that_dies_as_it_erases_leaves_the_event_to_be_tried_again(
    bench: "Bench", monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.accept(*life())
    bench.drain()
    forgotten(bench)
    bench.accept(added("B", 9, **CARD))
    [late] = event_log.claim_new(bench.log, "worker", 1)
    draining._isolate(bench.log, [(late, SuspectError())])

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(erasing, "erase", die)
        with pytest.raises(KeyboardInterrupt):
            jobs.apply(late.id)
    assert backlog(bench.log).failing == 1
    bench.try_again(late.id)
    assert (shown_of(bench), bench.event_ids()) == (set(), [])
    assert accounted(bench)


def test_what_fails_while_it_is_forgotten_is_not_tried_again(
    bench: "Bench", handlers: "Handlers", monkeypatch: pytest.MonkeyPatch
) -> None:
    handlers.broken = True
    bench.accept(life()[1])
    bench.drain()

    def meanwhile(*_: object) -> rounds.Round:
        forgotten(bench)
        raise redis.ConnectionError

    monkeypatch.setattr(rounds, "run", meanwhile)
    bench.work()
    assert not bench.log.exists(RETRIES, FAILED, doorbell.FAILED_JOBS_KEY)
    assert shown_of(bench) == set()
    now = backlog(bench.log)
    assert (now.accepted, now.applied, now.failing) == (1, 1, 0)


def test_the_doubt_about_an_answer_goes_too(bench: "Bench") -> None:
    bench.accept(added("A", 5))
    bench.drain()
    assert doubts.count(bench.log).customers == 1
    forgotten(bench)
    assert doubts.count(bench.log).customers == 0


def test_a_projection_that_was_lost_learns_nothing_of_the_customer_again(bench: "Bench") -> None:
    bench.accept(*life())
    bench.drain()
    forgotten(bench)
    bench.log.delete(*bench.log.keys("onfile:[cs]:*"))
    bench.accept(*life(), added("B", 9, **CARD))
    bench.drain()
    assert shown_of(bench) == set()
    assert not bench.log.xlen(LOG)
    assert stored_documents(bench.log)[CUSTOMER][0].deleted


def test_a_file_of_her_events_does_not_bring_them_into_the_log(bench: "Bench") -> None:
    bench.accept(*life())
    bench.drain()
    forgotten(bench)
    [*_, vouched] = vouching.append(bench.log, vouching.read([*life(), *other()]).events)
    assert (vouched.accepted, vouched.forgotten) == (len(other()), len(life()))
    assert shown_of(bench) == set()


def test_its_timeline_says_that_it_was_forgotten(bench: "Bench") -> None:
    bench.accept(*life()[:3])
    bench.drain()
    forgotten(bench)
    timeline = Timelines(bench.log, bench.projection)(TEST, CUSTOMER)
    assert timeline
    assert timeline.rule == "forgotten"
    assert [(change.type, change.through) for change in timeline.changes] == [
        ("customer.forgotten", "operator")
    ]


def test_the_files_of_the_store_are_written_anew(own_store: "Store", keys: tuple[str, ...]) -> None:
    with bench_on(own_store.url, keys) as bench:
        bench.log.config_set("rdbcompression", "no")  # so that the files show what is in them
        bench.log.set("plain", b"zoe@quirk.example")
        bench.log.delete("plain")
        bench.accept(*life())
        bench.drain()
        hers = set(stored_values(bench.log).values()) | {body for _, body in stored_bodies(bench)}
        assert b"zoe@quirk.example" in in_files(own_store.folder)
        assert all(one in in_files(own_store.folder) for one in hers)
        done = forgotten(bench)
        [store] = done.rewritten
        assert (store.appendonly, store.snapshot, store.replicas) == ("rewritten", "none", 0)
        while len(list((own_store.folder / "appendonlydir").iterdir())) > 3:
            bench.log.ping()  # the store removes the old ones behind our back
        assert b"zoe@quirk.example" not in in_files(own_store.folder)
        assert not [one for one in hers if one in in_files(own_store.folder)]
        bench.log.bgsave()
        bench.log.config_set("save", "3600 1")
        assert forgotten(bench).rewritten[0].snapshot == "rewritten"
