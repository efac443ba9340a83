"""Baselines: that they learn from the sample, and never stop a training."""

from __future__ import annotations

import numpy as np
from conftest import Trained

from seed_concatenate.baselines import MAIN_METRICS, fit_baselines, flat_features
from seed_concatenate.data import INPUTS, OUTPUTS


def test_boosting_learns_what_the_trivial_model_cannot(trained: Trained) -> None:
    """On the rows that it is fitted to."""
    found = fit_baselines(trained.examples, trained.examples, trained.preprocessing)
    for output, (metric, as_good) in MAIN_METRICS.items():
        trivial, boosting = (found[name][output][metric] for name in ("trivial", "boosting"))
        assert not as_good(trivial, boosting), output


def test_every_input_has_features_that_vary(trained: Trained) -> None:
    """One row of features for each example."""
    table = flat_features(trained.examples, trained.preprocessing)
    assert len(table) == len(trained.examples)
    for name in INPUTS:
        assert (table[name].nunique() > 1).any(), name


def test_one_training_row_is_enough(trained: Trained) -> None:
    """Too few rows for a better baseline than the trivial one do not stop a training."""
    one = trained.examples.take(np.arange(1))
    found = fit_baselines(one, trained.examples, trained.preprocessing)
    assert list(found["trivial"]) == list(found["boosting"]) == OUTPUTS
