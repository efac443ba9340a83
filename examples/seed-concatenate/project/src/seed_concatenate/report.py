"""The report of a training, report.html: how good the model is on validation rows, and why."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.inspection import permutation_importance

from seed_concatenate import TITLE, data, page
from seed_concatenate.baselines import as_good_as_network
from seed_concatenate.data import Preprocessing, State, make_dataset
from seed_concatenate.evaluate import compute_metrics, predict_batches
from seed_concatenate.manifest import Examples

BATCH = 32
MAX_ROWS = 5000  # for plots and worst predictions
MAX_SHUFFLED = 500  # rows for permutation importance
WORST = 12  # predictions shown for each output
METRICS = """<p>All validation rows. Trivial: majority class.
Boosting: scikit-learn's, on a few numbers per input. These rows have chosen the epoch, too.</p>"""
IMPORTANCE = """<p>How much the metric loses when an input is shuffled among the rows: mean and standard
deviation of 5 shuffles. Inputs with the same information share their importance.</p>"""
MEMBER = "<p>One member of the ensemble.</p>"


def write_report(
    run: Path,
    model: keras.Model,
    preprocessing: Preprocessing,
    examples: Examples,
    gradient_norms: dict[int, dict[str, float]],
) -> None:
    """Write RUN/report.html from its history, its metrics and the validation rows."""
    history = pd.read_csv(run / "history.csv").query("member == 1")
    result = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    about = f"{len(examples):,} validation rows of {examples.source.name}, at most {MAX_ROWS:,} in"
    about += f" plots; {model.count_params():,} parameters; {len(history)} epochs"
    examples = examples.take(np.random.default_rng(0).permutation(len(examples))[:MAX_ROWS])
    y_true = preprocessing.targets(examples)
    y_pred = predict_batches(model, preprocessing, examples, BATCH)
    importance = compute_importance(model, preprocessing, examples)
    metrics, predictions, importances, worst = {}, {}, {}, ""
    for name in data.OUTPUTS:
        values = preprocessing.state[name], y_true[name], y_pred[name]
        metrics[name] = metrics_table(name, result)
        predictions[name] = DRAW[name](*values)
        importances[name] = importance_plot(name, importance[name])
        worst += f"<h3>{name}</h3>\n{worst_predictions(name, examples, *values)}\n"
    sections = {
        "Metrics": METRICS + page.cards(metrics),
        "Learning curves": MEMBER + learning_curves(history),
        "Predictions": page.cards(predictions),
        "Permutation importance": IMPORTANCE + page.cards(importances),
        "Gradient norm per branch": MEMBER + norm_plot(gradient_norms),
        "Worst predictions": "<p>Highest loss first.</p>\n" + worst,
    }
    (run / "report.html").write_text(page.html(TITLE, about, sections), encoding="utf-8")
    print(f"Open {run / 'report.html'}")


def metrics_table(output: str, result: dict[str, Any]) -> str:
    """Show the metrics of an output, and those of the baselines."""
    rows = {"network": result["outputs"], **result.get("baselines", {})}
    table = pd.DataFrame.from_dict({name: rows[name][output] for name in rows}, orient="index")
    text = table.to_html(border=0, na_rep="", float_format=lambda value: page.rounded(value, 4))
    if better := as_good_as_network(output, result):
        text += f'<p class="warning">As good as the network or better: {"; ".join(better)}.</p>'
    return text


def learning_curves(history: pd.DataFrame) -> str:
    """Plot the loss and each metric over the epochs, training against validation."""
    kept = int(history["val_loss"].argmin()) + 1
    text = f"<p>Dotted: epoch {kept}, whose weights were kept.</p>\n"
    for name in sorted(history, key=lambda name: name != "loss"):
        if f"val_{name}" in history:
            lines = history[[name, f"val_{name}"]].set_axis(["training", "validation"], axis=1)
            axes = page.line_plot(name, lines.set_axis(history["epoch"] + 1))
            axes.axvline(kept, color="gray", linestyle=":")
            text += page.plot(axes)
    return text


