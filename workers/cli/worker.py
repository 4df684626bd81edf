"""`onfile worker`: the process that applies accepted events."""

import click

from workers import worker
from workers.cli import data_dir as folder
from workers.cli import parent
from workers.cli.data_dir import DataDir
from workers.cli.environment import process_settings


@click.command()
@click.option("--parent", "parent_pid", type=int, hidden=True, help="The process to end with.")
@folder.option
def command(parent_pid: int | None, data_dir: DataDir) -> None:
    """Apply accepted events to the projection.

    Settings come from the environment, or from the folder of `onfile up` when REDIS_URL is not
    set. Run as many of these as you like. SIGTERM lets it finish its job first.
    """
    if parent_pid and not parent.KERNEL_TELLS:
        parent.watch(parent_pid)
    worker.run(process_settings("worker", data_dir))
