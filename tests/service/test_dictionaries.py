"""The dictionaries can be trained and measured again from a clone."""

import shutil
from pathlib import Path

import pytest
import zstandard
from click.testing import CliRunner

from service import compression
from service.dictionaries import samples, train


@pytest.fixture(name="small")
def a_small_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Train and measure little, in a folder that holds what is shipped."""
    for file in train.HERE.glob("*.zdict"):
        shutil.copy(file, tmp_path)
    monkeypatch.setattr(train, "HERE", tmp_path)
    monkeypatch.setattr(train, "TRAINED_ON", 500)
    monkeypatch.setattr(train, "MEASURED", 50)
    return tmp_path


@pytest.mark.parametrize("kind", ["events", "documents"])
def test_a_new_dictionary_gets_the_next_id_and_leaves_the_others(small: Path, kind: str) -> None:
    before = {file.name: file.read_bytes() for file in small.iterdir()}
    assert CliRunner().invoke(train.main, ["new", kind]).exit_code == 0
    [new] = [file for file in small.iterdir() if file.name not in before]
    assert zstandard.ZstdCompressionDict(new.read_bytes()).dict_id() == int(new.stem)
    assert int(new.stem) == max(compression.EVENTS_ID, compression.DOCUMENTS_ID) + 1
    assert all((small / name).read_bytes() == data for name, data in before.items())


@pytest.mark.usefixtures("small")
def test_measuring_shows_bytes_with_and_without_a_dictionary() -> None:
    shown = CliRunner().invoke(train.main, ["measure"])
    assert shown.exit_code == 0
    stored = [float(line.split()[-2]) for line in shown.output.splitlines()[1:]]
    known, recorded, unseen, plain, packed, packed_plain = stored
    assert max(known, recorded) < unseen < plain
    assert packed < packed_plain


def test_samples_of_one_seed_are_the_same_and_of_another_are_not() -> None:
    once, again = (samples.events(train.DATA, 3, 20) for _ in range(2))
    assert once == again
    assert not set(once) & set(samples.events(train.DATA, 4, 20))
