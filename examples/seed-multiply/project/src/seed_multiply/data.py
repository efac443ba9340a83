"""The data: how each column of the manifest becomes a tensor of the model.

`open_examples` reads raw values, `Preprocessing` makes them tensors, `make_dataset` batches.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf

from seed_multiply.arrays import open_arrays
from seed_multiply.manifest import DataError, Examples, open_manifest

State = dict[str, Any]  # the fitted state of one input or output, ready for JSON
TRUE_WORDS = ["true", "1", "yes", "y", "t"]

INPUTS = [
    "vector_1",
    "vector_2",
]
OUTPUTS = [
    "label",
]


def numbered(name: str, count: int) -> list[str]:
    """Name columns: name_0, name_1 and so on."""
    return [f"{name}_{index}" for index in range(count)]


# vector_1: 10 numbers a row

VECTOR_1_COLUMNS = numbered("vector_1", 10)


# vector_2: 10 numbers a row

VECTOR_2_COLUMNS = numbered("vector_2", 10)


# label: one of two labels


def adapt_label(labels: np.ndarray) -> State:
    """Find the two labels of label; the model gives the probability of the second."""
    found = sorted(set(labels), key=lambda label: (label.lower() in TRUE_WORDS, label))
    if len(found) != 2:
        raise DataError(f"label needs two labels, here is {found[:5]}")
    return {"labels": found, "thresholds": [0.5]}


def target_label(labels: np.ndarray, state: State) -> np.ndarray:
    """Turn the labels of label into float32 (rows, 1), 1 for the second."""
    return np.equal(labels, state["labels"][1])[:, None].astype("float32")


# From a manifest to raw values


def open_examples(path: Path, with_outputs: bool = True) -> Examples:
    """Read a manifest, and note what is wrong with its rows; without outputs to predict."""
    if path.suffix.lower() == ".npz":
        examples = open_arrays(path)
    else:
        examples = open_manifest(path)
        examples.values = {
            "vector_1": number_columns(examples, VECTOR_1_COLUMNS),
            "vector_2": number_columns(examples, VECTOR_2_COLUMNS),
        }
    if with_outputs:
        examples.values |= {
            "label": label_column(examples, "label"),
        }
    return examples


# From raw values to tensors


class Preprocessing:
    """The state fitted to the training rows, and the transforms that use it, in serving too."""

    def __init__(self, state: State) -> None:
        self.state = state

    @classmethod
    def adapt(cls, training: Examples) -> Preprocessing:
        """Fit the state to the training rows alone: other rows would leak into the metrics."""
        values = training.values
        return cls(
            {
                "vector_1": spread(values["vector_1"]),
                "vector_2": spread(values["vector_2"]),
                "label": adapt_label(values["label"]),
            }
        )

    def inputs(self, raw: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Turn a batch of raw values into the model's inputs; fails on missing or extra names."""
        if set(raw) != set(INPUTS):
            raise DataError(f"the inputs are {sorted(INPUTS)}, here are {sorted(raw)}")
        return {
            "vector_1": normalize(raw["vector_1"], self.state["vector_1"]),
            "vector_2": normalize(raw["vector_2"], self.state["vector_2"]),
        }

    def targets(self, examples: Examples) -> dict[str, np.ndarray]:
        """Turn the outputs' raw values into targets, what the loss compares predictions with."""
        values = examples.values
        return {
            "label": target_label(values["label"], self.state["label"]),
        }

    def note_unknown_labels(self, examples: Examples) -> None:
        """Note the rows with a label that no training row has: the model cannot predict it."""
        labels = examples.values["label"]
        known = self.state["label"]["labels"]
        unknown = ~np.isin(labels, known)
        examples.note(unknown, "label", "is {}, which no training row has", labels)

    def save(self, path: Path) -> None:
        """Write the fitted state as readable JSON."""
        path.write_text(json.dumps(self.state, indent=2, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Preprocessing:
        """Read what `save` wrote."""
        return cls(json.loads(path.read_text(encoding="utf-8")))


def make_dataset(
    examples: Examples,
    preprocessing: Preprocessing,
    batch_size: int,
    shuffle: bool = False,
    seed: int = 0,
    with_targets: bool = True,
) -> tf.data.Dataset:
    """Make batches of (inputs, targets), both dicts by name; only inputs without targets."""
    raw = {name: examples.values[name] for name in INPUTS}
    targets = preprocessing.targets(examples) if with_targets else {}
    dataset = tf.data.Dataset.from_tensor_slices((raw, targets))
    if shuffle:
        dataset = dataset.shuffle(len(examples), seed=seed)
    # After batching: normalizing and tokenizing many rows at once is much faster than one by one.
    dataset = dataset.batch(batch_size).map(
        lambda raw, *rest: (preprocessing.inputs(raw), *rest), num_parallel_calls=tf.data.AUTOTUNE
    )
    if not with_targets:
        dataset = dataset.map(lambda inputs, *_: inputs)
    return dataset.prefetch(tf.data.AUTOTUNE)


# How people write that there is no value; in texts and categories only an empty cell is none.
MISSING_WORDS = ["", "-", "?", "<na>", "n/a", "na", "nan", "none", "null"]


def is_missing(column: pd.Series[Any]) -> np.ndarray:
    """Find where a column has no value, (rows,)."""
    words = column.astype("string").fillna("").str.strip().str.lower()
    return words.isin(MISSING_WORDS).to_numpy(bool)


def number_columns(examples: Examples, columns: list[str]) -> np.ndarray:
    """Read number columns: float32 (rows, columns)."""
    numbers = np.empty((len(examples), len(columns)), "float32")
    for place, name in enumerate(columns):
        column = examples.column(name)
        missing = is_missing(column)
        parsed = pd.to_numeric(column.mask(missing), errors="coerce")
        with np.errstate(over="ignore"):
            numbers[:, place] = parsed.to_numpy("float64", na_value=np.nan)
        examples.note(missing, name, "is missing")
        wrong = ~missing & ~np.isfinite(numbers[:, place])
        examples.note(wrong, name, "is {}, not a number", column.to_numpy())
    return numbers


def normalize(values: tf.Tensor, state: State) -> tf.Tensor:
    """Bring values to mean 0 and standard deviation 1; what was constant in training becomes 0."""
    mean = np.array(state["mean"], dtype="float32")
    deviation = np.sqrt(state["variance"]).astype("float32")
    deviation = np.where(deviation > 1e-6 * np.abs(mean), deviation, np.float32(1))
    return (values - mean) / deviation


def spread(values: np.ndarray) -> State:
    """Compute mean and variance of each number."""
    exact = values.astype("float64")
    state = {"mean": exact.mean(axis=0), "variance": exact.var(axis=0)}
    return {name: numbers.tolist() for name, numbers in state.items()}


def text_column(examples: Examples, name: str) -> np.ndarray:
    """Read a text column: strings, (rows,); an empty cell is an empty text, 1.0 is 1, True true."""
    texts = pd.Series(examples.column(name), dtype="string").fillna("").str.strip()
    texts = texts.str.replace(r"^(-?[0-9]+)\.0+$", r"\1", regex=True)  # a column of 1 with a hole
    texts = texts.str.replace("(?i)^(true|false)$", lambda word: word[0].lower(), regex=True)
    return texts.to_numpy(object)


def label_column(examples: Examples, name: str) -> np.ndarray:
    """Read a column of labels: strings, (rows,)."""
    labels = text_column(examples, name)
    # A class may well be called none.
    missing = is_missing(examples.column(name)) & ~np.isin(labels, ["None", "none", "NONE", "-"])
    examples.note(missing, name, "is missing", target=True)
    return labels
