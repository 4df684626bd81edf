"""The commands that ask Stripe, as a person meets them: what they say, and what they exit with."""

import json
import subprocess
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.stripe_side import StripeSide, running

if TYPE_CHECKING:
    from tests.conftest import Store

Onfile = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def stripe_side() -> Iterator[StripeSide]:
    with running() as side:
        yield side


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "STRIPE_API_KEY is not set. Make a restricted key"),
        ({"STRIPE_API_KEY": "sk_live_a,sk_test_a"}, "say which by --mode"),
        ({"STRIPE_API_KEY": "pk_test_a"}, "no secret key of Stripe's"),
        ({"STRIPE_API_KEY": "sk_live_a"}, "Stripe refuses the key"),
    ],
)
def test_without_a_key_that_fits_it_says_what_to_do(
    onfile: Onfile,
    store: "Store",
    stripe_side: StripeSide,
    environ: dict[str, str],
    said: str,
) -> None:
    known = {"REDIS_URL": store.url, "ONFILE_STRIPE_URL": stripe_side.url}
    done = onfile("backfill", environ=known | environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert not any(key in done.stderr for key in environ.values())


def test_differences_are_a_table_and_exit_3(
    onfile: Onfile, store: "Store", stripe_side: StripeSide
) -> None:
    customer = stripe_side.create(source="tok_visa")
    environ = stripe_side.environ(REDIS_URL=store.url)
    differing = onfile("reconcile", "--grace", 0, environ=environ)
    assert differing.returncode == 3
    header, row, sums, advice = differing.stdout.splitlines()
    assert header.split()[:3] == ["customer", "difference", "of"]
    assert row.split() == [customer, "missing", customer]
    assert sums == "1 customer compared: same 0, different 1, unsettled 0, unknown 0"
    assert advice.endswith("onfile reconcile --repair")
    named = onfile("reconcile", "--customer", "cus_typo", "--grace", 0, "--json", environ=environ)
    assert (named.returncode, json.loads(named.stdout)["unknown"]) == (1, 1)
    both = onfile("reconcile", "--customer", customer, "--sample", 1, environ=environ)
    assert (both.returncode, "not both" in both.stderr) == (2, True)