def compute_importance(
    model: keras.Model, preprocessing: Preprocessing, examples: Examples
) -> dict[str, Any]:
    """Compute how much each output's metric loses where an input is shuffled."""
    few = examples.take(slice(MAX_SHUFFLED))
    y_true = preprocessing.targets(few)
    inputs = next(iter(make_dataset(few, preprocessing, len(few), with_targets=False)))

    def score(_model: keras.Model, order: pd.DataFrame, _y: None) -> dict[str, float]:
        """Score rows whose inputs are those of other rows: `order` has these, by input."""
        shuffled = {name: tf.gather(inputs[name], order[name]) for name in data.INPUTS}
        y_pred = model.predict(shuffled, BATCH, verbose=0)
        found = compute_metrics(y_true, y_pred, preprocessing.state)
        return {name: sign * found[name][metric] for name, (metric, sign) in MAIN_METRICS.items()}

    order = pd.DataFrame({name: np.arange(len(few)) for name in data.INPUTS})
    return permutation_importance(model, order, None, scoring=score, n_repeats=5, random_state=0)


def importance_plot(output: str, importance: Any) -> str:
    """Plot the importance of each input for an output, as scikit-learn gives it."""
    columns = {"mean": importance.importances_mean, "std": importance.importances_std}
    table = pd.DataFrame(columns, data.INPUTS).sort_values("mean")
    axes, title = page.new_axes(1 + len(table) / 3), f"loss of {MAIN_METRICS[output][0]}"
    return page.plot(table["mean"].plot.barh(ax=axes, xerr=table["std"], title=title))


def norm_plot(norms: dict[int, dict[str, float]]) -> str:
    """Plot the gradient norm of each branch over the epochs, and warn where one vanishes."""
    table = pd.DataFrame.from_dict(norms, orient="index")
    if table.empty:
        return "<p>No gradients: no branch has weights of its own, or no epoch was finished.</p>"
    recent = table.tail(3).mean()
    warnings = [
        f'<p class="warning"><b>{name}</b> learns little: in the last epochs its gradient is under'
        f" 1% of that of {recent.idxmax()}. Check how it is read, scaled and merged.</p>"
        for name in recent.index[recent <= 0.01 * recent.max()]
    ]
    return "".join(warnings) + page.plot(page.line_plot("gradient norm", table, log=True))


def worst_predictions(
    output: str, examples: Examples, state: State, y_true: np.ndarray, y_pred: np.ndarray
) -> str:
    """Show the rows with the highest loss: actual and predicted value, and all inputs."""
    losses = np.asarray(LOSSES[output](y_true, y_pred))
    rows = {}
    for row in np.argsort(-losses, kind="stable")[:WORST]:
        actual, predicted = map(page.readable, DESCRIBE[output](state, y_true[row], y_pred[row]))
        text = f"<p>predicted <b>{predicted}</b><br>actual <b>{actual}</b></p>"
        for name in data.INPUTS:
            text += f"\n<h4>{name}</h4>\n{SHOW[name](examples.values[name][row])}"
        rows[f"row {examples.frame.index[row]}"] = text
    return page.cards(rows)


class WatchBranches(keras.callbacks.Callback):
    """Record the norm of the loss's gradient for each branch after every epoch."""

    def __init__(self, training: Examples, preprocessing: Preprocessing) -> None:
        super().__init__()
        few = training.take(np.linspace(0, len(training) - 1, BATCH).astype(int))
        self.inputs, self.targets = next(iter(make_dataset(few, preprocessing, BATCH)))
        self.norms: dict[int, dict[str, float]] = {}  # by epoch, from 1
        self.first: keras.Model | None = None  # of several members, only the first is recorded

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Add the epoch's norms."""
        self.first = self.first or self.model
        if self.model is self.first:
            self.norms[epoch + 1] = {name: float(x) for name, x in self.gradient_norms().items()}

    @tf.function
    def gradient_norms(self) -> dict[str, tf.Tensor]:
        """Compute the gradient norm of each branch that has weights."""
        weights: dict[str, list[keras.Variable]] = {name: [] for name in data.INPUTS}
        for layer in self.model.layers:
            if (branch := layer.name.split(".")[0]) in weights:
                weights[branch] += layer.trainable_weights
        with tf.GradientTape() as tape:
            y_pred = self.model(self.inputs, training=False)
            loss = self.model.compute_loss(y=self.targets, y_pred=y_pred, training=False)
        gradients = tape.gradient(loss, weights, unconnected_gradients="zero")
        return {name: tf.linalg.global_norm(found) for name, found in gradients.items() if found}


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


# How each input is shown.
SHOW: dict[str, Callable[[Any], str]] = {
    "numbers": partial(page.in_columns, data.NUMBERS_COLUMNS),
    "picture": partial(page.thumbnail, data.load_picture),
}
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
