"""Beginning with an earlier run's weights: what is the same is taken over, nothing else."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import Trained

from seed_multiply.data import INPUTS, OUTPUTS
from seed_multiply.model import build_model
from seed_multiply.transfer import take_over, what_fits


def weights_of(model: keras.Model) -> dict[str, list[np.ndarray]]:
    """Get the weights of each layer that has any."""
    return {layer.name: layer.get_weights() for layer in model.layers if layer.get_weights()}


def test_what_did_not_change_is_taken_over(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An input whose layers had other names in the earlier run is trained from scratch, and no other."""
    changed = INPUTS[0]
    earlier = build_model()
    earlier.set_weights(trained.model.get_weights())
    for layer in earlier.layers:
        if layer.name.startswith(f"{changed}."):
            layer.name = f"{layer.name}_before"
    (tmp_path / "members").mkdir()
    earlier.save(tmp_path / "members" / "1.keras")
    trained.preprocessing.save(tmp_path / "preprocessing.json")

    model = build_model()
    before, untouched = weights_of(earlier), weights_of(model)
    fitting, state = what_fits(tmp_path, model, trained.preprocessing.state)
    take_over(model, tmp_path, 1, fitting)
    for name, weights in weights_of(model).items():
        wanted = before.get(name, untouched[name])
        assert all(map(np.array_equal, weights, wanted)), name

    scratch = {changed} if before.keys() != untouched.keys() else set()  # it may have no weights
    assert state.keys() == trained.preprocessing.state.keys() - scratch
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:] == [
        f"Trained from scratch: {name} (its layers have changed)" for name in scratch
    ]
    assert all(name in lines[0] for name in {*INPUTS, *OUTPUTS} - scratch)
