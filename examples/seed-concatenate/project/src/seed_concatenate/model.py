"""The model: a branch for each input, their merge, a head for each output, and how it is compiled.

Every layer is named after its input or output, so that `model.summary()` reads like this file.
"""

from pathlib import Path
from typing import Any

import keras
from keras import layers


def encode_numbers(features: keras.KerasTensor) -> keras.KerasTensor:
    """Encode numbers: numbers, normalized, (batch, 20) -> (batch, 32)."""
    x = layers.Dense(64, activation="relu", name="numbers.dense_1")(features)
    x = layers.Dense(32, activation="relu", name="numbers.dense_2")(x)
    return x


def encode_picture(features: keras.KerasTensor) -> keras.KerasTensor:
    """Encode picture: pictures, 0 to 255, (batch, 100, 100, 3) -> (batch, 32)."""
    x = layers.Rescaling(1 / 255, name="picture.rescale")(features)
    x = layers.Conv2D(32, 3, name="picture.conv_1", activation="relu")(x)
    # picture: 32 -> 64 filters, no pooling.
    x = layers.Conv2D(64, 3, name="picture.conv_2", activation="relu")(x)
    x = layers.Flatten(name="picture.flatten")(x)
    x = layers.Dense(32, activation="relu", name="picture.dense_1")(x)
    return x


def head_label(merged: keras.KerasTensor) -> keras.KerasTensor:
    """Predict label: a probability, (batch, 1)."""
    # In float32 even where the rest trains in half precision.
    return layers.Dense(1, activation="sigmoid", dtype="float32", name="label.head")(merged)


def build_model() -> keras.Model:
    """Build the model, untrained."""
    inputs = {
        "numbers": keras.Input((20,), name="numbers"),
        "picture": keras.Input((100, 100, 3), dtype="uint8", name="picture"),
    }

    # The branches, each a vector for every row.
    numbers_branch = encode_numbers(inputs["numbers"])  # (batch, 32)
    picture_branch = encode_picture(inputs["picture"])  # (batch, 32)

    # concatenate: side by side; nothing is lost, the head learns what goes with what.
    merged = layers.Concatenate(name="merged.concatenate")(
        [
            numbers_branch,
            picture_branch,
        ]
    )  # (batch, 64)

    outputs = {
        "label": head_label(merged),
    }
    return keras.Model(inputs, outputs, name="seed_concatenate")


def compile_model(model: keras.Model, state: dict[str, Any], learning_rate: Any = 2e-3) -> None:
    """Give the model its optimizer, and each output its loss and metrics."""
    model.compile(
        optimizer=keras.optimizers.AdamW(learning_rate),
        loss={
            "label": "binary_crossentropy",
        },
        metrics={
            "label": ["accuracy", keras.metrics.AUC(name="auc")],
        },
    )


def load_model(path: Path) -> keras.Model:
    """Load a trained model; importing this module has registered its own layers."""
    return keras.saving.load_model(path)
