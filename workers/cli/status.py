"""`onfile status`: how it stands, at a glance."""

import time

import click
from rich.console import Console
from rich.text import Text

from workers.cli import data_dir as folder
from workers.cli.data_dir import DataDir
from workers.cli.encryption_tables import keys_table
from workers.cli.report import desk_of, json_option, print_json
from workers.cli.tables import console, facts, print_whole, table
from workers.cli.wording import counted, duration, short_moment, size
from workers.operators.caught_up import Gap
from workers.operators.moments import read_moment
from workers.operators.status import Status, status
from workers.operators.store_state import StoreState


@click.command()
@click.option(
    "--sample",
    type=click.FloatRange(0, 60),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to watch, for the rates; 0 for not at all.",
)
@json_option
@folder.option
def command(sample: float, *, as_json: bool, data_dir: DataDir) -> None:
    """Show what was accepted, what became of it, who works, and how the stores are.

    accepted = applied + pending + retrying + failed + discarded, at every instant.
    """
    with desk_of(data_dir) as desk:
        seen = status(desk, sample_seconds=sample)
        if as_json:
            print_json(seen)
        else:
            _print(console(), seen)


def _print(out: Console, seen: Status) -> None:
    if seen.halted:
        halted = seen.halted
        out.print(
            Text(
                f"HALTED since {short_moment(halted.since)}: {halted.failed} of the last "
                f"{halted.tried} events failed with {halted.reason}. Nothing is lost: they stay "
                f"pending, and some are tried again in {halted.probe_in_seconds:.0f} s. "
                "onfile doctor says what to do.\n",
                style="bold red",
            )
        )
    out.print(_events(seen))
    out.print()
    if seen.workers:
        _print_workers(out, seen)
    if not any(worker.alive for worker in seen.workers):
        out.print(Text("No worker is alive. Start one: onfile worker", style="bold red"))
    for store in seen.stores:
        out.print()
        out.print(_store(store))
    if seen.webhook_secrets:
        out.print()
        out.print(_secrets(seen))
    known = seen.encryption
    if known.keys or any(known.sample.under_others("")):
        out.print(f"\nEncryption, of {known.sample.total:,} events and documents looked at:")
        out.print(keys_table(known.key, known.keys, known.sample))


def _print_workers(out: Console, seen: Status) -> None:
    rows = [
        (
            w.name,
            f"{w.pid} on {w.host}",
            w.does if w.alive else Text(w.does, style="bold red"),
            f"{w.jobs_done:,}",
            duration(w.alive_seconds),
            f"{duration(w.heartbeat_seconds)} ago",
        )
        for w in seen.workers
    ]
    columns = ("worker", "process", "does", "jobs done", "alive for", "last heard of")
    dispensable = ("process", "last heard of", "alive for", "jobs done")
    print_whole(out, *columns, rows=rows, dispensable=dispensable)


def _store(store: StoreState) -> object:
    limit = f" of {size(store.max_bytes)}" if store.max_bytes else ""
    return facts(
        [
            ("store", f"of the {store.holds}"),
            ("at", store.address),
            ("version", store.version),
            ("memory", size(store.used_bytes) + limit),
            ("append-only", store.appendonly),
            ("fsync", store.appendfsync),
            ("eviction", store.maxmemory_policy),
            ("clock", f"{store.clock_ahead_seconds:+.1f} s"),
        ]
    )


def _events(seen: Status) -> object:
    doubts = seen.ambiguous
    doubted = counted(doubts.customers, "customer")
    if not doubts.all_noted:
        doubted = f"{doubts.customers:,} or more customers"
    in_what = f"default {doubts.default:,}, order {doubts.order:,}, object {doubts.object:,}"
    waits = f"   the oldest for {duration(seen.oldest_pending_seconds)}" if seen.pending else ""
    outcomes = ", ".join(f"{name} {number:,}" for name, number in seen.outcomes.items())
    failed = Text(f"{seen.failed:,}")
    if seen.failed:
        failed = Text(f"{seen.failed:,}   see: onfile failed list", style="bold red")
    return facts(
        [
            ("accepted", f"{seen.accepted:,}{_rate(seen.in_per_second)}"),
            ("applied", f"{seen.applied:,}{_rate(seen.out_per_second)}"),
            ("pending", f"{seen.pending:,}{waits}"),
            ("retrying", f"{seen.retrying:,}"),
            ("failed", failed),
            ("discarded", f"{seen.discarded:,}"),
            ("duplicates", f"{seen.duplicates:,}"),
            ("attempts", outcomes),
            ("ambiguous", f"{doubted} ({in_what})"),
            ("jobs waiting", f"{seen.jobs_waiting:,}"),
            *_replaying(seen),
            *[_caught_up(gap) for gap in seen.caught_up],
        ]
    )


def _replaying(seen: Status) -> list[tuple[str, object]]:
    left, halted = seen.replaying.left, seen.replaying.halted
    if not left:
        return []
    if halted is None:
        return [("replaying", f"{left:,} left")]
    why = (
        f"{left:,} left; HALTED since {short_moment(halted.since)}: {halted.failed} of the last "
        f"{halted.tried} failed with {halted.reason}. Mend it, or drop them: onfile replay --cancel"
    )
    return [("replaying", Text(why, style="bold red"))]


def _caught_up(gap: Gap) -> tuple[str, Text]:
    said = f"{gap.namespace.rstrip(':')}, until {short_moment(gap.until)}"
    if gap.alarming:
        return "caught up", Text(f"{said}   Stripe forgets: onfile catch-up", style="bold red")
    return "caught up", Text(said)


def _rate(per_second: float | None) -> str:
    return "" if per_second is None else f"   {per_second:,.1f}/s"


def _secrets(seen: Status) -> object:
    now = time.time()

    def ago(moment: str | None) -> str:
        return "never" if moment is None else f"{duration(max(0.0, now - read_moment(moment)))} ago"

    rows = [
        (
            f"number {s.position}" if s.configured else "removed",
            s.fingerprint,
            ago(s.matched),
            ago(s.needed),
        )
        for s in seen.webhook_secrets
    ]
    return table("webhook secret", "fingerprint", "last matched", "last needed", rows=rows)
