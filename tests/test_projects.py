"""Every project that the catalog offers: it builds, is counted right, and fits."""

from __future__ import annotations

import ast
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import time
import tomllib
from collections import Counter
from pathlib import Path

import helpers
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from keras_scaffold.catalog import load_catalog
from keras_scaffold.render import render
from keras_scaffold.spec import SpecError, validate
from projects import (
    ENCODERS,
    MERGES,
    TASKS,
    TYPES,
    check_life,
    check_structure,
    project,
    ruff,
    small_input,
    small_output,
    spec_of,
)


@pytest.mark.parametrize(("kind", "encoder"), ENCODERS)
def test_every_encoder_builds_as_it_is_counted(kind, encoder, tmp_path):
    spec = spec_of([{"name": "it", "type": kind, "encoder": encoder}])
    with project(spec, tmp_path) as made:
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
        if method.width != "sum":
            yield f"{name}-width", {"method": name, "of": ["bare", "wide"], "width": 6}
        if method.least == 1:
            yield f"{name}-one", {"method": name, "of": ["narrow"]}
            yield f"{name}-bare-one", {"method": name, "of": ["bare"]}
        if method.least == 1 and method.width != "sum":
            yield f"{name}-one-width", {"method": name, "of": ["bare"], "width": 6}


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


# Pairwise: every encoder with every merge, task and second type


def pairwise():
    """Few combinations in which every two values of different kinds meet; greedy."""
    axes = (ENCODERS, MERGES, TASKS, TYPES)
    missing = {
        (i, one, j, two)
        for i, j in itertools.combinations(range(len(axes)), 2)
        for one in axes[i]
        for two in axes[j]
    }

    def pairs(case):
        return {(i, case[i], j, case[j]) for i, j in itertools.combinations(range(len(axes)), 2)}

    everything = list(itertools.product(*axes))
    cases = []
    while missing:
        case = max(everything, key=lambda case: len(pairs(case) & missing))
        missing -= pairs(case)
        cases.append(case)
    return cases


def test_pairwise_is_small_and_complete():
    cases = pairwise()
    assert {case[:2] for case in cases} == set(itertools.product(ENCODERS, MERGES))
    assert {case[2:] for case in cases} == set(itertools.product(TASKS, TYPES))
    assert len(cases) < 1.4 * len(ENCODERS) * len(MERGES)


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
            examples = data.read_examples(made.sample(rows=12))
            learnt = data.Preprocessing.learn(examples)
            made.module("train").compile_model(model, learnt)
            batch, targets = next(iter(data.make_dataset(examples, learnt, 12)))
            with tf.GradientTape() as tape:
                loss = model.compute_loss(x=batch, y=targets, y_pred=model(batch, training=True))
            gradients = tape.gradient(loss, model.trainable_variables)
            assert np.isfinite(loss), case
            for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
                assert gradient is not None, (case, variable.path)
                assert np.isfinite(tf.convert_to_tensor(gradient)).all(), (case, variable.path)


# The code as it is rendered

LAYERS_AND_MORE = (
    "layers inputs model x np keras manifest rows dataset split value self examples data raw "
    "tf pd json path learnt merged outputs features table train y list dict len range print"
).split()


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
        yield spec_of(inputs, outputs=[{"name": name, "task": task} for name, task in tasks])
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
            outputs = [{"name": "z" * 32, "task": task, "column": column}]
            yield spec_of([{"name": "a", "type": TYPES[0]}], outputs=outputs)
    for name in ("R&D \"x\" 'y' {{ z }} {% raw %} \\", "日本語 {}", "100 % <b>", "Ünï #1", "'''"):
        yield spec_of([{"name": "a", "type": TYPES[0]}], name=name)


def drawn_specs(count):
    """Valid specs that hypothesis draws."""
    found = []

    @settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(helpers.specs())
    def draw(data):
        try:
            found.append(validate(data))
        except SpecError:
            assume(False)

    draw()
    return found


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
        assert "Lambda" not in text, path
        assert not re.search(r"^\s*(import|from) (pickle|keras_scaffold)|pickle\.", text, re.M)
        assert "keras_scaffold" not in text, path
    for path in folder.glob("*/pyproject.toml"):
        tomllib.loads(path.read_text(encoding="utf-8"))


def test_hostile_names_and_columns_are_rendered_clean(tmp_path):
    assert_clean(list(hostile_specs()), tmp_path)


@pytest.mark.slow
def test_drawn_specs_are_rendered_clean(tmp_path):
    specs = drawn_specs(120)
    assert len(specs) > 40
    assert_clean(specs, tmp_path)


@pytest.mark.slow
def test_drawn_specs_build(tmp_path):
    """Names and trees of all kinds; the sizes small, for time."""
    for drawn in drawn_specs(12):
        inputs = [small_input(e["name"], e["type"], e["encoder"]) for e in drawn.inputs]
        outputs = [small_output(e["name"], e["task"]) for e in drawn.outputs]
        spec = spec_of(inputs, drawn.given.get("merge", "concatenate"), outputs)
        with project(spec, tmp_path) as made:
            check_structure(made)


def three_of_each(kinds):
    inputs = [
        {"name": f"{encoder}_{number}", "type": kind, "encoder": encoder}
        for kind, encoder in kinds
        for number in ("one", "two", "three")
    ]
    outputs = [{"name": f"{t}_{n}", "task": t} for t in TASKS for n in ("one", "two", "three")]
    return spec_of(inputs, outputs=outputs)


@pytest.mark.parametrize("kind", [*TYPES, "all"])
def test_no_six_lines_stand_twice_in_a_file(kind, tmp_path):
    """Where two places look alike, git moves a person's edit to the wrong one."""
    encoders = [pair for pair in ENCODERS if kind in (pair[0], "all")]
    wanted = {}
    for group in [encoders] if kind == "all" else [[pair] for pair in encoders]:
        spec = three_of_each(group)
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
