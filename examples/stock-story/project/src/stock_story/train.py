"""Training: from a manifest to a run, a folder with all that the other commands need.

It has model.keras, preprocessing.json, run.json, splits.csv, history.csv, metrics.json, curves.png.
"""

import json
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from zipfile import is_zipfile

import keras
import pandas as pd
from keras.optimizers.schedules import CosineDecay

from stock_story import manifest
from stock_story.baselines import fit_baselines, print_baselines
from stock_story.calibration import calibrate
from stock_story.data import Preprocessing, make_dataset, open_examples
from stock_story.ensemble import fit_members
from stock_story.evaluate import compute_metrics, draw_curves, predict_batches, print_metrics
from stock_story.model import build_model, compile_model, load_model
from stock_story.report import WatchBranches, write_report
from stock_story.sample import write_sample
from stock_story.split_by import split_by


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
    drop_invalid: bool = False
    outside: bool = False
    members: int = 0
    threshold: str = "accuracy"
    group: str | None = None
    time: str | None = None


def train(options: Options) -> None:
    """Train a model on a manifest, and write the run."""
    run = options.run
    if options.resume:
        options = resumed_options(run)

    # Load the rows, and split them.
    data = options.data or write_sample(run / "sample", seed=options.seed)
    print(f"Training on {data}")
    examples = open_examples(data, outside=options.outside)
    examples = manifest.drop_invalid_rows(examples, options.drop_invalid, run / "invalid_rows.csv")
    splits = manifest.assign_splits(examples, options.seed)
    if options.group or options.time:
        splits = split_by(examples, options.seed, options.group, options.time)
    examples.frame["split"] = splits

    # Adapt the preprocessing to the training rows alone.
    if options.resume:
        preprocessing = Preprocessing.load(run / "preprocessing.json")
    else:
        preprocessing = Preprocessing.adapt(examples.split("train"))
    preprocessing.note_unknown_labels(examples)
    examples = manifest.drop_invalid_rows(examples, options.drop_invalid, run / "invalid_rows.csv")
    options = begin_run(options, examples)
    preprocessing.save(run / "preprocessing.json")
    training, validation = examples.split("train"), examples.split("validation")
    watch = WatchBranches(training, preprocessing)

    # Build, compile and fit.
    model = fit_members(fit, options, preprocessing, training, validation, watch)

    # Calibrate on the validation split.
    calibrate(model, preprocessing, validation, options.threshold)
    preprocessing.save(run / "preprocessing.json")

    # Save, and evaluate on the validation split.
    model.save(run / "model.keras")
    y_pred = predict_batches(model, preprocessing, validation, options.batch_size)
    metrics = compute_metrics(preprocessing.targets(validation), y_pred, preprocessing.state)
    result = {"split": "validation", "rows": len(validation), "outputs": metrics}
    result["baselines"] = fit_baselines(training, validation, preprocessing)
    (run / "metrics.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    draw_curves(pd.read_csv(run / "history.csv").groupby("epoch").mean(), run / "curves.png")
    print_metrics(result)
    print(f"Run written to {run}")
    print_baselines(result)
    write_report(run, model, preprocessing, validation, watch.norms)


def begin_run(options: Options, examples: manifest.Examples) -> Options:
    """Write what a run begins with; few rows get small batches and many epochs: about 1,000 steps."""
    run = options.run
    if options.resume and manifest.load_splits(run, examples) is None:
        raise manifest.DataError(f"{options.data} has changed since; train without --resume")
    if options.resume:
        return options
    rows = examples.frame["split"].value_counts().to_dict()
    size = options.batch_size or min(256, max(16, rows["train"] // 64))
    epochs = options.epochs or max(25, 1000 * size // rows["train"])
    options = replace(options, data=examples.source, batch_size=size, epochs=epochs)
    run.mkdir(parents=True, exist_ok=True)
    for name in ("members", "saved_model"):
        shutil.rmtree(run / name, ignore_errors=True)
    for name in ("model.keras", "history.csv", "metrics.json", "report.html", "finished"):
        (run / name).unlink(missing_ok=True)
    examples.frame["split"].to_csv(run / "splits.csv", index_label="row")
    about = {"options": asdict(options), "rows": rows, "sha256": examples.sha256}
    (run / "run.json").write_text(json.dumps(about, indent=2, default=str), encoding="utf-8")
    return options


def resumed_options(run: Path) -> Options:
    """Take the options that an interrupted training had: others would train on other rows."""
    path = run / "run.json"
    if not path.is_file() or ((run / "finished").is_file() and (run / "metrics.json").is_file()):
        raise manifest.DataError(f"{run}: nothing to resume; train without --resume")
    kept = json.loads(path.read_text(encoding="utf-8"))["options"]
    return Options(**{**kept, "run": run, "data": Path(kept["data"]), "resume": True})


def learning_rates(options: Options, batches: int) -> CosineDecay:
    """Warm up in a twelfth of all steps, then decay to 0: https://arxiv.org/abs/1608.03983."""
    peak, steps = options.learning_rate, options.epochs * batches
    warmup = max(1, steps // 12)
    return CosineDecay(peak / warmup, steps - warmup + 1, warmup_target=peak, warmup_steps=warmup)


def fit(
    folder: Path,
    seed: int,
    options: Options,
    preprocessing: Preprocessing,
    training: manifest.Examples,
    validation: manifest.Examples,
    *extra: keras.callbacks.Callback,
) -> keras.Model:
    """Build, compile and fit a model until its validation loss no longer falls: the best epoch."""
    best, history, backup = (folder / name for name in ("model.keras", "history.csv", "backup"))
    if options.resume and (folder / "finished").is_file():
        return load_model(best)
    batches = make_dataset(training, preprocessing, options.batch_size, shuffle=True, seed=seed)
    keras.utils.set_random_seed(seed)
    model = build_model()
    compile_model(model, preprocessing.state, learning_rates(options, len(batches)))
    resuming = options.resume and backup.is_dir()
    lowest = pd.read_csv(history)["val_loss"].min() if resuming and is_zipfile(best) else None
    callbacks = [
        keras.callbacks.EarlyStopping(patience=max(8, options.epochs // 3)),
        keras.callbacks.CSVLogger(history, append=resuming),
        keras.callbacks.ModelCheckpoint(best, save_best_only=True, initial_value_threshold=lowest),
        keras.callbacks.BackupAndRestore(backup, save_freq=200, double_checkpoint=True),  # steps
        *extra,
    ]
    try:
        model.fit(
            batches,
            shuffle=False,  # make_dataset has shuffled
            validation_data=make_dataset(validation, preprocessing, options.batch_size),
            epochs=options.epochs,
            callbacks=callbacks,
        )
    except KeyboardInterrupt:
        if backup.is_dir() and model.optimizer.iterations > 0:  # a backup may be half-written
            model.save_weights(backup / "latest.weights.h5")
        if not best.is_file():
            raise
        print("\nInterrupted: the best epoch counts; --resume continues")
        try:
            return load_model(best)
        except (OSError, KeyError, ValueError):  # it was being written: these are the weights
            best.unlink()
            return model
    if pd.read_csv(history)["val_loss"].isna().all():
        raise manifest.DataError("the loss is not finite; train with a lower --learning-rate")
    (folder / "finished").touch()
    return load_model(best)
