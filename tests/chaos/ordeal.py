"""The ordeal: one fault, round after round, on one rig; judged from the outside."""

import shutil
import tempfile
import time
from collections.abc import Callable
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from random import Random
from typing import NamedTuple

import redis

from tests.chaos.faults.fault import Fault
from tests.chaos.faults.table import FAULTS
from tests.chaos.rig import Rig
from tests.chaos.verdict import BrokenPromiseError, Verdict

SHOWN = 3
"""How many of the wrong answers are named."""

NOBODY = "/v1/customers/cus_nobody"

JITTER_SECONDS = 0.02
"""A commit takes some milliseconds: so far past an acknowledgement, any step of it is hit."""

Report = Callable[[Verdict], None]


class Plan(NamedTuple):
    """What a rig is to undergo: the same plan does the same again, as far as a clock allows."""

    fault: str
    rounds: int
    events: int
    """Delivered in each round, at least."""
    seed: int


def undergo(plan: Plan, report: Report) -> Verdict:
    """Let a rig undergo all rounds of a fault; `report` is told after each.

    The folder of a rig that was not well in the end is kept.
    """
    chance = Random(f"chaos {plan.fault} {plan.seed}")  # noqa: S311 (no secret hangs on it)
    verdict = Verdict(plan.fault)
    folder = Path(tempfile.mkdtemp(prefix=f"onfile-chaos-{plan.fault}-"))
    fault = FAULTS[plan.fault](chance)
    rig = fault.rig(folder, plan.seed)
    try:
        fault.prepare(rig)
        rig.start()
        while verdict.rounds < plan.rounds and not verdict.complaints:
            _play(rig, fault, plan.events, verdict)
            report(verdict)
        if not verdict.complaints:
            _ask_everything(rig, verdict)
    finally:
        rig.stop()
        fault.clean_up()
    if verdict.held:
        shutil.rmtree(folder)
    else:
        verdict.complaints.append(f"logs and files: {folder}")
    return verdict


def _play(rig: Rig, fault: Fault, events: int, verdict: Verdict) -> None:
    """Strike once, at a random instant of a load, and wait until all is well."""
    instant = rig.ledger.count() + fault.chance.randrange(events)
    load = rig.deliver(events)
    verdict.rounds += 1
    try:
        rig.until("the load is under way", lambda: rig.ledger.count() >= instant)
        time.sleep(fault.chance.uniform(0, JITTER_SECONDS))
        fault.strike(rig)
        back = time.monotonic()
        rig.until("every event is acknowledged", lambda: load.done)
        rig.until("every event is applied that can be", lambda: fault.well(rig))
        verdict.recovery_seconds = max(verdict.recovery_seconds, time.monotonic() - back)
        fault.mend(rig)
        rig.until("every event is applied", rig.well)
    except BrokenPromiseError as broken:
        verdict.complaints.append(f"round {verdict.rounds}: {broken}")
    finally:
        load.stop()
    _judge(rig, verdict)


def _judge(rig: Rig, verdict: Verdict) -> None:
    verdict.acknowledged = rig.ledger.count()
    verdict.refused = rig.ledger.refusals()
    try:
        verdict.lost = len(rig.lost())
        wrong = rig.wrong()
    except redis.RedisError as error:
        verdict.complaints.append(f"round {verdict.rounds}: the store stayed away ({error!r})")
        return
    verdict.wrong = len(wrong)
    if wrong:
        verdict.complaints.append(f"wrong answers: {', '.join(wrong[:SHOWN])}, …")
    if rig.unbalanced:
        verdict.complaints.append(f"accepted events did not add up {rig.unbalanced} times")


def _ask_everything(rig: Rig, verdict: Verdict) -> None:
    """Compare every answer over HTTP with Stripe's own, as soon as there are answers."""
    try:
        rig.until("queries are answered", lambda: rig.ask(NOBODY).status == HTTPStatus.NOT_FOUND)
    except BrokenPromiseError as broken:
        verdict.complaints.append(str(broken))
        return
    wrong = list(rig.reference.mismatches(rig.ask))
    verdict.wrong += len(wrong)
    verdict.complaints += [f"not Stripe's answer: GET {one.path}" for one in islice(wrong, SHOWN)]
