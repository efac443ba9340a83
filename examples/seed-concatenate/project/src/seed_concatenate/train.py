"""Training: from a manifest to a run, a folder with all that the other commands need.

A run holds model.keras, its members (to resume), preprocessing.json, run.json, splits.csv,
history.json, metrics.json, curves.png and report.html; invalid_rows.csv where rows are invalid.
"""

from __future__ import annotations

import json
import math
import shutil
import time as clock
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from seed_concatenate.calibrate import calibrate, set_thresholds
from seed_concatenate.data import (
    STRATA,
    Preprocessing,
    check_files,
    make_dataset,
    open_examples,
)
from seed_concatenate.ensemble import average, join_members
from seed_concatenate.evaluate import (
    THRESHOLD_METRICS,
    compute_metrics,
    predict_batches,
)
from seed_concatenate.manifest import SPLITS, DataError, drop_invalid_rows
from seed_concatenate.model import build_model, load_model
from seed_concatenate.report import WatchBranches, write_report
from seed_concatenate.sample import write_sample
from seed_concatenate.splits import (
    assign_splits,
    reuse_splits,
    save_splits,
    select_split,
)
from seed_concatenate.transfer import (
    check_earlier,
    take_over,
    what_fits,
)

History = list[dict[str, float]]
MEMBERS, MINUTES = 4, 4  # where --members is not said: so many, if all fit in so many minutes


