"""The model: a branch for each input, their merge, a head for each output, and how it is compiled.

Every layer is named after its input or output, so that `model.summary()` reads like this file.
"""

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from stock_story.layers import PiecewiseLinear


def encode_indicators(features: keras.KerasTensor) -> keras.KerasTensor:
    """Encode indicators: numbers, normalized, (batch, 6) -> (batch, 256)."""
    # Each number, and its position within each of 16 quantile bins: steps and kinks are easy to learn.
    x = PiecewiseLinear(6, 16, name="indicators.bins")(features)
    x = layers.Dense(256, activation="relu", name="indicators.dense_1")(x)
    x = layers.Dropout(0.1, name="indicators.dropout_1")(x)
    return x


def encode_fundamentals(features: keras.KerasTensor) -> keras.KerasTensor:
    """Encode fundamentals: numbers, normalized, (batch, 4) -> (batch, 256)."""
    # Each number, and its position within each of 16 quantile bins: steps and kinks are easy to learn.
    x = PiecewiseLinear(4, 16, name="fundamentals.bins")(features)
    x = layers.Dense(256, activation="relu", name="fundamentals.dense_1")(x)
    x = layers.Dropout(0.1, name="fundamentals.dropout_1")(x)
    return x


def encode_news(features: keras.KerasTensor) -> keras.KerasTensor:
    """Encode news: token ids, 0 where padded, (batch, 64) -> (batch, 32)."""
    x = layers.Embedding(
        input_dim=10000,
        output_dim=16,
        mask_zero=True,  # padding takes no part in what follows
        name="news.embedding",
    )(features)  # (batch, 64, 16)
    x = layers.GlobalAveragePooling1D(name="news.average")(x)
    x = layers.Dropout(0.5, name="news.dropout")(x)
    x = layers.Dense(32, activation="relu", name="news.dense_1")(x)
    return x


def encode_chart(features: keras.KerasTensor) -> keras.KerasTensor:
    """Encode chart: pictures, 0 to 255, (batch, 64, 64, 3) -> (batch, 128)."""
    x = layers.Rescaling(1 / 255, name="chart.rescale")(features)
    # Augmentation of chart: only while training; else these layers do nothing.
    x = layers.RandomTranslation(0.05, 0.05, fill_mode="nearest", name="chart.shift")(x)
    x = layers.RandomZoom(0.05, fill_mode="nearest", name="chart.zoom")(x)
    # chart: half the size, (batch, 32, 32, 32).
    x = layers.Conv2D(32, 3, name="chart.conv_1", strides=2, padding="same", activation="relu")(x)
    # chart: half the size, (batch, 16, 16, 64).
    x = layers.Conv2D(64, 3, name="chart.conv_2", strides=2, padding="same", activation="relu")(x)
    # chart: half the size, (batch, 8, 8, 128).
    x = layers.Conv2D(128, 3, name="chart.conv_3", strides=2, padding="same", activation="relu")(x)
    x = layers.GlobalAveragePooling2D(name="chart.average")(x)
    x = layers.Dropout(0.1, name="chart.dropout")(x)
    return x


def head_direction(merged: keras.KerasTensor) -> keras.KerasTensor:
    """Predict direction: a probability, (batch, 1)."""
    x = layers.Dense(64, activation="relu", name="direction.dense_1")(merged)
    x = layers.Dropout(0.1, name="direction.dropout_1")(x)
    # In float32 even where the rest trains in half precision.
    return layers.Dense(1, activation="sigmoid", dtype="float32", name="direction.head")(x)


def build_model() -> keras.Model:
    """Build the model, untrained."""
    inputs = {
        "indicators": keras.Input((6,), name="indicators"),
        "fundamentals": keras.Input((4,), name="fundamentals"),
        "news": keras.Input((64,), dtype="int32", name="news"),
        "chart": keras.Input((64, 64, 3), dtype="uint8", name="chart"),
    }

    # The branches, each a vector for every row.
    indicators_branch = encode_indicators(inputs["indicators"])  # (batch, 256)
    fundamentals_branch = encode_fundamentals(inputs["fundamentals"])  # (batch, 256)
    news_branch = encode_news(inputs["news"])  # (batch, 32)
    chart_branch = encode_chart(inputs["chart"])  # (batch, 128)

    # concatenate: side by side; nothing is lost, the head learns what goes with what.
    merged = layers.Concatenate(name="merged.concatenate")(
        [
            indicators_branch,
            fundamentals_branch,
            news_branch,
            chart_branch,
        ]
    )  # (batch, 672)

    outputs = {
        "direction": head_direction(merged),
    }
    return keras.Model(inputs, outputs, name="stock_story")


def compile_model(model: keras.Model, state: dict[str, Any], learning_rate: Any = 2e-3) -> None:
    """Give the model its optimizer, and each output its loss and metrics."""
    model.get_layer("indicators.bins").set_weights([np.array(state["indicators"]["edges"])])
    model.get_layer("fundamentals.bins").set_weights([np.array(state["fundamentals"]["edges"])])
    model.compile(
        optimizer=keras.optimizers.AdamW(learning_rate),
        loss={
            "direction": "binary_crossentropy",
        },
        metrics={
            "direction": ["accuracy", keras.metrics.AUC(name="auc")],
        },
    )


def load_model(path: Path) -> keras.Model:
    """Load a trained model; importing this module has registered its own layers."""
    return keras.saving.load_model(path)
