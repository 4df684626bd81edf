"""The stores' files, and whether they were written anew, as people read it."""

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from workers.cli.tables import table
from workers.operators.store_files import Rewritten

_WORDS = {
    "rewritten": Text("written anew", style="green"),
    "none": Text("none is kept"),
    "failed": Text("FAILED: look at the store's log, and run this again", style="bold red"),
    "forbidden": Text("not allowed: have the store's keeper write it anew", style="bold red"),
}


def files_table(rewritten: Iterable[Rewritten]) -> Table:
    """Return a table of what became of each store's files."""
    rows = [
        (one.address, _WORDS[one.appendonly], _WORDS[one.snapshot], one.replicas)
        for one in rewritten
    ]
    return table("store", "append-only file", "snapshot", "replicas", rows=rows)
