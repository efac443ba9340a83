"""The report of a training: report.html, the page to open first.

It looks at validation rows, which the model was not trained on. How each input is shown and
each output is judged stands below; what a page is made of, in page.py.
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

from seed_two_lstms import TITLE, data
from seed_two_lstms.data import (
    INPUTS,
    OUTPUTS,
    Preprocessing,
    State,
    make_dataset,
)
from seed_two_lstms.evaluate import predict_batches
from seed_two_lstms.manifest import Examples
from seed_two_lstms.page import (
    bar_chart,
    cards,
    confusion_matrix,
    epoch_plot,
    page,
    rounded,
    section,
    sparkline,
)

BATCH = 32
MOST_ROWS = 5000  # that are looked at
MOST_SHUFFLED = 1000  # rows in which an input is shuffled
MOST_WRONG = 12  # examples of each output


def write_report(
    run: Path,
    model: keras.Model,
    preprocessing: Preprocessing,
    examples: Examples,
    gradient_norms: list[dict[str, float]],
) -> Path:
    """Write RUN/report.html from its history, its metrics and the examples of the validation split.

    Learning curves and norms are the first member's where there are several; the page says so.
    """
    table = pd.read_csv(run / "history.csv")
    members = table["member"].nunique() if "member" in table else 1
    history = table[table["member"] == 1] if "member" in table else table
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))["outputs"]
    about = f"{len(examples):,} validation rows of {escape(examples.source.name)}"
    if len(examples) > MOST_ROWS:
        about += f", the pictures from {MOST_ROWS:,} of them"
    examples = examples.take(np.random.default_rng(0).permutation(len(examples))[:MOST_ROWS])
    truth = preprocessing.targets(examples)
    predicted = predict_batches(model, preprocessing, examples, BATCH)
    added = permutation_importance(model, preprocessing, examples, truth, predicted)

    verdicts, pictures, additions, worst = [], [], [], []
    for name in OUTPUTS:
        true, said, state = truth[name], predicted[name], preprocessing.state[name]
        heading = f"<h3>{name}</h3>"
        verdicts.append(heading + verdict(name, metrics[name], state, true, said))
        pictures.append(heading + DRAW[name](state, true, said))
        additions.append(f"<h3>{name}: {MAIN_METRICS[name]}</h3>" + bar_chart(added[name]))
        worst.append(heading + worst_examples(name, state, examples, true, said))
    trained, first = f"{len(history)} epochs", ""
    if members > 1:
        trained = f"{members} members, the first for {trained}"
        first = f"<p>Of the first of {members} members, which differ by seed alone.</p>"
    text = page(
        TITLE,
        f"<p>{about}, {model.count_params():,} weights, {trained}</p>",
        section("Metrics", cards(verdicts)),
        section("Learning curves", first, *curves(history)),
        section("Predictions", cards(pictures, "flow")),
        section("Permutation importance", IMPORTANCE, cards(additions)),
        section("Gradient norm per branch", first, *branches(gradient_norms, len(history))),
        section("Worst predictions", *worst),
    )
    path = run / "report.html"
    path.write_text(text, encoding="utf-8")
    return path


def verdict(
    name: str, scores: dict[str, float], state: State, truth: np.ndarray, predicted: np.ndarray
) -> str:
    """Say how good an output is, and whether one answer for all rows would do as well."""
    numbers = ", ".join(f"{metric} <b>{rounded(value, 4)}</b>" for metric, value in scores.items())
    mistakes = MISTAKES[name](state, truth, predicted).mean()
    answers = [np.broadcast_to(answer, predicted.shape) for answer in predicted[:50]]
    unmoved = min(MISTAKES[name](state, truth, answer).mean() for answer in answers)
    if mistakes >= 0.95 * unmoved:
        return f'<p>{numbers}</p><p class="bad">No better than one answer for all rows.</p>'
    share = mistakes / unmoved
    return f"<p>{numbers}</p><p>{share:.0%} of the mistakes that one answer for all rows makes.</p>"


def curves(history: pd.DataFrame) -> list[str]:
    """Draw each measure over the epochs, training against validation."""
    kept = int(history["val_loss"].argmin()) + 1
    names = [name for name in history if f"val_{name}" in history]
    pictures = [
        epoch_plot(
            name.replace("_", " "),
            {
                "training": history[name].tolist(),
                "validation": history[f"val_{name}"].tolist(),
            },
            kept=kept,
        )
        for name in sorted(names, key=lambda name: (name != "loss", name))
    ]
    return [f"<p>The weights of epoch {kept} were kept.</p>", cards(pictures)]


IMPORTANCE = """<p>How much the metric loses where the values of one input are shuffled among the rows, and
the standard error. Inputs that carry the same information share their importance.</p>"""


def permutation_importance(
    model: keras.Model,
    preprocessing: Preprocessing,
    examples: Examples,
    truth: dict[str, np.ndarray],
    predicted: dict[str, np.ndarray],
) -> dict[str, list[tuple[str, float, str]]]:
    """Shuffle each input among the rows: for each output a bar for each input, longest first."""
    rng = np.random.default_rng(0)
    rows = np.resize(np.arange(len(examples)), min(5 * len(examples), MOST_SHUFFLED))
    bars: dict[str, list[tuple[str, float, str]]] = {output: [] for output in OUTPUTS}
    for name in INPUTS:
        few = examples.take(rows)  # where there are few, each several times, always with another's
        few.values[name] = few.values[name][rng.permutation(len(rows))]
        shuffled = predict_batches(model, preprocessing, few, BATCH)
        for output in OUTPUTS:
            mistakes, state = MISTAKES[output], preprocessing.state[output]
            before = mistakes(state, truth[output], predicted[output])[rows]
            more = mistakes(state, truth[output][rows], shuffled[output]) - before
            error = more.std() / min(len(examples), len(rows)) ** 0.5
            words = f"{rounded(more.mean(), 3)} ± {rounded(error, 1)}"
            bars[output].append((name, float(more.mean()), words))
    return {output: sorted(bars[output], key=lambda bar: -bar[1]) for output in OUTPUTS}


def branches(norms: list[dict[str, float]], epochs: int) -> list[str]:
    """Draw the gradient of each branch over the epochs, and name the branches that sleep."""
    if not norms or not norms[-1]:
        return ["<p>No gradients: no branch has weights of its own, or no epoch was finished.</p>"]
    lines = {name: [epoch[name] for epoch in norms] for name in norms[-1]}
    recent = {name: float(np.mean(values[-3:])) for name, values in lines.items()}
    most = max(recent, key=recent.__getitem__)
    said = [
        f'<p class="bad"><b>{name}</b> sleeps: in the last epochs its gradient is under 1% of that'
        f" of {most}. Is it scaled, read and merged as it should be?</p>"
        for name, norm in recent.items()
        if norm <= 0.01 * recent[most]
    ]
    first = epochs - len(norms) + 1  # a resumed training has not seen the epochs before
    picture = epoch_plot("gradient norm of each branch", lines, first=first, log=True)
    return [*(said or ["<p>No branch sleeps.</p>"]), cards([picture], "flow")]


def worst_examples(
    name: str, state: State, examples: Examples, truth: np.ndarray, predicted: np.ndarray
) -> str:
    """Show the examples with the highest loss and what their inputs are."""
    losses = np.asarray(LOSSES[name](truth, predicted))
    found = []
    for row in np.argsort(-losses, kind="stable")[:MOST_WRONG]:
        true, said = WORDS[name](state, truth[row], predicted[row])
        words = f"said <b>{escape(said)}</b><br>truth <b>{escape(true)}</b>"
        values = {name: SHOW[name](examples.values[name][row]) for name in INPUTS}
        shown = "".join(f"<h4>{name}</h4>{value}" for name, value in values.items())
        found.append(f"row {examples.rows[row]}<p>{words}</p>{shown}")
    order = "The highest loss first: what is wrong, then what is right but unsure."
    return f"<p>{order} The truth may be wrong too.</p>" + cards(found)


class WatchBranches(keras.callbacks.Callback):
    """Notes the norm of the loss's gradient for each branch after every epoch."""

    def __init__(self, training: Examples, preprocessing: Preprocessing) -> None:
        super().__init__()
        few = training.take(np.linspace(0, len(training) - 1, BATCH).astype(int))
        self.inputs, self.targets = next(iter(make_dataset(few, preprocessing, BATCH)))
        self.norms: list[dict[str, float]] = []
        self.first: keras.Model | None = None  # of several members that are watched

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Add the epoch's norms."""
        self.first = self.first or self.model
        if self.model is self.first:
            norms = self.gradient_norms()
            self.norms.append({name: float(norm) for name, norm in norms.items()})

    @tf.function
    def gradient_norms(self) -> dict[str, tf.Tensor]:
        """Compute the norm of the gradient of each branch that has weights."""
        weights: dict[str, list[keras.Variable]] = {name: [] for name in INPUTS}
        for layer in self.model.layers:
            branch = layer.name.split(".")[0]
            if branch in INPUTS:
                weights[branch] += layer.trainable_weights
        with tf.GradientTape() as tape:
            predicted = self.model(self.inputs, training=False)
            loss = self.model.compute_loss(y=self.targets, y_pred=predicted, training=False)
        gradients = tape.gradient(loss, weights, unconnected_gradients="zero")
        return {name: tf.linalg.global_norm(found) for name, found in gradients.items() if found}


