"""The feature spreadsheet-safe: text in the CSV of predictions that a spreadsheet would run."""

from __future__ import annotations

import csv
import json

import pytest
from projects import project, small_input, small_output, spec_of

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_xla")]

LABELS = ["@SUM(1)", "-x"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A trained project, and its table: labels and ids like formulas."""
    inputs = [{**small_input("size", "numeric"), "shape": [1], "columns": ["size"]}]
    outputs, features = [small_output("label", "binary")], ["spreadsheet-safe"]
    spec = spec_of(inputs, outputs=outputs, features=features, table={"ids": ["id", "visit"]})
    folder = tmp_path_factory.mktemp("sheet")
    lines = ["id,level,size,label"]
    lines += [f"=cmd{row},-{row},{row},{LABELS[row % 2]}" for row in range(60)]
    (folder / "table.csv").write_text("\n".join(lines) + "\n")
    with project(spec, folder) as one:
        yield one, one.train(folder / "table.csv"), folder


def predictions(made, out, *options):
    """The table of predictions in a file."""
    one, run, folder = made
    words = ("--run", run, "--data", folder / "table.csv", "--carry", "level", "--carry", "label")
    one.ok("predict", *words, "--out", folder / out, *options)
    text = (folder / out).read_text()
    if out.endswith(".jsonl"):
        return [json.loads(line) for line in text.splitlines()]
    return list(csv.DictReader(text.splitlines()))


def test_labels_and_ids_are_escaped_and_numbers_are_not(made):
    plain = predictions(made, "plain.csv")
    safe = predictions(made, "safe.csv", "--spreadsheet-safe")
    assert {row["label"] for row in plain} <= set(LABELS)
    assert plain[0]["id"] == "=cmd0"
    for row in plain:
        for name in ("id", "label", "label_carried"):
            row[name] = f"'{row[name]}"
    assert safe == plain
    assert safe[3]["level"] == "-3"


def test_ids_are_carried_and_no_column_takes_the_place_of_a_prediction(made):
    """The table has one of two ids, and the target, whose name the prediction has."""
    rows = predictions(made, "ids.csv")
    names = ["id", "level", "label_carried", "row", "label", "label_probability"]
    assert list(rows[0]) == names
    assert [row["label_carried"] for row in rows[:2]] == LABELS
    assert [float(row["label_probability"]) >= 0 for row in rows] == [True] * 60


def test_other_formats_have_the_labels_as_they_are(made):
    first, second = (
        predictions(made, "out.jsonl", *options) for options in ([], ["--spreadsheet-safe"])
    )
    assert first == second
    assert first[0]["id"] == "=cmd0"
