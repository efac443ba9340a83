"""Export: the trained model in a format for serving."""

from __future__ import annotations

from pathlib import Path

import keras
import tensorflow as tf

from seed_two_lstms import data
from seed_two_lstms.data import Preprocessing
from seed_two_lstms.evaluate import open_run

# What a client of the SavedModel sends, by input name; the first axis is the batch.
SIGNATURE = {
    "sequence_1": tf.TensorSpec((None, None, 5), tf.float32, "sequence_1"),
    "sequence_2": tf.TensorSpec((None, None, 3), tf.float32, "sequence_2"),
}


def export(run: Path, format: str = "saved-model") -> None:
    """Write the run's model in a format: a SavedModel that takes raw values."""
    model, preprocessing, _ = open_run(run)
    path = run / "saved_model"
    export_saved_model(model, preprocessing, path)
    print(f"{path}: raw values in by input name, predictions out by output name")


def export_saved_model(model: keras.Model, preprocessing: Preprocessing, path: Path) -> None:
    """Write a SavedModel whose signature takes raw values: preprocessing is inside."""

    def serve(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        raw = dict(inputs)
        raw["sequence_1"] = tf.map_fn(data.pad_sequence_1, raw["sequence_1"])
        raw["sequence_2"] = tf.map_fn(data.pad_sequence_2, raw["sequence_2"])
        predictions: dict[str, tf.Tensor] = model(preprocessing.inputs(raw), training=False)
        return predictions

    archive = keras.export.ExportArchive()
    archive.track(model)
    for layer in keras.tree.flatten(vars(preprocessing)):
        if isinstance(layer, keras.layers.Layer):
            layer.build((None,))
            archive.track(layer)
    archive.add_endpoint("serve", serve, input_signature=[SIGNATURE])
    archive.write_out(str(path), verbose=False)
