"""Calibration: probabilities that mean what they say, and thresholds above which a label is given.

Found on rows that the model was not trained on, and kept with it.
"""

from __future__ import annotations

import keras
import numpy as np

from seed_concatenate.data import State
from seed_concatenate.evaluate import Metric

# The outputs that give probabilities, and how.
ACTIVATIONS = {
    "label": "sigmoid",
}


def calibrate(
    members: list[keras.Model],
    predictions: list[dict[str, np.ndarray]],
    targets: dict[str, np.ndarray],
) -> list[dict[str, np.ndarray]]:
    """Divide the members' heads by the temperature at which the truth is likeliest, on average.

    Gives what they predict then. Dividing the last layer's weights is dividing its logits: the
    saved model is calibrated by itself. Guo et al., https://arxiv.org/abs/1706.04599.
    """
    calibrated = [dict(prediction) for prediction in predictions]
    for name, activation in ACTIVATIONS.items():
        chances = np.stack([prediction[name] for prediction in predictions])
        if activation == "sigmoid":
            chances = np.stack([1 - chances, chances], axis=-1)  # of no and of yes
        temperature = best_temperature(chances, targets[name].astype(int))
        for member in members:
            head = member.get_layer(f"{name}.head")
            head.set_weights([weights / temperature for weights in head.get_weights()])
        for prediction, chance in zip(calibrated, temper(chances, temperature), strict=True):
            prediction[name] = chance[..., 1] if activation == "sigmoid" else chance
    return calibrated


def temper(chances: np.ndarray, temperature: float) -> np.ndarray:
    """Compute what a softmax gives with its logits divided by the temperature."""
    logits = np.log(np.clip(chances.astype("float64"), 1e-7, 1)) / temperature
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def best_temperature(chances: np.ndarray, truth: np.ndarray) -> float:
    """Find it, given chances (members, rows, ..., classes); few rows move it little from 1."""

    def loss(temperature: float) -> float:
        average = temper(chances, temperature).mean(axis=0)
        chance = np.take_along_axis(average, truth[..., None], axis=-1)
        return float(2 * np.log(temperature) ** 2 - np.log(np.maximum(chance, 1e-12)).sum())

    return min(np.geomspace(0.25, 4, 81).tolist(), key=loss)


def set_thresholds(
    state: State,
    predictions: dict[str, np.ndarray],
    targets: dict[str, np.ndarray],
    metric: Metric,
) -> None:
    """Choose the probability above which each label is given: where the measure is best."""
    for name, activation in ACTIVATIONS.items():
        if activation == "sigmoid":
            state[name]["thresholds"] = [
                best_threshold(targets[name][:, place] > 0.5, predictions[name][:, place], metric)
                for place in range(len(state[name]["thresholds"]))
            ]


def best_threshold(yes: np.ndarray, probability: np.ndarray, metric: Metric) -> float:
    """Find the threshold with the best score, near a half where few rows say otherwise; both (rows,)."""
    doubt = 2 * len(yes) ** -0.5

    def score(threshold: float) -> float:
        return metric(yes, probability > threshold) - doubt * abs(threshold - 0.5)

    return max(np.linspace(0.05, 0.95, 91).round(2).tolist(), key=score)
