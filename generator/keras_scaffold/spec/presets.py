"""Folders with pretrained weights: where they are, and how many numbers a vector from them has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from keras_scaffold.catalog import load_catalog
from keras_scaffold.spec.reading import Given

# Where config.json has it: of Hugging Face, of KerasHub, of timm.
SIZES = ("hidden_size", "dim", "d_model", "hidden_dim", "num_features")


def whole_path(folder: str, base: Path = Path()) -> Path:
    """A folder's whole path: a project trains in a folder of its own, where others lead elsewhere."""
    with suppress(RuntimeError):  # a home that nobody has
        return (base / Path(folder).expanduser()).resolve()
    return (base / folder).resolve()


def vector_size(folder: Path) -> int | None:
    """The size of the vectors, as config.json states it; None where it does not, or is not there."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        config = config.get("config", config)
        sizes = [config[key] for key in SIZES if key in config]
    except (OSError, ValueError, AttributeError, TypeError):
        return None
    return sizes[0] if sizes and isinstance(sizes[0], int) else None


def find_weights(given: Given, base: Path = Path()) -> Given:
    """The spec with whole paths of its folders with weights, which are relative to `base`."""
    inputs = given.get("inputs")
    if not isinstance(inputs, list):
        return given
    return {**given, "inputs": [find_weights_of(entry, base) for entry in inputs]}


def find_weights_of(entry: Given, base: Path = Path()) -> Given:
    """An input with the whole path of its folder with weights, and the size of their vectors.

    A preset's name stays, and so does a size that is stated, and what is wrong.
    """
    if not isinstance(entry, Mapping):
        return entry
    kind = load_catalog().inputs.get(str(entry.get("type")))
    encoder = kind.encoders.get(str(entry.get("encoder"))) if kind else None
    given = entry.get(encoder.weights_field) if encoder else None
    if encoder is None or not isinstance(given, str):
        return entry
    folder = whole_path(given, base)
    if not (folder / "config.json").is_file():
        return entry
    size = vector_size(folder)
    found = {encoder.size_field: size} if size is not None else {}
    return {**found, **entry, encoder.weights_field: str(folder)}
