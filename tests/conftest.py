"""What holds for all tests of a process."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("helpers", "projects")

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
settings.register_profile("whatever the clock says", deadline=None)
settings.load_profile("whatever the clock says")


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the answers of interrupted conversations out of the person's home."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / "state"))


@pytest.fixture
def no_xla(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile models without XLA, which takes longer than our few batches do."""
    import keras

    monkeypatch.setattr(keras.src.trainers.trainer, "model_supports_jit", lambda model: False)
