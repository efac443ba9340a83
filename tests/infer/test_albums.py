"""Columns with several pictures in a cell: found by their paths, with the mark between them."""

from __future__ import annotations

import pytest
from helpers import png
from keras_scaffold.infer import Overrides, inspect


@pytest.fixture
def table(tmp_path):
    """Write a table whose cells join 0 to 3 paths by a mark; more cells take the place of the last ones."""

    def write(mark, *more):
        for k in range(9):
            (tmp_path / f"a {k}.png").write_bytes(png(40, 30))
        cells = [mark.join(f"a {(row + k) % 9}.png" for k in range(row % 4)) for row in range(60)]
        cells[len(cells) - len(more) :] = more
        rows = [f'"{cell}",{row % 2}' for row, cell in enumerate(cells)]
        (tmp_path / "t.csv").write_text("\n".join(["photos,y", *rows]))
        return tmp_path / "t.csv"

    return write


@pytest.mark.parametrize("mark", ["|", ";", ",", " ; "])
def test_several_paths_in_a_cell_are_pictures(mark, table):
    found = inspect(table(mark), Overrides(targets=["y"]))
    (entry,) = found.spec.given["inputs"]
    wanted = {"name": "photos", "type": "images", "shape": [3, 30, 40, 3]}
    assert entry == (wanted if mark == "|" else {**wanted, "delimiter": mark.strip()})
    assert not found.has_invalid_rows


def test_one_path_a_cell_is_a_picture(table):
    found = inspect(
        table("|", *[f"a {row % 9}.png" for row in range(60)]), Overrides(targets=["y"])
    )
    assert found.spec.given["inputs"][0]["type"] == "image"
    chosen = inspect(table("|"), Overrides(targets=["y"], types=["photos:images"]))
    assert chosen.spec.given["inputs"][0]["shape"] == [3, 30, 40, 3]


def test_lost_files_may_be_missing(table):
    found = inspect(table("|", "a 1.png|nowhere.png"), Overrides(targets=["y"]))
    (warning,) = [one for one in found.warnings if "nowhere.png" in one]
    assert warning.endswith("they count as missing")
    assert found.spec.given["inputs"][0]["optional"]
    assert not found.has_invalid_rows


def test_files_are_looked_at_in_all_rows(tmp_path):
    (tmp_path / "a.png").write_bytes(png(40, 30))
    cells = ["|".join(["a.png"] * 5)] * 100 + ["|".join(["lost.png"] * 5)] * 200
    rows = [f"{cell},{row % 2}" for row, cell in enumerate(cells)]
    (tmp_path / "t.csv").write_text("\n".join(["photos,y", *rows]))
    found = inspect(tmp_path / "t.csv", Overrides(targets=["y"]))
    (warning,) = [one for one in found.warnings if "lost.png" in one]
    assert 0.5 < float(warning.split("%")[0].split()[-1]) / 100 < 0.8


def test_a_person_finds_pictures_where_few_cells_have_several(table):
    cells = [f"a {row % 9}.png" for row in range(57)] + ["a 0.png;a 1.png", "a 2.png", "a 3.png"]
    found = inspect(table("|", *cells), Overrides(targets=["y"], types=["photos:images"]))
    (entry,) = found.spec.given["inputs"]
    assert (entry["shape"][0], entry["delimiter"]) == (2, ";")
    assert not found.has_invalid_rows


def test_pictures_beyond_the_first_are_left_out(table):
    cell = "|".join(f"a {k % 9}.png" for k in range(12))
    found = inspect(table("|", cell), Overrides(targets=["y"]))
    assert found.spec.given["inputs"][0]["shape"][0] == 8
    assert found.inputs[0].why.startswith("up to 12 in a cell, of which the first 8 are kept")
