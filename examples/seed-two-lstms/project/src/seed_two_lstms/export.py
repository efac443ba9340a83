"""Export: the trained model in a format for serving."""

from pathlib import Path

import keras
import tensorflow as tf

from seed_two_lstms import data
from seed_two_lstms.evaluate import open_run

# What a client of the SavedModel sends, by input name; the first axis is the batch.
SIGNATURE = {
    # Steps x values; what is shorter than others of the batch ends in steps of NaN.
    "sequence_1": tf.TensorSpec((None, None, 5), tf.float32, "sequence_1"),
    # Steps x values; what is shorter than others of the batch ends in steps of NaN.
    "sequence_2": tf.TensorSpec((None, None, 3), tf.float32, "sequence_2"),
}


def export(run: Path, format: str = "saved-model") -> None:
    """Write a SavedModel whose signature takes raw values: preprocessing is inside."""
    model, preprocessing, _ = open_run(run)

    def serve(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        raw = dict(inputs)
        raw["sequence_1"] = tf.map_fn(data.pad_sequence_1, raw["sequence_1"])
        raw["sequence_2"] = tf.map_fn(data.pad_sequence_2, raw["sequence_2"])
        return model(preprocessing.inputs(raw), training=False)

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", serve, input_signature=[SIGNATURE])
    archive.write_out(str(run / "saved_model"), verbose=False)
    print(f"{run / 'saved_model'}: raw values in by input name, predictions out by output name")
