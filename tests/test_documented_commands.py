"""Every command that a page shows exists, with those subcommands and options."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from workers.cli.main import main

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "deploy").glob("*.md"))]
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
SHELL_ENDS = {"|", "&&", ";", ">"}


def shown() -> Iterator[tuple[str, str]]:
    """Yield each page's name and each command line of `onfile` in it, as a span or in a block."""
    for page in PAGES:
        text = page.read_text()
        shell = "".join(code for language, code in BLOCK.findall(text) if language == "sh")
        spans = re.findall(r"`([^`]+)`", BLOCK.sub("", text))
        for line in [*spans, *shell.replace("\\\n", " ").splitlines()]:
            if re.match(r"(\.venv/bin/)?onfile [a-z-]", line.strip()):
                yield page.name, " ".join(line.split())


@pytest.mark.parametrize(("page", "line"), sorted(set(shown())))
def test_a_command_that_is_shown_exists_with_its_options(page: str, line: str) -> None:
    words = shlex.split(line.replace("[", "").replace("]...", ""), comments=True)[1:]
    command: click.Command = main
    context = click.Context(main)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words.pop(0))
        assert found, f"{page}: {line}"
        command = found
    known = {option for parameter in command.get_params(context) for option in parameter.opts}
    for word in words:
        if word in SHELL_ENDS:
            break
        if word.startswith("-"):
            assert word.partition("=")[0] in known, f"{page}: {line}: {word}"


def test_pages_show_commands() -> None:
    assert {page for page, _ in shown()} >= {"README.md", "RUNBOOK.md"}
