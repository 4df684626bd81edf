"""A rehearsal: a whole Onfile, a Stripe beside it, bad weather between; what came of it."""

import asyncio
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import urlsplit

import redis

from service.drop import Drop
from service.keys import LOG
from service.sandbox.clock import ManualClock
from service.sandbox.delivery import Delivery
from service.sandbox.endpoints import endpoint
from service.sandbox.oracle import Compared, Seen, compare, questions
from service.sandbox.outbox import Tally
from service.sandbox.stripe import Stripe
from service.sandbox.traffic import LONGEST_PAUSE_SECONDS, Traffic
from service.sandbox.weather import Weather
from service.setting_table import SETTINGS
from workers.cli.data_dir import DataDir

FIRST_RETRY_SECONDS = 0.5
STOP_SECONDS = 30
SETTLE_SECONDS = 120
"""Long past what Onfile promises, so that the end tells of trouble and not of impatience."""

POLL_SECONDS = 0.05
BREATH_OPERATIONS = 20
"""After so many operations deliveries get their turn."""

READY = "ready "

Report = Callable[[str, int, int], None]
"""Told how far a stage has come: its name, how much is done, of how much."""


class RehearsalError(Exception):
    """It could not be played to its end; the message says what was in the way."""


class Service(NamedTuple):
    """The running Onfile."""

    address: str
    environ: Mapping[str, str]
    drop: Drop
    """What it was told never to store, and so is compared with nothing."""


class Result(NamedTuple):
    """What came of it."""

    operations: int
    happened: Sequence[str]
    """Event ids in the order in which they happened."""
    tied: int
    """How many events share customer and second with another."""
    late: int
    """How many events arrived after one that had happened later."""
    tally: Tally
    answers: Sequence[Compared]
    seconds: float
    """From the first operation until nothing was pending."""


@contextmanager
def running(workers: int, drop_fields: Sequence[str] = ()) -> Iterator[Service]:
    """Run `onfile up` in a folder of its own, which goes with it; `drop_fields` as the setting.

    Raises:
        RehearsalError: it did not start.

    """
    with (
        tempfile.TemporaryDirectory(prefix="onfile-demo-") as folder,
        Path(folder, "log").open("w+b") as log,
    ):
        up = _started(workers, folder, drop_fields, log)
        try:
            address, environ = _ready_address(up, log), DataDir(Path(folder)).read_env()
            yield Service(address, environ, Drop(drop_fields))
        finally:
            up.terminate()
            up.communicate(timeout=STOP_SECONDS)


async def play(
    onfile: Service, *, operations: int, seed: int, weather: Weather, report: Report
) -> Result:
    """Do the operations, wait until all is delivered and applied, and compare every answer."""
    clock = ManualClock(int(time.time()) - operations * LONGEST_PAUSE_SECONDS)
    stripe = Stripe(clock=clock, seed=seed)
    traffic = Traffic(stripe, clock, seed)
    hook = endpoint(f"{onfile.address}/webhooks/stripe", onfile.environ["STRIPE_WEBHOOK_SECRET"])
    began = time.monotonic()
    async with Delivery(
        stripe, [hook], weather=weather, first_retry_seconds=FIRST_RETRY_SECONDS
    ) as delivery:
        for number in range(1, operations + 1):
            delivery.post(traffic.operate().events)
            if number % BREATH_OPERATIONS == 0 or number == operations:
                report("operations", number, operations)
                report("deliveries", delivery.tally.taken, delivery.tally.taken + delivery.open)
                await asyncio.sleep(POLL_SECONDS)
        while not await delivery.settled(POLL_SECONDS):
            report("deliveries", delivery.tally.taken, delivery.tally.taken + delivery.open)
        report("deliveries", delivery.tally.taken, delivery.tally.taken)
    await asyncio.to_thread(_wait_until_applied, onfile)
    seconds = time.monotonic() - began
    answers = await asyncio.to_thread(_compared, onfile, stripe, traffic, report)
    happened = [str(event["id"]) for event in stripe.events]
    return Result(
        operations=operations,
        happened=happened,
        tied=_tied(stripe),
        late=_late(onfile, happened),
        tally=delivery.tally,
        answers=answers,
        seconds=seconds,
    )


def _started(
    workers: int, folder: str, drop_fields: Sequence[str], log: IO[bytes]
) -> "subprocess.Popen[str]":
    """Start it without the settings of this environment, which may name a store in use."""
    ours = {setting.name for setting in SETTINGS}
    return subprocess.Popen(  # noqa: S603 (our own command line)
        [
            *(sys.executable, "-P", "-m", "workers.cli.main", "up"),
            *("--port", "0", "--workers", str(workers), "--data-dir", folder),
        ],
        env={name: value for name, value in os.environ.items() if name not in ours}
        | {"ONFILE_DROP_FIELDS": ",".join(drop_fields)},
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )


def _ready_address(up: "subprocess.Popen[str]", log: IO[bytes]) -> str:
    for line in up.stdout or ():
        if line.startswith(READY):
            return line.removeprefix(READY).strip()
    log.seek(0)
    raise RehearsalError(f"onfile up did not start. It said:\n{log.read().decode()}")


def _wait_until_applied(onfile: Service) -> None:
    give_up = time.monotonic() + SETTLE_SECONDS
    ask = _asking(onfile)
    while True:
        backlog = json.loads(ask("/readyz").body)["backlog"]
        if backlog is not None and backlog["pending"] == backlog["failing"] == 0:
            return
        if time.monotonic() > give_up:
            raise RehearsalError(f"After {SETTLE_SECONDS} seconds {backlog} was still not applied.")
        time.sleep(POLL_SECONDS)


def _compared(onfile: Service, stripe: Stripe, traffic: Traffic, report: Report) -> list[Compared]:
    ask = _asking(onfile)
    asked = questions(traffic.customers, traffic.sources)
    answers = []
    for number, question in enumerate(asked, 1):
        answers.append(compare(stripe, ask, question, onfile.drop))
        report("answers", number, len(asked))
    return answers


def _asking(onfile: Service) -> Callable[[str], Seen]:
    """Return what puts questions to Onfile over one connection."""
    connection = http.client.HTTPConnection(urlsplit(onfile.address).netloc, timeout=30)
    headers = {"Authorization": f"Bearer {onfile.environ['ONFILE_API_KEYS']}"}

    def ask(path: str) -> Seen:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Seen(answer.status, named, answer.read())

    return ask


def _tied(stripe: Stripe) -> int:
    def whose(event: Mapping[str, object]) -> tuple[object, object]:
        told = event["data"]
        about = told["object"] if isinstance(told, dict) else {}
        return about.get("customer") or about.get("id"), event["created"]

    moments = Counter(map(whose, stripe.events))
    return sum(number for number in moments.values() if number > 1)


def _late(onfile: Service, happened: Sequence[str]) -> int:
    """Count in Onfile's own log, which lies in the order of arrival."""
    place = {event: number for number, event in enumerate(happened)}
    late, latest = 0, -1
    with redis.Redis.from_url(onfile.environ["REDIS_URL"]) as store:
        for _, fields in store.xrange(LOG):
            here = place[fields[b"id"].decode()]
            late += here < latest
            latest = max(latest, here)
    return late
