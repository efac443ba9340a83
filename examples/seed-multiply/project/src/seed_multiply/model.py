"""The model: a branch for each input, their merge, a head for each output, and how it is compiled.

Every layer is named after its input or output, so that `model.summary()` reads like this file.
"""

from pathlib import Path
from typing import Any

import keras
from keras import layers


def encode_vector_1(features: keras.KerasTensor) -> keras.KerasTensor:
    """Encode vector_1: numbers, normalized, (batch, 10) -> (batch, 16)."""
    x = layers.Dense(16, activation="relu", name="vector_1.dense_1")(features)
    return x


def encode_vector_2(features: keras.KerasTensor) -> keras.KerasTensor:
    """Encode vector_2: numbers, normalized, (batch, 10) -> (batch, 16)."""
    x = layers.Dense(16, activation="relu", name="vector_2.dense_1")(features)
    return x


def head_label(merged: keras.KerasTensor) -> keras.KerasTensor:
    """Predict label: a probability, (batch, 1)."""
    # In float32 even where the rest trains in half precision.
    return layers.Dense(1, activation="sigmoid", dtype="float32", name="label.head")(merged)


def build_model() -> keras.Model:
    """Build the model, untrained."""
    inputs = {
        "vector_1": keras.Input((10,), name="vector_1"),
        "vector_2": keras.Input((10,), name="vector_2"),
    }

    # The branches, each a vector for every row.
    vector_1_branch = encode_vector_1(inputs["vector_1"])  # (batch, 16)
    vector_2_branch = encode_vector_2(inputs["vector_2"])  # (batch, 16)

    # multiply: the product, element by element; each branch opens or closes the other's features.
    merged = layers.Multiply(name="merged.multiply")(
        [
            vector_1_branch,
            vector_2_branch,
        ]
    )  # (batch, 16)

    outputs = {
        "label": head_label(merged),
    }
    return keras.Model(inputs, outputs, name="seed_multiply")


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
