"""Every project that the catalog offers: it builds, is counted right, and fits."""

from __future__ import annotations

import ast
import functools
import itertools
import json
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import zipfile
from collections import Counter
from pathlib import Path

import helpers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras_scaffold.catalog import load_catalog
from keras_scaffold.render.project import render
from keras_scaffold.spec import validate
from projects import (
    ENCODERS,
    MERGES,
    TASKS,
    TYPES,
    assert_finite,
    assert_same,
    bare_input,
    bare_output,
    check_life,
    check_structure,
    drawn_specs,
    project,
    ruff,
    save_arrays,
    small_input,
    small_output,
    spec_of,
    tensors,
)


@pytest.mark.parametrize(("kind", "encoder"), ENCODERS)
def test_every_encoder_builds_as_it_is_counted(kind, encoder, tmp_path):
    with project(spec_of([bare_input("it", kind, encoder)]), tmp_path) as made:
        check_structure(made)


# Lives: sample, train, evaluate, predict, save, load


@pytest.mark.slow
@pytest.mark.usefixtures("no_xla")
@pytest.mark.parametrize(("kind", "encoder"), ENCODERS)
def test_every_encoder_fits(kind, encoder, tmp_path):
    with project(spec_of([small_input("it", kind, encoder)]), tmp_path) as made:
        check_life(made, tmp_path)


@pytest.mark.slow
@pytest.mark.usefixtures("no_xla")
@pytest.mark.parametrize("task", TASKS)
def test_every_task_fits(task, tmp_path):
    inputs = [small_input("it", TYPES[0])]
    with project(spec_of(inputs, outputs=[small_output("y", task)]), tmp_path) as made:
        check_life(made, tmp_path)


@pytest.mark.slow
@pytest.mark.usefixtures("no_xla")
def test_six_inputs_and_every_task_at_once_fit(tmp_path):
    inputs = [small_input(f"{kind}_in", kind) for kind in TYPES]
    outputs = [small_output(f"{task}_out", task) for task in TASKS]
    assert len(inputs) >= 6
    with project(spec_of(inputs, outputs=outputs), tmp_path) as made:
        check_life(made, tmp_path)


# Merges


def three_widths():
    return [
        small_input("wide", "numeric", units=[5, 9]),
        small_input("narrow", "numeric", units=[3]),
        small_input("bare", "numeric", "passthrough", shape=[9]),
    ]


def merge_trees():
    for name in MERGES:
        method = load_catalog().merges[name]
        names = ["wide", "narrow", "bare"]
        few = names[: method.most or 3]
        yield f"{name}", {"method": name, "of": few}
        yield f"{name}-bare", {"method": name, "of": ["wide", "bare"]}
        yield f"{name}-twice", {"method": name, "of": ["narrow", "narrow"]}
        inner = {"method": name, "of": ["narrow", "bare"]}
        yield f"{name}-inside", {"method": "concatenate", "of": ["wide", inner]}
        inside = {"method": "concatenate", "of": ["narrow", "bare"]}
        yield f"{name}-outside", {"method": name, "of": [inside, "wide"]}
        if "width" in method.fields:
            yield f"{name}-width", {"method": name, "of": ["bare", "wide"], "width": 8}
        if method.least == 1:
            yield f"{name}-one", {"method": name, "of": ["narrow"]}
            yield f"{name}-bare-one", {"method": name, "of": ["bare"]}
        if method.least == 1 and "width" in method.fields:
            yield f"{name}-one-width", {"method": name, "of": ["bare"], "width": 8}


def merged_spec(tree):
    named = {name for name in ("wide", "narrow", "bare") if f"'{name}'" in str(tree)}
    return spec_of([entry for entry in three_widths() if entry["name"] in named], tree)


@pytest.mark.parametrize("tree", [pytest.param(tree, id=name) for name, tree in merge_trees()])
def test_every_merge_builds_as_it_is_counted(tree, tmp_path):
    with project(merged_spec(tree), tmp_path) as made:
        check_structure(made)


@pytest.mark.slow
@pytest.mark.usefixtures("no_xla")
@pytest.mark.parametrize("name", MERGES)
def test_every_merge_fits(name, tmp_path):
    most = load_catalog().merges[name].most or 3
    inner = {"method": name, "of": ["narrow", "bare", "wide"][:most]}
    with project(merged_spec({"method": name, "of": [inner, "wide"]}), tmp_path) as made:
        check_life(made, tmp_path)


# Pairwise: every encoder with every task and second type, every merge with those

# One merge for each way to treat widths.
UNLIKE_MERGES = [*{load_catalog().merges[merge].width: merge for merge in MERGES}.values()]


@functools.cache
def pairwise():
    """Few combinations in which every two values of different kinds meet.

    Each pair that has not met yet is completed by what makes most others meet. A merge knows an
    encoder by its vector alone: of merges that treat widths alike, one meets it.
    """
    axes = (ENCODERS, MERGES, TASKS, TYPES)
    missing = {
        (i, one, j, two): None  # a dict keeps the order, which a set of texts does not
        for i, j in itertools.combinations(range(len(axes)), 2)
        for one in axes[i]
        for two in (UNLIKE_MERGES if (i, j) == (0, 1) else axes[j])
    }

    def pairs(case):
        return [(i, case[i], j, case[j]) for i, j in itertools.combinations(range(len(axes)), 2)]

    cases = []
    while missing:
        i, one, j, two = next(iter(missing))
        given = {i: [one], j: [two]}
        possible = itertools.product(*(given.get(k, axis) for k, axis in enumerate(axes)))
        case = max(possible, key=lambda case: sum(pair in missing for pair in pairs(case)))
        for pair in pairs(case):
            missing.pop(pair, None)
        cases.append(case)
    return cases


