"""What `pip install onfile` would bring: the wheel itself, not the folder it was made from."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
DATA_SUFFIXES = {".lua", ".zdict", ".typed"}

READ_ALL = """
import importlib.resources, pathlib, sys
import service, workers
assert pathlib.Path(service.__file__).is_relative_to(sys.prefix), service.__file__
for name in sys.argv[1:]:
    package, *rest = name.split("/")
    data = importlib.resources.files(package).joinpath(*rest).read_bytes()
    print(len(data), name)
"""


def data_files() -> dict[str, int]:
    """Every file of the packages that is no code, with its size."""
    found = (path for package in ("service", "workers") for path in PROJECT.glob(f"{package}/**/*"))
    return {
        path.relative_to(PROJECT).as_posix(): path.stat().st_size
        for path in found
        if path.suffix in DATA_SUFFIXES
    }


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a clean environment with the wheel in it and nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    _run("-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder))
    [wheel] = folder.glob("*.whl")
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv" / "bin" / "python"
    # The clean environment has no pip of its own: this one's installs into it.
    pip = ("-m", "pip", "--disable-pip-version-check", "--python", str(python))
    _run(*pip, "install", "--no-deps", "--no-index", str(wheel))
    return python


def test_the_wheel_takes_every_data_file_along(installed: Path) -> None:
    expected = data_files()
    assert {Path(name).suffix for name in expected} == DATA_SUFFIXES
    got = (line.split() for line in _run("-P", "-c", READ_ALL, *expected, python=installed))
    assert {name: int(size) for size, name in got} == expected


def test_the_wheel_brings_the_command(installed: Path) -> None:
    assert "workers.cli.main" in (installed.parent / "onfile").read_text()


def _run(*arguments: str, python: Path | str = sys.executable) -> list[str]:
    command = [str(python), *arguments]
    ran = subprocess.run(command, cwd=PROJECT, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()
