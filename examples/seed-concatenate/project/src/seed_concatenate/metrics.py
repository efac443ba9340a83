"""Metrics: how good predictions are, by Keras's names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from seed_concatenate.data import Learnt

Scores = dict[str, float]
Measure = Callable[[np.ndarray, np.ndarray], float]  # of a truth and what was said, (rows,)


def score(
    targets: dict[str, np.ndarray], predictions: dict[str, np.ndarray], learnt: Learnt
) -> dict[str, Scores]:
    """Compute the metrics of each output; what cannot be, as one class alone has no AUC, is left out."""
    scores = {
        "label": binary_scores(targets["label"], predictions["label"], learnt["label"]),
    }
    return {
        output: {name: value for name, value in found.items() if np.isfinite(value)}
        for output, found in scores.items()
    }


def binary_scores(truth: np.ndarray, predicted: np.ndarray, learnt: Learnt) -> Scores:
    """Compare the probabilities of yes with the truth, both (rows, 1)."""
    yes, probability = truth[:, 0] > 0.5, predicted[:, 0]
    said = probability > learnt["thresholds"][0]
    return {
        "accuracy": float((said == yes).mean()),
        "auc": area_under_curve(yes, probability),
        "balanced_accuracy": balanced_accuracy(yes, said),
        "f1": f1_score(yes, said),
    }


def area_under_curve(yes: np.ndarray, score: np.ndarray) -> float:
    """Compute the chance that a yes scores higher than a no, ties as a half; NaN without both."""
    ranks = pd.Series(score).rank().to_numpy()
    positives = int(yes.sum())
    pairs = positives * (len(yes) - positives)
    above = ranks[yes].sum() - positives * (positives + 1) / 2
    return float(above / pairs) if pairs else float("nan")


def balanced_accuracy(truth: np.ndarray, said: np.ndarray) -> float:
    """Compute the share that is right of each class, and their mean: a rare class counts as much."""
    return float(np.mean([(said[truth == label] == label).mean() for label in np.unique(truth)]))


def f1_score(yes: np.ndarray, said: np.ndarray) -> float:
    """Compute the harmonic mean of precision and recall; 0 where no yes is found."""
    return float(2 * (yes & said).sum() / max(yes.sum() + said.sum(), 1))


# What --threshold may be asked to make best.
MEASURES: dict[str, Measure] = {
    "accuracy": lambda truth, said: float((truth == said).mean()),
    "balanced_accuracy": balanced_accuracy,
    "f1": f1_score,
}
