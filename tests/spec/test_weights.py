"""Folders with pretrained weights: what their config.json says of the vectors."""

from __future__ import annotations

import json

import pytest
from keras_scaffold.spec.weights import vector_size, with_vector_sizes


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
    assert vector_size(str(_folder(tmp_path / "weights", config))) == size


def test_a_relative_folder_becomes_a_whole_path(tmp_path, monkeypatch):
    folder = _folder(tmp_path / "weights", {"hidden_size": 24})
    monkeypatch.chdir(tmp_path)
    entry = {"name": "a", "type": "text", "encoder": "pretrained", "weights": "weights"}
    other = {"name": "b", "type": "text"}
    done = with_vector_sizes({"inputs": [entry, other]})["inputs"]
    assert done == [{**entry, "weights": str(folder), "dimension": 24}, other]


def test_what_is_stated_stays(tmp_path):
    folder = _folder(tmp_path / "weights", {"hidden_size": 24})
    entry = {
        "name": "a",
        "type": "text",
        "encoder": "pretrained",
        "weights": str(folder),
        "dimension": 7,
    }
    preset = {
        "name": "b",
        "type": "text",
        "encoder": "pretrained",
        "weights": "bert_tiny_en_uncased",
    }
    given = {"inputs": [entry, preset]}
    assert with_vector_sizes(given) == given
    assert with_vector_sizes({}) == {}
