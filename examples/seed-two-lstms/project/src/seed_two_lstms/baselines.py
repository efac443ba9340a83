"""Baselines: a trivial model and gradient boosting, fitted to the rows of the network.

They see each input as a few numbers. Where boosting is as good as the network, its simplicity wins.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from seed_two_lstms.data import INPUTS, Preprocessing, make_dataset
from seed_two_lstms.evaluate import compute_metrics
from seed_two_lstms.manifest import Examples
from seed_two_lstms.model import PADDED_STEP

MAX_ROWS = 20_000  # training rows that are drawn
MAX_VALUES = 2_000_000  # rows x features of boosting on one input alone
MAX_ITER = 200
# The metric that models are compared by, and what makes a score as good as another.
MAIN_METRICS = {
    "label": ("accuracy", operator.ge),
}


@threadpool_limits.wrap(limits=1)  # with so few rows, more threads wait for each other
def fit_baselines(
    training: Examples, validation: Examples, preprocessing: Preprocessing
) -> dict[str, Any]:
    """Fit each baseline to training rows, and compute its metrics on the validation rows."""
    training = training.take(np.random.default_rng(0).permutation(len(training))[:MAX_ROWS])
    x_train, y_train = flat_features(training, preprocessing), preprocessing.targets(training)
    x, y_true = flat_features(validation, preprocessing), preprocessing.targets(validation)
    inputs_of = {"trivial": [], "boosting": INPUTS}
    small = [name for name in INPUTS if x_train[name].size <= MAX_VALUES]
    inputs_of |= {f"boosting, {name} alone": [name] for name in small}
    uncalibrated = {"thresholds": [0.5]}  # the state has what fits the network
    state = {name: {**fitted, **uncalibrated} for name, fitted in preprocessing.state.items()}
    found = {}
    for baseline, inputs in inputs_of.items():
        y_pred = {
            "label": predict_labels(x_train[inputs], y_train["label"], x[inputs]),
        }
        found[baseline] = compute_metrics(y_true, y_pred, state)
    return found


def flat_features(examples: Examples, preprocessing: Preprocessing) -> pd.DataFrame:
    """Turn each input into a few numbers a row, columns (input, feature): trees take no tensors."""
    batches = make_dataset(examples, preprocessing, 256, with_targets=False)
    parts = [
        {
            "sequence_1": step_statistics(batch["sequence_1"]),
            "sequence_2": step_statistics(batch["sequence_2"]),
        }
        for batch in batches.as_numpy_iterator()
    ]
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in INPUTS}
    return pd.concat({name: pd.DataFrame(array) for name, array in arrays.items()}, axis=1)


def step_statistics(series: np.ndarray) -> np.ndarray:
    """Compute mean, deviation, minimum, maximum, first and last of each value: (batch, 6 * values)."""
    steps = np.ma.masked_equal(series, PADDED_STEP)
    last = steps[np.arange(len(steps)), steps.count(axis=1)[:, 0] - 1]
    numbers = (steps.mean(1), steps.std(1), steps.min(1), steps.max(1), steps[:, 0], last)
    return np.ma.hstack(numbers).filled(np.nan)


def make_classifier(x: pd.DataFrame, y: np.ndarray) -> Any:
    """Make gradient boosting for classes y, (rows,); without features: the class frequencies."""
    rows = np.unique(y, return_counts=True)[1]
    if x.shape[1] == 0 or len(rows) == 1:
        return DummyClassifier()
    # Early stopping sets a tenth of the rows aside, some of each class.
    return HistGradientBoostingClassifier(
        max_iter=MAX_ITER, early_stopping=bool(rows.min() >= 10), random_state=0
    )


def predict_labels(x_train: pd.DataFrame, y_train: np.ndarray, x: pd.DataFrame) -> np.ndarray:
    """Fit a classifier to each label, (rows, labels) of 0 and 1; gives probabilities, as many."""
    columns = []
    for label in y_train.T:
        model = make_classifier(x_train, label).fit(x_train, label)
        columns.append(model.predict_proba(x) @ model.classes_)  # the classes are 0, 1 or both
    return np.column_stack(columns)


def print_baselines(result: dict[str, Any]) -> None:
    """Print the metrics of each baseline, and which are as good as the network's."""
    print("Baselines on the same rows")
    for name in result["outputs"]:
        for baseline, found in result["baselines"].items():
            scores = ", ".join(f"{metric} {value:.4f}" for metric, value in found[name].items())
            print(f"  {name}  {baseline}  {scores}")
        if better := as_good_as_network(name, result):
            print(f"  {name}: as good as the network or better: {'; '.join(better)}")


def as_good_as_network(output: str, result: dict[str, Any]) -> list[str]:
    """List the baselines whose main metric of an output is as good as the network's, or better."""
    metric, as_good = MAIN_METRICS[output]
    network, baselines = result["outputs"][output][metric], result.get("baselines", {})
    return [name for name, found in baselines.items() if as_good(found[output][metric], network)]
