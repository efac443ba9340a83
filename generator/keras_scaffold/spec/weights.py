"""Folders with pretrained weights: how many numbers there are in a vector that they give."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from keras_scaffold.spec.reading import Given

# Where config.json has it: of Hugging Face, of KerasHub, of timm.
SIZES = ("hidden_size", "dim", "d_model", "hidden_dim", "num_features")


def vector_size(folder: str) -> int | None:
    """The size of the vectors, as config.json states it; None where it does not, or is not there."""
    try:
        config = json.loads((Path(folder).expanduser() / "config.json").read_text(encoding="utf-8"))
        config = config.get("config", config)
        sizes = [config[key] for key in SIZES if key in config]
    except (OSError, ValueError, AttributeError, TypeError):
        return None
    return sizes[0] if sizes and isinstance(sizes[0], int) else None


def with_vector_sizes(given: Given) -> Given:
    """A spec whose encoders with a folder of weights have its whole path, and their `dimension`."""
    inputs = given.get("inputs")
    if not isinstance(inputs, list):
        return given
    return {**given, "inputs": [_with_vector_size(entry) for entry in inputs]}


def _with_vector_size(entry: object) -> object:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("weights"), str):
        return entry
    folder = entry["weights"]
    size = vector_size(folder)
    # The project trains in a folder of its own: from there a relative path leads elsewhere.
    return (
        {"dimension": size, **entry, "weights": str(Path(folder).expanduser().resolve())}
        if size
        else entry
    )
