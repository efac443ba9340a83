"""Pretrained weights at hand: --text-weights DIR and --image-weights DIR, kept for the next table."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path

from keras_scaffold.catalog import load_catalog
from keras_scaffold.infer.tables import DataError
from keras_scaffold.spec import Given
from keras_scaffold.spec.weights import vector_size

NONE = "none"  # in the place of a folder: no longer the one that is kept
MOST_TOKENS = 512  # as many positions as most language models have


def weights_at_hand(stated: Mapping[str, str]) -> dict[str, str]:
    """The folder with weights of each type of input: as stated, or stated earlier and still there."""
    import platformdirs  # only where a table is looked at

    file = platformdirs.user_state_path("keras-scaffold") / "weights.json"
    kept: dict[str, str] = {}
    with contextlib.suppress(OSError, ValueError, TypeError):  # no file yet, or a damaged one
        kept.update(json.loads(file.read_text(encoding="utf-8")))
    for kind, folder in stated.items():
        if folder != NONE and vector_size(folder) is None:
            problem = "no config.json there states the size of its vectors"
            raise DataError(f"--{kind}-weights {folder}: {problem}; give a folder with weights")
        kept[kind] = folder if folder == NONE else str(Path(folder).resolve())
    if stated:
        with contextlib.suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(kept), encoding="utf-8")
    return {kind: folder for kind, folder in kept.items() if vector_size(folder)}


def with_weights(entry: Given, folder: str) -> Given:
    """A proposed input with the pretrained encoder of its type, and the weights of a folder."""
    kind = load_catalog().inputs[entry["type"]]
    encoder = kind.pretrained or kind.default_encoder
    known = kind.fields_with(encoder.name)
    fields = {key: value for key, value in entry.items() if key in ("name", "type", *known)}
    if "shape" in encoder.fields:
        del fields["shape"]  # the size of the pictures that the model was trained on
    elif "shape" in fields:  # a word is one token or several
        fields["shape"] = [min(MOST_TOKENS, 2 * fields["shape"][0])]
    size = vector_size(folder)
    return {**fields, "encoder": encoder.name, "weights": folder, "dimension": size}
