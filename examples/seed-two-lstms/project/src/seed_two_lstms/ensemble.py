"""The ensemble: several models that differ by seed alone, averaged in one model."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import pandas as pd
from keras import layers

from seed_two_lstms.data import Preprocessing
from seed_two_lstms.manifest import Examples
from seed_two_lstms.model import build_model

MEMBERS = 4
MOST_WORK = 2e13  # multiply-adds of a training: some minutes on two cores


def choose_members(model: keras.Model, rows: int) -> int:
    """Choose how many members to train: 4, fewer where a model sees so many rows that it takes long.

    `rows` counts those of all epochs. The choice depends on the data and the model, not on the machine.
    """
    work = 0
    for layer in model.layers:
        if layer.weights and not isinstance(layer, layers.Embedding):
            tensor = keras.tree.flatten(layer.input)[0]  # (batch, positions ..., features)
            work += math.prod(tensor.shape[1:-1]) * layer.count_params()
    return max(1, min(MEMBERS, int(MOST_WORK / (3 * work * rows + 1))))


def average_members(members: list[keras.Model]) -> keras.Model:
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


def fit_members(
    fit: Callable[..., keras.Model],
    options: Any,
    preprocessing: Preprocessing,
    training: Examples,
    *others: Any,
) -> keras.Model:
    """Fit each member in a folder of its own, and average them; Ctrl-C ends with those there are."""
    run = options.run
    count = options.members or choose_members(build_model(), options.epochs * len(training))
    members, histories = [], {}
    for number in range(1, count + 1):
        print(f"Member {number} of {count}")
        folder, seed = run / "members" / str(number), options.seed + number - 1
        folder.mkdir(parents=True, exist_ok=True)
        members.append(fit(folder, seed, options, preprocessing, training, *others))
        histories[number] = pd.read_csv(folder / "history.csv")
        if not (folder / "finished").is_file():
            break
    else:
        (run / "finished").touch()
    pd.concat(histories, names=["member"]).droplevel(1).to_csv(run / "history.csv")
    return average_members(members)
