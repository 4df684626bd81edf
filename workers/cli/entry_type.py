"""An entry of the event log on the command line, as a list or a stopped replay said it."""

import re

import click

_ENTRY_ID = re.compile(r"[0-9]{1,15}-[0-9]{1,10}")


class EntryType(click.ParamType[str]):
    """An entry's id."""

    name = "entry"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return it, or refuse with a sentence."""
        if not _ENTRY_ID.fullmatch(value):
            self.fail(
                f"{value!r} is no entry; one looks like 1700000000000-0, as the command said that "
                "is to go on.",
                param,
                ctx,
            )
        return value


ENTRY = EntryType()
