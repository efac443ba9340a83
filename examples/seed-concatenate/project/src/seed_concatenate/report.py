"""The report of a training, report.html: how good the model is on validation rows, and why.

`show_NAME` shows a raw value of an input, `describe_TASK` and `draw_TASK` the predictions of an
output; page.py has the parts of the page.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from seed_concatenate import TITLE, data, page
from seed_concatenate.baselines import as_good_as_network
from seed_concatenate.data import Preprocessing, State, make_dataset
from seed_concatenate.evaluate import compute_metrics, predict_batches
from seed_concatenate.manifest import Examples

BATCH = 32
MAX_ROWS = 5000  # for plots and worst predictions
MAX_SHUFFLED = 500  # rows for permutation importance
REPEATS = 5  # shuffles of each input
WORST = 12  # predictions shown for each output
BASELINES = """
<p>All validation rows. Trivial: majority class.
Boosting: scikit-learn's gradient boosting on a few numbers per input.</p>
"""
IMPORTANCE = """
<p>How much the metric loses when an input is shuffled among the rows: mean ± standard deviation of
5 shuffles. Inputs with the same information share their importance.</p>
"""


def write_report(
    run: Path,
    model: keras.Model,
    preprocessing: Preprocessing,
    examples: Examples,
    gradient_norms: list[dict[str, float]],
) -> Path:
    """Write RUN/report.html from its history, its metrics and the validation rows."""
    history = pd.read_csv(run / "history.csv")
    result = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    about = f"{len(examples):,} validation rows of {escape(examples.source.name)}"
    if len(examples) > MAX_ROWS:
        about += f", {MAX_ROWS:,} of them in the plots"
    examples = examples.take(np.random.default_rng(0).permutation(len(examples))[:MAX_ROWS])
    y_true = preprocessing.targets(examples)
    y_pred = predict_batches(model, preprocessing, examples, BATCH)
    bars = permutation_importance(model, preprocessing, examples, y_pred)
    members = history["member"].nunique()
    note = f"<p>The first of {members} members, which differ by seed alone.</p>" * (members > 1)
    history = history[history["member"] == 1]
    metrics, predictions, importance, worst = [], [], [], []
    for name in data.OUTPUTS:
        heading = f"<h3>{name}</h3>"
        values = preprocessing.state[name], y_true[name], y_pred[name]
        metrics.append(heading + metrics_table(name, result))
        predictions.append(heading + DRAW[name](*values))
        importance.append(f"{heading}<p>{MAIN_METRICS[name][0]}</p>{page.bar_chart(bars[name])}")
        worst.append(heading + worst_predictions(name, examples, *values))
    sections = {
        "Metrics": BASELINES + page.cards(metrics),
        "Learning curves": note + learning_curves(history),
        "Predictions": page.cards(predictions),
        "Permutation importance": IMPORTANCE + page.cards(importance),
        "Gradient norm per branch": note + norm_plot(gradient_norms, len(history)),
        "Worst predictions": "<p>Highest loss first.</p>" + "".join(worst),
    }
    about += f"; {model.count_params():,} parameters; {len(history)} epochs"
    path = run / "report.html"
    path.write_text(page.html(TITLE, about, sections), encoding="utf-8")
    return path


def metrics_table(output: str, result: dict[str, Any]) -> str:
    """Show the metrics of an output, and those of the baselines."""
    network, baselines = result["outputs"][output], result.get("baselines", {})
    rows = {"network": network, **{name: scores[output] for name, scores in baselines.items()}}
    table = pd.DataFrame.from_dict(rows, orient="index")
    text = table.to_html(border=0, na_rep="", float_format=lambda value: page.rounded(value, 4))
    if better := as_good_as_network(output, network, baselines):
        text += f'<p class="warning">As good as the network or better: {"; ".join(better)}.</p>'
    return text


def learning_curves(history: pd.DataFrame) -> str:
    """Plot the loss and each metric over the epochs, training against validation."""
    kept = int(history["val_loss"].argmin()) + 1
    plots = []
    for name in sorted(history, key=lambda name: (name != "loss", name)):
        if f"val_{name}" in history:
            lines = history[[name, f"val_{name}"]].set_axis(["training", "validation"], axis=1)
            lines.index = history["epoch"] + 1
            plots.append(page.line_plot(name.replace("_", " "), lines, kept=kept))
    return f"<p>Dotted: epoch {kept}, whose weights were kept.</p>" + page.cards(plots)


def permutation_importance(
    model: keras.Model,
    preprocessing: Preprocessing,
    examples: Examples,
    y_pred: dict[str, np.ndarray],
) -> dict[str, list[tuple[str, float, str]]]:
    """Compute how much each output's metric loses where an input is shuffled, a bar per input."""
    rng, rows = np.random.default_rng(0), np.arange(min(len(examples), MAX_SHUFFLED))
    y_true, state = preprocessing.targets(examples.take(rows)), preprocessing.state
    before = compute_metrics(y_true, {name: y[rows] for name, y in y_pred.items()}, state)
    bars: dict[str, list[tuple[str, float, str]]] = {output: [] for output in data.OUTPUTS}
    for name in data.INPUTS:
        shuffled = examples.take(np.tile(rows, REPEATS))
        order = np.concatenate([rng.permutation(rows) for _ in range(REPEATS)])
        shuffled.values[name] = examples.values[name][order]
        y_pred = predict_batches(model, preprocessing, shuffled, BATCH)
        after = [
            compute_metrics(y_true, {name: y[repeat] for name, y in y_pred.items()}, state)
            for repeat in np.split(np.arange(len(order)), REPEATS)
        ]
        for output, (metric, sign) in MAIN_METRICS.items():
            losses = [sign * (before[output][metric] - found[output][metric]) for found in after]
            mean, deviation = float(np.mean(losses)), float(np.std(losses))
            text = f"{page.rounded(mean, 3)} ± {page.rounded(deviation, 1)}"
            bars[output].append((name, mean, text))
    return {output: sorted(bars[output], key=lambda bar: -bar[1]) for output in data.OUTPUTS}


