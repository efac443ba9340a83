"""Pretrained weights that a person has: proposed, remembered for the next table, forgotten with `none`."""

from __future__ import annotations

import json
import random

import pytest
from helpers import png, run_scaffold
from keras_scaffold.infer import Overrides, inspect
from keras_scaffold.infer.pretrained import remember_folders
from keras_scaffold.infer.tables import DataError
from keras_scaffold.spec import read_spec

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


def _weights(folder, size=24):
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"hidden_size": size}))
    return folder


def test_weights_are_proposed(table, tmp_path):
    folder = _weights(tmp_path / "weights")
    stated = _text(table, text_weights=str(folder))
    assert stated["encoder"] == "pretrained"
    assert stated["weights"] == str(folder)
    assert stated["dimension"] == 24
    assert "vocabulary" not in stated


def test_looking_at_a_table_remembers_nothing(table, tmp_path):
    _text(table, text_weights=str(_weights(tmp_path / "weights")))
    assert "encoder" not in _text(table)


@pytest.mark.parametrize("content", ["[1]", '{"text": 3}', "{", '{"text": "gone"}'])
def test_a_damaged_memory_is_none(table, tmp_path, content):
    memory = tmp_path / "state" / "keras-scaffold" / "weights.json"
    memory.parent.mkdir(parents=True)
    memory.write_text(content)
    assert "encoder" not in _text(table)


def test_commands_remember_and_forget(table, tmp_path):
    folder = _weights(tmp_path / "weights")

    def proposed(*flags):
        command = ["inspect", str(table), "--target", "good", "--out", "spec.yml", "--force"]
        assert run_scaffold(*command, *flags, cwd=tmp_path).code == 0
        inputs = read_spec(tmp_path / "spec.yml")["inputs"]
        return next(entry for entry in inputs if entry["type"] == "text").get("weights")

    assert proposed() is None
    assert proposed("--text-weights", "weights") == str(folder)
    assert proposed() == str(folder)
    done = run_scaffold(
        *("new", "made", "--data", str(table), "--target", "good", "--text-weights", "none"),
        *("--dry-run", "--yes"),
        cwd=tmp_path,
    )
    assert done.code == 0
    assert proposed() == str(folder)  # a dry run forgets nothing
    assert proposed("--text-weights", "none") is None
    assert proposed() is None


def test_pictures_take_the_size_of_their_model(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for kind in ("cat", "dog"):
        (tmp_path / "pets" / kind).mkdir(parents=True)
        for number in range(20):
            (tmp_path / "pets" / kind / f"{number}.png").write_bytes(png(40, 30))
    folder = _weights(tmp_path / "weights", 1280)
    found = inspect(tmp_path / "pets", Overrides(image_weights=str(folder)))
    (entry,) = found.given["inputs"]
    assert entry["encoder"] == "pretrained"
    assert entry["dimension"] == 1280
    assert "shape" not in entry


def test_characters_take_weights_only_where_they_are_stated(table, tmp_path):
    lines = table.read_text().splitlines()
    rows = [
        f"{'好高强优坏低弱差的是在有' * 2}{n},{line.split(',', 1)[1]}"
        for n, line in enumerate(lines[1:])
    ]
    table.write_text("\n".join([lines[0], *rows]))
    folder = str(_weights(tmp_path / "weights"))
    remember_folders({"text": folder})
    assert "encoder" not in _text(table)
    assert _text(table, text_weights=folder)["encoder"] == "pretrained"


def test_a_folder_without_weights_is_refused(table, tmp_path):
    with pytest.raises(
        DataError, match=r"--text-weights nowhere: no folder .*: it has no config\.json"
    ):
        _text(table, text_weights="nowhere")
    (tmp_path / "config.json").write_text('{"hidden_sizes": [8, 16]}')
    with pytest.raises(DataError, match="does not state the size of its vectors"):
        _text(table, text_weights=str(tmp_path))


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


SYLLABLES = ("ka", "bul", "ti", "ra", "na", "lo", "mé", "sen", "ду", "ва")
NAMES = [a + b + c for a in SYLLABLES for b in SYLLABLES for c in SYLLABLES]
CODES = {  # each tells a row from the others, and nothing else
    "digits": lambda rng, n: f"{n:05d}{rng.randint(0, 99)}a",
    "capitals": lambda rng, n: "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=6)),
    "mixed": lambda rng, n: "".join(rng.choices("abcdefgXYZ0123456789", k=9)),
    "numbered": lambda rng, n: f"order-{n:06d}",
    "short": lambda rng, n: f"{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}{n // 676}",
}


def _named(folder, cells, **weights):
    """The proposed inputs of a table with a column of names and one of numbers."""
    path = folder / "named.csv"
    rows = [f"{cell},{n * 7 % 11 + 0.5},{n % 2}" for n, cell in enumerate(cells)]
    path.write_text("\n".join(["what,size,good", *rows]))
    found = inspect(path, Overrides(targets=("good",), **weights))
    return {entry["name"]: entry for entry in found.given["inputs"]}


def test_names_are_texts_where_there_are_weights_or_many_rows(table, tmp_path):
    names = [name.title() for name in NAMES]
    assert "what" not in _named(tmp_path, names)
    folder = str(_weights(tmp_path / "weights"))
    assert _named(tmp_path, names, text_weights=folder)["what"]["encoder"] == "pretrained"
    many = [f"{name}-{other}" for name in NAMES for other in ("bar", "foo")]
    assert _named(tmp_path, many)["what"]["encoder"] == "ngrams"
    assert "what" not in _named(tmp_path, many[:1999])


@pytest.mark.parametrize("kind", CODES)
@pytest.mark.parametrize("seed", range(2))
def test_codes_are_no_texts(kind, seed, table, tmp_path):
    rng = random.Random(seed)
    codes = [CODES[kind](rng, n) for n in range(2500)]
    assert "what" not in _named(tmp_path, codes)
    folder = str(_weights(tmp_path / "weights"))
    assert "what" not in _named(tmp_path, codes, text_weights=folder)
