"""The data folder: one at a time, and what is kept in it."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from workers.cli import data_dir as module
from workers.cli.data_dir import DataDir, DataDirInUseError


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOCK_SECONDS", 0.05)


def test_one_at_a_time_works_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    lock = DataDir(folder).claim()
    with pytest.raises(DataDirInUseError, match="onfile up is process"):
        DataDir(folder).claim()
    lock.close()
    DataDir(folder).claim().close()


def test_it_stays_locked_while_a_store_lives_that_was_given_the_lock(tmp_path: Path) -> None:
    lock = DataDir(tmp_path).claim()
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[lock.fileno()]
    ) as store:
        DataDir(tmp_path).note_holder("its store is process 1")
        lock.close()
        with pytest.raises(DataDirInUseError, match="its store is process 1"):
            DataDir(tmp_path).claim()
        store.kill()
        store.wait()
    DataDir(tmp_path).claim().close()


def test_a_missing_folder_keeps_nothing(tmp_path: Path) -> None:
    assert DataDir(tmp_path / "nowhere").read_env() == {}
    (tmp_path / "file").touch()
    assert DataDir(tmp_path / "file").read_env() == {}


def test_what_is_kept_is_read_again_and_is_private(tmp_path: Path) -> None:
    folder = DataDir(tmp_path)
    folder.env.touch(mode=0o644)
    folder.write_env({"A": "1=2", "B": ""})
    assert folder.read_env() == {"A": "1=2", "B": ""}
    assert stat.S_IMODE(folder.env.stat().st_mode) == 0o600
    folder.env.write_text("# said\n\nno pair\n C = d \n")
    assert folder.read_env() == {"C": "d"}
