"""Pretrained weights for a table's inputs: --text-weights DIR and --image-weights DIR, remembered."""

from __future__ import annotations

from collections.abc import Mapping

from keras_scaffold.catalog import Encoder
from keras_scaffold.infer.tables import DataError
from keras_scaffold.spec import Given
from keras_scaffold.spec.presets import vector_size, whole_path
from keras_scaffold.state import load_state, save_state

NAME = "weights"
NONE = "none"  # in the place of a folder: forget the remembered one
MOST_TOKENS = 512  # as many positions as most language models have


def find_folders(stated: Mapping[str, str]) -> dict[str, str]:
    """The folder with weights of each type of input: as stated, or remembered and still there."""
    for kind, folder in stated.items():
        if folder == NONE or vector_size(whole_path(folder)):
            continue
        problem = "no folder with pretrained weights: it has no config.json"
        if (whole_path(folder) / "config.json").is_file():
            problem = "its config.json does not state the size of its vectors; give weights and dimension in a spec"
        raise DataError(f"--{kind}-weights {folder}: {problem}")
    folders = _remembered() | {kind: str(whole_path(folder)) for kind, folder in stated.items()}
    return {
        kind: folder
        for kind, folder in folders.items()
        if stated.get(kind) != NONE and vector_size(whole_path(folder))
    }


def remember_folders(stated: Mapping[str, str]) -> None:
    """Remember the folders that are stated, for the next table; `none` forgets one."""
    if stated:
        kept = _remembered() | {kind: str(whole_path(folder)) for kind, folder in stated.items()}
        save_state(NAME, {kind: kept[kind] for kind in kept if stated.get(kind) != NONE})


def _remembered() -> dict[str, str]:
    return {kind: folder for kind, folder in load_state(NAME).items() if isinstance(folder, str)}


def with_weights(entry: Given, encoder: Encoder, known: Mapping[str, object], folder: str) -> Given:
    """A proposed input with an encoder that takes the weights of a folder; `known` are its fields."""
    fields = {key: value for key, value in entry.items() if key in ("name", "type", *known)}
    if "shape" in encoder.fields:
        del fields["shape"]  # the size of the pictures that the model was trained on
    elif "shape" in fields:  # a word is one token or several
        fields["shape"] = [min(MOST_TOKENS, 2 * fields["shape"][0])]
    size = {encoder.size_field: vector_size(whole_path(folder))}
    return {**fields, "encoder": encoder.name, encoder.weights_field: folder, **size}
