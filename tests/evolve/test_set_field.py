"""Fields of an input: what an encoder leaves to the next one, and what other weights change."""

from __future__ import annotations

import json

import pytest
from helpers import run_scaffold
from keras_scaffold.evolve import edits
from keras_scaffold.spec import read_spec

OUTPUTS = [{"name": "y", "task": "binary"}]


def _given(**entry):
    return {"inputs": [{"name": "note", **entry}], "outputs": OUTPUTS}


def _entry(given):
    return {key: value for key, value in given["inputs"][0].items() if key != "name"}


@pytest.mark.parametrize(
    ("before", "encoder", "after"),
    [
        ({"type": "text", "dimension": 32}, "pretrained", {}),
        ({"type": "text", "shape": [16], "vocabulary": 99}, "ngrams", {}),
        ({"type": "text", "shape": [16], "vocabulary": 99}, "pretrained", {"shape": [16]}),
        ({"type": "image", "shape": [48, 64, 3], "augment": "flip"}, "pretrained", {}),
        ({"type": "image", "shape": [48, 64, 3], "filters": [8]}, "vit", {"shape": [48, 64, 3]}),
        (
            {"type": "text", "column": "c", "optional": True},
            "ngrams",
            {"column": "c", "optional": True},
        ),
    ],
)
def test_a_field_that_means_something_else_to_an_encoder_goes(before, encoder, after):
    given = _given(**before)
    changed = edits.set_field(given, "note", "encoder", encoder)
    assert _entry(changed) == {"type": before["type"], "encoder": encoder, **after}
    kind = edits.load_catalog().inputs[before["type"]].default_encoder.name
    back = edits.set_field(changed, "note", "encoder", kind, [given])
    assert _entry(back) == before


def test_other_weights_have_vectors_of_their_own_size(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder, size in (("small", 24), ("large", 48)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "config.json").write_text(json.dumps({"hidden_size": size}))
    new = ["new", "made", "-i", "note:text:pretrained", "-o", "y:binary", "--minimal", "--yes"]
    assert run_scaffold(*new, cwd=tmp_path).code == 0
    answers = tmp_path / "made" / ".copier-answers.yml"
    for weights, size in (("../small", 24), ("../large", 48), ("bert_tiny_en_uncased", None)):
        done = run_scaffold(
            "set", "note.weights", weights, "--yes", "--commit", cwd=tmp_path / "made"
        )
        assert done.code == 0, done
        assert read_spec(answers)["inputs"][0].get("dimension") == size
    assert run_scaffold("set", "merge", "add", "--yes", cwd=tmp_path / "made").code == 0
    assert read_spec(answers)["inputs"][0]["weights"] == "bert_tiny_en_uncased"
