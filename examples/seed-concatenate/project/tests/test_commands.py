"""The commands, as a person gives them: train, evaluate, predict, export."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from seed_concatenate.__main__ import main
from seed_concatenate.data import OUTPUTS
from seed_concatenate.manifest import open_manifest


@pytest.fixture(scope="module")
def run(manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train for one epoch."""
    folder = tmp_path_factory.mktemp("run")
    few = ["--epochs", "1", "--members", "2"]
    assert main(["train", "--data", str(manifest), "--run", str(folder), *few]) == 0
    return folder


def test_a_run_is_complete(run: Path) -> None:
    """Train leaves what the other commands and people need."""
    for name in ("model.keras", "preprocessing.json", "history.csv", "metrics.json", "curves.png"):
        assert (run / name).stat().st_size > 0
    assert "</html>" in (run / "report.html").read_text(encoding="utf-8")


def test_evaluate(run: Path, manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Finite metrics for each output of the test split."""
    command = ["evaluate", "--run", str(run), "--data", str(manifest), "--json"]
    assert main(command) == 0
    result = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert result["split"] == "test"
    assert 0 < result["rows"] < len(open_manifest(manifest)) / 2
    assert set(result["outputs"]) == set(OUTPUTS)
    for scores in result["outputs"].values():
        assert scores
        assert np.isfinite(list(scores.values())).all()


def test_another_manifest_is_evaluated_whole(
    run: Path, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All rows of a table that was not trained on count."""
    table = open_manifest(manifest).frame
    other = manifest.with_name("other.jsonl")
    table[::2].to_json(other, orient="records", lines=True)
    assert main(["evaluate", "--run", str(run), "--data", str(other), "--json"]) == 0
    result = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert (result["split"], result["rows"]) == ("all", len(table[::2]))


def test_predict_gives_a_row_for_each_row(run: Path, manifest: Path, tmp_path: Path) -> None:
    """In the manifest's order, beside a column to carry."""
    table, out = open_manifest(manifest).frame, tmp_path / "predictions.csv"
    command = ["predict", "--run", str(run), "--data", str(manifest), "--out", str(out)]
    assert main([*command, "--carry", table.columns[0]]) == 0
    predictions = pd.read_csv(out, dtype=str, keep_default_na=False)
    assert predictions[table.columns[0]].tolist() == table.iloc[:, 0].tolist()
    assert set(OUTPUTS) <= set(predictions.columns)


def test_export_writes_a_saved_model(run: Path) -> None:
    """A SavedModel is written, with a signature by name."""
    assert main(["export", "--run", str(run)]) == 0
    assert (run / "saved_model" / "saved_model.pb").is_file()


def test_a_mistake_is_one_line(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong, in words, and no traceback."""
    assert main(["evaluate", "--run", str(run), "--data", "nowhere.csv"]) == 1
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert message.startswith("error: nowhere.csv: no such file")
