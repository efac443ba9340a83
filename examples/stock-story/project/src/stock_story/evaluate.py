"""Evaluation: the metrics of a trained run on a split of a manifest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras

from stock_story.data import (
    Preprocessing,
    check_files,
    make_dataset,
    open_examples,
)
from stock_story.manifest import DataError, split_examples
from stock_story.train import measure


def open_run(run: Path) -> tuple[keras.Model, Preprocessing, dict[str, Any]]:
    """Load a run: its model, its preprocessing and the options it was trained with."""
    for name in ("model.keras", "preprocessing.json", "run.json"):
        if not (run / name).is_file():
            raise DataError(f"{run}: no run here, {name} is missing; `train --run DIR` makes one")
    # Importing the model's module has registered the layers of our own.
    model = keras.saving.load_model(run / "model.keras")
    options = json.loads((run / "run.json").read_text(encoding="utf-8"))
    return model, Preprocessing.load(run / "preprocessing.json"), options


def evaluate(run: Path, data: Path, split: str = "test", as_json: bool = False) -> None:
    """Print the metrics of each output."""
    result = metrics_of(run, data, split)
    if as_json:
        print(json.dumps(result))
        return
    print(f"{result['rows']} rows of the split {split}")
    for name, scores in result["outputs"].items():
        for metric, value in scores.items():
            print(f"  {name}  {metric}  {value:.4f}")


def metrics_of(run: Path, data: Path, split: str) -> dict[str, Any]:
    """Compute the metrics of each output; the run's seed draws the same split as in training."""
    model, preprocessing, options = open_run(run)
    examples = split_examples(open_examples(data), split, options["seed"])
    check_files(examples)
    outputs = measure(model, make_dataset(examples, preprocessing, options["batch_size"]))
    return {"split": split, "rows": len(examples), "outputs": outputs}
