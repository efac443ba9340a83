"""Evaluation: the metrics of a trained run on a split of a manifest."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    roc_auc_score,
)

from seed_two_lstms.data import (
    STRATA,
    Preprocessing,
    State,
    check_files,
    make_dataset,
    open_examples,
)
from seed_two_lstms.manifest import DataError, Examples, drop_invalid_rows
from seed_two_lstms.model import load_model
from seed_two_lstms.splits import assign_splits, load_splits, select_split

Metrics = dict[str, float]


def open_run(run: Path) -> tuple[keras.Model, Preprocessing, dict[str, Any]]:
    """Load a run: its model, its preprocessing and the options it was trained with."""
    for name in ("model.keras", "preprocessing.json", "run.json"):
        if not (run / name).is_file():
            raise DataError(f"{run}: no run here, {name} is missing; `train --run DIR` makes one")
    options = json.loads((run / "run.json").read_text(encoding="utf-8"))
    preprocessing = Preprocessing.load(run / "preprocessing.json")
    return load_model(run / "model.keras"), preprocessing, options


def evaluate(
    run: Path,
    data: Path,
    split: str = "test",
    drop_invalid: bool = False,
    outside: bool = False,
) -> dict[str, Any]:
    """Compute the metrics of each output on a split."""
    model, preprocessing, options = open_run(run)
    others = [column for column in (options["group"], options["time"]) if column]
    examples = open_examples(data, outside=outside, others=others)
    check_files(examples)
    examples = drop_invalid_rows(examples, drop_invalid)
    splits = load_splits(run / "splits.csv", examples)
    if splits is None:
        if not examples.splits.any() and split != "all":
            print(f"{data} is not what was trained on: it gets new splits", file=sys.stderr)
        splits = assign_splits(
            examples,
            options["seed"],
            strata=examples.values[STRATA],
            group=options["group"],
            time=options["time"],
        )
    examples = select_split(examples, splits, split)
    preprocessing.note_unknown_labels(examples)
    examples = drop_invalid_rows(examples, drop_invalid)
    y_true, batch_size = preprocessing.targets(examples), options["batch_size"]
    y_pred = predict_batches(model, preprocessing, examples, batch_size)
    result: dict[str, Any] = {"split": split, "rows": len(examples)}
    result["outputs"] = compute_metrics(y_true, y_pred, preprocessing.state)
    return result


def print_result(result: dict[str, Any]) -> None:
    """Print what `evaluate` computed, a line for each metric."""
    print(f"{result['rows']} rows of the split {result['split']}")
    print_metrics(result["outputs"])


def print_metrics(outputs: dict[str, Metrics]) -> None:
    """Print a line for each metric of each output."""
    for name, metrics in outputs.items():
        for metric, value in metrics.items():
            print(f"  {name}  {metric}  {value:.4f}")


def predict_batches(
    model: keras.Model, preprocessing: Preprocessing, examples: Examples, batch_size: int
) -> dict[str, np.ndarray]:
    """Predict the outputs of the examples, by output name."""
    batches = make_dataset(examples, preprocessing, batch_size, with_targets=False)
    predictions: dict[str, np.ndarray] = model.predict(batches, verbose=0)
    return predictions


def compute_metrics(
    y_true: dict[str, np.ndarray], y_pred: dict[str, np.ndarray], state: State
) -> dict[str, Metrics]:
    """Compute the metrics of each output; undefined ones, such as AUC of one class, are dropped."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of undefined metrics
        outputs = {
            "label": binary_metrics(y_true["label"], y_pred["label"], state["label"]),
        }
    return {
        name: {metric: float(value) for metric, value in metrics.items() if np.isfinite(value)}
        for name, metrics in outputs.items()
    }


def binary_metrics(y_true: np.ndarray, y_pred: np.ndarray, state: State) -> Metrics:
    """Compute the metrics of probabilities of the second label, (rows, 1)."""
    predicted = y_pred > state["thresholds"][0]
    return {
        "accuracy": accuracy_score(y_true, predicted),
        "auc": roc_auc_score(y_true, y_pred),
        "balanced_accuracy": balanced_accuracy_score(y_true, predicted),
        "f1": f1_score(y_true, predicted, zero_division=0),
    }
