"""The command line as a newcomer meets it: help, version, wrong commands."""

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version

import pytest

from workers.cli.main import COMMANDS

Onfile = Callable[..., subprocess.CompletedProcess[str]]


def test_help_is_a_table_of_contents(onfile: Onfile) -> None:
    told = onfile("--help").stdout
    for name, entry in COMMANDS.items():
        assert f"{entry.chapter}:\n" in told
        assert any(line.split() == [name, *entry.summary.split()] for line in told.splitlines()), (
            name
        )


def test_asking_for_help_imports_nothing_heavy() -> None:
    program = """
import sys
from workers.cli.main import main
main(["--help"], standalone_mode=False)
print(*sys.modules, file=sys.stderr)
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    heavy = {"redis", "rq", "starlette", "structlog", "uvicorn", "msgspec", "service"}
    assert not heavy & set(ran.stderr.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(onfile: Onfile, name: str) -> None:
    ran = onfile(name, "--help")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(f"Usage: onfile {name} ")


def test_it_knows_its_version(onfile: Onfile) -> None:
    assert onfile("--version").stdout == f"onfile {version('onfile')}\n"


def test_an_unknown_command_is_a_sentence(onfile: Onfile) -> None:
    ran = onfile("uo")
    assert ran.returncode == 2
    assert "No such command 'uo'" in ran.stderr
