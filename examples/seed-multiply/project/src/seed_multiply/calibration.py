"""Calibration: probabilities that match frequencies, and decision thresholds, on validation rows."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from seed_multiply.data import Preprocessing, make_dataset
from seed_multiply.manifest import Examples

# What --threshold can maximize.
THRESHOLD_METRICS: dict[str, Callable[..., float]] = {
    "accuracy": accuracy_score,
    "balanced_accuracy": balanced_accuracy_score,
    "f1": f1_score,
}
# The outputs that give probabilities, and how.
ACTIVATIONS = {
    "label": "sigmoid",
}


def calibrate(
    model: keras.Model, preprocessing: Preprocessing, validation: Examples, threshold: str
) -> None:
    """Divide the logits by the temperature at which the targets are most likely, on average.

    Dividing the last layer's weights is dividing its logits: the saved model is calibrated by
    itself. An average of models shares one temperature. Guo et al., https://arxiv.org/abs/1706.04599.
    """
    members = [layer for layer in model.layers if ".member_" in layer.name] or [model]
    batches = make_dataset(validation, preprocessing, 256, with_targets=False)
    predictions = [member.predict(batches, verbose=0) for member in members]
    targets = preprocessing.targets(validation)
    for name, activation in ACTIVATIONS.items():
        probabilities = np.stack([prediction[name] for prediction in predictions])
        if activation == "sigmoid":
            probabilities = np.stack([1 - probabilities, probabilities], axis=-1)
        temperature = best_temperature(probabilities, targets[name].astype(int))
        for member in members:
            head = member.get_layer(f"{name}.head")
            head.set_weights([weights / temperature for weights in head.get_weights()])
        if activation == "sigmoid":
            averaged = temper(probabilities, temperature).mean(axis=0)[..., 1]
            preprocessing.state[name]["thresholds"] = [
                best_threshold(label > 0.5, probability, THRESHOLD_METRICS[threshold])
                for label, probability in zip(targets[name].T, averaged.T, strict=True)
            ]


def temper(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Compute what a softmax gives with its logits divided by the temperature."""
    logits = np.log(np.clip(probabilities.astype("float64"), 1e-7, 1)) / temperature
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def best_temperature(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Fit it, given probabilities (members, rows, ..., classes); few rows move it little from 1."""

    def loss(temperature: float) -> float:
        average = temper(probabilities, temperature).mean(axis=0)
        probability = np.take_along_axis(average, truth[..., None], axis=-1)
        return float(2 * np.log(temperature) ** 2 - np.log(np.maximum(probability, 1e-12)).sum())

    return min(np.geomspace(0.25, 4, 81).tolist(), key=loss)


def best_threshold(yes: np.ndarray, probability: np.ndarray, metric: Callable[..., float]) -> float:
    """Find the threshold with the best metric, near 0.5 where few rows say otherwise; both (rows,)."""
    doubt = 2 * len(yes) ** -0.5

    def score(threshold: float) -> float:
        return metric(yes, probability > threshold) - doubt * abs(threshold - 0.5)

    return max(np.linspace(0.05, 0.95, 91).round(2).tolist(), key=score)
