"""Training: the learning rate over the steps, and which runs can be resumed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seed_two_lstms.manifest import DataError
from seed_two_lstms.train import Options, learning_rates, resumed_options


def test_the_learning_rate_rises_and_falls_to_nothing() -> None:
    """Up to its peak in the first twelfth of the steps, then down, to almost 0."""
    schedule = learning_rates(Options(Path("run"), epochs=40, learning_rate=0.01), 30)
    rates = np.array([float(schedule(step)) for step in range(1200)])
    assert max(rates) == pytest.approx(0.01, rel=0.02)
    assert np.argmax(rates) == pytest.approx(100, abs=1)
    assert (np.diff(rates[:100]) > 0).all()
    assert (np.diff(rates[101:]) < 0).all()
    assert rates[-1] < 0.01 / 1000


def test_a_folder_without_a_run_is_not_resumed(tmp_path: Path) -> None:
    """One line says so."""
    with pytest.raises(DataError, match="nothing to resume"):
        resumed_options(tmp_path)
