"""Shell completion, as click brings it and as README says to turn it on."""

import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from workers.cli.main import COMMANDS

README = (Path(__file__).parents[3] / "README.md").read_text()

Onfile = Callable[..., CompletedProcess[str]]


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (("onfile", ""), {*COMMANDS}),
        (("onfile", "re"), {"replay", "rebuild", "reencrypt", "reconcile"}),
        (("onfile", "failed", ""), {"list", "show", "retry", "discard"}),
        (("onfile", "reconcile", "--re"), {"--repair"}),
    ],
)
def test_commands_and_options_are_completed(
    onfile: Onfile, typed: tuple[str, ...], offered: set[str]
) -> None:
    asked = {"COMP_WORDS": " ".join(typed), "COMP_CWORD": str(len(typed) - 1)}
    ran = onfile(environ={"_ONFILE_COMPLETE": "bash_complete", **asked})
    assert set(re.findall(r"^plain,(.+)$", ran.stdout, re.MULTILINE)) == offered, ran.stderr


@pytest.mark.parametrize("shell", ["bash_source", "zsh_source", "fish_source"])
def test_each_shell_that_readme_names_gets_its_script(onfile: Onfile, shell: str) -> None:
    assert shell in README
    script = onfile(environ={"_ONFILE_COMPLETE": shell}).stdout
    assert f"_ONFILE_COMPLETE={shell.replace('source', 'complete')}" in script
