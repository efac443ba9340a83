"""The diagrams, approved as text in tests/screens; APPROVE=1 writes them again."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras_scaffold.catalog import load_catalog
from keras_scaffold.render.diagram import draw, draw_partial, for_encoding
from keras_scaffold.spec import Merge, validate
from projects import bare_output
from terminal import approve

INDICATORS = {"name": "indicators", "type": "numeric", "shape": [20]}
CHART = {"name": "chart", "type": "image", "shape": [100, 100, 3]}
HEADLINE = {"name": "headline", "type": "text"}
DIRECTION = {"name": "direction", "task": "binary"}
LONG = "a" * 30 + "_"

SPECS = {
    "flagship": {"inputs": [INDICATORS, CHART, HEADLINE], "outputs": [DIRECTION]},
    "alike": {
        "inputs": [HEADLINE, {"name": "summary", "like": "headline"}, INDICATORS],
        "merge": {
            "method": "concatenate",
            "of": [{"method": "comparator", "of": ["headline", "summary"]}, "indicators"],
        },
        "outputs": [DIRECTION],
    },
    "one_input": {"inputs": [INDICATORS], "outputs": [DIRECTION]},
    "tree": {
        "inputs": [INDICATORS, CHART, HEADLINE],
        "merge": {
            "method": "concatenate",
            "of": [{"method": "multiply", "of": ["chart", "headline"]}, "indicators"],
        },
        "outputs": [DIRECTION, {"name": "genre", "task": "multiclass", "classes": 4, "units": []}],
    },
    "deep_tree": {
        "inputs": [INDICATORS, CHART, HEADLINE],
        "merge": {
            "method": "add",
            "width": 16,
            "of": [
                "indicators",
                {
                    "method": "multiply",
                    "of": ["indicators", {"method": "dot", "of": ["chart", "headline"]}],
                },
                {"method": "maximum", "of": ["headline", "chart", "indicators"]},
            ],
        },
        "outputs": [DIRECTION, {"name": "price", "task": "regression", "units": [128, 64, 32]}],
    },
    "long_names": {
        "inputs": [
            {"name": f"{LONG}1", "type": "timeseries", "shape": [100000, 4096]},
            {"name": f"{LONG}2", "type": "text", "units": [8192]},
            {"name": f"{LONG}3", "type": "image", "shape": [2048, 2048, 4]},
        ],
        "merge": {
            "method": "concatenate",
            "of": [{"method": "add", "of": [f"{LONG}1", f"{LONG}2"]}, f"{LONG}3"],
        },
        "outputs": [{"name": f"{LONG}4", "task": "multilabel", "classes": 100000}],
    },
}


def spec(name):
    return validate({"project_name": name, **SPECS[name]})


@pytest.mark.parametrize("name", SPECS)
def test_a_diagram_is_as_approved(name):
    approve(f"diagram_{name}", draw(spec(name)))


def test_a_narrow_terminal_gets_narrow_lines():
    approve("diagram_narrow", draw(spec("long_names"), columns=60))


def test_a_diagram_grows_with_its_inputs():
    inputs = spec("flagship").inputs
    grown = [draw_partial(inputs[:count]) for count in (1, 2, 3)]
    merged = draw_partial(inputs, Merge("concatenate", ("indicators", "chart", "headline")))
    approve("diagram_growing", "\n\n".join([*grown, merged]))


def test_ascii_stands_in_where_the_terminal_has_no_lines():
    drawn = draw(spec("tree"))
    assert for_encoding(drawn, "utf-8") == drawn
    approve("diagram_ascii", for_encoding(drawn, "ascii"))
    assert for_encoding(drawn, "cp437") == for_encoding(drawn, None)


def trees(names):
    leaves = st.sampled_from(names)

    def node(operands):
        alike = st.sampled_from(["concatenate", "add", "multiply", "maximum"])
        many = st.builds(
            lambda method, of: {"method": method, "of": of},
            alike,
            st.lists(operands, min_size=1, max_size=4),
        )
        two = st.builds(
            lambda method, of: {"method": method, "of": of},
            st.sampled_from(["dot", "subtract"]),
            st.lists(operands, min_size=2, max_size=2),
        )
        return many | two

    tree = node(st.recursive(leaves, node, max_leaves=12))
    return tree.map(lambda top: {"method": "concatenate", "of": [top, *names]})


@st.composite
def specs(draw):
    types = load_catalog().inputs
    name = st.from_regex(r"n[a-z0-9_]{0,31}", fullmatch=True).filter(lambda it: it != "not")
    names = draw(st.lists(name, min_size=2, unique=True))
    inputs = []
    for name in names:
        kind = draw(st.sampled_from(list(types.values())))
        encoder = draw(st.sampled_from(list(kind.encoders)))
        inputs.append({"name": name, "type": kind.name, "encoder": encoder})
    outputs = [
        bare_output(f"out_{place}", task, column=f"= {place}")
        for place, task in enumerate(
            draw(st.lists(st.sampled_from(list(load_catalog().outputs)), min_size=1, max_size=5))
        )
    ]
    merge = draw(st.just("concatenate") | trees(names))
    return validate({"project_name": "P", "inputs": inputs, "merge": merge, "outputs": outputs})


@settings(max_examples=150)
@given(specs())
def test_any_spec_is_drawn_within_100_columns_and_names_everything(spec):
    drawn = draw(spec)
    assert all(len(line) <= 100 for line in drawn.split("\n"))
    words = set(drawn.split())
    assert {entry.name for entry in spec.entries} <= words
    assert len(draw_partial(spec.inputs).split("\n")) == len(spec.inputs) + 1
    assert for_encoding(drawn, "ascii").isascii()


def test_the_deepest_tree_still_shows_its_longest_names():
    names = [f"{'n' * 30}{place:02}" for place in range(33)]
    merge = names[0]
    for name in names[1:]:
        merge = {"method": "add", "of": [merge, name]}
    inputs = [{"name": name, "type": "numeric"} for name in names]
    given = {"project_name": "P", "inputs": inputs, "merge": merge, "outputs": [DIRECTION]}
    lines = draw(validate(given)).split("\n")
    assert all(len(line) <= 100 for line in lines)
    assert set(names) <= set(" ".join(lines).replace("─", " ").split())
