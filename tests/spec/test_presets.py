"""Folders with pretrained weights: what their config.json says of the vectors."""

from __future__ import annotations

import json

import pytest
from keras_scaffold.spec.presets import find_weights, vector_size


def _folder(path, config):
    path.mkdir()
    text = config if isinstance(config, str) else json.dumps(config)
    (path / "config.json").write_text(text)
    return path


@pytest.mark.parametrize(
    ("config", "size"),
    [
        ({"model_type": "bert", "hidden_size": 384}, 384),
        ({"class_name": "BertBackbone", "config": {"hidden_dim": 128, "num_layers": 2}}, 128),
        ({"architecture": "efficientnet_lite0", "num_features": 1280}, 1280),
        ({"hidden_size": "many"}, None),
        ({}, None),
        ([], None),
        ("{", None),
    ],
)
def test_the_size_is_read_from_the_config(config, size, tmp_path):
    assert vector_size(_folder(tmp_path / "weights", config)) == size


def _spec(**fields):
    return {"inputs": [{"name": "a", "type": "text", "encoder": "pretrained", **fields}]}


def test_a_folder_is_relative_to_the_spec(tmp_path):
    folder = _folder(tmp_path / "weights", {"hidden_size": 24})
    found = _spec(weights=str(folder), dimension=24)
    assert find_weights(_spec(weights="weights"), tmp_path) == found
    assert find_weights(_spec(weights="weights", dimension=24), tmp_path) == found


def test_a_folder_in_the_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = _folder(tmp_path / "weights", {"hidden_size": 24})
    assert find_weights(_spec(weights="~/weights"))["inputs"][0]["weights"] == str(folder)


def test_a_folder_that_states_no_size_needs_it_in_the_spec(tmp_path):
    folder = _folder(tmp_path / "weights", {"class_name": "VGGBackbone", "config": {}})
    given = _spec(weights="weights", dimension=512)
    assert find_weights(given, tmp_path) == _spec(weights=str(folder), dimension=512)


def test_a_stated_size_stays(tmp_path):
    """That of some vision models is not the one in config.json; training compares."""
    folder = _folder(tmp_path / "weights", {"num_features": 1280})
    found = find_weights(_spec(weights="weights", dimension=960), tmp_path)
    assert found == _spec(weights=str(folder), dimension=960)


@pytest.mark.parametrize(
    "given",
    [
        _spec(weights="bert_tiny_en_uncased"),
        _spec(),
        _spec(weights="~no such person/weights"),
        {"inputs": [{"name": "a", "type": ["text"], "encoder": {}}]},
        {"inputs": [{"name": "b", "type": "text"}, 7, {"type": "no such"}]},
        {"inputs": 3},
        {},
    ],
)
def test_what_has_no_folder_stays(given, tmp_path):
    assert find_weights(given, tmp_path) == given
