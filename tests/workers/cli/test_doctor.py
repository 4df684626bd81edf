"""`onfile doctor` as a person at three in the morning reads it, and as a monitor does."""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from tests.conftest import Store
    from tests.workers.cli.conftest import Up

    Onfile = Callable[..., subprocess.CompletedProcess[str]]


def test_it_exits_1_and_says_what_to_do_where_something_is_wrong(
    onfile: "Onfile", own_store: "Store"
) -> None:
    with own_store.client() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    environ = {"REDIS_URL": own_store.url}
    said = onfile("doctor", environ=environ)
    assert said.returncode == 1
    assert "store.eviction" in said.stdout
    assert "mend: CONFIG SET maxmemory-policy noeviction" in said.stdout
    assert "store.append_only" not in said.stdout
    assert "store.append_only" in onfile("doctor", "--all", environ=environ).stdout
    told = json.loads(onfile("doctor", "--json", environ=environ).stdout)
    assert told["ok"] is False
    assert {"check", "level", "says", "mend"} == told["findings"][0].keys()


def test_what_onfile_up_runs_is_well(onfile: "Onfile", running: "Up") -> None:
    folder = str(running.data_dir)
    said = onfile("doctor", "--data-dir", folder)
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.startswith("All is well")
    told = json.loads(onfile("doctor", "--json", "--data-dir", folder).stdout)
    assert told["ok"] is True
    [secrets] = [one for one in told["findings"] if one["check"] == "secrets"]
    assert "Made for development" in secrets["says"]


def test_development_secrets_that_are_used_beyond_this_machine_are_found(
    onfile: "Onfile", running: "Up"
) -> None:
    environ = {"ONFILE_HOST": "0.0.0.0"}  # noqa: S104
    said = onfile("doctor", "--data-dir", str(running.data_dir), environ=environ)
    assert said.returncode == 1
    assert "made for development" in said.stdout
    secrets = [running.env[name] for name in ("STRIPE_WEBHOOK_SECRET", "ONFILE_API_KEYS")]
    assert not [secret for secret in secrets if secret in said.stdout]
