"""The ensemble: several members, alike but for chance, as one model."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers


def join_members(members: list[keras.Model]) -> keras.Model:
    """Average the predictions of the members: one model with the same inputs and outputs."""
    if len(members) == 1:
        return members[0]
    first = members[0]
    inputs = {
        name: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=name)
        for name, tensor in first.input.items()
    }
    predictions = []
    for number, member in enumerate(members, start=1):
        named = keras.Model(member.input, member.output, name=f"{first.name}.member_{number}")
        predictions.append(named(inputs))
    outputs = {
        name: layers.Average(name=f"{name}.members")([each[name] for each in predictions])
        for name in first.output
    }
    return keras.Model(inputs, outputs, name=first.name)


def average(predictions: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Average what the members predict, as the joined model does."""
    return {
        name: np.mean([prediction[name] for prediction in predictions], axis=0)
        for name in predictions[0]
    }
