"""Splits by group or time: no group is torn, and the future is not trained on."""

from __future__ import annotations

import numpy as np
from conftest import Trained

from stock_story.split_by import split_by


def test_a_group_is_in_one_split(trained: Trained) -> None:
    """Rows of one patient, say, are never both trained on and tested on."""
    examples = trained.examples.take(slice(None))
    examples.frame["patient"] = np.arange(len(examples)) // 4
    splits = split_by(examples, 0, "patient", None)
    assert set(splits) == {"train", "validation", "test"}
    assert (splits.groupby(examples.frame["patient"]).nunique() == 1).all()


def test_the_latest_rows_test(trained: Trained) -> None:
    """Split by time, the model is not trained on the future."""
    examples = trained.examples.take(slice(None))
    examples.frame["day"] = np.random.default_rng(0).permutation(len(examples))
    days = examples.frame["day"].groupby(split_by(examples, 0, None, "day"))
    assert days.max()["train"] < days.min()["validation"]
    assert days.max()["validation"] < days.min()["test"]
