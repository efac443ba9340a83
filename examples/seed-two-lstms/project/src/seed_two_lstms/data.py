"""The data: how each column of the manifest becomes a tensor of the model.

For each input: what is read from the manifest, what is fitted to the training rows, and how raw
values become tensors. `Preprocessing` ties them together, `make_dataset` makes batches.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np
import tensorflow as tf

from seed_two_lstms.manifest import (
    TRUE_WORDS,
    DataError,
    Examples,
    Problem,
    Table,
    file_column,
    label_column,
    open_table,
    split_column,
)
from seed_two_lstms.model import PADDED_STEP

State = dict[str, Any]  # the fitted state of one input or output, ready for JSON

INPUTS = [
    "sequence_1",
    "sequence_2",
]
OUTPUTS = [
    "label",
]


# sequence_1: a series, up to 10 steps of 5 values


def read_sequence_1(table: Table) -> np.ndarray:
    """Read sequence_1: the paths of the series, (rows,)."""
    return file_column(table, "sequence_1")


def load_sequence_1(path: tf.Tensor) -> tf.Tensor:
    """Load one series of sequence_1: float32 (steps, 5)."""
    series = tf.numpy_function(series_file, [path, 5], tf.float32)
    return tf.ensure_shape(series, (None, 5))


def pad_sequence_1(series: tf.Tensor) -> tf.Tensor:
    """Keep the last 10 steps of sequence_1; a shorter series gets NaN steps at its end."""
    series = series[-10:]
    missing = 10 - tf.shape(series)[0]
    # NaN, as no value of sequence_1 is: Preprocessing tells padding by it.
    series = tf.pad(series, [[0, missing], [0, 0]], constant_values=float("nan"))
    return tf.ensure_shape(series, (10, 5))


def adapt_sequence_1(values: np.ndarray) -> State:
    """Compute the mean and the variance of each value of sequence_1 over all steps."""
    series = values if values.ndim == 3 else [series_file(path, 5) for path in values]
    return moments(series)


def transform_sequence_1(series: tf.Tensor, state: State) -> tf.Tensor:
    """Normalize sequence_1, and mark its padded steps: (batch, 10, 5)."""
    return mark_padding(series, state)


# sequence_2: a series, up to 15 steps of 3 values


def read_sequence_2(table: Table) -> np.ndarray:
    """Read sequence_2: the paths of the series, (rows,)."""
    return file_column(table, "sequence_2")


def load_sequence_2(path: tf.Tensor) -> tf.Tensor:
    """Load one series of sequence_2: float32 (steps, 3)."""
    series = tf.numpy_function(series_file, [path, 3], tf.float32)
    return tf.ensure_shape(series, (None, 3))


def pad_sequence_2(series: tf.Tensor) -> tf.Tensor:
    """Keep the last 15 steps of sequence_2; a shorter series gets NaN steps at its end."""
    series = series[-15:]
    missing = 15 - tf.shape(series)[0]
    # NaN, as no value of sequence_2 is: Preprocessing tells padding by it.
    series = tf.pad(series, [[0, missing], [0, 0]], constant_values=float("nan"))
    return tf.ensure_shape(series, (15, 3))


def adapt_sequence_2(values: np.ndarray) -> State:
    """Compute the mean and the variance of each value of sequence_2 over all steps."""
    series = values if values.ndim == 3 else [series_file(path, 3) for path in values]
    return moments(series)


def transform_sequence_2(series: tf.Tensor, state: State) -> tf.Tensor:
    """Normalize sequence_2, and mark its padded steps: (batch, 15, 3)."""
    return mark_padding(series, state)


# label: one of two labels


def read_label(table: Table) -> np.ndarray:
    """Read label: labels, (rows,)."""
    return label_column(table, "label")


def adapt_label(labels: np.ndarray) -> State:
    """Find the two labels of label; the model gives the probability of the second."""
    found = sorted(set(labels), key=lambda label: (label.lower() in TRUE_WORDS, label))
    if len(found) != 2:
        raise DataError(f"label needs two labels, here is {found[:5]}")
    return {"labels": found, "thresholds": [0.5]}


def target_label(examples: Examples, state: State) -> np.ndarray:
    """Turn the labels of label into float32 (rows, 1), 1 for the second."""
    indices = label_indices(examples, "label", state["labels"])
    return indices.astype("float32")[:, None]


# From a manifest to raw values


def open_examples(
    path: Path,
    with_outputs: bool = True,
    *,
    outside: bool = False,
    others: Sequence[str] = (),
) -> Examples:
    """Read a manifest, and note what is wrong with its rows; `others` are columns to split by.

    Without outputs where the targets are not known, to predict.
    """
    if path.suffix == ".npz":
        return open_arrays(path, with_outputs, others)
    table = open_table(path, outside)
    values = {
        "sequence_1": read_sequence_1(table),
        "sequence_2": read_sequence_2(table),
    }
    if with_outputs:
        values |= {
            "label": read_label(table),
        }
    return Examples(
        path,
        np.arange(1, len(table) + 1),
        split_column(table),
        values,
        {name: table.column(name).to_numpy(object) for name in others},
        table.problems,
    )


# What the arrays of an .npz look like beyond their first axis; None is any size.
ARRAY_SHAPES: dict[str, tuple[int | None, ...]] = {
    "sequence_1": (None, 5),
    "sequence_2": (None, 3),
    "label": (),
}
TEXTS = [
    "label",  # binary
]
STRATA = "label"  # its classes have equal shares in all splits


def open_arrays(path: Path, with_outputs: bool, others: Sequence[str]) -> Examples:
    """Read an .npz with one array for each input and output name."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError, TypeError, BadZipFile):
        raise DataError(f"{path}: cannot be read as arrays; np.savez writes such a file") from None
    values = {}
    for name in INPUTS + (OUTPUTS if with_outputs else []):
        array, wanted = array_of(arrays, name, path), ARRAY_SHAPES[name]
        if array.shape[1:] == () and wanted == (1,):
            array = array[:, None]
        fits = len(array.shape) == len(wanted) + 1 and all(
            size in (None, given) for size, given in zip(wanted, array.shape[1:], strict=True)
        )
        if not fits:
            raise DataError(f"{path}: {name} has the shape {array.shape}, not (rows, *{wanted})")
        if name in TEXTS:
            values[name] = array.astype(str).astype(object)
        else:
            values[name] = array if array.dtype == "uint8" else array.astype("float32")
    counts = {len(array) for array in values.values()}
    if len(counts) != 1 or 0 in counts:
        raise DataError(f"{path}: the arrays must have the same number of rows, at least one")
    rows = counts.pop()
    return Examples(
        path,
        np.arange(1, rows + 1),
        arrays.get("split", np.full(rows, "")).astype(object),
        values,
        {name: array_of(arrays, name, path) for name in others},
        array_problems(values),
    )


