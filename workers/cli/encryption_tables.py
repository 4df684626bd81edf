"""Under which keys things lie in the stores, as people read it."""

from rich.table import Table
from rich.text import Text

from workers.cli.tables import table
from workers.operators.encryption import Counted


def keys_table(key: str, known: list[str], counted: Counted) -> Table:
    """Return a table of keys: what each does, and how much lies under it.

    Args:
        key: the id of the one that encrypts; empty when none does.
        known: the ids of all that this command was given.
        counted: what lies under which.

    """
    events, documents = counted.events, counted.documents
    ids = dict.fromkeys([key, *known, *events, *documents])
    rows = [
        (one or "none", _role(one, key, known), f"{events[one]:,}", f"{documents[one]:,}")
        for one in ids
    ]
    return table("key", "", "events", "documents", rows=rows)


def _role(one: str, key: str, known: list[str]) -> Text:
    if one == key:
        return Text("encrypts" if one else "what comes is not encrypted")
    if one and one not in known:
        return Text("MISSING in ONFILE_ENCRYPTION_KEYS", style="bold red")
    return Text("decrypts" if one else "not encrypted")
