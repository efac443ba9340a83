"""What the tests share: a sample, and a model trained on it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pytest

from seed_concatenate.data import Preprocessing, make_dataset, open_examples
from seed_concatenate.manifest import Examples
from seed_concatenate.model import build_model, compile_model
from seed_concatenate.sample import write_sample

BATCH = 32


class StopAtLoss(keras.callbacks.Callback):
    """Ends the training once the loss is a small part of what it was."""

    def __init__(self, part: float) -> None:
        super().__init__()
        self.part = part
        self.first: float | None = None

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Compare with the first epoch."""
        loss = (logs or {})["loss"]
        self.first = self.first or loss
        self.model.stop_training = loss < self.part * self.first


@dataclass
class Trained:
    """A model that was fitted to the sample, and what it was fitted to."""

    model: keras.Model
    examples: Examples
    preprocessing: Preprocessing

    def loss(self, examples: Examples) -> float:
        """Compute the loss of the model on examples."""
        batches = make_dataset(examples, self.preprocessing, BATCH)
        return self.model.evaluate(batches, return_dict=True, verbose=0)["loss"]


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a sample of a few batches."""
    return write_sample(tmp_path_factory.mktemp("sample"), rows=6 * BATCH)


@pytest.fixture(scope="session")
def trained(manifest: Path) -> Trained:
    """Train until the loss has halved, at most half a minute's worth of epochs."""
    keras.utils.set_random_seed(0)
    examples = open_examples(manifest)
    preprocessing = Preprocessing.adapt(examples)
    model = build_model()
    compile_model(model, preprocessing.state, learning_rate=3e-3)
    batches = make_dataset(examples, preprocessing, BATCH, shuffle=True)
    model.fit(batches, epochs=25, shuffle=False, callbacks=[StopAtLoss(0.5)], verbose=0)
    return Trained(model, examples, preprocessing)
