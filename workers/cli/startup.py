"""The start of `onfile up`: the store, then web and workers, each seen to work before `ready`."""

import os
import time
from collections.abc import Callable, Sequence

import click
import structlog

from service.settings import without_password
from workers.cli import embedded
from workers.cli.children import Child
from workers.cli.data_dir import DataDir
from workers.cli.plan import Plan
from workers.cli.readiness import alive, obstacle, store_problem
from workers.cli.supervisor import Signals, tend

POLL_SECONDS = 0.02

PATIENCE_SECONDS = 5.0
"""All is ready within a second or two; if not, somebody wants to know what is in the way."""

HOPELESS_DEATHS = 4
"""A child that ends so often before all was ready will not get better by itself."""


def start_store(store: Child, plan: Plan, data_dir: DataDir, signals: Signals) -> None:
    """Return when our own store answers, or when we are told to stop."""
    store.on_start = lambda pid: data_dir.note_holder(
        f"onfile up is process {os.getpid()}", f"its store is process {pid}"
    )
    store.start()
    if _wait(lambda: embedded.answers(plan.settings.redis_url), [store], signals):
        said = embedded.last_words(data_dir.store_log)
        raise click.ClickException(f"The store ends as soon as it is started. It said:\n{said}")


def look_at_given_stores(plan: Plan) -> None:
    """Return when the stores that the environment names answer, which they must do at once."""
    settings = plan.settings
    for name, url in {
        "REDIS_URL": settings.redis_url,
        "ONFILE_PROJECTION_URL": settings.projection_url,
    }.items():
        ours = plan.own_store and url == settings.redis_url
        if not ours and (problem := store_problem(url, settings.store_timeout_seconds)):
            raise click.ClickException(
                f"The store at {without_password(url)} ({name}) cannot be used: {problem} Start "
                f"it, or unset {name} to let onfile up bring its own."
            )


def start_the_rest(
    web: Child, workers: Sequence[Child], store: Sequence[Child], plan: Plan, signals: Signals
) -> None:
    """Return when a webhook sent now would be applied, or when we are told to stop."""
    for child in (web, *workers):
        child.start()

    say_why_at = time.monotonic() + PATIENCE_SECONDS

    def all_ready() -> bool:
        nonlocal say_why_at
        pids = {child.process.pid for child in workers if child.process}
        reason = obstacle(plan.address, plan.settings, pids)
        if reason and time.monotonic() > say_why_at:
            structlog.get_logger().warning("up.waiting", reason=reason)
            say_why_at += PATIENCE_SECONDS
        return reason is None

    if hopeless := _wait(all_ready, [*store, web, *workers], signals):
        raise click.ClickException(
            f"The {hopeless.name} process ends as soon as it is started. Why it does is said above."
        )


def start_sandbox(sandbox: Child, address: str, others: Sequence[Child], signals: Signals) -> None:
    """Return when the stand-in for Stripe answers, or when we are told to stop."""
    sandbox.start()
    if hopeless := _wait(lambda: alive(address), [*others, sandbox], signals):
        raise click.ClickException(
            f"The {hopeless.name} process ends as soon as it is started. If its port is taken, "
            "choose another with --sandbox-port."
        )


def _wait(done: Callable[[], bool], children: Sequence[Child], signals: Signals) -> Child | None:
    """Tend the children until it is done; returns the one that makes it hopeless, if one does."""
    while not signals.stops and not done():
        tend(children, signals, POLL_SECONDS)
        for child in children:
            if child.deaths >= HOPELESS_DEATHS:
                return child
    return None
