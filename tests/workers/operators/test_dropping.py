"""What is dropped: it comes in by no door, and goes out of what was stored before."""

import json
from collections.abc import Iterator
from itertools import permutations
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from service.drop import KEEP_ALL, Drop
from service.keys import Namespace
from service.personal_fields import GROUPS
from service.settings import Settings
from service.watch.logs import MASK
from tests.store_contents import in_keys
from tests.stripe_side import KEY, running
from tests.workers.notation import CUSTOMER, added, card, created, embedded, event, updated
from tests.workers.operators.bench import Bench, bench_on
from tests.workers.stored import stored_answers, stored_documents, stored_values, unversioned
from workers import jobs, replaying
from workers.asking.api import StripeApi
from workers.operators import backfill, catch_up, person, rebuilding, replays, vouching
from workers.operators.forgetting import forget
from workers.operators.overlay import Change, Overlay
from workers.operators.reconcile import reconcile
from workers.operators.search import Wanted
from workers.operators.story import stories
from workers.operators.timelines import Timelines

if TYPE_CHECKING:
    from tests.conftest import Store

ALL = Drop(GROUPS)
TEST = Namespace("", "test")
WORDS = (b"Zoe Quirk", b"zoe@quirk.example", b"Wrangel", b"+49 30 1234567")

ADDRESS = {
    "city": "Berlin",
    "country": "DE",
    "line1": "Wrangelstr. 1",
    "line2": None,
    "postal_code": "10997",
    "state": "BE",
}
ZOE: dict[str, Any] = {
    "name": "Zoe Quirk",
    "email": "zoe@quirk.example",
    "phone": "+49 30 1234567",
    "address": ADDRESS,
}
OWNED = {
    "name": "Zoe Quirk",
    **{f"address_{part}": value for part, value in ADDRESS.items() if part != "postal_code"},
    "address_zip": "10115",
}
CARD = card("A", **OWNED)
SEEN = {
    "billing_details": ZOE,
    "customer": CUSTOMER,
    "object": "payment_method",
    "id": "card_A",
}
HISTORY = [
    created("A", 1, **ZOE, sources=embedded(CARD)),
    added("A", 1, **OWNED),
    event("payment_method.attached", SEEN, 1),
    updated(["A"], 3, previous={"email": "zoe@old.example"}, **(ZOE | {"name": "Zoe"})),
    updated(["A"], 3, previous={"name": "Zoe"}, **ZOE),
    event("payment_method.updated", SEEN, 4, previous={"billing_details": {"name": "Zoe"}}),
]


@pytest.fixture
def dropping(bench: Bench) -> Iterator[Bench]:
    """The same store, to those who have the setting."""
    url = bench.desk.settings.redis_url
    with bench_on(url, drop_fields=tuple(GROUPS)) as made:
        yield made


def accept(bench: Bench, *bodies: bytes) -> None:
    bench.accept(*map(bench.desk.drop, bodies))


def facts(bench: Bench) -> dict[str, object]:
    return {one: unversioned(known) for one, (_, known) in stored_documents(bench.log).items()}


def nothing_personal(bench: Bench) -> bool:
    held = b"\n".join(
        msgspec.msgpack.encode((answer, known))
        for answer, known in stored_documents(bench.log).values()
    )
    return not [word for word in WORDS if word in held]


def replay_all(bench: Bench) -> None:
    for _ in replays.run(bench.log, replays.chosen(bench.log, Wanted()), skipping=()):
        replaying.replay(bench.log, bench.projection)


@pytest.fixture
def right(dropping: Bench) -> tuple[dict[str, bytes], dict[str, object]]:
    """What is stored when it is set from the beginning."""
    accept(dropping, *HISTORY)
    dropping.drain()
    assert nothing_personal(dropping)
    assert not [word for word in WORDS if word in in_keys(dropping.log)]
    stored = stored_answers(dropping.log), facts(dropping)
    dropping.log.flushall()
    return stored


def test_an_answer_is_as_decided_as_without_it(bench: Bench, dropping: Bench) -> None:
    bench.accept(*HISTORY)
    bench.drain()
    full = {one: answer for one, (answer, _) in stored_documents(bench.log).items()}
    bench.log.flushall()
    accept(dropping, *HISTORY)
    dropping.drain()
    for one, (answer, _) in stored_documents(dropping.log).items():
        whole = full[one]
        assert json.loads(answer.body) == json.loads(ALL(whole.body))
        assert msgspec.structs.replace(answer, body=b"", **_sources(answer)) == (
            msgspec.structs.replace(whole, body=b"", **_sources(whole, ALL))
        )


def _sources(answer: Any, drop: Drop = KEEP_ALL) -> dict[str, Any]:
    if not hasattr(answer, "sources"):
        return {}
    listed = [(one.id, one.kind, json.loads(drop(one.body))) for one in answer.sources]
    return {"sources": listed}