def test_pairwise_is_small_and_complete():
    cases = pairwise()
    assert {case[:2] for case in cases} >= set(itertools.product(ENCODERS, UNLIKE_MERGES))
    assert {case[1:3] for case in cases} == set(itertools.product(MERGES, TASKS))
    assert {case[2:] for case in cases} == set(itertools.product(TASKS, TYPES))
    assert {case[::3] for case in cases} == set(itertools.product(ENCODERS, TYPES))
    assert len(cases) < 1.4 * len(ENCODERS) * len(TYPES)


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ENCODERS, ids="-".join)
def test_combinations_build_and_learn_a_batch(encoder, tmp_path):
    """One step of gradients for each: the long life is proved for every part on its own."""
    import numpy as np
    import tensorflow as tf

    for case in [case for case in pairwise() if case[0] == encoder]:
        (kind, name), merge, task, second = case
        inputs = [small_input("one", kind, name), small_input("two", second)]
        spec = spec_of(inputs, merge, [small_output("y", task)])
        with project(spec, tmp_path) as made:
            model = check_structure(made)
            data = made.module("data")
            examples = data.open_examples(made.sample(rows=12))
            preprocessing = data.Preprocessing.adapt(examples)
            made.module("model").compile_model(model, preprocessing.state)
            batch, targets = next(iter(data.make_dataset(examples, preprocessing, 12)))
            with tf.GradientTape() as tape:
                loss = model.compute_loss(x=batch, y=targets, y_pred=model(batch, training=True))
            gradients = tape.gradient(loss, model.trainable_variables)
            assert np.isfinite(loss), case
            for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
                assert gradient is not None, (case, variable.path)
                assert np.isfinite(tf.convert_to_tensor(gradient)).all(), (case, variable.path)


# The code as it is rendered

LAYERS_AND_MORE = [
    *("layers", "inputs", "model", "x", "np", "keras", "manifest", "rows", "dataset", "split"),
    *("value", "self", "examples", "data", "raw", "tf", "pd", "json", "path", "state", "merged"),
    *("outputs", "features", "table", "train", "y", "list", "dict", "len", "range", "print"),
    *("files", "arrays", "column", "columns", "dataset_1", "labels", "series_file", "merged_1"),
]


EVERY_FEATURE = list(load_catalog().features)


def hostile_specs():
    """Names that code could mistake for its own, the longest ones, columns that need escapes."""
    kinds = itertools.cycle(ENCODERS)
    for start in range(0, len(LAYERS_AND_MORE), 4):
        names = LAYERS_AND_MORE[start : start + 4]
        inputs = [
            {"name": name, "type": kind, "encoder": encoder}
            for name, (kind, encoder) in zip(names, kinds, strict=False)
        ]
        tasks = list(zip(LAYERS_AND_MORE[start + 4 :] or ["label"], TASKS, strict=False))
        yield spec_of(inputs, outputs=[bare_output(name, task) for name, task in tasks])
    for start in range(0, len(ENCODERS), 3):  # shared encoders, with long names
        kinds = enumerate(ENCODERS[start : start + 3])
        pairs = [
            [
                {"name": "b" * 30 + f"{n}1", "like": "a" * 30 + f"{n}2"},
                {"name": "a" * 30 + f"{n}2", "type": kind, "encoder": encoder},
            ]
            for n, (kind, encoder) in kinds
        ]
        yield spec_of([entry for pair in pairs for entry in pair], features=EVERY_FEATURE)
    for kind, encoder in ENCODERS:
        if "optional" not in load_catalog().inputs[kind].fields:
            continue
        one = {"name": "a" * 32, "type": kind, "encoder": encoder, "optional": True}
        yield spec_of([one, {"name": "b" * 32, "like": "a" * 32}])
    for kind, encoder in ENCODERS:
        long = "".join(kind[i % len(kind)] for i in range(31))
        columns = ["it's", 'a "q"', "b\\", "c" * 100, "{d}", "{{ e }}", "日 é"]
        one = {"name": f"{long}1", "type": kind, "encoder": encoder}
        for field in load_catalog().inputs[kind].fields.values():
            if field.kind == "columns":
                one |= {"columns": columns, "shape": [len(columns)]}
            if field.kind == "column":
                one["column"] = columns[len(encoder) % len(columns)]
        two = {"name": f"{long}2", "type": kind, "encoder": encoder}
        outputs = [{"name": f"y{long}", "task": task} for task in TASKS[:1]]
        yield spec_of([one, two], MERGES[len(encoder) % len(MERGES)], outputs)
    for task in TASKS:
        for column in ('a "q" \\', "it's", "w" * 100):
            outputs = [bare_output("z" * 32, task, column=column)]
            yield spec_of([{"name": "a", "type": TYPES[0]}], outputs=outputs)
    for name in ("R&D \"x\" 'y' {{ z }} {% raw %} \\", "日本語 {}", "100 % <b>", "Ünï #1", "'''"):
        yield spec_of([{"name": "a", "type": TYPES[0]}], name=name)
    every = [
        {"name": f"in{index}", "type": kind, "encoder": encoder}
        for index, (kind, encoder) in enumerate(ENCODERS)
    ]
    for merge in ("concatenate", "custom"):
        yield spec_of(every, merge, name="wide words " * 5 + "w")
        for one in every:
            yield spec_of(
                [one, {"name": "a", "type": TYPES[0]}], merge, name="wide words " * 5 + "w"
            )


def assert_clean(specs, folder):
    """Rendered, all of them are formatted, without complaints, compile, and are on their own."""
    for index, spec in enumerate(specs):
        render(spec, folder / str(index), git=False)
    told = ruff("format", "--check", "--diff", ".", cwd=folder) + ruff("check", ".", cwd=folder)
    assert not told, told[:6000]
    for path in folder.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        compile(tree, str(path), "exec")
        assert not re.search(r"\bLambda\b", text), path
        assert not re.search(r"^\s*(import|from) (pickle|keras_scaffold)|pickle\.", text, re.M)
        assert "keras_scaffold" not in text, path
    for path in folder.glob("*/pyproject.toml"):
        tomllib.loads(path.read_text(encoding="utf-8"))


def test_hostile_names_and_columns_are_rendered_clean(tmp_path):
    assert_clean(list(hostile_specs()), tmp_path)


