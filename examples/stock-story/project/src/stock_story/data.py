"""The data: how each column of the manifest becomes a tensor of the model.

`open_examples` reads raw values, `Preprocessing` makes them tensors, `make_dataset` batches.
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from PIL import Image

from stock_story.arrays import open_arrays
from stock_story.manifest import DataError, Examples, open_manifest

State = dict[str, Any]  # the fitted state of one input or output, ready for JSON
TRUE_WORDS = ["true", "1", "yes", "y", "t"]

INPUTS = [
    "indicators",
    "fundamentals",
    "news",
    "chart",
]
OUTPUTS = [
    "direction",
]


# indicators: 6 numbers a row

INDICATORS_COLUMNS = [
    "sma_5",
    "sma_20",
    "sma_50",
    "rsi_14",
    "macd",
    "volume_change",
]


# fundamentals: 4 numbers a row

FUNDAMENTALS_COLUMNS = [
    "revenue_growth",
    "profit_margin",
    "debt_to_equity",
    "price_to_earnings",
]


# news: a text, its first 64 words and marks


def adapt_news(values: np.ndarray) -> State:
    """Find the vocabulary of news, most frequent first."""
    tokenizer = news_tokenizer({})
    tokenizer.adapt(tf.data.Dataset.from_tensor_slices(values).batch(1024))
    return {"vocabulary": tokenizer.get_vocabulary(include_special_tokens=False)}


def news_tokenizer(state: State) -> keras.layers.TextVectorization:
    """Make the layer that turns news into ids of words: 0 is padding, 1 an unknown one."""
    return keras.layers.TextVectorization(
        max_tokens=10000,
        standardize=words_and_marks,
        output_sequence_length=64,
        name="news.tokenizer",
        vocabulary=state.get("vocabulary"),
    )


# chart: a picture, 64 x 64, 3 channels


def load_chart(path: tf.Tensor) -> tf.Tensor:
    """Load one picture of chart: uint8 (64, 64, 3)."""
    return decode_chart(tf.io.read_file(path))


def check_chart(path: str) -> None:
    """Load one picture of chart; by its header, refuse one that would fill the memory."""
    Image.open(path).close()
    load_chart(tf.constant(path))


@tf.function  # for its conditions
def decode_chart(data: tf.Tensor) -> tf.Tensor:
    """Decode the bytes of chart, a JPEG, PNG, GIF, BMP or WebP: uint8 (64, 64, 3)."""
    picture = tf.io.decode_image(data, channels=3, expand_animations=False)
    if tf.reduce_any(tf.shape(picture)[:2] != (64, 64)):
        resized = tf.image.resize(picture, (64, 64), antialias=True)
        picture = tf.saturate_cast(tf.round(resized), tf.uint8)
    return tf.ensure_shape(picture, (64, 64, 3), name="chart")


# direction: one of two labels


def adapt_direction(labels: np.ndarray) -> State:
    """Find the two labels of direction; the model gives the probability of the second."""
    found = sorted(set(labels), key=lambda label: (label.lower() in TRUE_WORDS, label))
    if len(found) != 2:
        raise DataError(f"direction needs two labels, here is {found[:5]}")
    return {"labels": found, "thresholds": [0.5]}


def target_direction(labels: np.ndarray, state: State) -> np.ndarray:
    """Turn the labels of direction into float32 (rows, 1), 1 for the second."""
    return np.equal(labels, state["labels"][1])[:, None].astype("float32")


# From a manifest to raw values


def open_examples(path: Path, with_outputs: bool = True, outside: bool = False) -> Examples:
    """Read a manifest, and note what is wrong with its rows; without outputs to predict."""
    if path.suffix.lower() == ".npz":
        examples = open_arrays(path)
    else:
        examples = open_manifest(path, outside)
        examples.values = {
            "indicators": number_columns(examples, INDICATORS_COLUMNS),
            "fundamentals": number_columns(examples, FUNDAMENTALS_COLUMNS),
            "news": text_column(examples, "news", required=True),
            "chart": file_column(examples, "chart"),
        }
        note_broken_files(examples)
    if with_outputs:
        examples.values |= {
            "direction": label_column(examples, "direction"),
        }
    return examples


def fetch_files(raw: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Load the files of one row; arrays of an .npz are there already."""
    loaded = dict(raw)
    if raw["chart"].dtype == tf.string:
        loaded["chart"] = load_chart(raw["chart"])
    return loaded


