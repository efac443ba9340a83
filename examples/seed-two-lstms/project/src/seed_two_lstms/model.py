"""The model: a branch for each input, their merge, a head for each output, and how it is compiled.

Every layer is named after its input or output, so that `model.summary()` reads like this file.
"""

from pathlib import Path
from typing import Any

import keras
from keras import layers

PADDED_STEP = -1000.0  # marks padded steps; no normalized value comes near it


def encode_sequence_1(features: keras.KerasTensor) -> keras.KerasTensor:
    """Encode sequence_1: series, normalized, (batch, 10, 5) -> (batch, 32)."""
    # Shorter series are padded; the mask keeps the padded steps out of all that follows.
    x = layers.Masking(mask_value=PADDED_STEP, name="sequence_1.mask")(features)
    x = layers.LSTM(32, name="sequence_1.lstm_1")(x)
    return x


def encode_sequence_2(features: keras.KerasTensor) -> keras.KerasTensor:
    """Encode sequence_2: series, normalized, (batch, 15, 3) -> (batch, 64)."""
    # Shorter series are padded; the mask keeps the padded steps out of all that follows.
    x = layers.Masking(mask_value=PADDED_STEP, name="sequence_2.mask")(features)
    x = layers.LSTM(64, name="sequence_2.lstm_1")(x)
    return x


def head_label(merged: keras.KerasTensor) -> keras.KerasTensor:
    """Predict label: a probability, (batch, 1)."""
    # In float32 even where the rest trains in half precision.
    return layers.Dense(1, activation="sigmoid", dtype="float32", name="label.head")(merged)


def build_model() -> keras.Model:
    """Build the model, untrained."""
    inputs = {
        "sequence_1": keras.Input((10, 5), name="sequence_1"),
        "sequence_2": keras.Input((15, 3), name="sequence_2"),
    }

    # The branches, each a vector for every row.
    sequence_1_branch = encode_sequence_1(inputs["sequence_1"])  # (batch, 32)
    sequence_2_branch = encode_sequence_2(inputs["sequence_2"])  # (batch, 64)

    # concatenate: side by side; nothing is lost, the head learns what goes with what.
    merged = layers.Concatenate(name="merged.concatenate")(
        [
            sequence_1_branch,
            sequence_2_branch,
        ]
    )  # (batch, 96)

    outputs = {
        "label": head_label(merged),
    }
    return keras.Model(inputs, outputs, name="seed_two_lstms")


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
