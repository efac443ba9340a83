"""The data: how each column of the manifest becomes a tensor of the model.

`open_examples` reads raw values, `Preprocessing` makes them tensors, `make_dataset` batches.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf

from seed_two_lstms.arrays import open_arrays
from seed_two_lstms.manifest import DataError, Examples, open_manifest
from seed_two_lstms.model import PADDED_STEP

State = dict[str, Any]  # the fitted state of one input or output, ready for JSON
TRUE_WORDS = ["true", "1", "yes", "y", "t"]

INPUTS = [
    "sequence_1",
    "sequence_2",
]
OUTPUTS = [
    "label",
]


# sequence_1: a series, up to 10 steps of 5 values


def load_sequence_1(path: tf.Tensor) -> tf.Tensor:
    """Load one series of sequence_1: float32 (steps, 5)."""
    series = tf.numpy_function(series_file, [path, 5], tf.float32)
    return tf.ensure_shape(series, (None, 5))


def check_sequence_1(path: str) -> None:
    """Read one series of sequence_1; fails where it is broken."""
    series_file(path, 5)


def pad_sequence_1(series: tf.Tensor) -> tf.Tensor:
    """Keep the last 10 steps of sequence_1; a shorter series gets NaN steps at its end."""
    series = series[~tf.reduce_all(tf.math.is_nan(series), axis=1)]  # as a client pads it
    series = series[-10:]
    missing = 10 - tf.shape(series)[0]
    # NaN, as no value of sequence_1 is: Preprocessing tells padding by it.
    series = tf.pad(series, [[0, missing], [0, 0]], constant_values=float("nan"))
    return tf.ensure_shape(series, (10, 5))


def adapt_sequence_1(values: np.ndarray) -> State:
    """Compute the mean and the variance of each value of sequence_1 over all steps."""
    if values.ndim == 3:  # of an .npz
        return moments(values)
    return moments(series_file(path, 5) for path in values)


# sequence_2: a series, up to 15 steps of 3 values


def load_sequence_2(path: tf.Tensor) -> tf.Tensor:
    """Load one series of sequence_2: float32 (steps, 3)."""
    series = tf.numpy_function(series_file, [path, 3], tf.float32)
    return tf.ensure_shape(series, (None, 3))


def check_sequence_2(path: str) -> None:
    """Read one series of sequence_2; fails where it is broken."""
    series_file(path, 3)


def pad_sequence_2(series: tf.Tensor) -> tf.Tensor:
    """Keep the last 15 steps of sequence_2; a shorter series gets NaN steps at its end."""
    series = series[~tf.reduce_all(tf.math.is_nan(series), axis=1)]  # as a client pads it
    series = series[-15:]
    missing = 15 - tf.shape(series)[0]
    # NaN, as no value of sequence_2 is: Preprocessing tells padding by it.
    series = tf.pad(series, [[0, missing], [0, 0]], constant_values=float("nan"))
    return tf.ensure_shape(series, (15, 3))


def adapt_sequence_2(values: np.ndarray) -> State:
    """Compute the mean and the variance of each value of sequence_2 over all steps."""
    if values.ndim == 3:  # of an .npz
        return moments(values)
    return moments(series_file(path, 3) for path in values)


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


def open_examples(path: Path, with_outputs: bool = True, outside: bool = False) -> Examples:
    """Read a manifest, and note what is wrong with its rows; without outputs to predict."""
    if path.suffix.lower() == ".npz":
        examples = open_arrays(path)
    else:
        examples = open_manifest(path, outside)
        examples.values = {
            "sequence_1": file_column(examples, "sequence_1"),
            "sequence_2": file_column(examples, "sequence_2"),
        }
        note_broken_files(examples)
    if with_outputs:
        examples.values |= {
            "label": label_column(examples, "label"),
        }
    return examples


def fetch_files(raw: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Load the files of one row; arrays of an .npz are there already."""
    loaded = dict(raw)
    if raw["sequence_1"].dtype == tf.string:
        loaded["sequence_1"] = load_sequence_1(raw["sequence_1"])
    loaded["sequence_1"] = pad_sequence_1(loaded["sequence_1"])
    if raw["sequence_2"].dtype == tf.string:
        loaded["sequence_2"] = load_sequence_2(raw["sequence_2"])
    loaded["sequence_2"] = pad_sequence_2(loaded["sequence_2"])
    return loaded


def note_broken_files(examples: Examples) -> None:
    """Load every file once, on all cores, and note each that is broken: before training begins."""
    checks = {
        "sequence_1": check_sequence_1,
        "sequence_2": check_sequence_2,
    }
    for name, check in checks.items():
        with ThreadPoolExecutor() as pool:
            damage = list(pool.map(partial(find_damage, check), examples.values[name]))
        examples.note(np.array(damage) != "", name, "cannot be read: {}", damage)