@pytest.mark.parametrize("name", ["{{ 7*7 }} & 'x' \\", "100%", "50% of %(prog)s", '日本 "q"'])
def test_a_project_s_name_is_shown_as_it_is(tmp_path, name):
    spec = validate(
        {
            "project_name": name,
            "inputs": [{"name": "a", "type": TYPES[0]}],
            "outputs": [{"name": "y", "task": TASKS[0]}],
        }
    )
    render(spec, tmp_path / "made", git=False)
    (package,) = (tmp_path / "made" / "src").iterdir()
    command = [sys.executable, "-m", package.name, "--help"]
    done = subprocess.run(command, cwd=package.parent, capture_output=True, check=True)
    assert name in done.stdout.decode("utf-8").splitlines()
    readme = (tmp_path / "made" / "README.md").read_text(encoding="utf-8")
    assert readme.startswith(f"# {name}\n")


@pytest.mark.slow
def test_drawn_specs_are_rendered_clean(tmp_path):
    specs = drawn_specs(120)
    assert len(specs) > 40
    assert_clean(specs, tmp_path)


@pytest.mark.slow
def test_drawn_specs_build(tmp_path):
    """Names and trees of all kinds; the sizes small, for time."""
    for drawn in drawn_specs(12):
        inputs = [
            {"name": e.name, "like": e.like}
            if e.like
            else small_input(e.name, e.type.name, e.encoder.name)
            for e in drawn.inputs
        ]
        outputs = [small_output(e.name, e.task.name) for e in drawn.outputs]
        spec = spec_of(inputs, drawn.given.get("merge", "concatenate"), outputs)
        with project(spec, tmp_path) as made:
            check_structure(made)


def three_of_each(kinds, weighted=False):
    """Inputs that look alike; and one that has the encoder of the first."""
    few = len(kinds) == 1  # a spec has at most 100 inputs
    inputs = [
        {"name": f"{kind[:6]}_{encoder}_{number}", "type": kind, "encoder": encoder}
        for kind, encoder in kinds
        for number in (("one", "two", "three") if few else ("one", "two"))
    ]
    inputs += [
        {"name": f"{each['name']}_like", "like": each["name"]}
        for each in (inputs if few else inputs[::8])
    ]
    outputs = [
        bare_output(f"{task}_{number}", task, **(outputs_with(task) if weighted else {}))
        for task in TASKS
        for number in ("one", "two", "three")
    ]
    for (
        entry
    ) in outputs:  # the names of classes are a person's own; equal lists would be equal lines
        if entry["task"] == "ordinal":
            entry["classes"] = [f"{name} {entry['name']}" for name in entry["classes"]]
    return spec_of(inputs, outputs=outputs)


def outputs_with(task):
    """The fields of an output that concern the weights of its rows."""
    balance = {"balance": True} if "balance" in load_catalog().outputs[task].fields else {}
    return {"optional": True, "weight": "trust", **balance}


