"""Training: from a manifest to a run, a folder with all that the other commands need.

A run holds model.keras (the best epoch), last.keras (the last one, to resume), preprocessing.json,
run.json, history.json, metrics.json and curves.png.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

from seed_concatenate.data import (
    STRATA,
    Preprocessing,
    check_files,
    make_dataset,
    open_examples,
)
from seed_concatenate.evaluate import measure
from seed_concatenate.manifest import SPLITS, DataError, settle
from seed_concatenate.model import build_model
from seed_concatenate.sample import write_sample
from seed_concatenate.splits import draw_splits, keep_splits, take_split


def compile_model(
    model: keras.Model, preprocessing: Preprocessing, learning_rate: float = 1e-3
) -> None:
    """Give the model its optimizer, and each output its loss and metrics."""
    model.compile(
        optimizer=keras.optimizers.AdamW(learning_rate),
        loss={
            "label": "binary_crossentropy",
        },
        loss_weights={
            "label": 1.0,
        },
        metrics={
            "label": [
                "accuracy",
                keras.metrics.AUC(name="auc"),
            ],
        },
    )


def train(
    data: Path | None,
    run: Path,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    resume: bool,
    bad_rows: str = "stop",
    outside: bool = False,
    group: str | None = None,
    time: str | None = None,
) -> None:
    """Train on the manifest's training rows, keep the epoch that is best on its validation rows."""
    keras.utils.set_random_seed(seed)
    if resume and not (run / "last.keras").is_file():
        raise DataError(f"{run}: nothing to resume; train without --resume first")
    if data is None:
        data = run / "sample" / "manifest.csv"
        if not data.is_file():
            write_sample(data.parent, seed=seed)
        print(f"No --data: training on a sample, {data}")
    others = [column for column in (group, time) if column]
    examples = open_examples(data, outside=outside, others=others)
    check_files(examples)
    examples = settle(examples, bad_rows, run / "left_out.csv")
    splits = draw_splits(
        examples,
        seed,
        strata=examples.values[STRATA],
        group=group,
        time=time,
    )
    training = take_split(examples, splits, "train")
    validation = take_split(examples, splits, "validation")

    run.mkdir(parents=True, exist_ok=True)
    history: list[dict[str, float]] = []
    if resume:
        preprocessing = Preprocessing.load(run / "preprocessing.json")
        model = keras.saving.load_model(run / "last.keras")
        history = json.loads((run / "history.json").read_text(encoding="utf-8"))
    else:
        for name in ("model.keras", "last.keras"):
            (run / name).unlink(missing_ok=True)  # of an earlier training in the same folder
        preprocessing = Preprocessing.learn(training)
        model = build_model()
        compile_model(model, preprocessing, learning_rate)
        preprocessing.save(run / "preprocessing.json")
    keep_splits(run / "splits.csv", examples, splits)
    run_options = {
        "data": str(data.resolve()),
        "rows": {split: int((splits == split).sum()) for split in SPLITS},
        "seed": seed,
        "batch_size": batch_size,
        "bad_rows": bad_rows,
        "group": group,
        "time": time,
    }
    write_json(run / "run.json", run_options)

    train_batches = make_dataset(training, preprocessing, batch_size, shuffle=True, seed=seed)
    validation_batches = make_dataset(validation, preprocessing, batch_size)
    best = min((epoch["val_loss"] for epoch in history), default=None)
    callbacks = [
        keras.callbacks.ModelCheckpoint(
            run / "model.keras", save_best_only=True, initial_value_threshold=best
        ),
        keras.callbacks.ModelCheckpoint(run / "last.keras"),
        keras.callbacks.ReduceLROnPlateau(factor=0.3, patience=3),
        keras.callbacks.EarlyStopping(patience=8),
        KeepHistory(history, run / "history.json"),
    ]
    try:
        model.fit(
            train_batches,
            shuffle=False,  # make_dataset has shuffled
            validation_data=validation_batches,
            epochs=len(history) + epochs,
            initial_epoch=len(history),
            callbacks=callbacks,
        )
    except KeyboardInterrupt:
        print("\nInterrupted: keeping what was learnt.")
        if not (run / "model.keras").is_file():
            model.save(run / "model.keras")
            model.save(run / "last.keras")
            write_json(run / "history.json", history)

    model = keras.saving.load_model(run / "model.keras")
    metrics = measure(model, preprocessing, validation, batch_size)
    result = {"split": "validation", "rows": len(validation), "outputs": metrics}
    write_json(run / "metrics.json", result)
    draw_curves(history, run / "curves.png")
    for name, scores in metrics.items():
        print(name, *(f"{metric} {value:.4f}" for metric, value in scores.items()))
    print(f"Run written to {run}: look at {run / 'curves.png'}")


class KeepHistory(keras.callbacks.Callback):
    """Writes the history after every epoch, so that an interrupted run has one too."""

    def __init__(self, history: list[dict[str, float]], path: Path) -> None:
        super().__init__()
        self.history = history
        self.path = path

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Add the epoch's numbers."""
        self.history.append({key: float(value) for key, value in (logs or {}).items()})
        write_json(self.path, self.history)


def write_json(path: Path, content: Any) -> None:
    """Write JSON for people."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def draw_curves(history: list[dict[str, float]], path: Path) -> None:
    """Draw each measure over the epochs, training against validation."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    skip = ("val_", "learning_rate")
    names = [name for name in (history[-1] if history else {}) if not name.startswith(skip)]
    names.sort(key=lambda name: (name != "loss", name))
    figure, panels = pyplot.subplots(
        max(1, len(names)), 1, figsize=(7, 2.6 * max(1, len(names))), squeeze=False, sharex=True
    )
    epochs = range(1, len(history) + 1)
    for panel, name in zip(panels[:, 0], names, strict=False):
        panel.plot(epochs, [epoch[name] for epoch in history], label="training", marker=".")
        values = [epoch.get(f"val_{name}", np.nan) for epoch in history]
        panel.plot(epochs, values, label="validation", marker=".")
        panel.set_ylabel(name.replace("_", " "))
        panel.grid(alpha=0.3)
    panels[0, 0].legend()
    panels[-1, 0].set_xlabel("epoch")
    panels[-1, 0].xaxis.get_major_locator().set_params(integer=True)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
