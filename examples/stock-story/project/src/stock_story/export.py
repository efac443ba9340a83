"""Export: the trained model in a format for serving."""

from pathlib import Path

import keras
import tensorflow as tf

from stock_story import data
from stock_story.evaluate import open_run

# What a client of the SavedModel sends, by input name; the first axis is the batch.
SIGNATURE = {
    "indicators": tf.TensorSpec((None, 6), tf.float32, "indicators"),
    "fundamentals": tf.TensorSpec((None, 4), tf.float32, "fundamentals"),
    "news": tf.TensorSpec((None,), tf.string, "news"),
    # The bytes of the file.
    "chart": tf.TensorSpec((None,), tf.string, "chart"),
}


def export(run: Path, format: str = "saved-model") -> None:
    """Write a SavedModel whose signature takes raw values: preprocessing is inside."""
    model, preprocessing, _ = open_run(run)

    def serve(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        raw = dict(inputs)
        raw["chart"] = tf.map_fn(data.decode_chart, raw["chart"], fn_output_signature=tf.uint8)
        return model(preprocessing.inputs(raw), training=False)

    archive = keras.export.ExportArchive()
    archive.track(model)
    for layer in keras.tree.flatten(preprocessing.layers):
        layer.build((None,))
        archive.track(layer)
    archive.add_endpoint("serve", serve, input_signature=[SIGNATURE])
    archive.write_out(str(run / "saved_model"), verbose=False)
    print(f"{run / 'saved_model'}: raw values in by input name, predictions out by output name")
