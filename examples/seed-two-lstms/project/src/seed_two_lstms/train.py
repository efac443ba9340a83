"""Training: from a manifest to a run, a folder with all that the other commands need.

A run holds model.keras, preprocessing.json, run.json, splits.csv, history.csv, metrics.json and
curves.png; invalid_rows.csv lists the invalid rows where there are any.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import keras
import pandas as pd
import tensorflow as tf
from matplotlib.figure import Figure

from seed_two_lstms.calibration import calibrate
from seed_two_lstms.data import (
    STRATA,
    Preprocessing,
    check_files,
    make_dataset,
    open_examples,
)
from seed_two_lstms.ensemble import average_members, choose_members
from seed_two_lstms.evaluate import compute_metrics, predict_batches, print_metrics
from seed_two_lstms.manifest import SPLITS, DataError, Examples, drop_invalid_rows
from seed_two_lstms.model import build_model, load_model
from seed_two_lstms.report import WatchBranches, write_report
from seed_two_lstms.sample import write_sample
from seed_two_lstms.splits import assign_splits, load_splits, save_splits, select_split

BACKUP_STEPS = 1000  # between two backups of a training


@dataclass
class Options:
    """The options of `train`; its help says what each does."""

    run: Path
    data: Path | None = None
    epochs: int = 0  # 0: by the number of rows
    batch_size: int = 0  # the same
    learning_rate: float = 2e-3
    seed: int = 0
    resume: bool = False
    group: str | None = None
    time: str | None = None
    drop_invalid: bool = False
    outside: bool = False
    members: int = 0
    threshold: str = "accuracy"


def train(options: Options) -> None:
    """Train a model on a manifest, and write the run."""
    run = options.run
    if options.resume:
        options = resumed_options(run)

    # Load the rows and split them.
    options, examples = load_rows(options)

    # Adapt the preprocessing to the training rows alone.
    if options.resume:
        preprocessing = Preprocessing.load(run / "preprocessing.json")
    else:
        preprocessing = Preprocessing.adapt(select_split(examples, examples.splits, "train"))
    preprocessing.note_unknown_labels(examples)
    examples = drop_invalid_rows(examples, options.drop_invalid, run / "invalid_rows.csv")
    training = select_split(examples, examples.splits, "train")
    validation = select_split(examples, examples.splits, "validation")
    options = begin_run(options, examples, preprocessing)
    size = options.batch_size
    batches = make_dataset(training, preprocessing, size, shuffle=True, seed=options.seed)
    validation_batches = make_dataset(validation, preprocessing, size)
    watch = WatchBranches(training, preprocessing)

    # Build, compile and fit.
    model = fit_members(batches, validation_batches, preprocessing, options, watch)

    # Calibrate on the validation split.
    calibrate(model, preprocessing, validation, options.threshold)
    preprocessing.save(run / "preprocessing.json")

    # Evaluate on the validation split, and save.
    model.save(run / "model.keras")
    y_pred = predict_batches(model, preprocessing, validation, size)
    y_true = preprocessing.targets(validation)
    metrics = compute_metrics(y_true, y_pred, preprocessing.state)
    result = {"split": "validation", "rows": len(validation), "outputs": metrics}
    write_json(run / "metrics.json", result)
    draw_curves(pd.read_csv(run / "history.csv"), run / "curves.png")
    print_metrics(metrics)
    print(f"Run written to {run}")
    report = write_report(run, model, preprocessing, validation, watch.norms)
    print(f"Open {report}")


def compile_model(
    model: keras.Model,
    state: dict[str, Any],
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule = 2e-3,
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


def load_rows(options: Options) -> tuple[Options, Examples]:
    """Load the manifest and split it: all rows are checked before training begins."""
    data = options.data or options.run / "sample" / "manifest.csv"
    if options.data is None:
        if not data.is_file():
            write_sample(data.parent, seed=options.seed)
        print(f"No --data: training on a sample, {data}")
    columns = [column for column in (options.group, options.time) if column]
    examples = open_examples(data, outside=options.outside, others=columns)
    check_files(examples)
    examples = drop_invalid_rows(examples, options.drop_invalid, options.run / "invalid_rows.csv")
    splits = assign_splits(
        examples,
        options.seed,
        strata=examples.values[STRATA],
        group=options.group,
        time=options.time,
    )
    examples.splits = splits
    return replace(options, data=data), examples


def begin_run(options: Options, examples: Examples, preprocessing: Preprocessing) -> Options:
    """Write what a run begins with; few rows get small batches and many epochs: 1,000 steps."""
    run, splits = options.run, examples.splits
    if options.resume and load_splits(run / "splits.csv", examples) is None:
        raise DataError(f"{options.data} has changed since {run} began; train without --resume")
    rows = {split: int((splits == split).sum()) for split in SPLITS}
    size = options.batch_size or min(256, max(16, rows["train"] // 64))
    epochs = options.epochs or max(40, 1000 * size // rows["train"])
    options = replace(options, batch_size=size, epochs=epochs)
    run.mkdir(parents=True, exist_ok=True)
    if not options.resume:
        for name in ("backup", "members"):
            shutil.rmtree(run / name, ignore_errors=True)
        for name in ("model.keras", "history.csv", "metrics.json", "finished"):
            (run / name).unlink(missing_ok=True)
    save_splits(run / "splits.csv", examples, splits)
    write_json(run / "run.json", {**asdict(options), "rows": rows})
    preprocessing.save(run / "preprocessing.json")
    return options


def resumed_options(run: Path) -> Options:
    """Take the options that an interrupted training had: others would train on other rows."""
    path = run / "run.json"
    if not path.is_file() or ((run / "finished").is_file() and (run / "metrics.json").is_file()):
        raise DataError(f"{run}: nothing to resume; train without --resume")
    kept = json.loads(path.read_text(encoding="utf-8"))
    values = {field.name: kept[field.name] for field in fields(Options)}
    values |= {name: Path(values[name]) for name in ("data",) if values[name]}
    return Options(**{**values, "run": run, "resume": True})


def learning_rates(options: Options, steps: int) -> keras.optimizers.schedules.CosineDecay:
    """Warm up in a twelfth of all steps, then decay to 0: https://arxiv.org/abs/1608.03983."""
    steps *= options.epochs
    warm_up = max(1, steps // 12)
    peak = options.learning_rate
    return keras.optimizers.schedules.CosineDecay(
        peak / warm_up, steps - warm_up + 1, warmup_target=peak, warmup_steps=warm_up
    )


def fit(
    model: keras.Model,
    batches: tf.data.Dataset,
    validation_batches: tf.data.Dataset,
    options: Options,
    folder: Path,
    *callbacks: keras.callbacks.Callback,
) -> tuple[keras.Model, bool]:
    """Fit until the validation loss no longer falls: the best epoch, and whether it ended by itself.

    The folder has the best epoch and the history all the time, and a backup to resume from.
    """
    best, history, backup = (folder / name for name in ("model.keras", "history.csv", "backup"))
    if options.resume and (folder / "finished").is_file():
        return load_model(best), True
    resuming = options.resume and backup.is_dir()
    lowest = pd.read_csv(history)["val_loss"].min() if resuming and is_zipfile(best) else None
    try:
        model.fit(
            batches,
            shuffle=False,  # make_dataset has shuffled
            validation_data=validation_batches,
            epochs=options.epochs,
            callbacks=[
                keras.callbacks.EarlyStopping(patience=max(8, options.epochs // 3)),
                keras.callbacks.CSVLogger(history, append=resuming),
                keras.callbacks.ModelCheckpoint(
                    best, save_best_only=True, initial_value_threshold=lowest
                ),
                keras.callbacks.BackupAndRestore(backup, save_freq=BACKUP_STEPS),
                *callbacks,
            ],
        )
    except KeyboardInterrupt:
        if not best.is_file():
            raise
        print("\nInterrupted: the best epoch is kept; continue with --resume")
        try:
            return load_model(best), False
        except (OSError, KeyError, ValueError):  # it was being written: these are the weights
            return model, False
    (folder / "finished").touch()
    return load_model(best), True


def draw_curves(history: pd.DataFrame, path: Path) -> None:
    """Draw the loss and each metric over the epochs; dashed on the validation split."""
    names = [name for name in history if f"val_{name}" in history]
    figure = Figure(figsize=(7, 2.6 * len(names)), layout="constrained")
    for axes, name in zip(figure.subplots(len(names), squeeze=False)[:, 0], names, strict=True):
        axes.plot(history["epoch"] + 1, history[name], label="training")
        axes.plot(history["epoch"] + 1, history[f"val_{name}"], "--", label="validation")
        axes.set(xlabel="epoch", ylabel=name)
        axes.legend()
    figure.savefig(path)


def write_json(path: Path, content: Any) -> None:
    """Write JSON for people."""
    text = json.dumps(content, indent=2, ensure_ascii=False, default=str)
    path.write_text(text + "\n", encoding="utf-8")


def fit_members(
    batches: tf.data.Dataset,
    validation_batches: tf.data.Dataset,
    preprocessing: Preprocessing,
    options: Options,
    *callbacks: keras.callbacks.Callback,
) -> keras.Model:
    """Build, compile and fit each member, and average them; finished ones are not trained again."""
    rows = options.epochs * options.batch_size * len(batches)
    count = options.members or choose_members(build_model(), rows)
    members: list[keras.Model] = []
    folders = [options.run / "members" / str(number) for number in range(1, count + 1)]
    for number, folder in enumerate(folders, start=1):
        print(f"Member {number} of {count}")
        folder.mkdir(parents=True, exist_ok=True)
        keras.utils.set_random_seed(options.seed + number - 1)
        model = build_model()
        compile_model(model, preprocessing.state, learning_rates(options, len(batches)))
        model, ended = fit(model, batches, validation_batches, options, folder, *callbacks)
        members.append(model)
        if not ended:
            break
    else:
        (options.run / "finished").touch()
    histories = [pd.read_csv(folder / "history.csv") for folder in folders[: len(members)]]
    numbers = range(1, len(members) + 1)
    history = pd.concat(histories, keys=numbers, names=["member"]).droplevel(1)
    history.to_csv(options.run / "history.csv")
    return average_members(members)
