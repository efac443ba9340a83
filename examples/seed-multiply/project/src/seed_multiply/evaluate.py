"""Evaluation: the metrics of a trained run on a split of a manifest, and its learning curves."""

import json
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, roc_auc_score

from seed_multiply.data import Preprocessing, State, make_dataset, open_examples
from seed_multiply.manifest import DataError, Examples, drop_invalid_rows, load_splits
from seed_multiply.model import load_model


def open_run(run: Path) -> tuple[keras.Model, Preprocessing, dict[str, Any]]:
    """Load a run: its model, its preprocessing and the options it was trained with."""
    try:
        options = json.loads((run / "run.json").read_text(encoding="utf-8"))["options"]
        preprocessing = Preprocessing.load(run / "preprocessing.json")
        return load_model(run / "model.keras"), preprocessing, options
    except (KeyError, OSError, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"{run}: no whole run: {reason}; `train --run DIR` writes one") from None


def evaluate(run: Path, data: Path, split: str = "", drop_invalid: bool = False) -> dict[str, Any]:
    """Compute the metrics of each output on a split; on all rows of a table not trained on."""
    model, preprocessing, options = open_run(run)
    examples = drop_invalid_rows(open_examples(data), drop_invalid)
    splits = load_splits(run, examples)
    if splits is not None:
        examples.frame["split"] = splits
    split = split or ("all" if splits is None else "test")
    if split != "all":
        examples = examples.split(split)
    preprocessing.note_unknown_labels(examples)
    examples = drop_invalid_rows(examples, drop_invalid)
    y_pred = predict_batches(model, preprocessing, examples, options["batch_size"])
    metrics = compute_metrics(preprocessing.targets(examples), y_pred, preprocessing.state)
    return {"split": split, "rows": len(examples), "outputs": metrics}


def print_metrics(result: dict[str, Any]) -> None:
    """Print what `evaluate` computed, a line for each metric of each output."""
    print(f"{result['rows']} rows of the split {result['split']}")
    for name, metrics in result["outputs"].items():
        for metric, value in metrics.items():
            print(f"  {name}  {metric}  {value:.4f}")


def draw_curves(history: pd.DataFrame, path: Path) -> None:
    """Draw the loss and each metric over the epochs, on the training and the validation split."""
    names = sorted(history, key=lambda name: name != "loss")  # the loss first
    pairs = [(name, f"val_{name}") for name in names if f"val_{name}" in history]
    lines = history[[*sum(pairs, ())]].set_axis(history.index + 1)  # epochs count from 1
    cycle = ["C0", "C1"] * len(pairs)  # the same in all: training, validation
    axes = lines.plot(subplots=pairs, color=cycle, marker=".", figsize=(7, 3 * len(pairs)))
    axes[0].xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    axes[0].figure.savefig(path, bbox_inches="tight")


def predict_batches(
    model: keras.Model, preprocessing: Preprocessing, examples: Examples, batch_size: int
) -> dict[str, np.ndarray]:
    """Predict the outputs of the examples, by output name."""
    batches = make_dataset(examples, preprocessing, batch_size, with_targets=False)
    return model.predict(batches, verbose=0)


def compute_metrics(
    y_true: dict[str, np.ndarray], y_pred: dict[str, np.ndarray], state: State
) -> dict[str, dict[str, float]]:
    """Compute the metrics of each output; undefined ones, such as AUC of one class, are dropped."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of undefined metrics
        outputs = {
            name: compute(y_true[name], y_pred[name], state[name])
            for name, compute in METRICS.items()
        }
    return {
        name: {metric: float(value) for metric, value in metrics.items() if np.isfinite(value)}
        for name, metrics in outputs.items()
    }


def binary_metrics(y_true: np.ndarray, y_pred: np.ndarray, state: State) -> dict[str, float]:
    """Compute the metrics of probabilities of the second label, (rows, 1)."""
    predicted = y_pred > state["thresholds"][0]
    return {
        "accuracy": accuracy_score(y_true, predicted),
        "auc": roc_auc_score(y_true, y_pred),
        "balanced_accuracy": balanced_accuracy_score(y_true, predicted),
        "f1": f1_score(y_true, predicted, zero_division=0),
    }


METRICS = {
    "label": binary_metrics,
}
