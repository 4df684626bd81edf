"""`onfile demo`: its verdict, and that it finds what is wrong."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import stripe

from service.sandbox.oracle import Compared
from service.sandbox.outbox import Tally
from workers.cli.demo import _difference, _table
from workers.cli.rehearsal import Result

if TYPE_CHECKING:
    from subprocess import CompletedProcess

    from tests.workers.cli.conftest import Up

Run = Callable[..., "CompletedProcess[str]"]


def test_the_demo_finds_every_answer_to_be_stripes(onfile: Run) -> None:
    done = onfile("demo", "--operations", 150, "--seed", 11)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Every answer is Stripe's" in done.stdout
    (row,) = [line for line in done.stdout.splitlines() if "mismatches" in line]
    assert row.split("│")[2].strip() == "0"


def test_it_drops_what_there_is_and_nothing_else(onfile: Run) -> None:
    refused = onfile("demo", "--drop-fields", "nmae")
    assert refused.returncode == 2
    assert "names 'nmae', which is none of name, email" in " ".join(refused.stderr.split())


def test_an_answer_that_differs_is_counted_and_shown() -> None:
    wrong = Compared(
        "/v1/customers/cus_1", same=False, ambiguous=False, expected={"a": 1}, found={"a": 2}
    )
    unsure = wrong._replace(ambiguous=True)
    result = Result(
        operations=1,
        happened=["evt_1"],
        tied=0,
        late=0,
        tally=Tally(),
        answers=[wrong, unsure],
        seconds=1.0,
    )
    numbers = dict(
        zip(_table(result).columns[0].cells, _table(result).columns[1].cells, strict=True)
    )
    assert (numbers["answers"], numbers["ambiguous"], numbers["mismatches"]) == ("2", "1", "1")
    assert _difference(wrong).splitlines() == [
        "GET /v1/customers/cus_1",
        '  Stripe: {"a": 1}',
        '  Onfile: {"a": 2}',
    ]


def test_up_brings_a_stand_in_for_stripe_wired_to_it(
    start_up: Callable[..., "Up"], free_port: int
) -> None:
    up = start_up("--sandbox", "--sandbox-port", str(free_port)).wait_ready()
    stripe_client = stripe.StripeClient(
        "sk_test_anything", base_addresses={"api": f"http://127.0.0.1:{free_port}"}
    )
    customer = stripe_client.v1.customers.create({"source": "tok_visa"})
    up.until(lambda: up.get(f"/v1/customers/{customer.id}")[0] == 200)
    assert up.get(f"/v1/customers/{customer.id}")[1]["default_source"] == customer.default_source
