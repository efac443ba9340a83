"""Export: the trained model in a format for serving."""

from pathlib import Path

import keras
import tensorflow as tf

from seed_multiply.evaluate import open_run

# What a client of the SavedModel sends, by input name; the first axis is the batch.
SIGNATURE = {
    "vector_1": tf.TensorSpec((None, 10), tf.float32, "vector_1"),
    "vector_2": tf.TensorSpec((None, 10), tf.float32, "vector_2"),
}


def export(run: Path, format: str = "saved-model") -> None:
    """Write a SavedModel whose signature takes raw values: preprocessing is inside."""
    model, preprocessing, _ = open_run(run)

    def serve(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        raw = dict(inputs)
        return model(preprocessing.inputs(raw), training=False)

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", serve, input_signature=[SIGNATURE])
    archive.write_out(str(run / "saved_model"), verbose=False)
    print(f"{run / 'saved_model'}: raw values in by input name, predictions out by output name")
