"""The folder of `onfile up`: its lock, its store's files, and `env`, which other commands read."""

import contextlib
import fcntl
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import click

DEFAULT = Path(".onfile")

LOCK_SECONDS = 1.0
"""How long to wait for the lock: what held it may be ending this very moment."""

HEADER = "# Written by `onfile up`, read by every other onfile command that is started here.\n"


class DataDirInUseError(Exception):
    """Another process works on the folder: two stores on the same files would destroy them."""


class DataDir:
    """A folder on this machine that one `onfile up` at a time works in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.env = path / "env"
        self.store = path.absolute() / "store"
        self.store_log = path.absolute() / "store.log"

    def claim(self) -> BinaryIO:
        """Make the folder and lock it for as long as the file returned is open somewhere.

        The store is given it too, so the folder stays locked while a store lives whose `up` was
        killed. Raises `DataDirInUseError`.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.store.mkdir(mode=0o700, exist_ok=True)
        (self.path / ".gitignore").write_text("*\n")
        lock_file = (self.path / "lock").open("a+b")
        give_up = time.monotonic() + LOCK_SECONDS
        while not _locked(lock_file):
            if time.monotonic() > give_up:
                lock_file.close()
                raise DataDirInUseError(self.holder())
            time.sleep(0.02)
        self.note_holder(f"onfile up is process {os.getpid()}")
        return lock_file

    def note_holder(self, *sentences: str) -> None:
        """Write into the lock file who holds it, for whoever finds it locked."""
        (self.path / "lock").write_text("; ".join(sentences) + "\n")

    def holder(self) -> str:
        """Return what the lock's holder wrote."""
        return (self.path / "lock").read_text().strip()

    def read_env(self) -> dict[str, str]:
        """Return the settings kept here; none when there is no such folder."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            lines = self.env.read_text().splitlines()
            pairs = (line.partition("=") for line in lines if not line.startswith("#"))
            return {name.strip(): value.strip() for name, equals, value in pairs if equals}
        return {}

    def write_env(self, values: Mapping[str, str]) -> None:
        """Keep settings here, readable by this user only."""
        new = self.env.with_suffix(".new")
        new.unlink(missing_ok=True)
        with open(new, "x", opener=_private) as file:
            file.write(HEADER + "".join(f"{name}={value}\n" for name, value in values.items()))
        new.replace(self.env)


def _locked(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)


option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT,
    show_default=True,
    envvar="ONFILE_DATA_DIR",
    callback=lambda _context, _option, path: DataDir(path),
    help="The folder of `onfile up`.",
)
