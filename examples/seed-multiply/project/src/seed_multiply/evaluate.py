"""Evaluation: the metrics of a trained run on a split of a manifest."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np

from seed_multiply.data import (
    STRATA,
    Preprocessing,
    make_dataset,
    open_examples,
)
from seed_multiply.manifest import DataError, Examples, settle
from seed_multiply.metrics import Scores, score
from seed_multiply.model import load_model
from seed_multiply.splits import draw_splits, kept_splits, take_split


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
    as_json: bool = False,
    bad_rows: str = "stop",
) -> None:
    """Print the metrics of each output."""
    result = metrics_of(run, data, split, bad_rows)
    if as_json:
        print(json.dumps(result))
        return
    print(f"{result['rows']} rows of the split {split}")
    print_scores(result["outputs"])


def print_scores(outputs: dict[str, Scores]) -> None:
    """Print a line for each metric."""
    for name, scores in outputs.items():
        for metric, value in scores.items():
            print(f"  {name}  {metric}  {value:.4f}")


def metrics_of(
    run: Path,
    data: Path,
    split: str,
    bad_rows: str = "stop",
) -> dict[str, Any]:
    """Compute the metrics of each output on the same rows as in training held out."""
    model, preprocessing, options = open_run(run)
    others = [column for column in (options["group"], options["time"]) if column]
    examples = open_examples(data, others=others)
    examples = settle(examples, bad_rows)
    splits = kept_splits(run / "splits.csv", examples)
    if splits is None:
        if not examples.splits.any() and split != "all":
            print(f"{data} is not what was trained on: its splits are drawn anew", file=sys.stderr)
        splits = draw_splits(
            examples,
            options["seed"],
            strata=examples.values[STRATA],
            group=options["group"],
            time=options["time"],
        )
    examples = take_split(examples, splits, split)
    preprocessing.note_unknown_labels(examples)
    examples = settle(examples, bad_rows)
    size = options["batch_size"]
    result: dict[str, Any] = {"split": split, "rows": len(examples)}
    result["outputs"] = measure(model, preprocessing, examples, size)
    return result


def measure(
    model: keras.Model, preprocessing: Preprocessing, examples: Examples, batch_size: int
) -> dict[str, Scores]:
    """Compare the predictions with the truth: the metrics of each output."""
    predictions = predict(model, preprocessing, examples, batch_size)
    return score(preprocessing.targets(examples), predictions, preprocessing.learnt)


def predict(
    model: keras.Model, preprocessing: Preprocessing, examples: Examples, batch_size: int
) -> dict[str, np.ndarray]:
    """Predict, by output name."""
    batches = make_dataset(examples, preprocessing, batch_size, with_targets=False)
    predictions: dict[str, np.ndarray] = model.predict(batches, verbose=0)
    return predictions
