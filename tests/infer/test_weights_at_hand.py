"""Pretrained weights at hand: proposed, kept for the next table, given up with `none`."""

from __future__ import annotations

import json

import pytest
from keras_scaffold.infer import Overrides, inspect
from keras_scaffold.infer.tables import DataError

SENTENCES = [
    f"the {word} fox jumps over dog number {n}" for n in range(40) for word in ("red", "old")
]


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A table with a text; what is kept between two tables is in a folder of the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    rows = [f"{text},{n % 7},{n % 2}" for n, text in enumerate(SENTENCES)]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["story,size,good", *rows]))
    return path


def _text(table, **weights):
    found = inspect(table, Overrides(targets=("good",), **weights))
    return next(entry for entry in found.given["inputs"] if entry["type"] == "text")


def test_weights_are_proposed_and_kept(table, tmp_path):
    assert "encoder" not in _text(table)
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"hidden_size": 24}))
    stated = _text(table, text_weights=str(folder))
    assert stated["encoder"] == "pretrained"
    assert stated["weights"] == str(folder)
    assert stated["dimension"] == 24
    assert "vocabulary" not in stated
    assert _text(table) == stated
    assert "encoder" not in _text(table, text_weights="none")
    assert "encoder" not in _text(table)


def test_kept_weights_that_are_gone_are_left_out(table, tmp_path):
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"hidden_size": 24}))
    _text(table, text_weights=str(folder))
    (folder / "config.json").unlink()
    assert "encoder" not in _text(table)


def test_a_folder_without_weights_is_refused(table, tmp_path):
    with pytest.raises(DataError, match=r"--text-weights nowhere: no config\.json"):
        _text(table, text_weights="nowhere")


def test_short_texts_of_many_rows_get_ngrams(table):
    lines = table.read_text().splitlines()
    many = [lines[0], *lines[1:] * 30]
    many = [
        f"{line.partition(',')[0]} of {n},{line.partition(',')[2]}" for n, line in enumerate(many)
    ]
    table.write_text("\n".join([lines[0], *many[1:]]))
    assert _text(table)["encoder"] == "ngrams"
    assert _text(table)["shape"] == [128]
    table.write_text("\n".join([lines[0], *many[1:1900]]))
    assert "encoder" not in _text(table)