def array_of(arrays: dict[str, np.ndarray], name: str, path: Path) -> np.ndarray:
    """Get one array; fails where the file lacks it."""
    if name not in arrays:
        raise DataError(f"{path}: no array {name!r}; it has {', '.join(arrays)}")
    return arrays[name]


def array_problems(values: dict[str, np.ndarray]) -> list[Problem]:
    """Note the rows of arrays that hold what is no number; series are padded with NaN."""
    problems = []
    for name, array in values.items():
        if array.dtype != "float32" or None in ARRAY_SHAPES[name]:
            continue
        flat = array.reshape(len(array), -1)
        good = np.isfinite(flat)
        for index in np.flatnonzero(~good.all(axis=1)):
            text = f"{name} has a value that is not a finite number"
            problems.append(Problem(int(index) + 1, text, unlabeled=name in OUTPUTS))
    return problems


def open_files(raw: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Load the files of one row; arrays of an .npz are there already."""
    loaded = dict(raw)
    if raw["sequence_1"].dtype == tf.string:
        loaded["sequence_1"] = load_sequence_1(raw["sequence_1"])
    loaded["sequence_1"] = pad_sequence_1(loaded["sequence_1"])
    if raw["sequence_2"].dtype == tf.string:
        loaded["sequence_2"] = load_sequence_2(raw["sequence_2"])
    loaded["sequence_2"] = pad_sequence_2(loaded["sequence_2"])
    return loaded


def check_files(examples: Examples) -> None:
    """Load every file once, on all cores, and note each that is broken: before training begins."""
    loaders = {
        "sequence_1": load_sequence_1,
        "sequence_2": load_sequence_2,
    }

    def check(place: tuple[str, int]) -> Problem | None:
        name, index = place
        path = examples.values[name][index]
        try:
            loaders[name](tf.constant(path))
        except DataError as error:
            reason = str(error)
        except (tf.errors.OpError, ValueError, OSError):
            reason = "it is damaged or of no known kind"
        else:
            return None
        return Problem(int(examples.rows[index]), f"{name}: {path} cannot be read: {reason}")

    bad = {problem.row for problem in examples.problems}
    rows = [index for index, row in enumerate(examples.rows) if row not in bad]
    names = [name for name in loaders if examples.values[name].dtype == object]
    places = [(name, index) for name in names for index in rows if examples.values[name][index]]
    bar = keras.utils.Progbar(len(places) or None, verbose=1 if len(places) > 1000 else 0)
    with ThreadPoolExecutor() as pool:
        for problem in pool.map(check, places):
            bar.add(1)
            if problem:
                examples.problems.append(problem)


# From raw values to tensors


class Preprocessing:
    """The state fitted to the training rows, and the transforms that use it.

    The same code serves training, evaluation, prediction and the exported model.
    """

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
            "sequence_1": transform_sequence_1(raw["sequence_1"], self.state["sequence_1"]),
            "sequence_2": transform_sequence_2(raw["sequence_2"], self.state["sequence_2"]),
        }

    def targets(self, examples: Examples) -> dict[str, np.ndarray]:
        """Turn the outputs' raw values into targets, what the loss compares predictions with."""
        return {
            "label": target_label(examples, self.state["label"]),
        }

    def note_unknown_labels(self, examples: Examples) -> None:
        """Note the rows with a label that no training row has."""
        labels = examples.values["label"]
        note_unknown(
            examples,
            "label",
            [[label] for label in labels],
            self.state["label"]["labels"],
        )

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
    *,
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
        lambda raw, targets: (open_files(raw), targets),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    # After batching: normalizing and tokenizing many rows at once is much faster than one by one.
    dataset = dataset.batch(batch_size).map(
        lambda raw, targets: (preprocessing.inputs(raw), targets),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    if not with_targets:
        dataset = dataset.map(lambda inputs, _: inputs)
    return dataset.prefetch(tf.data.AUTOTUNE)


def normalize(values: tf.Tensor, state: State) -> tf.Tensor:
    """Bring values to mean 0 and deviation 1; what was constant in training becomes 0."""
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


def moments(series: list[np.ndarray] | np.ndarray) -> State:
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


def label_indices(examples: Examples, name: str, labels: list[str]) -> np.ndarray:
    """Turn labels into their places in the list, int32 (rows,)."""
    places = {label: place for place, label in enumerate(labels)}
    return np.array([places[label] for label in examples.values[name]], dtype="int32")


def note_unknown(
    examples: Examples, column: str, labels: Sequence[list[str]], known: list[str]
) -> None:
    """Note the rows with a label that no training row has: the model cannot predict it."""
    known_labels = set(known)
    for row, of_row in zip(examples.rows, labels, strict=True):
        for label in of_row:
            if label not in known_labels:
                text = f"{column} is {label!r}, which no training row has"
                examples.problems.append(Problem(int(row), text))