# How one raw value of each input is shown


def show_sequence_1(series: str | np.ndarray) -> str:
    """Show sequence_1: the series, a line for each value."""
    if isinstance(series, str):
        series = data.series_file(series, 5)
    return sparkline(series)


def show_sequence_2(series: str | np.ndarray) -> str:
    """Show sequence_2: the series, a line for each value."""
    if isinstance(series, str):
        series = data.series_file(series, 3)
    return sparkline(series)


SHOW: dict[str, Callable[[Any], str]] = {
    "sequence_1": show_sequence_1,
    "sequence_2": show_sequence_2,
}

# Each output: where it is wrong, in words for one row, as a picture for all


def mistakes_label(state: State, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """Mark the rows whose label is wrong, (rows,)."""
    return ((y_pred > state["thresholds"][0]) != y_true)[:, 0].astype(float)


def words_label(state: State, y_true: np.ndarray, y_pred: np.ndarray) -> tuple[str, str]:
    """Write one label, actual and predicted, with its probability."""
    labels, second = state["labels"], float(y_pred[0])
    predicted = labels[int(second > state["thresholds"][0])]
    # Of the predicted label, not always of the second label.
    probability = second if predicted == labels[1] else 1 - second
    return labels[int(y_true[0])], f"{predicted} ({probability:.0%})"


def draw_label(state: State, y_true: np.ndarray, y_pred: np.ndarray) -> str:
    """Draw the confusion matrix of label."""
    predicted = (y_pred[:, 0] > state["thresholds"][0]).astype(int)
    return confusion_matrix(state["labels"], y_true[:, 0].astype(int), predicted)


MAIN_METRICS = {
    "label": "accuracy",
}
LOSSES = {
    "label": keras.losses.get("binary_crossentropy"),
}
MISTAKES = {
    "label": mistakes_label,
}
WORDS = {
    "label": words_label,
}
DRAW = {
    "label": draw_label,
}
