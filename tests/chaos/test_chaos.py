"""A little chaos in every run of the suite; and that a loss would not go unnoticed."""

from pathlib import Path

import pytest

from tests.chaos.faults.deaths import KilledStore
from tests.chaos.faults.table import FAULTS
from tests.chaos.ordeal import Plan, undergo
from tests.chaos.rig import Rig
from tests.conftest import Store

SEED = 20_200_827


@pytest.mark.parametrize("fault", ["killed-together", "lost-reply"])
def test_nothing_acknowledged_is_lost_and_every_answer_is_right(fault: str) -> None:
    verdict = undergo(Plan(fault, rounds=1, events=80, seed=SEED), report=lambda _: None)
    assert verdict.held, verdict
    assert verdict.acknowledged >= 80


class ForgottenByStore(KilledStore):
    """The store keeps nothing on disk, and is killed."""

    def rig(self, folder: Path, seed: int) -> Rig:
        return Rig(folder, seed, Store(folder, "--appendonly", "no"))

    def strike(self, rig: Rig) -> None:
        super().strike(rig)
        rig.patience_seconds = 2  # it is in vain


def test_what_a_forgetful_store_loses_is_counted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(FAULTS, "forgotten-by-store", ForgottenByStore)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    verdict = undergo(Plan("forgotten-by-store", 1, 40, SEED), report=lambda _: None)
    assert not verdict.held
    assert verdict.lost > 0
    assert verdict.wrong > 0