def note_broken_files(examples: Examples) -> None:
    """Load every file once, on all cores, and note each that is broken: before training begins."""
    checks = {
        "chart": check_chart,
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
        self.layers = {  # made once: they hold lookup tables
            "news": news_tokenizer(state["news"]),
        }

    @classmethod
    def adapt(cls, training: Examples) -> Preprocessing:
        """Fit the state to the training rows alone: other rows would leak into the metrics."""
        values = training.values
        return cls(
            {
                "indicators": spread(values["indicators"], bins=16),
                "fundamentals": spread(values["fundamentals"], bins=16),
                "news": adapt_news(values["news"]),
                "direction": adapt_direction(values["direction"]),
            }
        )

    def inputs(self, raw: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Turn a batch of raw values into the model's inputs; fails on missing or extra names."""
        if set(raw) != set(INPUTS):
            raise DataError(f"the inputs are {sorted(INPUTS)}, here are {sorted(raw)}")
        return {
            "indicators": normalize(raw["indicators"], self.state["indicators"]),
            "fundamentals": normalize(raw["fundamentals"], self.state["fundamentals"]),
            "news": tokenize(self.layers["news"], raw["news"]),
            "chart": raw["chart"],
        }

    def targets(self, examples: Examples) -> dict[str, np.ndarray]:
        """Turn the outputs' raw values into targets, what the loss compares predictions with."""
        values = examples.values
        return {
            "direction": target_direction(values["direction"], self.state["direction"]),
        }

    def note_unknown_labels(self, examples: Examples) -> None:
        """Note the rows with a label that no training row has: the model cannot predict it."""
        labels = examples.values["direction"]
        known = self.state["direction"]["labels"]
        unknown = ~np.isin(labels, known)
        examples.note(unknown, "direction", "is {}, which no training row has", labels)

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


def spread(values: np.ndarray, bins: int = 0) -> State:
    """Compute mean and variance of each number, and the edges of bins that hold as many rows each."""
    exact = values.astype("float64")
    state = {"mean": exact.mean(axis=0), "variance": exact.var(axis=0)}
    if bins:
        shares = np.linspace(0, 1, bins + 1)
        quantiles = np.quantile(exact, shares, axis=0)
        state["edges"] = np.transpose(normalize(quantiles, state))
    return {name: numbers.tolist() for name, numbers in state.items()}


def text_column(examples: Examples, name: str, required: bool = False) -> np.ndarray:
    """Read a text column: strings, (rows,); an empty cell is an empty text, 1.0 is 1, True true."""
    texts = pd.Series(examples.column(name), dtype="string").fillna("").str.strip()
    texts = texts.str.replace(r"^(-?[0-9]+)\.0+$", r"\1", regex=True)  # a column of 1 with a hole
    texts = texts.str.replace("(?i)^(true|false)$", lambda word: word[0].lower(), regex=True)
    if required:
        examples.note(texts == "", name, "is missing")
    return texts.to_numpy(object)


def tokenize(tokenizer: keras.layers.TextVectorization, texts: tf.Tensor) -> tf.Tensor:
    """Turn texts into token ids; an empty one is one unknown token, for padding has no average."""
    stripped = tf.strings.regex_replace(texts, r"^[\s\pZ]+|[\s\pZ]+$", "")  # as text_column does
    tokens = tokenizer(tf.strings.regex_replace(stripped, r"^(-?[0-9]+)\.0+$", r"\1"))
    first = tf.maximum(tokens[:, :1], 1)
    return tf.cast(tf.concat([first, tokens[:, 1:]], axis=1), tf.int32)


def words_and_marks(texts: tf.Tensor) -> tf.Tensor:
    """Lower the case, and set each mark apart as a token: quotes, # and ! tell texts apart, too."""
    lower = tf.strings.lower(texts, encoding="utf-8")
    return tf.strings.regex_replace(lower, r"[\pP\pS]", r" \0 ")  # of any script


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


def label_column(examples: Examples, name: str) -> np.ndarray:
    """Read a column of labels: strings, (rows,)."""
    labels = text_column(examples, name)
    # A class may well be called none.
    missing = is_missing(examples.column(name)) & ~np.isin(labels, ["None", "none", "NONE", "-"])
    examples.note(missing, name, "is missing", target=True)
    return labels
