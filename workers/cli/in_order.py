"""A group of commands whose help lists them as its module does: first to look, then to act."""

import click


class InOrder(click.Group):
    """A group in the order of its definitions, not of the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Return the commands in that order."""
        return list(self.commands)
