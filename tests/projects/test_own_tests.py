"""A generated project's own tests, run as its owner runs them, with its linters."""

from __future__ import annotations

import subprocess
import sys

import pytest
from keras_scaffold.catalog import template_root
from keras_scaffold.render.project import render
from keras_scaffold.spec import read_spec, validate

TREE = {
    "project_name": "Own Tests",
    "inputs": [
        {"name": "code", "type": "categorical", "shape": [2]},
        {"name": "flag", "type": "binary"},
        {"name": "topics", "type": "set"},
        {"name": "voice", "type": "embedding", "shape": [12], "optional": True},
        {"name": "trace", "type": "timeseries", "shape": [20, 2], "encoder": "gru"},
    ],
    "merge": {
        "method": "concatenate",
        "of": ["code", "topics", "voice", {"method": "multiply", "of": ["flag", "trace"]}],
    },
    "outputs": [
        {"name": "kind", "task": "multiclass", "classes": 3},
        {"name": "tags", "task": "multilabel"},
        {"name": "price", "task": "regression"},
    ],
    "table": {"delimiter": ";", "skip_rows": 2, "encoding": "cp1252", "decimal": ","},
}

# Rows are labeled for some outputs only, and weigh differently.
PARTLY = {
    "project_name": "Partly Labeled",
    "inputs": [
        {"name": "text", "type": "text", "optional": True},
        {"name": "numbers", "type": "numeric"},
    ],
    "outputs": [
        {"name": "sick", "task": "binary", "optional": True, "balance": True, "weight": "trust"},
        {"name": "ward", "task": "multiclass", "classes": ["a", "b", "c"], "balance": True},
        {"name": "tags", "task": "multilabel", "optional": True, "weight": "trust"},
        {"name": "days", "task": "regression", "optional": True, "loss_weight": 2},
        {"name": "visits", "task": "count", "weight": "trust"},
        {"name": "cost", "task": "quantile", "optional": True},
        {"name": "risk", "task": "ordinal", "classes": ["low", "mid", "high"], "optional": True},
    ],
}
# Encoders that inputs share, one of them with an input ahead of the one that has it.
ALIKE = {
    "project_name": "Alike Inputs",
    "inputs": [
        {"name": "twin", "like": "trace"},
        {"name": "trace", "type": "timeseries", "shape": [20, 2], "optional": True},
        {"name": "left", "type": "text"},
        {"name": "right", "like": "left"},
        {"name": "numbers", "type": "numeric", "shape": [3]},
        {"name": "others", "like": "numbers"},
    ],
    "merge": {
        "method": "concatenate",
        "of": [
            {"method": "comparator", "of": ["left", "right"]},
            "twin",
            "trace",
            "numbers",
            "others",
        ],
    },
    "outputs": [{"name": "same", "task": "binary"}, {"name": "price", "task": "regression"}],
    "features": ["ensemble", "calibration", "split-by", "arrays", "report", "warm-start"],
}
# Weights that nobody can download here: the project's tests have random ones.
PRETRAINED = {
    "project_name": "Pretrained",
    "inputs": [
        {"name": "numbers", "type": "numeric"},
        {"name": "title", "type": "text", "encoder": "pretrained", "shape": [16], "optional": True},
        {"name": "summary", "type": "text", "encoder": "pretrained", "dimension": 24},
        {"name": "remark", "like": "summary"},
        {
            "name": "body",
            "type": "text",
            "encoder": "fine_tuned",
            "shape": [12],
            "dimension": 16,
            "last": 1,
            "optional": True,
        },
        {
            "name": "front",
            "type": "image",
            "encoder": "pretrained",
            "shape": [32, 32, 3],
            "optional": True,
        },
        {"name": "back", "like": "front"},
        {"name": "view", "type": "image", "encoder": "fine_tuned", "shape": [32, 32, 3]},
    ],
    "outputs": [{"name": "kind", "task": "multiclass", "classes": 3}],
    "features": ["arrays", "baselines", "warm-start"],  # the report takes long with six encoders
}
SPECS = {"tree": TREE, "partly labeled": PARTLY, "alike": ALIKE, "pretrained": PRETRAINED}


@pytest.mark.slow
@pytest.mark.parametrize("which", ["flagship", *SPECS])
def test_a_project_passes_its_own_tests_and_linters(which, tmp_path):
    flagship = read_spec(template_root() / "template" / "demo.yml")
    made = tmp_path / "made"
    render(validate(SPECS.get(which, flagship)), made, git=False)
    for tool in (["ruff", "check"], ["ruff", "format", "--check"], ["mypy"], ["pytest", "-q"]):
        done = subprocess.run([sys.executable, "-m", *tool], cwd=made, capture_output=True)
        assert done.returncode == 0, done.stdout.decode()[-4000:]
