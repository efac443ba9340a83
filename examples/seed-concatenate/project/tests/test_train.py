"""Training: how fast it learns over the epochs."""

from __future__ import annotations

import numpy as np
import pytest

from seed_concatenate.train import warm_up_and_cosine


def test_the_learning_rate_rises_and_falls_to_nothing() -> None:
    """Up to what was asked for in the first twelfth of the epochs, then down, to almost 0."""
    learning_rate = warm_up_and_cosine(0.01, epochs=120)
    rates = [learning_rate(epoch) for epoch in range(120)]
    assert rates[0] == pytest.approx(0.01 / 10, rel=0.02)
    assert max(rates) == pytest.approx(0.01, rel=0.02)
    assert np.argmax(rates) == 9
    assert (np.diff(rates[:10]) > 0).all()
    assert (np.diff(rates[9:]) < 0).all()
    assert rates[-1] < 0.01 / 1000