def find_damage(check: Any, path: str) -> str:
    """Name a file and what is wrong with it; an empty text where all is well, or no file."""
    try:
        if path:
            check(path)
    except Exception as error:  # decoders fail in many ways
        known = isinstance(error, DataError)
        return f"{path}: {error if known else 'it is damaged, too large or of no known kind'}"
    return ""


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
                "sequence_1": adapt_sequence_1(values["sequence_1"]),
                "sequence_2": adapt_sequence_2(values["sequence_2"]),
                "label": adapt_label(values["label"]),
            }
        )

    def inputs(self, raw: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Turn a batch of raw values into the model's inputs; fails on missing or extra names."""
        if set(raw) != set(INPUTS):
            raise DataError(f"the inputs are {sorted(INPUTS)}, here are {sorted(raw)}")
        return {
            "sequence_1": mark_padding(raw["sequence_1"], self.state["sequence_1"]),
            "sequence_2": mark_padding(raw["sequence_2"], self.state["sequence_2"]),
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
    dataset = dataset.map(
        lambda raw, *rest: (fetch_files(raw), *rest), num_parallel_calls=tf.data.AUTOTUNE
    )
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


def text_column(examples: Examples, name: str) -> np.ndarray:
    """Read a text column: strings, (rows,); an empty cell is an empty text, 1.0 is 1, True true."""
    texts = pd.Series(examples.column(name), dtype="string").fillna("").str.strip()
    texts = texts.str.replace(r"^(-?[0-9]+)\.0+$", r"\1", regex=True)  # a column of 1 with a hole
    texts = texts.str.replace("(?i)^(true|false)$", lambda word: word[0].lower(), regex=True)
    return texts.to_numpy(object)


def file_column(examples: Examples, name: str) -> np.ndarray:
    """Read a column of paths, relative to the manifest: full paths, (rows,); empty where there is no file."""
    folder = os.path.abspath(examples.source.parent)
    texts, missing = text_column(examples, name), is_missing(examples.column(name))
    paths = np.array([os.path.normpath(os.path.join(folder, text)) for text in texts], object)
    inside = np.array([path.startswith(folder + os.sep) for path in paths])
    away = ~missing & ~inside & (not examples.outside)
    lost = ~missing & ~away & ~np.array([os.path.isfile(path) for path in paths])
    examples.note(away, name, "is {}, outside the manifest's folder; --outside follows it", texts)
    examples.note(missing, name, "is missing")
    examples.note(lost, name, "is {}, and there is no such file", texts)
    return np.where(missing | away | lost, "", paths)


def normalize(values: tf.Tensor, state: State) -> tf.Tensor:
    """Bring values to mean 0 and standard deviation 1; what was constant in training becomes 0."""
    mean = np.array(state["mean"], dtype="float32")
    deviation = np.sqrt(state["variance"]).astype("float32")
    deviation = np.where(deviation > 1e-6 * np.abs(mean), deviation, np.float32(1))
    return (values - mean) / deviation


ONE_HEADER = Lock()  # np.load parses it; before Python 3.11.8 two threads cannot do so at once


def series_file(path: str | bytes | np.ndarray, values: int) -> np.ndarray:
    """Read a .npy or .csv file: float32 (steps, values)."""
    file = Path(os.fsdecode(np.asarray(path).item()))  # TensorFlow hands over bytes or an array
    if file.suffix == ".npy":
        try:
            with ONE_HEADER:
                series = np.load(file, allow_pickle=False)
        except EOFError:
            raise DataError("it is empty") from None
    else:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
        header = any(character.isalpha() for character in "".join(lines[:1]))
        series = np.loadtxt(lines[1:] if header else lines, delimiter=",", ndmin=2)
    if series.ndim == 1 and values == 1:
        series = series[:, None]
    if series.ndim != 2 or series.shape[1] != values or len(series) == 0:
        raise DataError(f"its shape is {series.shape}, not (steps, {values})")
    if not np.isfinite(series).all():
        raise DataError("a value is not a finite number")
    return series.astype("float32")


def moments(series: Iterable[np.ndarray]) -> State:
    """Compute mean and variance of each value over all steps, without holding all series."""
    count, total, squares = 0, np.zeros(1), np.zeros(1)
    for one in series:
        steps = one[np.isfinite(one).all(axis=1)].astype("float64")
        count += len(steps)
        total = total + steps.sum(axis=0)
        squares = squares + (steps**2).sum(axis=0)
    mean = total / count
    return {"mean": mean.tolist(), "variance": np.maximum(squares / count - mean**2, 0).tolist()}


def mark_padding(series: tf.Tensor, state: State) -> tf.Tensor:
    """Normalize, and mark padding, steps of NaN, with the value that the model masks."""
    return tf.where(tf.math.is_nan(series), PADDED_STEP, normalize(series, state))


def label_column(examples: Examples, name: str) -> np.ndarray:
    """Read a column of labels: strings, (rows,)."""
    labels = text_column(examples, name)
    # A class may well be called none.
    missing = is_missing(examples.column(name)) & ~np.isin(labels, ["None", "none", "NONE", "-"])
    examples.note(missing, name, "is missing", target=True)
    return labels
