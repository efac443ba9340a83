"""Folders with pretrained weights: where they are, and how many numbers a vector from them has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from keras_scaffold.catalog import load_catalog
from keras_scaffold.spec.errors import fail
from keras_scaffold.spec.reading import Given

# Where config.json has it: of Hugging Face, of KerasHub, of timm.
SIZES = ("hidden_size", "dim", "d_model", "hidden_dim", "num_features")


def whole_path(folder: str, base: Path = Path()) -> Path:
    """A folder's whole path: a project trains in a folder of its own, where others lead elsewhere."""
    return (base / Path(folder).expanduser()).resolve()


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

    A preset's name stays, and so does a spec that is wrong elsewhere. SpecError where it states another size.
    """
    kind = load_catalog().inputs.get(entry.get("type", "")) if isinstance(entry, Mapping) else None
    encoder = kind.encoders.get(entry.get("encoder", "")) if kind else None
    given = entry.get(encoder.weights_field) if encoder else None
    if encoder is None or not isinstance(given, str):
        return entry
    folder = whole_path(given, base)
    size, field = vector_size(folder), encoder.size_field
    found = {encoder.weights_field: str(folder)}
    if size is None:
        return {**entry, **found} if (folder / "config.json").is_file() else entry
    if entry.get(field, size) != size:
        stated = f"is {entry[field]}, but the weights in {given} give {size} numbers"
        fail(f"{entry.get('name')}.{field}", f"{stated}; leave it out")
    return {**entry, **found, field: size}
