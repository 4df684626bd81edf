"""The doctor finds what would lose data, let somebody in or hold events up, and says what to do."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from service import doorbell
from service.doorbell import QUEUE_KEY
from service.keys import GROUP, LOG, SECRETS
from service.log import event_log
from service.settings import Settings
from service.watch.secret_use import WebhookSecret, fingerprint
from tests.workers.notation import created, event
from workers.operators.desk import open_desk
from workers.operators.doctor import examine
from workers.operators.door_checks import door_findings, is_loopback
from workers.operators.finding import Finding
from workers.operators.secret_checks import secret_findings
from workers.operators.status import status
from workers.operators.store_checks import store_findings
from workers.operators.store_state import StoreState, store_states
from workers.operators.work_checks import work_findings

if TYPE_CHECKING:
    from tests.conftest import Store
    from tests.workers.operators.bench import Bench

HEALTHY = StoreState(
    holds="event log",
    address="redis://127.0.0.1:1/0",
    version="Valkey 9",
    used_bytes=10,
    max_bytes=0,
    machine_bytes=1000,
    appendonly="yes",
    appendfsync="always",
    maxmemory_policy="noeviction",
    last_write_ok=True,
    clock_ahead_seconds=0.0,
)
LONG = "0123456789abcdef0123456789abcdef"
LOCAL = "redis://127.0.0.1:6379/0"
REMOTE = "redis://store.example:6379/0"


def levels(found: list[Finding]) -> dict[str, str]:
    return {one.check: one.level for one in found}


def of(found: list[Finding], check: str) -> Finding:
    [finding] = [one for one in found if one.check == check]
    return finding


def sick(**changes: object) -> list[Finding]:
    """Return what is found of a store that is healthy but for this."""
    found = store_findings(msgspec.structs.replace(HEALTHY, **changes), tolerance_seconds=300)
    return [one for one in found if one.level != "ok"]


@pytest.fixture
def at_work(bench: "Bench") -> Iterator[SimpleWorker]:
    """A worker that is alive and does nothing."""
    client = bench.stranger()
    worker = SimpleWorker([doorbell.queue(client)], connection=client, serializer=JSONSerializer)
    worker.register_birth()  # type: ignore[no-untyped-call]
    yield worker
    worker.register_death()  # type: ignore[no-untyped-call]


# --- the stores ---------------------------------------------------------------------------------


def test_a_healthy_service_has_nothing_to_mend(bench: "Bench", at_work: SimpleWorker) -> None:
    assert at_work.name
    bench.accept(created("A", 1))
    bench.drain()
    found = examine(bench.desk)
    assert {one.check: one.level for one in found if one.level != "ok"} == {"secrets": "advice"}
    assert of(found, "secrets").says.startswith("This command knows none")


@pytest.mark.parametrize(
    ("changes", "check", "level", "words"),
    [
        ({"maxmemory_policy": "allkeys-lru"}, "store.eviction", "trouble", "allkeys-lru"),
        ({"maxmemory_policy": "unknown"}, "store.eviction", "advice", "does not say"),
        ({"appendonly": "no"}, "store.append_only", "trouble", "no append-only file"),
        ({"appendonly": "unknown"}, "store.append_only", "advice", "does not say"),
        ({"appendfsync": "everysec"}, "store.fsync", "trouble", "everysec"),
        ({"appendfsync": "unknown"}, "store.fsync", "advice", "does not say"),
        ({"last_write_ok": False}, "store.disk", "trouble", "could not write"),
        ({"used_bytes": 90, "max_bytes": 100}, "store.memory", "trouble", "90%"),
        ({"used_bytes": 900}, "store.memory", "trouble", "90%"),
        ({"clock_ahead_seconds": 60.0}, "clock", "trouble", "60 seconds ahead of"),
        ({"clock_ahead_seconds": -60.0}, "clock", "trouble", "60 seconds behind"),
    ],
)
def test_what_a_store_would_lose_is_found(
    changes: dict[str, object], check: str, level: str, words: str
) -> None:
    [finding] = sick(**changes)
    assert (finding.check, finding.level) == (check, level)
    assert words in finding.says
    assert finding.mend


def test_a_store_that_does_not_tell_its_limits_is_not_full() -> None:
    assert sick(machine_bytes=0) == []


def test_a_real_store_with_all_of_it_wrong_is_found_out(own_store: "Store") -> None:
    with own_store.client() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("appendfsync", "no")
        client.config_set("appendonly", "no")
        client.config_set("maxmemory", "100kb")
    with open_desk(Settings(redis_url=own_store.url)) as desk:
        [state] = store_states(desk)
        found = examine(desk)
    assert (state.appendonly, state.appendfsync, state.max_bytes) == ("no", "no", 102_400)
    assert (
        levels(found).items()
        >= {
            "store.eviction": "trouble",
            "store.append_only": "trouble",
            "store.fsync": "trouble",
            "store.memory": "trouble",
            "workers": "trouble",
        }.items()
    )
    assert [one.level for one in found] == sorted(
        (one.level for one in found), key=["trouble", "advice", "ok"].index
    )


def test_where_config_is_forbidden_what_info_tells_is_taken(own_store: "Store") -> None:
    with own_store.client() as client:
        client.execute_command("ACL", "SETUSER", "default", "-config")
    with open_desk(Settings(redis_url=own_store.url)) as desk:
        [state] = store_states(desk)
    assert (state.appendonly, state.appendfsync) == ("yes", "unknown")
    assert state.maxmemory_policy == "noeviction"
    assert not state.durability.kept


def test_two_stores_are_told_apart(store: "Store", own_store: "Store") -> None:
    settings = Settings(redis_url=store.url, projection_url=own_store.url)
    with open_desk(settings) as desk:
        assert [state.holds for state in store_states(desk)] == ["event log", "projection"]
    assert len(door_findings(settings)) == 2


# --- their doors --------------------------------------------------------------------------------


def test_a_store_without_password_is_well_on_loopback_only(own_store: "Store") -> None:
    settings = Settings(redis_url=own_store.url)
    assert of(door_findings(settings), "store.password").level == "ok"
    with own_store.client() as client:
        client.config_set("protected-mode", "no")
        assert of(door_findings(settings), "store.password").level == "ok"
        client.config_set("bind", "* -::*")
    finding = of(door_findings(settings), "store.password")
    assert finding.level == "trouble"
    assert "requirepass" in finding.mend


def test_a_password_is_believed_when_the_store_asks_for_it(own_store: "Store") -> None:
    with own_store.client() as client:
        client.config_set("protected-mode", "no")
        client.config_set("bind", "* -::*")
        client.config_set("requirepass", "secret")
    guarded = own_store.url.replace("redis://", "redis://:secret@")
    [finding] = door_findings(Settings(redis_url=guarded))
    assert (finding.level, "asks for a password" in finding.says) == ("ok", True)


def test_a_socket_is_this_machines_own(own_store: "Store", tmp_path: Path) -> None:
    socket = tmp_path / "s"
    with own_store.client() as client:
        client.config_get("port")
    assert is_loopback(f"unix://{socket}")
    assert is_loopback("redis://localhost")
    assert is_loopback("redis://[::1]:6379")
    assert not is_loopback(REMOTE)
    assert not is_loopback("redis://10.0.0.1")


# --- the work -----------------------------------------------------------------------------------


def work(bench: "Bench", **changes: object) -> list[Finding]:
    seen = msgspec.structs.replace(status(bench.desk, sample_seconds=0), **changes)
    return work_findings(seen, bench.log, retention_days=30)


def test_pending_events_without_a_worker_or_a_job_are_found(
    bench: "Bench", at_work: SimpleWorker
) -> None:
    bench.accept(created("A", 1))
    assert of(work(bench), "pending").level == "ok"
    late = of(work(bench, oldest_pending_seconds=11.0), "pending")
    assert (late.level, "no job is there" in late.says) == ("trouble", True)
    bench.log.lpush(QUEUE_KEY, "some-job")
    assert of(work(bench, oldest_pending_seconds=11.0), "pending").level == "advice"
    assert of(work(bench, oldest_pending_seconds=31.0), "pending").level == "trouble"
    assert of(work(bench), "workers").level == "ok"
    assert of(work(bench, workers=[]), "workers").level == "trouble"
    assert at_work.name


def test_a_log_without_its_group_is_found(bench: "Bench") -> None:
    assert of(work(bench), "log.group").says == "The log is empty: nothing has come yet."
    bench.accept(created("A", 1))
    assert of(work(bench), "log.group").level == "trouble"
    event_log.ensure_group(bench.log)
    assert of(work(bench), "log.group").level == "ok"
    bench.log.xgroup_destroy(LOG, GROUP)
    assert of(work(bench), "log.group").level == "trouble"


def test_dead_letters_are_found(bench: "Bench") -> None:
    bench.accept(event("customer.source.created", {"object": "card"}, 5, event_id="evt_x"))
    bench.drain()
    bench.try_again("evt_x")
    finding = of(work(bench), "dead_letters")
    assert (finding.level, "onfile failed retry" in finding.mend) == ("trouble", True)


def test_a_retention_shorter_than_stripes_is_found(bench: "Bench") -> None:
    seen = status(bench.desk, sample_seconds=0)
    found = work_findings(seen, bench.log, retention_days=29)
    assert of(found, "retention").level == "trouble"


# --- the secrets --------------------------------------------------------------------------------


def secrets(settings: Settings, *made: str, noted: list[WebhookSecret] | None = None) -> Finding:
    return of(secret_findings(settings, made, noted or []), "secrets")


def test_secrets_made_for_development_are_well_on_loopback_only() -> None:
    mine = f"whsec_{LONG}"
    local = Settings(redis_url=LOCAL, webhook_secrets=(mine,))
    assert secrets(local, mine).level == "ok"
    assert secrets(local).level == "ok"
    remote = Settings(redis_url=REMOTE, webhook_secrets=(mine,))
    assert secrets(remote).level == "ok"
    finding = secrets(remote, mine)
    assert finding.level == "trouble"
    assert "STRIPE_WEBHOOK_SECRET" in finding.says
    assert LONG not in finding.says + finding.mend
    everywhere = Settings(redis_url=LOCAL, webhook_secrets=(mine,), host="0.0.0.0")  # noqa: S104
    assert secrets(everywhere, mine).level == "trouble"
    ipv6 = Settings(redis_url=LOCAL, webhook_secrets=(mine,), host="::1")
    assert secrets(ipv6, mine).level == "ok"


def test_short_secrets_count_as_made_for_development() -> None:
    short = Settings(redis_url=REMOTE, api_keys=("sk_test_1",), ops_key=f"ops_{LONG}")
    assert "ONFILE_API_KEYS" in secrets(short).says
    assert "ONFILE_OPS_KEY" not in secrets(short).says


def rotation(bench: "Bench") -> Finding:
    return of(examine(bench.desk), "webhook_secrets")


def test_an_old_webhook_secret_that_signs_nothing_for_a_day_may_go(bench: "Bench") -> None:
    now = time.time()
    old, new = fingerprint("whsec_old"), fingerprint("whsec_new")
    assert rotation(bench).says == "No delivery has come yet."
    bench.log.hset(SECRETS, mapping={f"{new} position": 1, f"{new} seen": now})
    assert rotation(bench).says == "One is in use."
    bench.log.hset(SECRETS, f"{new} matched", now)
    bench.log.hset(SECRETS, mapping={f"{old} position": 2, f"{old} seen": now})
    never = rotation(bench)
    assert (never.level, "signed nothing ever" in never.says) == ("advice", True)
    bench.log.hset(SECRETS, f"{old} matched", now - 3 * 86_400)
    idle = rotation(bench)
    assert (idle.level, "number 2" in idle.says, old in idle.says) == ("advice", True, True)
    assert "for 3 days" in idle.says
    bench.log.hset(SECRETS, f"{old} matched", now - 3600)
    assert rotation(bench).level == "ok"
    bench.log.hset(SECRETS, f"{old} seen", now - 3600)
    assert rotation(bench).says == "One is in use."
