"""The model: its shapes, its names, and that every input has a say."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import BATCH, StopAtLoss, Trained

from stock_story.data import INPUTS, OUTPUTS, make_dataset
from stock_story.manifest import Examples
from stock_story.model import build_model, compile_model, load_model

OUTPUT_SHAPES = {
    "direction": (None, 1),
}


def test_inputs_and_outputs_are_dicts_by_name() -> None:
    """Names and shapes are those of the README."""
    model = build_model()
    assert set(model.input) == set(INPUTS)
    assert {name: tensor.shape for name, tensor in model.output.items()} == OUTPUT_SHAPES


def test_layers_are_named_after_inputs_and_outputs() -> None:
    """A layer's name begins with its input's or output's: NAME.dense_1, NAME.head."""
    owners = tuple(f"{name}." for name in (*INPUTS, *OUTPUTS))
    for layer in build_model().layers:
        if not isinstance(layer, keras.layers.InputLayer):
            assert layer.name.startswith((*owners, "merged.", "merged_")), layer.name
            assert "." in layer.name


def test_one_batch_can_be_overfitted(trained: Trained) -> None:
    """A model that cannot overfit a batch is wired wrongly."""
    keras.utils.set_random_seed(1)
    batch = trained.examples.take(np.arange(16))
    model = build_model()
    compile_model(model, trained.preprocessing.state, learning_rate=3e-3)
    batches = make_dataset(batch, trained.preprocessing, 16)
    enough = StopAtLoss(0.2)
    history = model.fit(batches, epochs=100, shuffle=False, callbacks=[enough], verbose=0)
    losses = history.history["loss"]
    assert min(losses) < 0.5 * losses[0]


@pytest.mark.parametrize("name", INPUTS)
def test_every_input_matters(trained: Trained, name: str) -> None:
    """Shuffling an input among the rows hurts: its branch is awake and wired to its column."""
    examples = trained.examples
    rng = np.random.default_rng(0)
    losses = []
    for _ in range(3):
        values = dict(examples.values)
        values[name] = values[name][rng.permutation(len(examples))]
        shuffled = Examples(examples.source, examples.frame, values)
        losses.append(trained.loss(shuffled))
    assert np.mean(losses) > trained.loss(examples)


def test_a_saved_model_predicts_the_same(trained: Trained, tmp_path: Path) -> None:
    """Saving and loading changes nothing."""
    trained.model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    rows = trained.examples.take(np.arange(BATCH))
    batches = make_dataset(rows, trained.preprocessing, BATCH, with_targets=False)
    before = trained.model.predict(batches, verbose=0)
    after = loaded.predict(batches, verbose=0)
    for name in OUTPUTS:
        np.testing.assert_allclose(after[name], before[name], rtol=1e-4, atol=1e-5)
