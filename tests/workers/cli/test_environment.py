"""Where a command takes its settings from: the environment, else the data folder."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from workers.cli.data_dir import DataDir
from workers.cli.environment import environ
from workers.cli.plan import SECRETS, make_plan

Onfile = Callable[..., subprocess.CompletedProcess[str]]

KEPT = {"REDIS_URL": "redis://127.0.0.1:20001/0", "PORT": "8123", "ONFILE_API_KEYS": "sk_test_kept"}


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataDir:
    """A folder that keeps something, and an environment that says nothing."""
    for name in ("REDIS_URL", "PORT", *SECRETS):
        monkeypatch.delenv(name, raising=False)
    folder = DataDir(tmp_path)
    folder.write_env(KEPT)
    return folder


def test_without_a_store_in_the_environment_the_folder_speaks(
    data_dir: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "  ")
    monkeypatch.setenv("PORT", "")
    monkeypatch.setenv("ONFILE_API_KEYS", "sk_test_given")
    found = environ(data_dir)
    assert found["REDIS_URL"] == KEPT["REDIS_URL"]
    assert found["PORT"] == KEPT["PORT"]
    assert found["ONFILE_API_KEYS"] == "sk_test_given"


def test_with_a_store_in_the_environment_the_folder_is_silent(
    data_dir: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://production")
    found = environ(data_dir)
    assert found["REDIS_URL"] == "redis://production"
    assert "ONFILE_API_KEYS" not in found


def test_all_that_is_wrong_is_told_at_once_and_starting_again_will_not_help(
    onfile: Onfile, tmp_path: Path
) -> None:
    refused = onfile("web", environ={"ONFILE_OPS_KEY": "short"}, cwd=tmp_path)
    assert refused.returncode == 2
    first, *problems = refused.stderr.splitlines()
    assert first == "These settings are wrong or missing:"
    assert [problem.split()[1] for problem in problems] == [
        "REDIS_URL",
        "STRIPE_WEBHOOK_SECRET",
        "ONFILE_API_KEYS",
        "ONFILE_OPS_KEY",
    ]


@pytest.mark.parametrize("command", ["web", "worker"])
def test_a_command_finds_the_folder_of_where_it_is_started(
    onfile: Onfile, tmp_path: Path, command: str
) -> None:
    folder = tmp_path / ".onfile"
    folder.mkdir()
    (folder / "env").write_text("REDIS_URL=mailto:nobody\n")
    refused = onfile(command, cwd=tmp_path)
    assert refused.returncode == 2
    assert "REDIS_URL begins with 'mailto'" in refused.stderr


@pytest.mark.parametrize("words", [["status"], ["doctor"], ["events", "list"], ["failed", "list"]])
def test_without_any_store_to_look_at_that_is_said(
    onfile: Onfile, tmp_path: Path, words: list[str]
) -> None:
    said = onfile(*words, cwd=tmp_path)
    assert said.returncode == 2
    assert said.stderr.startswith("Error: No store to look at: REDIS_URL is not set and there is")
    assert "there is no .onfile/env here." in said.stderr


def test_a_folder_whose_up_has_ended_is_named(
    onfile: Onfile, tmp_path: Path, free_port: int
) -> None:
    (tmp_path / "env").write_text(f"REDIS_URL=redis://127.0.0.1:{free_port}/0\n")
    said = onfile("status", "--data-dir", tmp_path)
    assert said.returncode == 1
    assert said.stderr.endswith(f"refused. `onfile up` of {tmp_path} is not running; start it.\n")


class TestPlan:
    def test_what_nobody_gives_is_made_and_kept(self) -> None:
        plan = make_plan({}, {}, 8000)
        assert plan.made.keys() == {*SECRETS, "REDIS_URL", "PORT"}
        assert plan.kept == plan.made
        assert plan.own_store
        for name, beginning in SECRETS.items():
            assert plan.made[name].startswith(beginning)

    def test_what_was_kept_is_used_again(self) -> None:
        first = make_plan({}, {}, 8000)
        second = make_plan({}, first.kept, 9000)
        assert second.made == {**first.made, "PORT": "9000"}

    def test_what_a_person_wrote_into_the_folder_stays(self) -> None:
        plan = make_plan({}, {"ONFILE_RETENTION_DAYS": "3"}, 8000)
        assert plan.settings.retention_days == 3
        assert plan.kept["ONFILE_RETENTION_DAYS"] == "3"

    def test_what_the_environment_gives_is_not_kept_and_replaces_what_was(self) -> None:
        given = {"REDIS_URL": "redis://production", "STRIPE_WEBHOOK_SECRET": "whsec_given"}
        plan = make_plan(given, {**KEPT, "STRIPE_WEBHOOK_SECRET": "whsec_kept"}, 8000)
        assert not plan.own_store
        assert plan.settings.webhook_secrets == ("whsec_given",)
        assert not {"REDIS_URL", "STRIPE_WEBHOOK_SECRET"} & plan.kept.keys()

    @pytest.mark.parametrize(
        ("host", "address"),
        [
            ("0.0.0.0", "http://127.0.0.1:8000"),  # noqa: S104
            ("::", "http://[::1]:8000"),
            ("10.0.0.1", "http://10.0.0.1:8000"),
        ],
    )
    def test_the_address_is_one_that_this_machine_reaches(self, host: str, address: str) -> None:
        assert make_plan({"ONFILE_HOST": host}, {}, 8000).address == address
