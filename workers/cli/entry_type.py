"""An entry of the event log on the command line: after which to go on."""

import re

import click

_ENTRY_ID = re.compile(r"[0-9]{1,15}-[0-9]{1,10}")


class EntryType(click.ParamType[str]):
    """The id of an entry, as lists and stopped replays say it."""

    name = "entry"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return it as it is, or refuse with a sentence."""
        if not _ENTRY_ID.fullmatch(value):
            self.fail(
                f"{value!r} is no entry; write one like 1700000000000-0, as the list before or the "
                "replay that was stopped said.",
                param,
                ctx,
            )
        return value


ENTRY = EntryType()
