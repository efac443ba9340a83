"""Export: the trained model in a format for serving."""

from __future__ import annotations

import warnings
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from seed_concatenate import data
from seed_concatenate.data import Preprocessing
from seed_concatenate.evaluate import open_run
from seed_concatenate.manifest import DataError

# What a client of the SavedModel sends, by input name; the first axis is the batch.
SIGNATURE = {
    "numbers": tf.TensorSpec((None, 20), tf.float32, "numbers"),
    # The bytes of the file.
    "picture": tf.TensorSpec((None,), tf.string, "picture"),
}


def export(run: Path, format: str = "saved-model") -> None:
    """Write the run's model; a SavedModel takes raw values, ONNX and LiteRT the model's tensors."""
    model, preprocessing, _ = open_run(run)
    if format == "saved-model":
        path = run / "saved_model"
        export_saved_model(model, preprocessing, path)
        print(f"{path}: raw values in by input name, predictions out by output name")
        return
    path = run / ("model.onnx" if format == "onnx" else "model.tflite")
    export_tensors(model, path, format)
    # Both formats know only the model's own tensors: what they are stands beside the file.
    note = path.with_suffix(path.suffix + ".txt")
    lines = [f"{name}: {tensor.dtype} {tensor.shape}" for name, tensor in model.input.items()]
    title = "The model's tensors, as Preprocessing in data.py makes them:"
    note.write_text("\n".join([title, *lines, ""]), encoding="utf-8")
    print(f"{path}: takes the model's tensors, which {note.name} lists")


def export_tensors(model: keras.Model, path: Path, format: str) -> None:
    """Write ONNX or LiteRT, run the file once, and keep it only if it gives the same numbers."""
    # Without what works in training only, such as augmentation and dropout.
    inference = keras.Model(model.input, model(model.input, training=False), name=model.name)
    tensors = {
        name: np.ones((1, *tensor.shape[1:]), tensor.dtype) for name, tensor in model.input.items()
    }
    wanted = inference(tensors)  # called once: ONNX wants a model that has been
    try:
        inference.export(path, format=format, verbose=False)
        given = run_onnx(path, tensors) if format == "onnx" else run_litert(path, tensors)
        same = all(np.allclose(given[name], wanted[name], 1e-3, 1e-3) for name in wanted)
        problem = "" if same else "the exported model gives other numbers"
    except ImportError as error:
        problem = f"a library is missing: {error}; pip install -e '.[onnx]' brings what ONNX needs"
    except Exception as error:
        # Converters fail in many ways; one line says how, and no broken file stays behind.
        problem = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    if problem:
        path.unlink(missing_ok=True)
        raise DataError(f"this model cannot be had as {format}: {problem}")


def run_onnx(path: Path, tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Run an ONNX file: outputs by name."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, tensors), strict=True))


def run_litert(path: Path, tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Run a LiteRT file: outputs by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it will move to a library of its own
        runner = tf.lite.Interpreter(str(path)).get_signature_runner()
    outputs: dict[str, np.ndarray] = runner(**tensors)
    return outputs


def export_saved_model(model: keras.Model, preprocessing: Preprocessing, path: Path) -> None:
    """Write a SavedModel whose signature takes raw values: preprocessing is inside."""

    def serve(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        raw = dict(inputs)
        raw["picture"] = tf.map_fn(
            data.decode_picture,
            raw["picture"],
            fn_output_signature=tf.uint8,
        )
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
