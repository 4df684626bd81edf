"""What `onfile up` tells the person who started it: what runs where, the secrets, what to try."""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from service.settings import without_password
from workers.cli import data_dir as folder
from workers.cli.data_dir import DataDir
from workers.cli.plan import SECRETS, Plan

EXAMPLE = Path("tests/data/examples/customer_with_card.jsonl")
"""There in a clone; elsewhere a person has events of their own."""

EXAMPLE_CUSTOMER = "cus_example"


def banner(plan: Plan, data_dir: DataDir, *, workers: int, sandbox: str = "") -> str:
    """Return all of it; only secrets that were made here are shown."""
    origin = f"its own, in {data_dir.path / 'store'}" if plan.own_store else "REDIS_URL"
    what_runs = {
        "webhooks": plan.webhook,
        "queries": f"{plan.address}/v1/customers/…",
        "workers": str(workers),
        "store": f"{without_password(plan.settings.redis_url)} ({origin})",
    }
    if sandbox:
        what_runs["stripe"] = f"{sandbox} (a stand-in: any key that begins with sk_test_)"
    parts = [_table(what_runs)]
    secrets = {name: plan.made[name] for name in SECRETS if name in plan.made}
    if secrets:
        parts += [f"Secrets made for development, kept in {data_dir.env}:", _table(secrets)]
    parts += ["To try, in another terminal:", _tries(plan, data_dir, sandbox)]
    return "\n" + "\n\n".join(parts) + "\n"


def _table(rows: Mapping[str, str]) -> str:
    width = max(map(len, rows))
    return "\n".join(f"  {name.ljust(width)}  {value}" for name, value in rows.items())


def _tries(plan: Plan, data_dir: DataDir, sandbox: str) -> str:
    where = "" if data_dir.path == folder.DEFAULT else f" --data-dir {data_dir.path}"
    key = plan.made.get("ONFILE_API_KEYS", "KEY")
    event, customer = "EVENT.json", "CUSTOMER"
    if EXAMPLE.exists():
        event, customer = str(EXAMPLE), EXAMPLE_CUSTOMER
    tries = [
        f"{_this_program()} send {event}{where}",
        f"curl -u {key}: {plan.address}/v1/customers/{customer}/sources",
        f"{_this_program()} status{where}",
    ]
    if sandbox:
        tries.insert(0, f"curl -u sk_test_me: {sandbox}/v1/customers -d source=tok_visa")
    return "\n".join(f"  {line}" for line in tries)


def _this_program() -> str:
    """Return how this program was called, so that the same words work again."""
    called = Path(sys.argv[0])
    if called.name != "onfile":
        return f"{shlex.quote(sys.executable)} -m workers.cli.main"
    if str(called.parent) in os.environ.get("PATH", "").split(os.pathsep):
        return "onfile"
    return shlex.quote(min(str(called), os.path.relpath(called), key=len))
