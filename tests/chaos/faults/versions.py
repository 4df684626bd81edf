"""Versions: a release that is rolled out worker by worker, while the one before still works."""

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

from tests.chaos.faults.fault import Fault
from tests.chaos.rig import STOP_SECONDS, Rig

HERE = Path(__file__).parents[3]
CODE = ("service", "workers")


class TwoVersions(Fault):
    """Workers of this version and of the one before its last change work at once, and change."""

    code: Path

    @staticmethod
    def lacks() -> str:
        """Return that there is no version before this one."""
        return "" if shutil.which("git") and _before() else "it takes a clone with its history"

    def rig(self, folder: Path, seed: int) -> Rig:
        """Return a rig with the other version unpacked beside its files."""
        self.code = folder / "before"
        archive = _git("archive", _before(), "--", *CODE)
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(self.code, filter="data")
        return Rig(folder, seed)

    def strike(self, rig: Rig) -> None:
        """End one worker properly and start one of either version, several times."""
        for _ in range(self.chance.randint(1, 3)):
            worker = self.chance.choice(rig.workers)
            worker.terminate()
            worker.wait(STOP_SECONDS)
            rig.code = self.chance.choice(["", str(self.code)])
            rig.tend()


def _before() -> str:
    """Return the last commit but one that changed the code; nothing if there is none."""
    commits = _git("rev-list", "--max-count=2", "HEAD", "--", *CODE).decode().split()
    return commits[1] if len(commits) > 1 else ""


def _git(*arguments: str) -> bytes:
    command = ["git", "-C", str(HERE), *arguments]
    return subprocess.run(command, capture_output=True, check=False).stdout