@pytest.mark.parametrize("kind", [*TYPES, "all", "weighted"])
def test_no_six_lines_stand_twice_in_a_file(kind, tmp_path):
    """Where two places look alike, git moves a person's edit to the wrong one."""
    encoders = [pair for pair in ENCODERS if kind in (pair[0], "all")] or ENCODERS[:1]
    wanted = {}
    for group in [encoders] if kind == "all" else [[pair] for pair in encoders]:
        spec = three_of_each(group, kind == "weighted")
        render(spec, tmp_path / spec.project_slug, git=False)
    for path in tmp_path.rglob("*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        windows = Counter(tuple(lines[i : i + 6]) for i in range(len(lines) - 5))
        twice = ["\n".join(window) for window, count in windows.items() if count > 1]
        if twice:
            wanted[path.name] = twice[0]
    assert not wanted, "\n----\n".join(f"{name}:\n{text}" for name, text in wanted.items())


@pytest.mark.slow
def test_types_check(tmp_path):
    specs = [three_of_each(ENCODERS), spec_of([{"name": "a", "type": TYPES[0]}], "add")]
    specs.append(spec_of([{"name": kind, "type": kind} for kind in TYPES], "custom"))
    for spec in specs:
        render(spec, tmp_path / spec.project_slug, git=False)
        mypy = [helpers.BIN / "mypy", "--cache-dir", tmp_path / "cache"]
        folder = tmp_path / spec.project_slug
        done = subprocess.run(mypy, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


# Data that a project meets. One project with an input of each type, trained once for all.


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A project with an input of each type and an output of each task, and its run."""
    import keras

    before = keras.src.trainers.trainer.model_supports_jit
    keras.src.trainers.trainer.model_supports_jit = lambda model: False
    inputs = [small_input(f"{kind}_in", kind) for kind in TYPES]
    outputs = [small_output(f"{task}_out", task) for task in TASKS]
    try:
        with project(spec_of(inputs, outputs=outputs), tmp_path_factory.mktemp("trained")) as made:
            made.train(made.sample())
            yield made
    finally:
        keras.src.trainers.trainer.model_supports_jit = before


@pytest.fixture
def manifest(trained):
    """A fresh sample, to be spoilt."""
    return trained.sample()


def run_of(made):
    return made.folder / "runs" / "one"


def spoil(manifest, change):
    import pandas as pd

    table = pd.read_csv(manifest, dtype=str, keep_default_na=False)
    change(table)
    table.to_csv(manifest, index=False)


@pytest.mark.slow
def test_names_in_another_order_are_the_same_and_others_are_refused(trained, manifest):
    import numpy as np

    data = trained.module("data")
    examples = data.open_examples(manifest)
    preprocessing = data.Preprocessing.load(run_of(trained) / "preprocessing.json")
    model, _, _ = trained.module("evaluate").open_run(run_of(trained))
    rows = examples.take(np.arange(4))
    raw = {name: data.tf.constant(rows.values[name]) for name in data.INPUTS}
    batch, _ = next(iter(data.make_dataset(rows, preprocessing, 4)))
    shuffled = dict(reversed(batch.items()))
    assert list(shuffled) != list(batch)
    assert_same(model.predict_on_batch(batch), model.predict_on_batch(shuffled))
    error = trained.module("manifest").DataError
    with pytest.raises(error, match=data.INPUTS[0]):
        preprocessing.inputs({name: raw[name] for name in data.INPUTS[1:]})
    with pytest.raises(error, match="one_more"):
        preprocessing.inputs({**raw, "one_more": raw[data.INPUTS[0]]})


def first(made, kind):
    """The name and the first column of the input or output of a kind."""
    for entry in made.spec.entries:
        if kind in (entry.complete.get("type"), entry.complete.get("task")):
            return entry.name, entry.columns[0]
    raise LookupError(kind)


def fails(made, manifest, *words, command="evaluate"):
    if command == "evaluate":
        options = ["--run", run_of(made), "--split", "all"]
    else:
        options = ["--run", made.folder / "runs" / "bad", "--epochs", 1]
    done = made.main(command, "--data", manifest, *options)
    assert done.code == 1, done
    assert done.err.startswith("error: ") and done.err.count("\n") == 1, done.err
    assert "Traceback" not in done.err + done.out
    for word in words:
        assert str(word) in done.err, done.err


COMMANDS = pytest.mark.parametrize("command", ["evaluate", "train"])


@pytest.mark.slow
@COMMANDS
@pytest.mark.parametrize("kind", [*TYPES, *TASKS])
def test_a_missing_column_is_named(trained, manifest, kind, command):
    _, column = first(trained, kind)
    spoil(manifest, lambda table: table.pop(column))
    fails(trained, manifest, column, manifest, command=command)


@pytest.mark.slow
@COMMANDS
@pytest.mark.parametrize("kind", ["numeric", "regression", "binary"])
def test_a_word_in_place_of_a_number_is_named(trained, manifest, kind, command):
    column = (
        "numeric_in_3" if kind == "numeric" else f"{kind}_{'in' if kind == 'binary' else 'out'}"
    )
    spoil(manifest, lambda table: table.__setitem__(column, ["1"] * 6 + ["lots"] + ["1"] * 41))
    fails(trained, manifest, "row 7", column, "lots", manifest, command=command)


@pytest.mark.slow
@COMMANDS
@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("image", b"no picture"),
        ("image", b""),
        ("image", None),
        ("timeseries", b"no series"),
        ("timeseries", b""),
        ("timeseries", None),
        ("timeseries", "shape"),
        ("timeseries", "nan"),
        ("timeseries", "empty"),
        ("timeseries", "objects"),
        ("embedding", b"no vector"),
        ("embedding", b""),
        ("embedding", None),
        ("embedding", "shape"),
        ("embedding", "infinite"),
        ("embedding", "objects"),
    ],
)
def test_a_broken_file_is_named(trained, manifest, kind, content, command):
    import numpy as np

    _, column = first(trained, kind)
    found = []
    spoil(manifest, lambda table: found.append(table[column][4]))
    path = manifest.parent / found[0]
    arrays = {
        "shape": np.zeros((3, 9)),
        "nan": np.full((3, 4), np.nan),
        "empty": np.zeros((0, 4)),
        "infinite": np.full(10, np.inf),
        "objects": np.array([[{}] * 4] * 3, dtype=object),
    }
    if content is None:
        path.unlink()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, arrays[content], allow_pickle=True)
    fails(trained, manifest, "row 5", path.name, command=command)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_a_label_that_training_never_saw_is_named(trained, manifest, task):
    column = f"{task}_out"
    spoil(manifest, lambda table: table.__setitem__(column, [*table[column][:-1], "unheard"]))
    fails(
        trained, manifest, f"row {len(manifest.read_text().splitlines()) - 1}", "unheard", manifest
    )


@pytest.mark.slow
@COMMANDS
@pytest.mark.parametrize("content", [b"", b"a,b\n", b"\xff\xfe\x00", b'a,b\n"1,2\n'])
def test_an_empty_or_damaged_manifest_is_named(trained, manifest, content, command):
    manifest.write_bytes(content)
    fails(trained, manifest, manifest, command=command)


@pytest.mark.slow
@COMMANDS
@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".npz", ".txt"])
def test_a_damaged_manifest_of_another_format_is_named(trained, tmp_path, suffix, command):
    path = tmp_path / f"manifest{suffix}"
    for content in (b"", b"nonsense"):
        path.write_bytes(content)
        fails(trained, path, path, command=command)


@pytest.mark.slow
def test_every_format_of_a_manifest_gives_the_same_tensors(trained, manifest):
    import numpy as np
    import pandas as pd

    data = trained.module("data")
    preprocessing = data.Preprocessing.load(run_of(trained) / "preprocessing.json")
    wanted = tensors(trained, manifest, preprocessing)
    table = pd.read_csv(manifest, keep_default_na=False)
    table.to_parquet(manifest.with_suffix(".parquet"))
    table.to_json(manifest.with_suffix(".jsonl"), orient="records", lines=True)
    for suffix in (".parquet", ".jsonl"):
        assert_same(
            wanted, tensors(trained, manifest.with_suffix(suffix), preprocessing), rtol=1e-4
        )
    # Arrays: pictures as they are decoded, series padded with NaN, texts as they stand.
    examples = data.open_examples(manifest)
    arrays = dict(examples.values)
    loaded = [
        data.fetch_files({name: data.tf.constant(arrays[name][row]) for name in data.INPUTS})
        for row in range(len(examples))
    ]
    for entry in trained.spec.inputs:
        if entry.type.reads_files:
            arrays[entry.name] = np.stack([row[entry.name] for row in loaded])
    save_arrays(manifest.with_suffix(".npz"), arrays)
    assert_same(wanted, tensors(trained, manifest.with_suffix(".npz"), preprocessing), rtol=1e-4)


@pytest.mark.slow
def test_texts_without_words_constant_columns_and_single_steps_are_trained_on(trained, manifest):
    import numpy as np

    _, texts = first(trained, "text")
    _, numbers = first(trained, "numeric")
    _, series = first(trained, "timeseries")

    def change(table):
        table[texts] = ["?!", *table[texts][1:]]  # no word in it
        table[numbers] = "7.5"
        for path in table[series]:
            np.save(manifest.parent / path, np.ones((1, 4), "float32"))

    spoil(manifest, change)
    run = trained.folder / "runs" / "odd"
    trained.ok("train", "--data", manifest, "--run", run, "--epochs", 1)
    assert_finite(run)


@pytest.mark.parametrize("epochs", [1, 3, 40])
def test_the_curves_count_whole_epochs_from_one(epochs, trained, tmp_path):
    """As the report and Keras's progress do; one epoch alone is a point."""
    import numpy as np
    import pandas as pd
    from matplotlib import pyplot

    names = ["accuracy", "loss", "val_accuracy", "val_loss"]
    values = np.random.default_rng(0).random((epochs, len(names)))
    history = pd.DataFrame(values, columns=names).rename_axis("epoch")
    trained.module("evaluate").draw_curves(history, tmp_path / "curves.png")
    drawn = pyplot.gcf().axes
    assert [axes.get_legend_handles_labels()[1] for axes in drawn] == [
        ["loss", "val_loss"],
        ["accuracy", "val_accuracy"],
    ]
    for axes in drawn:
        for line in axes.lines:
            assert line.get_xdata().tolist() == [*range(1, epochs + 1)]
            assert line.get_ydata().tolist() == history[line.get_label()].tolist()
            assert line.get_marker() == "."
        ticks = axes.get_xticks()
        assert (ticks % 1 == 0).all() and len(ticks) >= min(epochs, 3)
    pyplot.close()
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_a_finished_run_is_not_resumed(trained, manifest):
    run = run_of(trained)
    for folder in (run, run / "none"):  # a finished training is one that cannot be resumed
        done = trained.main("train", "--data", manifest, "--run", folder, "--resume")
        assert done.code == 1 and "nothing to resume" in done.err
    assert json.loads((run / "run.json").read_text())["options"]["seed"] == 0


def lambda_model(path):
    """A model with Python code in it, which loading must not run."""
    import keras

    tensor = keras.Input((1,))
    keras.Model(tensor, keras.layers.Lambda(lambda x: x)(tensor)).save(path)


def cut(path):
    """The first half of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("model.keras", cut),
        ("model.keras", lambda_model),
        ("preprocessing.json", cut),
        ("preprocessing.json", lambda path: path.write_text("[1]")),
        ("run.json", cut),
        ("run.json", lambda path: path.write_text("{}")),
        ("run.json", Path.unlink),
        ("splits.csv", cut),
    ],
)
def test_a_damaged_run_is_one_line(trained, manifest, tmp_path, name, damage):
    run = tmp_path / "run"
    shutil.copytree(run_of(trained), run, ignore=shutil.ignore_patterns("members", "sample"))
    damage(run / name)
    done = trained.main("evaluate", "--data", manifest, "--run", run)
    assert done.code == 1, done
    assert len(done.err.splitlines()) == 1
    assert done.err.startswith(f"error: {run}: "), done.err


@pytest.mark.slow
@pytest.mark.usefixtures("no_xla")
@pytest.mark.parametrize("features", [[], ["report"], [*load_catalog().features]], ids=len)
def test_every_set_of_features_trains(features, tmp_path):
    inputs = [small_input("numbers", "numeric"), small_input("note", "text")]
    outputs = [small_output("label", "binary"), small_output("price", "regression")]
    with project(spec_of(inputs, outputs=outputs, features=features), tmp_path) as made:
        check_life(made, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("features", [[], ["ensemble"]], ids=["one", "members"])
def test_an_interrupted_training_is_resumed(features, tmp_path, monkeypatch):
    """With its own options, from its last backup, to its last epoch."""
    import keras
    import pandas as pd

    with project(spec_of([small_input("numbers", "numeric")], features=features), tmp_path) as made:
        manifest, run = made.sample(), made.folder / "run"
        train = made.module("train")
        backup = train.keras.callbacks.BackupAndRestore
        monkeypatch.setattr(
            train.keras.callbacks,
            "BackupAndRestore",
            lambda folder, save_freq, **more: backup(folder, min(3, save_freq), **more),
        )
        given = ("train", "--data", manifest, "--run", run, "--epochs", 8, "--batch-size", 16)
        more = ("--members", 2, "--seed", 4) if features else ("--seed", 4)
        on_epoch_end, epochs = keras.callbacks.EarlyStopping.on_epoch_end, []

        def crash(self, epoch, logs=None):
            epochs.append(epoch)
            if len(epochs) == (13 if features else 5):  # the fifth epoch, of the second member
                raise RuntimeError("power cut")
            on_epoch_end(self, epoch, logs)

        with monkeypatch.context() as patch:
            patch.setattr(keras.callbacks.EarlyStopping, "on_epoch_end", crash)
            with pytest.raises(RuntimeError, match="power cut"):
                made.main(*given, *more)
        assert not (run / "metrics.json").exists()
        crashed = len(epochs)
        with monkeypatch.context() as patch:
            patch.setattr(keras.callbacks.EarlyStopping, "on_epoch_end", crash)
            done = made.main("train", "--run", run, "--resume", "--seed", 9)
        assert done.code == 0, done
        assert epochs[crashed:] == [4, 5, 6, 7]  # nothing that was finished is trained again
        history = pd.read_csv(run / "history.csv")
        assert history["epoch"].tolist() == [*range(8)] * (2 if features else 1)
        assert json.loads((run / "run.json").read_text())["options"]["seed"] == 4
        assert_finite(run)
        # Other data would be split in another way.
        (run / "metrics.json").unlink()
        manifest.write_text(manifest.read_text() + manifest.read_text().splitlines()[1] + "\n")
        done = made.main("train", "--run", run, "--resume")
        assert done.code == 1 and "has changed since" in done.err, done


def torn(save, at, error, begun):
    """Save a file, at the `at`-th time in part: a closed one without its last half, or a cut one."""
    import h5py

    def save_in_part(self, filepath, *args, **kwargs):
        result = save(self, filepath, *args, **kwargs)
        begun.append(path := Path(filepath))
        if len(begun) != at:
            return result
        whole = path.read_bytes()
        if not isinstance(error, KeyboardInterrupt):
            path.write_bytes(whole[: len(whole) // 2])
        elif path.suffix == ".h5":
            with h5py.File(path, "a") as file:
                del file["layers"]
        else:
            with zipfile.ZipFile(path, "w") as file:
                file.writestr("metadata.json", "{}")
        raise error

    return save_in_part


@pytest.mark.slow
@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("power cut")], ids=type)
@pytest.mark.parametrize("what", ["save_weights", "save"])
def test_a_training_that_ended_while_it_wrote_is_resumed(what, error, tmp_path, monkeypatch):
    """The backup or the best epoch is half a file then."""
    import keras
    import pandas as pd

    spec = spec_of([small_input("numbers", "numeric")], features=["ensemble"])
    with project(spec, tmp_path) as made:
        manifest, run, begun = made.sample(), made.folder / "run", []
        train = made.module("train")
        backup = train.keras.callbacks.BackupAndRestore
        monkeypatch.setattr(
            train.keras.callbacks,
            "BackupAndRestore",
            lambda folder, save_freq, **more: backup(folder, "epoch", **more),
        )
        given = ("train", "--data", manifest, "--run", run, "--epochs", 6, "--members", 1)
        with monkeypatch.context() as patch:
            save = getattr(keras.Model, what)
            patch.setattr(keras.Model, what, torn(save, 3, error, begun))
            if isinstance(error, KeyboardInterrupt):
                assert "Interrupted: the best epoch counts" in made.ok(*given)
            else:
                with pytest.raises(RuntimeError, match="power cut"):
                    made.main(*given)
        assert len(begun) >= 3 and not (run / "finished").exists()
        made.ok("train", "--run", run, "--resume")
        history = pd.read_csv(run / "history.csv").drop_duplicates("epoch")
        assert history["epoch"].tolist() == [*range(6)]
        made.ok("evaluate", "--run", run, "--data", manifest)
        assert_finite(run)


@pytest.mark.slow
@pytest.mark.parametrize("features", [["ensemble"], ["ensemble", "calibration", "report"]], ids=len)
def test_members_that_are_trained_count_where_the_next_is_interrupted(
    features, tmp_path, monkeypatch
):
    """Before its first epoch is over; the run is whole, and can be resumed."""
    import keras
    import pandas as pd

    with project(spec_of([small_input("numbers", "numeric")], features=features), tmp_path) as made:
        manifest, run, begun = made.sample(), made.folder / "run", []
        given = ("train", "--data", manifest, "--run", run, "--epochs", 2, "--members", 3)

        def interrupt(at):
            def on_train_begin(self, logs=None):
                begun.append(self)
                if len(begun) == at:
                    raise KeyboardInterrupt

            return on_train_begin

        with monkeypatch.context() as patch:
            patch.setattr(keras.callbacks.EarlyStopping, "on_train_begin", interrupt(1))
            done = made.main(*given)
        assert (done.code, done.err) == (130, "error: interrupted\n")
        with monkeypatch.context() as patch:
            patch.setattr(keras.callbacks.EarlyStopping, "on_train_begin", interrupt(3))
            out = made.ok(*given)
        assert "\nInterrupted: 1 of 3 members count; --resume continues\n" in out
        assert pd.read_csv(run / "history.csv")["member"].tolist() == [1, 1]
        made.ok("predict", "--run", run, "--data", manifest, "--out", tmp_path / "out.csv")
        made.ok("train", "--run", run, "--resume")
        assert pd.read_csv(run / "history.csv")["member"].tolist() == [1, 1, 2, 2, 3, 3]


@pytest.mark.slow
def test_a_loss_that_is_not_finite_is_one_line(tmp_path):
    with project(spec_of([small_input("numbers", "numeric")], features=[]), tmp_path) as made:
        given = ("train", "--data", made.sample(), "--run", made.folder / "run")
        done = made.main(*given, "--learning-rate", 1e30, "--epochs", 2)
    assert done.code == 1, done
    assert done.err.splitlines()[-1] == (
        "error: the loss is not finite; train with a lower --learning-rate"
    )


def test_a_long_training_prints_an_estimate(tmp_path, capsys):
    import time

    spec = spec_of([small_input("numbers", "numeric")], features=["ensemble"])
    with project(spec, tmp_path) as made:
        print_estimate = made.module("ensemble").print_estimate
        for epoch, minutes in ((0, 1), (1, 1), (0, 0)):
            print_estimate(time.perf_counter() - 60 * minutes, 120, epoch, {})
    assert capsys.readouterr().out == (
        "\nUp to 120 minutes to go; fewer --members or --epochs take less\n"
    )


CELLS = st.text("abAB01 .-|é日ß\u00a0", min_size=1, max_size=8) | st.sampled_from(
    ["1", "1.0", " 1 ", "-3.00", "0.10", "True", "true", "TRUE ", "a ", "1.0|2", "x\u00a0"]
)


@pytest.mark.parametrize("kind", ["text", "categorical", "set"])
@pytest.mark.parametrize("encoder", [0, -1], ids=["default", "last"])
def test_a_client_may_send_cells_as_they_are_written(kind, encoder, tmp_path):
    """The tensors are those of the same cells in a manifest: spaces, 1.0 for 1, True for true."""
    import numpy as np
    import pandas as pd
    import tensorflow as tf

    encoders = list(load_catalog().inputs[kind].encoders)
    one = {"shape": [1], "columns": ["words"]} if kind == "categorical" else {}
    entry = {**small_input("words", kind, encoders[encoder]), **one}
    with project(spec_of([entry], features=[]), tmp_path) as made:
        data, path = made.module("data"), tmp_path / "cells.csv"
        state = data.Preprocessing.adapt(data.open_examples(made.sample())).state
        known = ["1", "a", "true", "b", "-3", "2"]
        for key in ("categories", "tags", "vocabulary"):
            if key in state.get("words", {}):
                state["words"][key] = [known] if key == "categories" else known
        preprocessing = data.Preprocessing(state)

        @settings(max_examples=40)
        @given(st.lists(CELLS.filter(str.strip), min_size=1, max_size=6))
        def alike(cells):
            pd.DataFrame({"words": cells}).to_csv(path, index=False)
            read = data.open_examples(path, with_outputs=False)
            raw = np.reshape(np.array(cells, object), read.values["words"].shape)
            tensors = [
                preprocessing.inputs({"words": tf.constant(values.tolist())})["words"].numpy()
                for values in (read.values["words"], raw)
            ]
            np.testing.assert_array_equal(*tensors)

        alike()


@pytest.mark.parametrize(
    "other", [("1.0", "0.0"), (" 1", "0 "), ("1.00", "0.000"), ("1", "0.0")], ids=repr
)
def test_whole_numbers_have_one_form(other, tmp_path):
    """A hole in a column of 1 and 0 makes it 1.0 and 0.0; labels, categories and flags stay alike."""
    import numpy as np
    import pandas as pd

    inputs = [
        {"name": "dog", "type": "categorical", "columns": ["dog"]},
        {"name": "cat", "type": "binary"},
    ]
    with project(spec_of(inputs, features=[]), tmp_path) as made:
        data, found = made.module("data"), []
        for one, none in (("1", "0"), other):
            cells = [one, none, one, none]
            path = tmp_path / "cells.csv"
            pd.DataFrame({"dog": cells, "cat": cells, "label": cells}).to_csv(path, index=False)
            examples = data.open_examples(path)
            assert not examples.problems
            found.append((examples, data.Preprocessing.adapt(examples)))
        (examples, preprocessing), (others, adapted) = found
        assert adapted.state == preprocessing.state
        for one, two in zip(
            (preprocessing.inputs(without_label(examples.values)), preprocessing.targets(examples)),
            (preprocessing.inputs(without_label(others.values)), preprocessing.targets(others)),
            strict=True,
        ):
            for name in one:
                np.testing.assert_array_equal(one[name], two[name])


def test_spellings_of_a_label_are_one_where_the_spec_says_so(tmp_path):
    import numpy as np
    import pandas as pd

    outputs = [
        {"name": "answer", "task": "binary", "ignore_case": True},
        {
            "name": "place",
            "task": "multiclass",
            "classes": ["Near  Home", "far"],
            "ignore_case": True,
        },
        {"name": "code", "task": "binary"},
    ]
    spec = spec_of([{"name": "size", "type": "numeric", "columns": ["size"]}], outputs=outputs)
    with project(spec, tmp_path) as made:
        path = tmp_path / "cells.csv"
        table = {"size": [1, 2], "answer": ["Yes", "NO "], "place": ["NEAR  home", "Far"]}
        table["code"] = ["A", "a"]
        pd.DataFrame(table).to_csv(path, index=False)
        np.savez(path.with_suffix(".npz"), **table)
        data = made.module("data")
        for suffix in (".csv", ".npz"):
            examples = data.open_examples(path.with_suffix(suffix))
            preprocessing = data.Preprocessing.adapt(examples)
            assert preprocessing.state["answer"]["labels"] == ["no", "yes"]
            assert preprocessing.state["code"]["labels"] == ["A", "a"]
            preprocessing.note_unknown_labels(examples)
            assert not examples.problems
            targets = preprocessing.targets(examples)
            np.testing.assert_array_equal(targets["place"], [0, 1])
            np.testing.assert_array_equal(targets["answer"], [[1], [0]])


def test_labels_of_arrays_are_read_as_those_of_a_table(tmp_path):
    """Whatever their dtype: 1.0 is 1, True is true, spaces around a label do not count."""
    import numpy as np

    named = {"name": "risk", "task": "ordinal", "classes": ["low", "high"], "column": "Risk (%)"}
    outputs = [{"name": "it", "task": "multiclass"}, {"name": "tags", "task": "multilabel"}, named]
    spec = spec_of([{"name": "size", "type": "numeric", "columns": ["size"]}], outputs=outputs)
    with project(spec, tmp_path) as made:
        data, path = made.module("data"), tmp_path / "labels.npz"
        given = {"size": [1, 2], "tags": ["a|b", ""], "risk": [[" low"], ["high "]]}
        for labels, wanted in (
            ([1.0, 2.0], ["1", "2"]),
            ([3, 4], ["3", "4"]),
            ([True, False], ["true", "false"]),
            ([b"a ", b" b"], ["a", "b"]),
            (["New  York", "none"], ["New  York", "none"]),
        ):
            more = {"comment": "not of the rows", "more": [1, 2, 3], "Risk (%)": ["low"] * 2}
            np.savez(path, it=labels, **given, **more)  # an array named like a target's column
            examples = data.open_examples(path)
            assert not examples.problems
            assert examples.values["it"].tolist() == wanted
            assert examples.values["tags"].tolist() == ["a|b", ""]
            assert examples.values["risk"].tolist() == ["low", "high"]
        for wrong, problem in (
            ({"it": ["a", "b", "c"]}, "arrays need the same number of rows, not 0; here are"),
            ({"it": ["a", "b"], "size": ["a", "b"]}, "cannot be read as arrays: Cannot cast"),
            ({"it": ["a", "b"], "size": [[1, 2], [3, 4]]}, r"size has the shape \(2, 2\)"),
            ({}, "no column 'it'; it has size, tags, Risk"),
            ({"it": [[1, 0], [0, 1]]}, "'it': 4}"),
            ({"it": ["a", "b"], "size": np.empty((0, 1))}, "'size': 0"),
            ({"it": ["a", "b"], "split": ["train"]}, "'split': 1"),
        ):
            np.savez(path, **{**given, **wrong})
            with pytest.raises(data.DataError, match=problem):
                data.open_examples(path)


def without_label(values):
    """The values of the inputs alone."""
    return {name: array for name, array in values.items() if name != "label"}


@pytest.mark.parametrize("source", ["files", "arrays"])
def test_vectors_are_normalized_by_the_training_rows_and_a_missing_one_is_zeros(source, tmp_path):
    import numpy as np
    import pandas as pd

    vector = small_input("vector", "embedding", shape=[3], optional=True)
    with project(spec_of([vector], features=["arrays"]), tmp_path) as made:
        data, manifest = made.module("data"), tmp_path / "vectors.csv"
        table = pd.DataFrame({"label": ["no", "yes"] * 20})
        vectors = np.random.default_rng(0).normal([0, 50, 7], [1, 0.01, 0], (40, 3))
        vectors = vectors.astype("float32")
        vectors[[2, 35]] = np.nan
        if source == "arrays":
            manifest = manifest.with_suffix(".npz")
            np.savez(manifest, vector=vectors, label=table["label"].to_numpy(str))
        else:
            table["vector"] = [f"{row}.npy" for row in range(40)]
            table.loc[[2, 35], "vector"] = ""
            for row, values in enumerate(vectors):
                np.save(tmp_path / f"{row}.npy", values)
            table.to_csv(manifest, index=False)
        training = data.open_examples(manifest).take(np.arange(30))
        found = tensors(made, manifest, data.Preprocessing.adapt(training))["vector"].numpy()
        seen = vectors[:30].astype("float64")
        deviation = np.array([*np.nanstd(seen, axis=0)[:2], 1])  # the last number is constant
        wanted = np.nan_to_num((vectors - np.nanmean(seen, axis=0)) / deviation)
        np.testing.assert_allclose(found, wanted, atol=2e-3)
        assert not found[[2, 35]].any() and not found[:, 2].any()
        np.testing.assert_allclose(
            np.delete(found[:30], 2, axis=0)[:, :2].std(axis=0), 1, rtol=1e-3
        )


@pytest.mark.parametrize("kind", ["image", "timeseries", "embedding"])
def test_a_lost_file_of_an_optional_input_counts_as_missing(kind, tmp_path):
    inputs = [small_input("it", kind, optional=True), small_input("other", kind)]
    with project(spec_of(inputs, features=[]), tmp_path) as made:
        manifest, lost = made.sample(), {}
        spoil(manifest, lambda table: lost.update({name: table[name][0] for name in table}))
        (manifest.parent / lost["it"]).unlink()
        examples = made.module("data").open_examples(manifest)
        assert not examples.problems
        assert [bool(path) for path in examples.values["it"][:2]] == [False, True]
        (manifest.parent / lost["other"]).unlink()
        problems = made.module("data").open_examples(manifest).problems
        assert len(problems) == 1 and "there is no such file" in problems[0][1]


# Processes of their own


@pytest.mark.slow
def test_the_commands_work_in_processes_of_their_own(tmp_path):
    inputs = [small_input("layers", "numeric"), small_input("model", "text")]
    with project(spec_of(inputs), tmp_path) as made:
        work = made.folder
        for arguments in (
            ("sample", "some", "--rows", 40),
            ("train", "--data", "some/manifest.csv", "--epochs", 1, "--run", "run"),
            ("evaluate", "--run", "run", "--data", "some/manifest.csv", "--json"),
            ("predict", "--run", "run", "--data", "some/manifest.csv", "--out", "out.csv"),
            ("export", "--run", "run"),
        ):
            done = made.process(*arguments)
            assert done.returncode == 0, done.stderr
            if arguments[0] == "evaluate":
                assert json.loads(done.stdout)["split"] == "test"
        assert (work / "run" / "saved_model").is_dir()
        done = made.process("evaluate", "--run", "run", "--data", "none.csv")
        assert done.returncode == 1
        # TensorFlow 2.21 writes notes of its own while it is imported, whatever the log level.
        notes = re.compile(r"WARNING: All log messages before absl|[IWE]0000 ")
        said = [line for line in done.stderr.splitlines() if not notes.match(line)]
        assert len(said) == 1 and said[0].startswith("error: none.csv: "), done.stderr
        assert made.process("train", "--epochs", 0).returncode == 2


def piped(made, arguments, lines, both=False):
    """The command's status, what its reader took before it left, and what it said of errors."""
    with subprocess.Popen(
        made.command(*arguments),
        env={**made.environment, "PYTHONUNBUFFERED": ""},
        cwd=made.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if both else subprocess.PIPE,
        text=True,
    ) as process:
        taken = [process.stdout.readline() for _ in range(lines)]
        process.stdout.close()
        said = "" if both else process.stderr.read()
        return process.wait(timeout=120), taken, said


@pytest.mark.slow
def test_a_reader_may_leave_a_pipe(tmp_path):
    with project(spec_of([small_input("numbers", "numeric")]), tmp_path) as made:
        manifest, run = made.sample(), made.train(made.sample())
        given = ("--run", run, "--data", manifest)
        out = made.folder / "predictions.csv"
        more = ("--run", made.folder / "runs" / "two", "--epochs", 50, "--members", 1)
        for arguments, lines in (
            (("evaluate", *given), 0),
            (("predict", *given, "--out", out), 0),
            (("train", "--data", manifest, *more), 1),
        ):
            status, taken, said = piped(made, arguments, lines)
            assert status == 141, (arguments[0], said)
            assert all(taken)
            assert "Traceback" not in said and "BrokenPipe" not in said, said
        assert len(out.read_text().splitlines()) == 49

        # Bad rows are listed on standard error, which may be the same pipe.
        header = manifest.read_text().splitlines()[0]
        manifest.write_text(f"{header}\n" + (",wide" * header.count(",") + "\n") * 99)
        status, _, _ = piped(made, ("predict", *given, "--out", out), 0, both=True)
        assert status == 141


@pytest.mark.slow
def test_control_c_keeps_the_best_weights(tmp_path):
    with project(spec_of([small_input("numbers", "numeric")]), tmp_path) as made:
        run = made.folder / "run"
        command = made.command("train", "--epochs", 100000, "--run", run, "--learning-rate", 1e-9)
        with subprocess.Popen(
            command,
            env=made.environment,
            cwd=made.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            until = time.monotonic() + 120
            while not any(run.rglob("model.keras")) and time.monotonic() < until:
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=120)
        assert process.returncode in (0, 130), out[-3000:]
        assert "Traceback" not in out, out[-3000:]
        assert (run / "model.keras").is_file()
        assert (run / "metrics.json").is_file()
        assert_finite(run)
