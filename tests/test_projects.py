"""Every project that the catalog offers: it builds, is counted right, and fits."""

from __future__ import annotations

import pytest
from keras_scaffold.catalog import load_catalog
from projects import (
    ENCODERS,
    MERGES,
    TASKS,
    TYPES,
    check_life,
    check_structure,
    project,
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
