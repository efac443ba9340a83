"""Rendered projects: small specs drawn from the catalog, and their packages imported and run here."""

from __future__ import annotations

import atexit
import gc
import importlib
import io
import itertools
import json
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import helpers
from helpers import BIN, Done
from hypothesis import HealthCheck, Phase, assume, given, settings
from keras_scaffold.catalog import Field, load_catalog, template_root
from keras_scaffold.render.project import render
from keras_scaffold.spec import Spec, SpecError, validate

CATALOG = load_catalog()
ENCODERS = [(kind.name, encoder) for kind in CATALOG.inputs.values() for encoder in kind.encoders]
TYPES = list(CATALOG.inputs)
MERGES = list(CATALOG.merges)
TASKS = list(CATALOG.outputs)
ROWS = 48

_numbers = itertools.count()
_closed = itertools.count(1)


# Small specs


def small(field: Field) -> Any:
    """A value of a field that is quick to build and fit."""
    if field.kind == "shape":
        sizes = zip(field.default, field.least, strict=True)
        return [min(default, max(least, 10)) for default, least in sizes]
    if field.kind == "integers":
        return [6, 4][: field.count]
    if field.kind in ("integer", "classes"):
        return min(field.default, max(field.least, 8))
    return ["low", "mid", "high"] if field.kind == "names" else field.default


