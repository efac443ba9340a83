"""The examples are what their specs render, and the seed's models come out as it describes them."""

import json
import os
import subprocess
import sys

import pytest
from helpers import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from render_examples import EXAMPLES, example_files

NAMES = sorted(spec.parent.name for spec in EXAMPLES.glob("*/spec.yml"))
HINT = "python scripts/render_examples.py renders them again"


def committed_files(name):
    project = EXAMPLES / name / "project"
    return {
        path.relative_to(project).as_posix(): path.read_bytes()
        for path in project.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_there_are_examples():
    assert {"seed-concatenate", "seed-two-lstms", "seed-multiply", "stock-story"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_what_its_spec_renders(name):
    rendered = {path: text.encode() for path, text in example_files(EXAMPLES / name).items()}
    committed = committed_files(name)
    assert sorted(rendered) == sorted(committed), HINT
    differing = [path for path in rendered if rendered[path] != committed[path]]
    assert not differing, HINT


# The seed's models, layer by layer: the class, its width, its weights.

NOT_THE_SEEDS = {"InputLayer", "Rescaling", "Masking", "NotEqual", "Any"}  # no weights

SEED = {
    "seed-concatenate": [
        ("numbers", "Dense", 64, 20 * 64 + 64),
        ("numbers", "Dense", 32, 64 * 32 + 32),
        ("picture", "Conv2D", 32, 3 * 3 * 3 * 32 + 32),
        ("picture", "Conv2D", 64, 3 * 3 * 32 * 64 + 64),
        ("picture", "Flatten", 96 * 96 * 64, 0),
        ("picture", "Dense", 32, 96 * 96 * 64 * 32 + 32),
        ("merged", "Concatenate", 64, 0),
        ("label", "Dense", 1, 64 + 1),
    ],
    "seed-two-lstms": [
        ("sequence_1", "LSTM", 32, 4 * (5 * 32 + 32 * 32 + 32)),
        ("sequence_2", "LSTM", 64, 4 * (3 * 64 + 64 * 64 + 64)),
        ("merged", "Concatenate", 96, 0),
        ("label", "Dense", 1, 96 + 1),
    ],
    "seed-multiply": [
        ("vector_1", "Dense", 16, 10 * 16 + 16),
        ("vector_2", "Dense", 16, 10 * 16 + 16),
        ("merged", "Multiply", 16, 0),
        ("label", "Dense", 1, 16 + 1),
    ],
}
SHAPES = {
    "seed-concatenate": {"numbers": [20], "picture": [100, 100, 3]},
    "seed-two-lstms": {"sequence_1": [10, 5], "sequence_2": [15, 3]},
    "seed-multiply": {"vector_1": [10], "vector_2": [10]},
}

DESCRIBE = """
import importlib, json, sys
models = {}
for package, folder in json.loads(sys.argv[1]).items():
    sys.path.insert(0, folder)
    model = importlib.import_module(f"{package}.model").build_model()
    models[package] = {
        "inputs": {name: tensor.shape[1:] for name, tensor in model.input.items()},
        "activations": [
            layer.activation.__name__ for layer in model.layers if type(layer).__name__ == "Dense"
        ],
        "layers": [
            (layer.name.split(".")[0], type(layer).__name__, layer.output.shape[-1],
             layer.count_params())
            for layer in model.layers
        ],
    }
print(json.dumps(models))
"""


@pytest.fixture(scope="module")
def models():
    """The models that the examples build, described in a process of its own."""
    folders = {
        name.replace("-", "_"): str(EXAMPLES / name / "project" / "src") for name in sorted(SEED)
    }
    done = subprocess.run(
        [sys.executable, "-B", "-c", DESCRIBE, json.dumps(folders)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SEED))
def test_a_model_is_as_the_seed_describes_it(models, name):
    model = models[name.replace("-", "_")]
    layers = [tuple(layer) for layer in model["layers"] if layer[1] not in NOT_THE_SEEDS]
    # Keras lists layers by depth: by branch they stand in the order of the code.
    assert sorted(layers) == sorted(SEED[name])
    for branch in dict.fromkeys(layer[0] for layer in layers):
        ours, theirs = (
            [layer for layer in one if layer[0] == branch] for one in (layers, SEED[name])
        )
        assert ours == theirs
    assert model["inputs"] == SHAPES[name]
    assert model["activations"][-1] == "sigmoid"
    assert set(model["activations"][:-1]) <= {"relu"}


def test_the_first_model_reads_at_a_glance():
    text = (EXAMPLES / "seed-concatenate/project/src/seed_concatenate/model.py").read_text()
    assert len([line for line in text.splitlines() if line.strip()]) <= 60
