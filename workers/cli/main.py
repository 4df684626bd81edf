"""The command line `onfile`: a table of contents; each command stands in a module of its own.

A command's module is imported when the command is called, so that asking for help costs nothing.
"""

from importlib import import_module
from typing import NamedTuple

import click


class Entry(NamedTuple):
    """A line of the table of contents."""

    chapter: str
    module: str
    """The module whose `command` it is."""
    summary: str


COMMANDS = {
    "up": Entry("Try it", "workers.cli.up", "Run everything here: a store, the web, workers."),
    "send": Entry("Try it", "workers.cli.send", "Sign event files as Stripe does; deliver them."),
    "demo": Entry("Try it", "workers.cli.demo", "Compare Onfile with a Stripe in bad weather."),
    "sandbox": Entry("Try it", "workers.cli.sandbox", "Run a stand-in for Stripe, events and all."),
    "web": Entry("In production", "workers.cli.web", "Take webhooks and answer queries."),
    "worker": Entry("In production", "workers.cli.worker", "Apply accepted events."),
    "status": Entry("Look and mend", "workers.cli.status", "What came in, and what became of it."),
    "doctor": Entry("Look and mend", "workers.cli.doctor", "What is wrong, and how to mend it."),
    "events": Entry("Look and mend", "workers.cli.events", "Search the event log; show one event."),
    "explain": Entry("Look and mend", "workers.cli.explain", "Why this default is the default."),
    "failed": Entry("Look and mend", "workers.cli.failed", "Look at dead letters, retry, give up."),
    "replay": Entry("Look and mend", "workers.cli.replay", "Apply events again, or a file's."),
    "rebuild": Entry("Look and mend", "workers.cli.rebuild", "Derive every answer again."),
    "reencrypt": Entry("Look and mend", "workers.cli.reencrypt", "Encrypt all with the first key."),
    "forget": Entry("Look and mend", "workers.cli.forget", "Erase a customer, for good."),
    "catch-up": Entry("Ask Stripe", "workers.cli.catch_up", "Fetch the events that never came."),
    "backfill": Entry("Ask Stripe", "workers.cli.backfill", "Read all customers from Stripe."),
    "reconcile": Entry("Ask Stripe", "workers.cli.reconcile", "Compare, and mend what differs."),
}


class TableOfContents(click.Group):
    """A group that knows its commands by name and imports only the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Return the commands in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return a command, importing its module."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = import_module(entry.module).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the table, chapter by chapter, without importing anything."""
        width = max(map(len, COMMANDS))
        for chapter in dict.fromkeys(entry.chapter for entry in COMMANDS.values()):
            with formatter.section(chapter):
                formatter.write_dl(
                    [
                        (name.ljust(width), entry.summary)
                        for name, entry in COMMANDS.items()
                        if entry.chapter == chapter
                    ]
                )


@click.group(cls=TableOfContents, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="onfile", prog_name="onfile", message="%(prog)s %(version)s")
def main() -> None:
    """Answer which payment sources a Stripe customer has on file, and which is the default.

    `onfile COMMAND --help` says more about a command.
    """


if __name__ == "__main__":
    main(prog_name="onfile")
