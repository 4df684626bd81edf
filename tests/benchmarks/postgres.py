"""PostgreSQL for what Onfile is compared with: as it is by default, on a folder of its own."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests.benchmarks.processes import MissingError, running, until

DEBIAN = "usr/lib/postgresql/*/bin"
"""Debian keeps the server's programs off the path, of each version in a folder of its own."""

OWNER = "postgres"
"""The role which what is measured here expects."""

INITDB = ("--auth", "trust", "--username", OWNER, "--encoding", "UTF8", "--no-locale")
"""Whoever reaches the socket may do everything; nobody else reaches its folder."""


@contextmanager
def postgres() -> Iterator[str]:
    """Run a server that syncs each commit, as it does unless told otherwise; gives its address.

    Raises:
        MissingError: PostgreSQL is, or it does not start here.

    """
    programs, identity = _programs(), _identity()
    with tempfile.TemporaryDirectory(prefix="onfile-postgres-") as name:
        folder = Path(name)
        os.chown(folder, identity.get("user", -1), identity.get("group", -1))
        data, log = folder / "data", folder / "log"
        made = subprocess.run(
            [programs / "initdb", *INITDB, "--pgdata", data],
            check=False,
            capture_output=True,
            cwd=folder,
            **identity,
        )
        if made.returncode:
            raise MissingError(f"initdb makes no database here: {made.stderr.decode().strip()}")
        socket = ("-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}")
        command = [str(programs / "postgres"), "-D", str(data), *socket]
        ask = partial(subprocess.call, [programs / "pg_isready", "--quiet", f"--host={folder}"])
        with running(command, log, cwd=folder, **identity):
            until(lambda: ask() == 0, waiting_for="PostgreSQL")
            yield f"postgresql://{OWNER}@/postgres?host={folder}"


def version() -> str:
    """Return PostgreSQL's version."""
    told = subprocess.check_output([_programs() / "postgres", "--version"], text=True)
    return told.split()[2]


def _programs() -> Path:
    """Return the folder of the server's programs; of several versions the newest's."""
    initdb = shutil.which("initdb")
    if initdb:
        return Path(initdb).resolve().parent
    homes = list(Path("/").glob(DEBIAN))
    if not homes:
        raise MissingError("PostgreSQL is not installed here (initdb, postgres)")
    return max(homes, key=lambda home: float(home.parent.name))


def _identity() -> dict[str, Any]:
    """Return whom to run it as, as Popen takes it: it refuses to run as root."""
    if os.geteuid():
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
