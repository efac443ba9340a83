"""The data: how each column of the manifest becomes a tensor of the model.

For each input: what is read from the manifest, what is fitted to the training rows, and how raw
values become tensors. `Preprocessing` ties them together, `make_dataset` makes batches.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from seed_concatenate.manifest import (
    TRUE_WORDS,
    DataError,
    Examples,
    Problem,
    Table,
    file_column,
    label_column,
    number_columns,
    open_table,
    split_column,
)

State = dict[str, Any]  # the fitted state of one input or output, ready for JSON

INPUTS = [
    "numbers",
    "picture",
]
OUTPUTS = [
    "label",
]


def numbered(name: str, count: int) -> list[str]:
    """Name columns: name_0, name_1 and so on."""
    return [f"{name}_{index}" for index in range(count)]


# numbers: 20 numbers a row

NUMBERS_COLUMNS = numbered("numbers", 20)


def read_numbers(table: Table) -> np.ndarray:
    """Read numbers: float32 (rows, 20)."""
    return number_columns(table, NUMBERS_COLUMNS)


def adapt_numbers(values: np.ndarray) -> State:
    """Compute mean and variance of each number of numbers."""
    return spread(values)


def transform_numbers(numbers: tf.Tensor, state: State) -> tf.Tensor:
    """Normalize the numbers of numbers: (batch, 20)."""
    return normalize(numbers, state)


# picture: a picture, 100 x 100, 3 channels


def read_picture(table: Table) -> np.ndarray:
    """Read picture: the paths of the pictures, (rows,)."""
    return file_column(table, "picture")


def load_picture(path: tf.Tensor) -> tf.Tensor:
    """Load one picture of picture: uint8 (100, 100, 3)."""
    return decode_picture(tf.io.read_file(path))


def decode_picture(data: tf.Tensor) -> tf.Tensor:
    """Decode the bytes of picture, a JPEG, PNG, GIF, BMP or WebP: uint8 (100, 100, 3)."""
    picture = upright(tf.io.decode_image(data, channels=3, expand_animations=False), data)
    other_size = tf.reduce_any(tf.shape(picture)[:2] != (100, 100))
    picture = tf.cond(other_size, lambda: resize_picture(picture), lambda: picture)
    return tf.ensure_shape(picture, (100, 100, 3))


def resize_picture(picture: tf.Tensor) -> tf.Tensor:
    """Bring a picture of picture to 100 x 100, smooth where it shrinks."""
    picture = tf.image.resize(picture, (100, 100), antialias=True)
    return tf.saturate_cast(tf.round(picture), tf.uint8)


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
        "numbers": read_numbers(table),
        "picture": read_picture(table),
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
    "numbers": (20,),
    "picture": (100, 100, 3),
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
    if raw["picture"].dtype == tf.string:
        loaded["picture"] = load_picture(raw["picture"])
    return loaded


def check_files(examples: Examples) -> None:
    """Load every file once, on all cores, and note each that is broken: before training begins."""
    loaders = {
        "picture": load_picture,
    }
    before = {
        "picture": not_too_large,
    }

    def check(place: tuple[str, int]) -> Problem | None:
        name, index = place
        path = examples.values[name][index]
        try:
            before[name](path)
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
                "numbers": adapt_numbers(values["numbers"]),
                "label": adapt_label(values["label"]),
            }
        )

    def inputs(self, raw: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Turn a batch of raw values into the model's inputs; fails on missing or extra names."""
        if set(raw) != set(INPUTS):
            raise DataError(f"the inputs are {sorted(INPUTS)}, here are {sorted(raw)}")
        return {
            "numbers": transform_numbers(raw["numbers"], self.state["numbers"]),
            "picture": raw["picture"],
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


def spread(values: np.ndarray) -> State:
    """Compute mean and variance of each number."""
    exact = values.astype("float64")
    state = {"mean": exact.mean(axis=0), "variance": exact.var(axis=0)}
    return {name: numbers.tolist() for name, numbers in state.items()}


def upright(picture: tf.Tensor, data: tf.Tensor) -> tf.Tensor:
    """Turn a photo as its camera was held: the EXIF tag 0x0112, in either order of bytes."""
    head = tf.strings.substr(data, 0, tf.minimum(1024, tf.strings.length(data)))
    has_tags = tf.strings.regex_full_match(head, r"\C*Exif\C*")
    return tf.cond(has_tags, lambda: tf.image.rot90(picture, quarters(head)), lambda: picture)


def quarters(head: tf.Tensor) -> tf.Tensor:
    """Read from a photo's first bytes by how many quarters to turn it, against the clock."""
    turns = tf.constant(0)
    for value, quarter in ((3, 2), (6, 3), (8, 1)):
        little = rf"\x12\x01\x03\x00\x01\x00\x00\x00\x0{value}\x00"
        big = rf"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x0{value}"
        found = tf.strings.regex_full_match(head, rf"\C*({little}|{big})\C*")
        turns = tf.where(found, quarter, turns)
    return turns


def not_too_large(path: str) -> None:
    """Refuse a picture that would fill the memory, by its header alone: Pillow's limit of pixels."""
    most = Image.MAX_IMAGE_PIXELS or 0
    try:
        with Image.open(path) as picture:
            too_large = picture.width * picture.height > most
    except Image.DecompressionBombError:
        too_large = True
    if too_large:
        raise DataError(f"it has more than {most:,} pixels")


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