def compile_model(
    model: keras.Model, preprocessing: Preprocessing, learning_rate: float = 2e-3
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
    epochs: int | None,
    members: int | None,
    batch_size: int | None,
    learning_rate: float,
    seed: int,
    resume: bool,
    threshold: str = "accuracy",
    drop_invalid: bool = False,
    outside: bool = False,
    group: str | None = None,
    time: str | None = None,
    earlier: Path | None = None,
) -> None:
    """Train the members on a manifest, and keep them as one model.

    They differ by chance alone; the average of several is better than each. Where `members` is
    not said, there are four, fewer where they would take longer than four minutes. Each begins
    with what fits of its counterpart in the `earlier` run, if there is one.
    """
    if resume and earlier:
        raise DataError("give --from or --resume, not both")
    if resume and not (run / "members" / "1.keras").is_file():
        raise DataError(f"{run}: nothing to resume; train without --resume first")
    if earlier:
        check_earlier(earlier, run)
    followed = run if resume else earlier
    if followed:
        # With other options other rows would train, and what was tested would be trained on.
        begun = json.loads((followed / "run.json").read_text(encoding="utf-8"))
        seed, group, time = begun["seed"], begun["group"], begun["time"]
        if resume:
            batch_size = begun["batch_size"]
            members = begun.get("members", members)  # not there where the training was cut off
    if data is None:
        data = run / "sample" / "manifest.csv"
        if not data.is_file():
            write_sample(data.parent, seed=seed)
        print(f"No --data: training on a sample, {data}")
    others = [column for column in (group, time) if column]
    examples = open_examples(data, outside=outside, others=others)
    check_files(examples)
    examples = drop_invalid_rows(examples, drop_invalid, run / "invalid_rows.csv")
    drawn = assign_splits(
        examples,
        seed,
        strata=examples.values[STRATA],
        group=group,
        time=time,
    )
    if followed:
        examples.splits = reuse_splits(followed, examples, drawn, fixed=bool(group or time))
    else:
        examples.splits = drawn
    if resume:
        preprocessing = Preprocessing.load(run / "preprocessing.json")
    else:
        preprocessing = Preprocessing.adapt(select_split(examples, examples.splits, "train"))
    if earlier:
        fitting, state = what_fits(earlier, build_model(), preprocessing.state)
        preprocessing = Preprocessing(preprocessing.state | state)
    preprocessing.note_unknown_labels(examples)
    examples = drop_invalid_rows(examples, drop_invalid, run / "invalid_rows.csv")
    splits = examples.splits
    training = select_split(examples, splits, "train")
    validation = select_split(examples, splits, "validation")
    # Few rows make small batches and many epochs: a model needs a thousand steps.
    batch_size = batch_size or min(256, max(16, len(training) // 64))
    epochs = epochs or max(40, 1000 * batch_size // len(training))

    run.mkdir(parents=True, exist_ok=True)
    save_splits(run / "splits.csv", examples, splits)
    options = {
        "data": str(data.resolve()),
        "rows": {split: int((splits == split).sum()) for split in SPLITS},
        "batch_size": batch_size,
        "seed": seed,
        "group": group,
        "time": time,
    }
    write_json(run / "run.json", options)
    if not resume:
        shutil.rmtree(run / "members", ignore_errors=True)  # of an earlier training
        preprocessing.save(run / "preprocessing.json")

    train_batches = make_dataset(training, preprocessing, batch_size, shuffle=True, seed=seed)
    validation_batches = make_dataset(validation, preprocessing, batch_size)
    watch = WatchBranches(training, preprocessing)
    models: list[keras.Model] = []
    histories: list[History] = []
    start = clock.monotonic()
    for number in range(1, (members or MEMBERS) + 1):
        minutes = (clock.monotonic() - start) / 60
        if not members and number > 1 and minutes * number / (number - 1) > MINUTES:
            break
        if members != 1:
            print(f"Member {number} of {members or MEMBERS}")
        keras.utils.set_random_seed(seed + number - 1)
        keep = KeepBest(number, run / "members" / f"{number}.keras", resume)
        if keep.resumed:
            model = load_model(keep.path)
        else:
            model = build_model()
            if earlier:
                take_over(model, earlier, number, fitting)
            compile_model(model, preprocessing, learning_rate)
        schedule = keras.callbacks.LearningRateScheduler(warm_up_and_cosine(learning_rate, epochs))
        callbacks = [schedule, keep, watch] if number == 1 else [schedule, keep]
        interrupted = fit(model, train_batches, validation_batches, epochs, callbacks)
        models.append(model)
        histories.append(keep.history)
        if interrupted:
            print("\nInterrupted: keeping the best weights so far.")
            break

    write_json(run / "run.json", options | {"members": len(models)})
    targets = preprocessing.targets(validation)
    predictions = [
        predict_batches(model, preprocessing, validation, batch_size) for model in models
    ]
    predictions = calibrate(models, predictions, targets)
    together = average(predictions)
    set_thresholds(preprocessing.state, together, targets, THRESHOLD_METRICS[threshold])
    preprocessing.save(run / "preprocessing.json")
    model = join_members(models)
    model.save(run / "model.keras")
    metrics = compute_metrics(targets, together, preprocessing.state)
    result = {"split": "validation", "rows": len(validation), "outputs": metrics}
    write_json(run / "metrics.json", result)
    write_json(run / "history.json", sum(histories, []))
    draw_curves(histories, run / "curves.png")
    for name, scores in metrics.items():
        print(name, *(f"{metric} {value:.4f}" for metric, value in scores.items()))
    report = write_report(
        run, model, preprocessing, validation, histories[0], metrics, watch.norms, len(models)
    )
    print(f"Run written to {run}. Open {report}")


def fit(
    model: keras.Model,
    training: tf.data.Dataset,
    validation: tf.data.Dataset,
    epochs: int,
    callbacks: list[keras.callbacks.Callback],
) -> bool:
    """Train until the loss on the validation rows rises; gives whether a person interrupted it."""
    try:
        model.fit(
            training,
            shuffle=False,  # make_dataset has shuffled
            validation_data=validation,
            epochs=epochs,
            callbacks=[keras.callbacks.EarlyStopping(patience=max(8, epochs // 3)), *callbacks],
        )
    except KeyboardInterrupt:
        for callback in callbacks:
            callback.on_train_end()
        return True
    return False


def warm_up_and_cosine(peak: float, epochs: int) -> Callable[[int], float]:
    """Give each epoch its learning rate: up to the peak in a twelfth of them, then down to 0.

    Loshchilov and Hutter, https://arxiv.org/abs/1608.03983.
    """

    def learning_rate(epoch: int) -> float:
        warm_up = min(1, 12 * (epoch + 1) / epochs)
        return peak * warm_up * (1 + math.cos(math.pi * epoch / epochs)) / 2

    return learning_rate


class KeepBest(keras.callbacks.Callback):
    """Keeps a member's best epoch and its history, on disk too: a training may end at any time."""

    def __init__(self, number: int, path: Path, resume: bool) -> None:
        super().__init__()
        self.number = number
        self.path = path
        self.resumed = resume and path.is_file()
        self.history: History = []
        if self.resumed:
            self.history = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begin with the weights as they are: where training resumes, the best so far."""
        self.best = min((epoch["val_loss"] for epoch in self.history), default=float("inf"))
        self.weights = self.model.get_weights()
        self.saved = clock.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Add the epoch's numbers, take its weights where it is the best."""
        numbers = {key: float(value) for key, value in (logs or {}).items()}
        self.history.append({"member": self.number, **numbers})
        if numbers["val_loss"] < self.best:
            self.best, self.weights = numbers["val_loss"], self.model.get_weights()
        if clock.monotonic() - self.saved > 30:  # seconds
            now = self.model.get_weights()
            self.on_train_end()
            self.model.set_weights(now)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Go back to the best weights, and write them."""
        self.model.set_weights(self.weights)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.model.save(self.path)
        write_json(self.path.with_suffix(".json"), self.history)
        self.saved = clock.monotonic()


def write_json(path: Path, content: Any) -> None:
    """Write JSON for people."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def draw_curves(histories: list[History], path: Path) -> None:
    """Draw each measure over the epochs, a line for each member; dashed on validation rows."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    skip = ("val_", "learning_rate", "member")
    names = [name for name in (histories[0] or [{}])[-1] if not name.startswith(skip)]
    names.sort(key=lambda name: (name != "loss", name))
    rows = max(1, len(names))
    figure, panels = pyplot.subplots(rows, 1, figsize=(7, 2.6 * rows), squeeze=False, sharex=True)
    for panel, name in zip(panels[:, 0], names, strict=False):
        for history in histories:
            epochs = range(1, len(history) + 1)
            (training,) = panel.plot(epochs, [epoch[name] for epoch in history], "C0")
            values = [epoch[f"val_{name}"] for epoch in history]
            (validation,) = panel.plot(epochs, values, "C1--")
        panel.legend([training, validation], ["training", "validation"])
        panel.set_ylabel(name.replace("_", " "))
        panel.grid(alpha=0.3)
    panels[-1, 0].set_xlabel("epoch")
    panels[-1, 0].xaxis.get_major_locator().set_params(integer=True)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