@pytest.mark.parametrize("how", ["rebuild", "replay", "events of before and of after, mixed"])
def test_what_was_stored_before_is_as_if_it_had_always_been_set(
    bench: Bench, dropping: Bench, right: tuple[dict[str, bytes], dict[str, object]], how: str
) -> None:
    bench.accept(*HISTORY)
    bench.drain()
    assert not nothing_personal(bench)
    if how == "rebuild":
        [*_, done] = rebuilding.rebuild(dropping.desk)
        assert (done.changed, done.unreadable) == (2, [])
        [*_, again] = rebuilding.rebuild(dropping.desk)
        assert again.changed == 0
    elif how == "replay":
        replay_all(dropping)
    else:
        accept(dropping, *HISTORY)
        dropping.drain()
    assert nothing_personal(dropping)
    assert (stored_answers(dropping.log), facts(dropping)) == right


def test_any_mixture_of_before_and_after_makes_the_same_answers(bench: Bench) -> None:
    """Without the setting too: what is told in full outranks what was told with less."""
    history = HISTORY[3:5]
    bench.accept(*HISTORY[:3], *history)
    bench.drain()
    whole = stored_answers(bench.log)
    for order in permutations([*history, *map(ALL, history)]):
        bench.log.flushall()
        bench.accept(*HISTORY[:3], *order)
        bench.drain()
        assert stored_answers(bench.log) == whole


def test_a_duplicate_is_still_known_as_one(dropping: Bench) -> None:
    accept(dropping, *HISTORY)
    accept(dropping, *HISTORY)
    assert dropping.log.hget("onfile:counters", "duplicate") == b"6"


def test_no_door_lets_it_in(bench: Bench, dropping: Bench) -> None:
    with running() as side:
        customer = side.create(**{k: ZOE[k] for k in ("name", "email")}, source="tok_visa")
        settings = Settings(
            redis_url="", stripe_keys=(KEY,), stripe_url=side.url, drop_fields=tuple(GROUPS)
        )
        api = StripeApi(settings, TEST, per_second=1000)
        [*_, caught_up] = catch_up.catch_up(dropping.log, api)
        assert caught_up.missing > 0
        [*_, filled] = backfill.backfill(dropping.log, dropping.projection, api)
        assert filled.customers == 1
        held = vouching.read(HISTORY, dropping.desk.drop)
        [*_, vouched] = vouching.append(dropping.log, held.events)
        assert vouched.accepted == len(HISTORY)
        dropping.drain()
        assert not [word for word in WORDS if word in in_keys(bench.log)]
        [checked] = reconcile(dropping.desk, api, [customer], repair=False, grace_seconds=0)
        assert checked.verdict == "same"


def test_operators_are_shown_that_it_goes_and_not_what_it_is(bench: Bench, dropping: Bench) -> None:
    bench.accept(*HISTORY)
    bench.drain()
    overlay = Overlay(dropping.projection)
    for _ in rebuilding.check(dropping.desk, overlay):
        pass
    told = [change for difference in overlay.differences() for change in difference.changes]
    assert Change("email", MASK, None) in told
    assert Change("address.city", MASK, None) in told
    assert not [word for word in WORDS if word in msgspec.json.encode(told)]
    assert not nothing_personal(dropping)


def test_the_facts_of_an_old_event_are_found_in_its_document(bench: Bench, dropping: Bench) -> None:
    bench.accept(*HISTORY)
    bench.drain()
    for rebuilt in (False, True):
        if rebuilt:
            replay_all(dropping)
        [story] = stories(dropping.desk, dropping.event_ids()[0])
        assert {fact.standing for fact in story.facts} <= {"shapes", "kept", "outdone"}
        timeline = Timelines(dropping.log, dropping.projection)(TEST, CUSTOMER)
        assert timeline
        assert (timeline.whole, timeline.agrees) == (rebuilt, rebuilt)
        changed = [field for change in timeline.changes for field in change.fields]
        assert not [field for field in changed if "name" in field]


def test_whoever_is_forgotten_stays_so(bench: Bench, dropping: Bench) -> None:
    bench.accept(*HISTORY[:3])
    bench.drain()
    forget(dropping.desk, person.find(dropping.desk, TEST, CUSTOMER))
    accept(dropping, *HISTORY)
    dropping.drain()
    assert dropping.event_ids() == []
    assert nothing_personal(dropping)
    answer, known = stored_documents(dropping.log)[CUSTOMER]
    assert answer.deleted
    assert (known.snapshots, known.links) == ({}, {})


def test_a_document_without_any_of_it_is_not_written_again(dropping: Bench) -> None:
    accept(dropping, created("A", 1), added("A", 1))
    dropping.drain()
    before = stored_values(dropping.log)
    replay_all(dropping)
    assert stored_values(dropping.log) == before


def test_the_worker_s_projection_is_told_what_to_drop(
    store: "Store", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_stores", None)
    settings = Settings(redis_url=store.url, drop_fields=("email",))
    projection = jobs.open_stores(settings).projection
    assert projection.drop(b'{"email":"a","name":"b"}') == b'{"email":null,"name":"b"}'
