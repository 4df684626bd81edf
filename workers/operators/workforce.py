"""The workers, which of them are alive, and what each does at this moment."""

import time
from datetime import datetime

import msgspec
import redis
from rq.exceptions import NoSuchJobError
from rq.executions import WORKER_EXECUTIONS_KEY_TEMPLATE, Execution
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

from service import doorbell
from service.keys import APPLY_JOB, DRAIN_JOB, QUEUE, REPLAY_JOB


class Worker(msgspec.Struct, frozen=True):
    """A worker of the queue; seconds are from now backwards."""

    name: str
    host: str
    pid: int
    queues: list[str]
    does: str
    """What it is at, in words."""
    job: str | None
    """The id of its job; None while it waits, and when it is gone."""
    alive: bool
    """False when its heart has long not beaten: it was killed, and RQ has not yet forgotten it."""
    alive_seconds: float
    heartbeat_seconds: float
    jobs_done: int


def workers(client: redis.Redis) -> list[Worker]:
    """Return the workers whose key has not expired: one that was killed is told for a while."""
    if client.type(WORKERS_BY_QUEUE_KEY % QUEUE) != b"set":
        return []  # none yet; or not RQ's, and then onfile doctor says so
    keys = sorted(msgspec.convert(client.smembers(WORKERS_BY_QUEUE_KEY % QUEUE), set[bytes]))
    with client.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.hgetall(key)
        found: list[dict[bytes, bytes]] = pipe.execute()
    told = zip(keys, found, strict=True)
    return [_worker(client, key.decode(), fields) for key, fields in told if fields]


def _worker(client: redis.Redis, key: str, fields: dict[bytes, bytes]) -> Worker:
    told = {name.decode(): value.decode(errors="replace") for name, value in fields.items()}
    name = key.rpartition(":")[2]
    silent_seconds = _since(told.get("last_heartbeat"))
    alive = silent_seconds < doorbell.SILENT_SECONDS
    job = _job_of(client, name) if alive else None
    return Worker(
        name=name,
        host=told.get("hostname", ""),
        pid=int(told.get("pid") or 0),
        queues=told.get("queues", "").split(","),
        does=_does(client, job) if alive else f"gone (last heard {silent_seconds:.0f} s ago)",
        job=job,
        alive=alive,
        alive_seconds=_since(told.get("birth")),
        heartbeat_seconds=silent_seconds,
        jobs_done=int(told.get("successful_job_count") or 0),
    )


def _job_of(client: redis.Redis, name: str) -> str | None:
    """Return the id of the worker's job. What a worker was at that died is told for a while."""
    members = client.smembers(WORKER_EXECUTIONS_KEY_TEMPLATE.format(name))
    for member in msgspec.convert(members, set[bytes]):
        execution = Execution.from_composite_key(member.decode(), connection=client)
        if client.exists(execution.key):
            return execution.job_id
    return None


def _does(client: redis.Redis, job_id: str | None) -> str:
    if job_id is None:
        return "waits for events"
    try:
        job = Job.fetch(job_id, connection=client, serializer=JSONSerializer)
    except NoSuchJobError:
        return "ends a job"
    if job.func_name == DRAIN_JOB:
        return "applies what is pending"
    if job.func_name == REPLAY_JOB:
        return "replays"
    if job.func_name == APPLY_JOB:
        return f"tries {job_id} again"
    return str(job.func_name)


def _since(moment: str | None) -> float:
    if not moment:
        return 0.0
    return round(max(0.0, time.time() - datetime.fromisoformat(moment).timestamp()), 1)
