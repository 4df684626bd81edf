"""The npm packages of a benchmark, as node/ pins them, installed beside Python's own, once."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.processes import MissingError, program

PINNED = Path(__file__).parent / "node"
INSTALLED = Path(sys.prefix) / "benchmarks"
LOCK = "package-lock.json"
MODULES = "node_modules"

COMMAND = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1")
INSTALL_SECONDS = 120


def install() -> Path:
    """Return the folder of the packages, all of which have the hashes that the lock names.

    Raises:
        MissingError: npm is, or the registry it is set to use.

    """
    npm = program("npm", "Node.js")
    packages = INSTALLED / MODULES
    done = packages / LOCK
    if not done.exists() or done.read_bytes() != (PINNED / LOCK).read_bytes():
        INSTALLED.mkdir(exist_ok=True)
        for name in ("package.json", LOCK):
            shutil.copy(PINNED / name, INSTALLED)
        _run(npm)
        shutil.copy(PINNED / LOCK, packages)
    return packages


def version(package: str) -> str:
    """Return which version of a package is pinned."""
    pinned: dict[str, str] = json.loads((PINNED / "package.json").read_text())["dependencies"]
    return pinned[package]


def _run(npm: str) -> None:
    try:
        subprocess.run(
            [npm, *COMMAND], cwd=INSTALLED, check=True, capture_output=True, timeout=INSTALL_SECONDS
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        why = re.search(rb"npm error code (\w+)", error.stderr or b"")
        told = why[1].decode() if why else type(error).__name__
        raise MissingError(f"npm did not get what node/{LOCK} pins: {told}") from None
