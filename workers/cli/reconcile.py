"""`onfile reconcile`: compare the answers with Stripe's own, and mend what differs."""

from collections import Counter

import click
from rich.console import Console

from workers.cli import data_dir as folder
from workers.cli.asking_options import asking_options, stripe_of
from workers.cli.asking_progress import progress
from workers.cli.data_dir import DataDir
from workers.cli.report import DIFFERENCES, TROUBLE, desk_of, json_option, print_json
from workers.cli.tables import console, print_whole
from workers.cli.wording import counted
from workers.operators import batches, reconcile
from workers.operators.reconcile import GRACE_SECONDS, Checked, Verdict


@click.command()
@click.option(
    "--customer", "customers", metavar="CUS", multiple=True, help="This one; repeat it for several."
)
@click.option(
    "--sample", type=click.IntRange(1), metavar="N", help="So many of ours, chosen at random."
)
@click.option(
    "--repair", is_flag=True, help="Have what differs read anew from Stripe, and applied."
)
@click.option(
    "--grace",
    type=click.FloatRange(0, 3600),
    default=GRACE_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="How long Stripe's webhooks may take: what differs for less is on its way.",
)
@asking_options
@json_option
@folder.option
def command(  # noqa: PLR0913 - one option, one parameter
    customers: tuple[str, ...],
    sample: int | None,
    mode: str | None,
    account: str,
    *,
    rate: float,
    grace: float,
    repair: bool,
    as_json: bool,
    data_dir: DataDir,
) -> None:
    """Compare the answers with Stripe's, and tell how each that differs does.

    Without --customer or --sample all that either side has is compared. Exits 3 if anything
    differs, repaired or not: run it again to see that nothing does any more. Exits 1 if --customer
    names one that neither side has.
    """
    if customers and sample:
        raise click.UsageError("Name customers, or have a --sample chosen: not both.")
    counts: Counter[Verdict] = Counter()
    told: list[Checked] = []
    with desk_of(data_dir) as desk, stripe_of(desk, mode, account, rate) as api:
        chosen = list(customers) or None
        if sample:
            chosen = batches.sample(batches.our_customers(desk, api), sample)
        checked = reconcile.reconcile(desk, api, chosen, repair=repair, grace_seconds=grace)
        with progress() as bar:
            task = bar.add_task("customers", total=len(chosen) if chosen else None, said="")
            for one in checked:
                counts[one.verdict] += 1
                if one.verdict != "same":
                    told.append(one)
                said = f"{counts.total():,}, different {counts['different']:,}"
                bar.update(task, advance=1, said=said)
    if as_json:
        print_json({"compared": counts.total(), **_numbers(counts), "customers": told})
    else:
        _print(console(), counts, told, repair=repair)
    if counts["different"]:
        raise SystemExit(DIFFERENCES)
    if customers and counts["unknown"]:
        raise SystemExit(TROUBLE)


def _numbers(counts: Counter[Verdict]) -> dict[Verdict, int]:
    words: tuple[Verdict, ...] = ("same", "different", "unsettled", "unknown", "forgotten")
    return {word: counts[word] for word in words}


def _print(out: Console, counts: Counter[Verdict], told: list[Checked], *, repair: bool) -> None:
    rows = [
        (
            one.customer,
            difference.kind,
            difference.object,
            ", ".join(difference.fields) + (" (in doubt)" if difference.doubted else ""),
            _became(one, repair=repair),
        )
        for one in told
        for difference in one.differences
    ]
    if rows:
        columns = ("customer", "difference", "of", "fields", "")
        print_whole(out, *columns, rows=rows, dispensable=("of",), folding="fields")
    for one in told:
        if one.verdict == "unknown":
            out.print(f"{one.customer}: neither Stripe nor Onfile has it", markup=False)
    numbers = ", ".join(
        f"{word} {number:,}"
        for word, number in _numbers(counts).items()
        if number or word != "forgotten"
    )
    out.print(f"{counted(counts.total(), 'customer')} compared: {numbers}")
    if counts["different"] and not repair:
        out.print("To have them read anew from Stripe: onfile reconcile --repair")
    if repair and any(one.verdict == "different" and not one.repaired for one in told):
        out.print(
            "What is not repaired Stripe does not know under this key: see whether STRIPE_API_KEY "
            "is the right account's. Only if none has it, erase it here: onfile forget CUSTOMER"
        )


def _became(one: Checked, *, repair: bool) -> str:
    if one.verdict == "unsettled":
        return "unsettled"
    if one.repaired:
        return "read anew"
    return "not repaired" if repair else ""
