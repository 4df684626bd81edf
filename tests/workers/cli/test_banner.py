"""What `onfile up` says when it is ready."""

import sys
from pathlib import Path

import pytest

from workers.cli.banner import banner
from workers.cli.data_dir import DEFAULT, DataDir
from workers.cli.plan import make_plan


@pytest.mark.parametrize(
    ("called", "told"),
    [
        ("HERE/.venv/bin/onfile", ".venv/bin/onfile"),
        ("HERE/my venv/bin/onfile", "'my venv/bin/onfile'"),
        ("/on/path/onfile", "onfile"),
        ("/lib/workers/cli/main.py", f"{sys.executable} -m workers.cli.main"),
    ],
)
def test_the_commands_to_try_begin_as_this_one_did(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, called: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/bin:/on/path")
    monkeypatch.setattr(sys, "argv", [called.replace("HERE", str(tmp_path)), "up"])
    said = banner(make_plan({}, {}, 8000), DataDir(DEFAULT), workers=1)
    assert f"\n  {told} send EVENT.json\n" in said


def test_what_a_person_gave_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    given = {
        "REDIS_URL": "redis://:hunter2@store:6379/0",
        "STRIPE_WEBHOOK_SECRET": "whsec_given",
        "ONFILE_API_KEYS": "sk_test_given",
        "ONFILE_OPS_KEY": "ops_0123456789abcdef",
    }
    said = banner(make_plan(given, {}, 8000), DataDir(Path("other")), workers=3)
    assert "redis://***@store:6379/0 (REDIS_URL)" in said
    assert "send EVENT.json --data-dir other\n" in said
    assert "curl -u KEY: " in said
    for secret in ("hunter2", "whsec_", "sk_test_", "ops_", "development"):
        assert secret not in said


def test_in_a_clone_what_to_try_works_when_it_is_pasted() -> None:
    said = banner(make_plan({}, {}, 8000), DataDir(DEFAULT), workers=1)
    (sent,) = [line for line in said.splitlines() if " send " in line]
    assert Path(sent.split(" send ")[1]).exists()
    assert "/v1/customers/cus_example/sources" in said
