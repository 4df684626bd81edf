"""The doorbell: RQ's own tools must find the jobs, and no commit may ring without need."""

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis
from rq import SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer

from service import doorbell
from service.doorbell import Bell
from service.keys import QUEUE

if TYPE_CHECKING:
    from tests.conftest import Store


@pytest.fixture(name="client")
def a_client(store: "Store") -> redis.Redis:
    """Return a client of the emptied store."""
    return store.client()


def waiting(client: redis.Redis) -> list[Job]:
    """Return the jobs that wait."""
    return doorbell.queue(client).get_jobs()


def test_ringing_enqueues_one_drain_job_that_survives_its_worker(client: redis.Redis) -> None:
    doorbell.ring(client)
    [job] = waiting(client)
    assert job.func_name == "workers.jobs.drain"
    assert (job.args, job.kwargs) in (((), {}), ([], {}))
    assert (job.timeout, job.retries_left) == (doorbell.JOB_TIMEOUT_SECONDS, 3)
    assert job.result_ttl == 60
    assert job.retry_intervals == [0]


def test_the_queue_is_where_the_append_script_looks(client: redis.Redis) -> None:
    doorbell.ring(client)
    assert client.llen(doorbell.QUEUE_KEY) == 1
    assert doorbell.queue(client).key == doorbell.QUEUE_KEY


def test_on_a_pipeline_a_ring_happens_with_the_rest_or_not_at_all(client: redis.Redis) -> None:
    with client.pipeline(transaction=True) as pipe:
        pipe.set("mine", "1")
        doorbell.ring(pipe)
        doorbell.enqueue_apply(pipe, "evt_1")
        assert waiting(client) == []
        pipe.execute()
    assert [job.func_name for job in waiting(client)] == [
        "workers.jobs.drain",
        "workers.jobs.apply",
    ]


def test_the_commands_of_a_ring_do_what_ringing_does(client: redis.Redis) -> None:
    with client.pipeline(transaction=True) as pipe:
        for command in doorbell.ring_commands():
            pipe.execute_command(*command)  # type: ignore[no-untyped-call]
        pipe.execute()
    [job] = waiting(client)
    assert job.func_name == "workers.jobs.drain"
    assert client.smembers("rq:queues") == {b"rq:queue:events"}


def test_the_job_of_a_failed_event_has_the_events_id_and_growing_pauses(
    client: redis.Redis,
) -> None:
    doorbell.enqueue_apply(client, "evt_1")
    [job] = waiting(client)
    assert (job.id, list(job.args)) == ("evt_1", ["evt_1"])
    assert job.retries_left == 5
    assert job.retry_intervals == [1, 5, 15, 60, 300]
    assert job.failure_ttl == 365 * 24 * 3600
    stored = client.hget("rq:job:evt_1", "data")
    assert stored is not None


def test_rqs_own_tools_read_the_queue_and_its_jobs(store: "Store", client: redis.Redis) -> None:
    rq = [str(Path(sys.executable).with_name("rq"))]
    doorbell.queue(client).enqueue_call("workers.jobs.no_such_job", job_id="evt_1")
    shown = subprocess.run(
        [*rq, "info", "--url", store.url, "--raw"], capture_output=True, text=True, check=True
    )
    assert "queue events 1" in shown.stdout
    worker = SimpleWorker([QUEUE], connection=store.client(), serializer=JSONSerializer)
    worker.work(burst=True, logging_level="CRITICAL")
    assert doorbell.queue(client).failed_job_registry.get_job_ids() == ["evt_1"]
    subprocess.run(
        [*rq, "requeue", "--url", store.url, "--queue", QUEUE, "evt_1"],
        capture_output=True,
        check=True,
    )
    assert doorbell.queue(client).get_job_ids() == ["evt_1"]


# --- which commit rings -------------------------------------------------------------------------


def test_where_no_job_waited_a_ring_is_owed_until_it_was_made() -> None:
    bell = Bell()
    assert not bell.due(alone=True)
    bell.heard(waiting=0, appended=True, rung=False)
    assert bell.owed
    assert bell.due(alone=False)
    bell.heard(waiting=0, appended=True, rung=True)
    assert not bell.owed


def test_where_a_job_waits_or_nothing_was_appended_no_ring_is_owed() -> None:
    bell = Bell()
    bell.heard(waiting=1, appended=True, rung=False)
    assert not bell.owed
    bell.heard(waiting=0, appended=False, rung=False)
    assert not bell.owed


def test_a_lone_event_after_a_quiet_spell_rings_in_its_own_commit() -> None:
    bell = Bell()
    bell.heard(waiting=0, appended=True, rung=True)
    assert not bell.due(alone=True)
    time.sleep(doorbell.QUIET_SECONDS + 0.005)
    assert bell.due(alone=True)
    assert not bell.due(alone=False)


def test_after_a_needless_ring_the_next_lone_event_does_not_guess() -> None:
    bell = Bell()
    bell.heard(waiting=1, appended=True, rung=True)
    time.sleep(doorbell.QUIET_SECONDS + 0.005)
    assert not bell.due(alone=True)


def test_after_a_commit_without_a_reply_the_next_one_rings() -> None:
    bell = Bell()
    bell.heard(waiting=0, appended=True, rung=False)
    bell.failed()
    assert not bell.owed  # or an absent store would be asked again and again
    assert bell.due(alone=False)
    bell.heard(waiting=3, appended=False, rung=True)
    assert not bell.due(alone=False)