@cache
def random_weights(kind: str) -> Path:
    """A folder of random weights with 8 numbers in a vector, as a project's own tests write it."""
    folder = Path(tempfile.mkdtemp(prefix="random-weights-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    name = f"random_{kind}_weights"
    module = runpy.run_path(str(template_root() / "template/shared/tests" / f"{name}.py.jinja"))
    module[name](folder, 8, 16)
    return folder


def small_input(name: str, kind: str, encoder: str | None = None, **more: Any) -> dict[str, Any]:
    """An input with small fields; columns get their defaults."""
    encoder = encoder or CATALOG.inputs[kind].default_encoder.name
    fields = CATALOG.inputs[kind].fields_with(encoder).values()
    values = {f.name: small(f) for f in fields if f.kind not in ("column", "columns")}
    if "weights" in values:
        values["weights"] = str(random_weights(kind))
    return {"name": name, "type": kind, "encoder": encoder, **values, **more}


def bare_input(name: str, kind: str, encoder: str) -> dict[str, Any]:
    """An input with defaults for all but pretrained weights, which nobody can download here."""
    entry = {"name": name, "type": kind, "encoder": encoder}
    known = CATALOG.inputs[kind].encoders[encoder]
    given = small_input(name, kind, encoder) if known.weights_field else {}
    return entry | {key: given[key] for key in (known.weights_field, known.size_field) if key}


def small_output(name: str, task: str, **more: Any) -> dict[str, Any]:
    """An output with a small head."""
    fields = CATALOG.outputs[task].fields.values()
    values = {f.name: small(f) for f in fields if f.kind not in ("column", "columns")}
    return {"name": name, "task": task, **values, **more}


def bare_output(name: str, task: str, **more: Any) -> dict[str, Any]:
    """An output with what its task requires, and defaults for all else."""
    required = [field for field in CATALOG.outputs[task].fields.values() if field.required]
    return {"name": name, "task": task, **{f.name: small(f) for f in required}, **more}


def spec_of(
    inputs: list[dict[str, Any]],
    merge: Any = "concatenate",
    outputs: Any = None,
    name: str = "",
    features: list[str] | None = None,
    **more: Any,
) -> Spec:
    """A spec whose package nobody else has; with the features that are on by default if none are given."""
    outputs = outputs or [small_output("label", next(iter(TASKS)))]
    name = name or f"Case {next(_numbers)} of {os.getpid()}"
    given = {"project_name": name, "inputs": inputs, "merge": merge, "outputs": outputs, **more}
    return validate(given if features is None else {**given, "features": features})


def drawn_specs(count: int) -> list[Spec]:
    """Valid specs that hypothesis draws."""
    found: list[Spec] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(helpers.specs())
    def draw(data: dict[str, Any]) -> None:
        try:
            found.append(validate(data))
        except SpecError:
            assume(False)

    draw()
    return found


# Projects


@dataclass
class Project:
    """A rendered project, whose package this process can import."""

    spec: Spec
    folder: Path

    def module(self, name: str) -> Any:
        """A module of the package."""
        return importlib.import_module(f"{self.spec.package_name}.{name}")

    def main(self, *arguments: object) -> Done:
        """Run `python -m PACKAGE ...` in this process."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = self.module("__main__").main([str(argument) for argument in arguments])
        return Done(code, out.getvalue(), err.getvalue())

    def ok(self, *arguments: object) -> str:
        """Run a command that must succeed."""
        done = self.main(*arguments)
        assert done.code == 0, done
        return done.out

    def command(self, *arguments: object) -> list[str]:
        """The command line of a process of its own."""
        return [str(BIN / "python"), "-m", self.spec.package_name, *map(str, arguments)]

    @property
    def environment(self) -> dict[str, str]:
        """What a process of its own needs: the package, and not this one's coverage of it."""
        return {**os.environ, "PYTHONPATH": str(self.folder / "src"), "CUDA_VISIBLE_DEVICES": ""}

    def process(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run a command in a process of its own."""
        return subprocess.run(
            self.command(*arguments),
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )

    @property
    def one_member(self) -> tuple[object, ...]:
        """The options with which a training is as short as it can be."""
        return ("--members", 1) if "ensemble" in self.spec.features else ()

    def sample(self, rows: int = ROWS) -> Path:
        """A fresh copy of the sample data; gives the manifest."""
        folder = self.folder / "sample"
        shutil.rmtree(folder, ignore_errors=True)
        manifest: Path = self.module("sample").write_sample(folder, rows=rows)
        return manifest

    def train(self, manifest: Path, *more: object) -> Path:
        """Train for an epoch; gives the run."""
        run = self.folder / "runs" / "one"
        options = ("--epochs", 1, "--batch-size", 16, *self.one_member, *more)
        self.ok("train", "--data", manifest, "--run", run, *options)
        return run


@contextmanager
def project(spec: Spec, folder: Path) -> Iterator[Project]:
    """Render a project and make its package importable as long as it is needed."""
    render(spec, folder / spec.project_slug, git=False)
    made = Project(spec, folder / spec.project_slug)
    source = str(made.folder / "src")
    sys.path.insert(0, source)
    importlib.invalidate_caches()
    try:
        yield made
    finally:
        sys.path.remove(source)
        for name in list(sys.modules):
            if name.split(".")[0] == spec.package_name:
                del sys.modules[name]
        if "keras" in sys.modules:
            sys.modules["keras"].backend.clear_session(free_memory=False)
        if next(_closed) % 8 == 0:  # each takes seconds once a process has seen many models
            gc.collect()


# What holds of every project


def sizes(spec: Spec) -> dict[str, int]:
    """The width of each output."""
    return {entry.name: entry.size for entry in spec.outputs}


def assert_same(one: Mapping[str, Any], two: Mapping[str, Any], **tolerance: float) -> None:
    """Two dicts of arrays are equal, all numbers finite."""
    import numpy as np

    assert one.keys() == two.keys()
    for name, array in one.items():
        first, second = np.asarray(array), np.asarray(two[name])
        assert first.shape == second.shape, name
        assert np.isfinite(first).all(), name
        np.testing.assert_allclose(first, second, err_msg=name, **(tolerance or {"rtol": 1e-6}))


def assert_finite(run: Path) -> None:
    """Every number of the run's history is one."""
    import numpy as np
    import pandas as pd

    history = pd.read_csv(run / "history.csv")
    assert len(history)
    assert {"epoch", "loss", "val_loss"} <= set(history)
    assert np.isfinite(history.to_numpy(float)).all(), history


def tensors(made: Project, manifest: Path, preprocessing: Any = None) -> dict[str, Any]:
    """The model's inputs and targets for a whole manifest, in its order."""
    data = made.module("data")
    examples = data.open_examples(manifest)
    preprocessing = preprocessing or data.Preprocessing.adapt(examples)
    batches = data.make_dataset(examples, preprocessing, batch_size=len(examples))
    inputs, targets, *_ = next(iter(batches))
    return {**inputs, **{f"{name}, true": values for name, values in targets.items()}}


def save_arrays(path: Path, values: Mapping[str, Any]) -> None:
    """Write raw values as an .npz, as a person has them: texts in arrays of texts, not of objects."""
    import numpy as np

    np.savez(path, **{n: a.astype(str) if a.dtype == object else a for n, a in values.items()})


def check_structure(made: Project) -> Any:
    """The model builds, and it has the shapes that the spec says."""
    import keras

    spec = made.spec
    model = made.module("model").build_model()
    assert list(model.output) == [entry.name for entry in spec.outputs]
    assert {name: tensor.shape for name, tensor in model.output.items()} == {
        name: (None, size) for name, size in sizes(spec).items()
    }
    assert {name: list(tensor.shape[1:]) for name, tensor in model.input.items()} == {
        entry.name: entry.tensor_shape for entry in spec.inputs
    }
    names = {entry.name for entry in spec.entries}
    for layer in model.layers:
        stem = layer.name.split(".")[0]
        assert stem in names or stem.startswith("merged"), layer.name
        assert not isinstance(layer, keras.layers.Lambda)
    return model


def check_life(made: Project, folder: Path) -> None:
    """Sample, train, evaluate, predict, save and load: what every project must do."""
    import keras
    import numpy as np
    import pandas as pd

    spec, names = made.spec, [entry.name for entry in made.spec.outputs]
    data = made.module("data")
    check_structure(made)
    manifest = made.sample()
    table = pd.read_csv(manifest)
    assert len(table) == ROWS
    assert set(spec.columns) <= set(table.columns)

    run = made.train(manifest)
    assert_finite(run)
    files = {"model.keras", "splits.csv", "preprocessing.json", "run.json", "curves.png"}
    files |= {"history.csv", "metrics.json"}
    files |= {"members"} if "ensemble" in spec.features else set()
    files |= {"report.html"} if "report" in spec.features else set()
    assert files <= {path.name for path in run.iterdir()}

    # The fitted state is what the file says: the same tensors from both.
    examples = data.open_examples(manifest)
    examples.frame["split"] = made.module("manifest").load_splits(run, examples)
    parts = {part: examples.split(part) for part in ("train", "validation", "test")}
    rows = np.concatenate([part.frame.index for part in parts.values()])
    assert sorted(rows) == [*range(1, ROWS + 1)]
    assert len(parts["train"]) > len(parts["test"]) > 0
    fitted = data.Preprocessing.adapt(parts["train"])
    loaded = data.Preprocessing.load(run / "preprocessing.json")
    seen = tensors(made, manifest, fitted)
    assert_same(seen, tensors(made, manifest, loaded))

    # The model that was kept: right shapes, and the same again when saved and loaded.
    model, _, _ = made.module("evaluate").open_run(run)
    inputs = {name: seen[name] for name in data.INPUTS}
    predictions = model.predict_on_batch(inputs)
    assert {name: values.shape for name, values in predictions.items()} == {
        name: (ROWS, size) for name, size in sizes(spec).items()
    }
    model.save(folder / "again.keras")
    again = keras.saving.load_model(folder / "again.keras").predict_on_batch(inputs)
    assert_same(predictions, again, rtol=1e-5, atol=1e-6)

    result = json.loads(made.ok("evaluate", "--run", run, "--data", manifest, "--json"))
    assert (result["split"], result["rows"]) == ("test", len(parts["test"]))
    assert list(result["outputs"]) == names
    for entry in spec.outputs:
        scores = result["outputs"][entry.name]
        assert set(scores) >= set(entry.task.metrics)
        assert np.isfinite(list(scores.values())).all()

    made.ok("predict", "--run", run, "--data", manifest, "--out", run / "predictions.csv")
    predicted = pd.read_csv(run / "predictions.csv")
    assert list(predicted["row"]) == [*range(1, ROWS + 1)]
    for name in names:
        assert name in predicted
    for entry in spec.outputs:
        if entry.task.activation == "linear":
            wanted = predictions[entry.name][:, entry.size // 2]  # of quantiles, the median
            np.testing.assert_allclose(predicted[entry.name], wanted, rtol=1e-3)


def ruff(*arguments: str, cwd: Path) -> str:
    """What ruff says; empty where it has nothing to say."""
    done = subprocess.run(
        [BIN / "ruff", *arguments, "--no-cache", "--quiet"], cwd=cwd, capture_output=True, text=True
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr
