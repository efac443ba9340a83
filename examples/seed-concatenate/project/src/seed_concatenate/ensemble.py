"""The ensemble: several models that differ by seed alone, averaged in one model."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import pandas as pd
from keras import layers

from seed_concatenate.data import Preprocessing
from seed_concatenate.manifest import Examples
from seed_concatenate.model import build_model

MEMBERS = 4
MOST_WORK = 2e13  # multiply-adds of a training: fixed, so that no result depends on the machine


def choose_members(model: keras.Model, rows: int) -> int:
    """Choose how many members to train: 4, fewer where `rows`, those of all epochs, take long."""
    work = 0
    for layer in model.layers:
        if layer.weights and not isinstance(layer, layers.Embedding):
            tensor = keras.tree.flatten(layer.input)[0]  # (batch, positions ..., features)
            work += math.prod(tensor.shape[1:-1]) * layer.count_params()
    return max(1, min(MEMBERS, int(MOST_WORK / (3 * work * rows + 1))))


def print_estimate(start: float, epochs: int, epoch: int, _: Any) -> None:
    """Print after a member's first epoch how long the training may take, where that is long."""
    minutes = (time.perf_counter() - start) * epochs / 60
    if epoch == 0 and minutes > 10:
        print(f"\nUp to {minutes:.0f} minutes to go; fewer --members or --epochs take less")


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
    count = options.members or choose_members(build_model(), options.epochs * len(training))
    members, curves = [], {}
    for number in range(1, count + 1):
        print(f"Member {number} of {count}")
        folder, seed = options.run / "members" / str(number), options.seed + number - 1
        folder.mkdir(parents=True, exist_ok=True)
        show = partial(print_estimate, time.perf_counter(), (count - number + 1) * options.epochs)
        estimate = keras.callbacks.LambdaCallback(on_epoch_end=show)
        try:
            members.append(fit(folder, seed, options, preprocessing, training, *others, estimate))
        except KeyboardInterrupt:
            if not members:
                raise
            print(f"\nInterrupted: {len(members)} of {count} members count; --resume continues")
            break
        curves[number] = pd.read_csv(folder / "history.csv").drop_duplicates("epoch", keep="last")
        if not (folder / "finished").is_file():
            break
    else:
        (options.run / "finished").touch()
    pd.concat(curves, names=["member"]).droplevel(1).to_csv(options.run / "history.csv")
    return average_members(members)
