"""The report: that it shows every input and output, and raw values as text."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import BATCH, Trained

from stock_story.data import INPUTS, OUTPUTS
from stock_story.report import MAIN_METRICS, WatchBranches, write_report


def report(trained: Trained, folder: Path, **values: np.ndarray) -> str:
    """Write the report, with other values in some inputs, and read it."""
    examples = trained.examples.take(np.arange(BATCH))
    examples.values.update(values)
    watch = WatchBranches(trained.examples, trained.preprocessing)
    watch.set_model(trained.model)
    watch.on_epoch_end(0)
    assert np.isfinite(list(watch.norms[1].values())).all()
    (folder / "history.csv").write_text("member,epoch,loss,val_loss\n1,0,2.0,3.0\n")
    metrics = {name: {metric: 0.5} for name, (metric, _) in MAIN_METRICS.items()}
    (folder / "metrics.json").write_text(json.dumps({"outputs": metrics}))
    write_report(folder, trained.model, trained.preprocessing, examples, watch.norms)
    return (folder / "report.html").read_text(encoding="utf-8")


def test_the_report_shows_every_input_and_output(trained: Trained, tmp_path: Path) -> None:
    """Each output has metrics, plots, importances and worst predictions, these with all inputs."""
    text = report(trained, tmp_path)
    for name in OUTPUTS:
        assert text.count(f"<h3>{name}</h3>") == 4
    for name in INPUTS:
        assert text.count(f"<h4>{name}</h4>") == 12 * len(OUTPUTS)
    assert 'src="data:image/svg+xml;base64,' in text
    assert "http" not in text  # no other files


@pytest.mark.parametrize(
    "name",
    [
        "news",
    ],
)
def test_markup_in_a_text_is_escaped(trained: Trained, tmp_path: Path, name: str) -> None:
    """Values of the data are no markup of the page."""
    values = np.full_like(trained.examples.values[name][:BATCH], "<script>alert(1)</script>")
    text = report(trained, tmp_path, **{name: values})
    assert "&lt;script&gt;" in text
    assert "<script" not in text
