"""`onfile reencrypt` as operators meet it: it counts, does it, and says which keys are needed."""

import json
import subprocess
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from service.sealing import Keyring
from tests.workers.notation import added, created
from tests.workers.operators.bench import KEY, OLD_KEY, Bench, bench_on

if TYPE_CHECKING:
    from tests.conftest import Store

    Run = Callable[..., subprocess.CompletedProcess[str]]

ID, OLD_ID = (Keyring([key]).key_id for key in (KEY, OLD_KEY))


@pytest.fixture
def bench(store: "Store") -> Iterator[Bench]:
    """Three events and two documents under the old key."""
    with bench_on(store.url, (OLD_KEY,)) as made:
        made.accept(created("A", 1), added("A", 1))
        made.drain()
        yield made


@pytest.fixture
def run(onfile: "Run", store: "Store") -> "Run":
    def asked(*words: str, keys: str) -> subprocess.CompletedProcess[str]:
        return onfile(*words, environ={"REDIS_URL": store.url, "ONFILE_ENCRYPTION_KEYS": keys})

    return asked


@pytest.mark.usefixtures("bench")
def test_it_counts_it_does_it_and_says_which_key_may_go(run: "Run") -> None:
    looked = run("reencrypt", "--check", keys=f"{KEY},{OLD_KEY}")
    assert (looked.returncode, looked.stderr) == (3, "")
    assert [line.split() for line in looked.stdout.splitlines()] == [
        ["key", "events", "documents"],
        [ID, "encrypts", "0", "0"],
        [OLD_ID, "decrypts", "2", "2"],
    ]
    done = run("reencrypt", keys=f"{KEY},{OLD_KEY}")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("4 of 4 were written anew.")
    assert f"Nothing is left under any other key than {ID}: the others may be removed." in (
        done.stdout
    )
    assert KEY not in done.stdout + looked.stdout
    again = json.loads(run("reencrypt", "--json", keys=KEY).stdout)
    assert again["after"] == {"events": {ID: 2}, "documents": {ID: 2}, "damaged": 0}


@pytest.mark.usefixtures("bench")
def test_what_it_has_no_key_for_it_leaves_and_says_so(run: "Run") -> None:
    done = run("reencrypt", keys=KEY)
    assert done.returncode == 1
    assert f"{OLD_ID}  MISSING in ONFILE_ENCRYPTION_KEYS" in done.stdout
    assert "keep every key" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("bench")
def test_a_rebuild_that_lacks_a_key_says_of_each_document_what_to_do(run: "Run") -> None:
    looked = run("rebuild", "--check", keys=KEY)
    assert looked.returncode == 1
    lacks = f"it is encrypted under key {OLD_ID}, which is not in ONFILE_ENCRYPTION_KEYS: add that"
    for document in ("card_A", "cus_1"):
        assert f"no answer can be derived of {document} (test mode): {lacks}" in looked.stderr


@pytest.mark.usefixtures("bench")
def test_status_shows_what_lies_under_which_key(run: "Run") -> None:
    said = run("status", "--sample", "0", keys=f"{KEY},{OLD_KEY}").stdout
    assert "Encryption, of 4 events and documents looked at:" in said
    assert OLD_ID in said
    assert OLD_KEY not in said


@pytest.mark.parametrize("command", [("explain", "cus_1"), ("forget", "cus_1", "--yes")])
@pytest.mark.usefixtures("bench")
def test_a_command_that_lacks_a_key_says_which(run: "Run", command: tuple[str, ...]) -> None:
    refused = run(*command, keys=KEY)
    assert refused.returncode == 1
    assert refused.stderr.startswith(
        f"Error: What lies in the store cannot be read: it is encrypted under key {OLD_ID}, which "
        "is not in ONFILE_ENCRYPTION_KEYS"
    )


def test_where_nothing_was_ever_encrypted_it_says_that_no_key_is_needed(
    run: "Run", store: "Store"
) -> None:
    with bench_on(store.url, ()) as bench:
        bench.accept(created("A", 1))
        bench.drain()
    done = run("reencrypt", keys="")
    assert done.returncode == 0
    assert "none  what comes is not encrypted  1       " in done.stdout
    assert "Nothing is encrypted: no key is needed." in done.stdout
