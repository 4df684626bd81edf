"""A moment on the command line: how long ago, or a date and time."""

import click

from workers.operators.moments import read_moment


class MomentType(click.ParamType[float]):
    """Unix seconds out of 2h, 7d, 2026-01-31 or 2026-01-31T13:00."""

    name = "moment"

    def convert(
        self, value: str | float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return unix seconds, or refuse with a sentence."""
        if isinstance(value, int | float):
            return value
        try:
            return read_moment(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


MOMENT = MomentType()
