"""What is kept of a customer, and what is left of it, as people read it."""

from rich.console import Console
from rich.text import Text

from workers.cli.file_tables import files_table
from workers.cli.tables import facts
from workers.operators.forgetting import Forgotten
from workers.operators.person import Person

_LATER = (
    "What Stripe sends about it later the workers erase as soon as it comes; its bytes may stay in "
    "the store's files while its neighbours in the log do. Running this again removes them."
)
_BEYOND = (
    "Not reached from here: backups and copies of the stores' files, what replicas have on disk "
    "until they write theirs anew, the logs of other systems, and Stripe itself."
)


def print_person(out: Console, person: Person) -> None:
    """Print what is kept of a customer."""
    namespace = person.namespace
    where = f"{namespace.mode} mode" + (f", account {namespace.account}" * bool(namespace.account))
    states = ", ".join(f"{number:,} {state}" for state, number in sorted(person.states.items()))
    out.print(
        facts(
            [
                ("customer", person.customer),
                ("namespace", where),
                ("documents", f"{person.documents:,} with something in them"),
                ("sources", _listed(person.sources)),
                ("PaymentMethods", _listed(person.payment_methods)),
                ("events", f"{len(person.entries):,}" + (f": {states}" if states else "")),
            ]
        )
    )


def print_forgotten(out: Console, done: Forgotten) -> None:
    """Print what was erased, what is left, and what could not be reached."""
    person = done.person
    out.print(
        facts(
            [
                ("forgotten", person.customer),
                ("erased", f"{person.documents:,} documents, {done.erased_entries:,} events"),
                ("left", f"{done.left_documents:,} documents, {done.left_entries:,} events"),
                ("tombstones", f"{done.tombstones:,} written: an id each, and since when"),
            ]
        )
    )
    out.print()
    out.print(files_table(done.rewritten))
    out.print(f"\n{_LATER}\n{_BEYOND}")
    if not done.complete:
        out.print(Text("\nNot all of it is done: run this again.", style="bold red"))


def _listed(ids: list[str]) -> str:
    return ", ".join(ids) or "none"