def norm_plot(norms: list[dict[str, float]], epochs: int) -> str:
    """Plot the gradient norm of each branch over the epochs, and warn where one vanishes."""
    table = pd.DataFrame(norms)
    if table.empty:
        return "<p>No gradients: no branch has weights of its own, or no epoch was finished.</p>"
    table.index += epochs - len(table) + 1  # a resumed training lacks the epochs before
    recent = table.tail(3).mean()
    warnings = [
        f'<p class="warning"><b>{name}</b> learns little: in the last epochs its gradient is under'
        f" 1% of that of {recent.idxmax()}. Check how it is read, scaled and merged.</p>"
        for name in recent.index[recent <= 0.01 * recent.max()]
    ]
    return "".join(warnings) + page.cards([page.line_plot("gradient norm", table, log=True)])


def worst_predictions(
    output: str, examples: Examples, state: State, y_true: np.ndarray, y_pred: np.ndarray
) -> str:
    """Show the rows with the highest loss: actual and predicted value, and all inputs."""
    losses = np.asarray(LOSSES[output](y_true, y_pred))
    rows = []
    for row in np.argsort(-losses, kind="stable")[:WORST]:
        actual, predicted = map(page.readable, DESCRIBE[output](state, y_true[row], y_pred[row]))
        text = f"row {examples.frame.index[row]}"
        text += f"<p>predicted <b>{predicted}</b><br>actual <b>{actual}</b></p>"
        for name in data.INPUTS:
            text += f"<h4>{name}</h4>{SHOW[name](examples.values[name][row])}"
        rows.append(text)
    return page.cards(rows, "grid")


class WatchBranches(keras.callbacks.Callback):
    """Record the norm of the loss's gradient for each branch after every epoch."""

    def __init__(self, training: Examples, preprocessing: Preprocessing) -> None:
        super().__init__()
        few = training.take(np.linspace(0, len(training) - 1, BATCH).astype(int))
        self.inputs, self.targets = next(iter(make_dataset(few, preprocessing, BATCH)))
        self.norms: list[dict[str, float]] = []
        self.first: keras.Model | None = None  # of several members, only the first is recorded

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Add the epoch's norms."""
        self.first = self.first or self.model
        if self.model is self.first:
            norms = self.gradient_norms()
            self.norms.append({name: float(norm) for name, norm in norms.items()})

    @tf.function
    def gradient_norms(self) -> dict[str, tf.Tensor]:
        """Compute the gradient norm of each branch that has weights."""
        weights: dict[str, list[keras.Variable]] = {name: [] for name in data.INPUTS}
        for layer in self.model.layers:
            branch = layer.name.split(".")[0]
            if branch in data.INPUTS:
                weights[branch] += layer.trainable_weights
        with tf.GradientTape() as tape:
            y_pred = self.model(self.inputs, training=False)
            loss = self.model.compute_loss(y=self.targets, y_pred=y_pred, training=False)
        gradients = tape.gradient(loss, weights, unconnected_gradients="zero")
        return {name: tf.linalg.global_norm(found) for name, found in gradients.items() if found}


# How each input is shown


def show_numbers(numbers: np.ndarray) -> str:
    """Show numbers: each number with its column."""
    return page.in_columns(data.NUMBERS_COLUMNS, numbers)


def show_picture(value: str | np.ndarray) -> str:
    """Show picture: the picture, small."""
    return page.thumbnail(data.load_picture(value) if isinstance(value, str) else value)


SHOW: dict[str, Callable[[Any], str]] = {
    "numbers": show_numbers,
    "picture": show_picture,
}

# How each output is judged and shown


def describe_binary(state: State, y_true: np.ndarray, y_pred: np.ndarray) -> tuple[str, str]:
    """Write one row, actual and predicted, with its probability."""
    labels, predicted = state["labels"], int(y_pred[0] > state["thresholds"][0])
    probability = y_pred[0] if predicted else 1 - y_pred[0]
    return labels[int(y_true[0])], f"{labels[predicted]} ({probability:.0%})"


def draw_binary(state: State, y_true: np.ndarray, y_pred: np.ndarray) -> str:
    """Draw the confusion matrix and the calibration."""
    predicted = (y_pred[:, 0] > state["thresholds"][0]).astype(int)
    matrix = page.confusion_matrix(state["labels"], y_true[:, 0].astype(int), predicted)
    return matrix + page.calibration_plot(y_true[:, 0], y_pred[:, 0])


# The metric for permutation importance; -1: lower is better.
MAIN_METRICS = {
    "label": ("accuracy", 1),
}
LOSSES = {
    "label": keras.losses.get("binary_crossentropy"),
}
DESCRIBE = {
    "label": describe_binary,
}
DRAW = {
    "label": draw_binary,
}
