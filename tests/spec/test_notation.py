"""The short notation reads, writes back what it read, and refuses the rest in one line."""

import shlex
from pathlib import Path

import pytest
from helpers import merges, specs
from hypothesis import assume, given
from hypothesis import strategies as st
from keras_scaffold.catalog import load_catalog
from keras_scaffold.spec import SpecError, complete_merge, default_project_name, validate
from keras_scaffold.spec.notation import (
    command_line,
    input_text,
    merge_text,
    output_text,
    parse_input,
    parse_merge,
    parse_output,
)


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("headline:text", {"name": "headline", "type": "text"}),
        ("a:numeric:20", {"name": "a", "type": "numeric", "shape": [20]}),
        ("a:numeric:periodic", {"name": "a", "type": "numeric", "encoder": "periodic"}),
        (
            "chart:image:100x100x3:cnn",
            {"name": "chart", "type": "image", "shape": [100, 100, 3], "encoder": "cnn"},
        ),
    ],
)
def test_inputs(text, entry):
    assert parse_input(text) == entry
    assert input_text(entry) == text


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("y:binary", {"name": "y", "task": "binary"}),
        ("genre:multiclass:4", {"name": "genre", "task": "multiclass", "classes": 4}),
        ("price:quantile", {"name": "price", "task": "quantile"}),
        (
            "price:quantile:0.1,0.5,0.9",
            {"name": "price", "task": "quantile", "levels": [0.1, 0.5, 0.9]},
        ),
        (
            "risk:ordinal:low,mid,high",
            {"name": "risk", "task": "ordinal", "classes": ["low", "mid", "high"]},
        ),
        (
            "outcome:multiclass:home,ward,icu",
            {"name": "outcome", "task": "multiclass", "classes": ["home", "ward", "icu"]},
        ),
    ],
)
def test_outputs(text, entry):
    assert parse_output(text) == entry
    assert output_text(entry) == text


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("concatenate", "concatenate"),
        ("multiply(width=32)", {"method": "multiply", "width": 32}),
        ("add(a, b)", {"method": "add", "of": ["a", "b"]}),
        (
            "attention(a, b, heads=8, dropout=1e-05)",
            {"method": "attention", "of": ["a", "b"], "heads": 8, "dropout": 1e-05},
        ),
        (
            "concatenate(multiply(a, b, width=8), c)",
            {
                "method": "concatenate",
                "of": [{"method": "multiply", "of": ["a", "b"], "width": 8}, "c"],
            },
        ),
    ],
)
def test_merges(text, tree):
    assert parse_merge(text) == tree
    assert merge_text(tree) == text
    assert parse_merge(text.replace(" ", "")) == parse_merge(f"  {text}\n") == tree


@pytest.mark.parametrize("names", [["a:b", "c"], ["a,b", "c"], [1, 2]])
def test_names_that_the_notation_cannot_hold_need_a_spec(names):
    assert output_text({"name": "y", "task": "multiclass", "classes": names}) is None


@given(merges(["a", "b", "c", "d"]))
def test_a_tree_survives_the_notation(tree):
    assert parse_merge(merge_text(tree)) == tree


BAD = [
    (parse_input, "chart", "NAME:TYPE[:SHAPE][:ENCODER]"),
    (parse_input, "chart:imge", "did you mean 'image'?"),
    (parse_input, "chart:", "choose one of numeric, image"),
    (parse_input, ":image", "no name"),
    (parse_input, "class:text", "Python keyword"),
    (parse_input, "../up:text", "no name"),
    (parse_input, "__import__('os'):text", "no name"),
    (parse_input, "chart:image:64x64", "height x width x channels"),
    (parse_input, "chart:image:64xx3", "no size"),
    (parse_input, "chart:image:1000000x1000000x3", "8 to 2048"),
    (parse_input, "chart:image:" + "9" * 5000, "too large"),
    (parse_input, "chart:image:64x64x3:cn", "did you mean 'cnn'?"),
    (parse_input, "chart:image:cnn:64x64x3", "the shape comes before the encoder"),
    (parse_input, "chart:image:64x64x2", "1 channel"),
    (parse_output, "y", "NAME:TASK[:CLASSES]"),
    (parse_output, "y:binry", "did you mean 'binary'?"),
    (parse_output, "y:binary:2", "takes no classes"),
    (parse_output, "y:ordinal", "classes: is missing"),
    (parse_output, "y:ordinal:3", "give a list such as [low, mid, high]"),
    (parse_output, "y:quantile:0.05,0.5", "must be between other levels"),
    (parse_output, "y:quantile:0.9,0.5,0.1", "ascending order"),
    (parse_output, "y:quantile:0,0.5,1", "between 0 and 1"),
    (parse_output, "y:multiclass:one", "whole number"),
    (parse_output, "y:multiclass:1", "2 to 100000"),
    (parse_output, "y:multiclass:a,b,a", 'names the class "a" twice'),
    (parse_output, "y:multiclass:a,,b", "leave out spaces"),
    (parse_output, "y:multilabel:a,b", "whole number"),
    (parse_merge, "", "invalid syntax"),
    (parse_merge, "concat", "did you mean 'concatenate'?"),
    (parse_merge, "concat(a, b)", "did you mean 'concatenate'?"),
    (parse_merge, "add(a, b", "never closed"),
    (parse_merge, "add(a b)", "forgot a comma"),
    (parse_merge, "add(a,", "never closed"),
    (parse_merge, "add(a))", "unmatched ')'"),
    (parse_merge, "add()", "add() merges nothing"),
    (parse_merge, "add(a, width=b)", 'width: is "b", not a whole number; 1 to 8192'),
    (parse_merge, "add(a, width=0)", "width: is 0; it must be 1 to 8192"),
    (parse_merge, "add(a, width=-1)", "width: is -1; it must be 1 to 8192"),
    (parse_merge, "add(a, width=True)", "width: is true, not a whole number"),
    (parse_merge, "add(a, height=3)", "no option 'height' of add; choose one of width"),
    (parse_merge, "concatenate(a, width=3)", "no option 'width' of concatenate; it has none"),
    (parse_merge, "attention(a, head=3)", "did you mean 'heads'?"),
    (parse_merge, "attention(a, dropout=high)", "dropout: is "),
    (parse_merge, "add(width=3, a)", "positional argument follows keyword"),
    (parse_merge, "a + b", "not a merge"),
    (parse_merge, "add(a, -b)", "'-b' is neither an input nor a merge"),
    (parse_merge, "add(*a)", "'*a' is neither"),
    (parse_merge, "add(**a)", "no option"),
    (parse_merge, "add(a, width=" + "9" * 5000 + ")", "concatenate(multiply(a, b), c)"),
    (parse_merge, "add(" * 50 + "a" + ")" * 50, "levels deep"),
    (parse_merge, "-" * 100_000 + "a", "concatenate(multiply(a, b), c)"),
    (parse_merge, "add(" * 100_000, "too many nested"),
]


@pytest.mark.parametrize(("parse", "text", "words"), BAD, ids=[f"{b[1][:30]}" for b in BAD])
def test_mistakes_are_one_line_that_quotes_them(parse, text, words):
    with pytest.raises(SpecError) as error:
        parse(text)
    message = str(error.value)
    assert words in message
    assert "\n" not in message
    assert len(message) < 400
    assert text[:20] in message


@given(st.text("add(concatenate),= width0123ab:x\n;'\"é", max_size=60) | st.text(max_size=40))
def test_no_text_breaks_the_parsers(text):
    for parse in (parse_input, parse_output, parse_merge):
        try:
            parse(text)
        except SpecError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize("kind", load_catalog().inputs.values(), ids=lambda kind: kind.name)
def test_every_encoder_can_be_said(kind):
    for encoder in kind.encoders:
        assert parse_input(f"a:{kind.name}:{encoder}")["encoder"] == encoder


def _said(words):
    """What a shell and the command line make of the words."""
    entry = {"inputs": [], "outputs": [], "features": list(load_catalog().default_features)}
    words = iter(words)
    for word in words:
        if word == "-i":
            entry["inputs"].append(parse_input(next(words)))
        elif word == "-m":
            entry["merge"] = parse_merge(next(words))
        elif word == "-o":
            entry["outputs"].append(parse_output(next(words)))
        elif word == "--name":
            entry["project_name"] = next(words)
        elif word == "--minimal":
            entry["features"] = []
        elif word == "--no-feature":
            entry["features"].remove(next(words))
        elif word == "--feature":
            entry["features"].append(next(words))
    return {**entry, "features": set(entry["features"])}


@given(specs())
def test_the_command_line_says_all_or_nothing(spec):
    try:
        validate(spec)
    except SpecError:
        assume(False)
    line = command_line(spec, Path("out dir"))
    fields = {key for entry in spec["inputs"] + spec["outputs"] for key in entry}
    known = {"name", "type", "shape", "encoder", "task", "classes"}
    if fields <= known and not spec.get("table"):
        said = _said(shlex.split(line)[3:])
        features = set(spec.get("features", load_catalog().default_features))
        name = said.get("project_name", "Out Dir")
        without = {key: value for key, value in spec.items() if key != "table"}
        assert said == {**without, "project_name": name, "features": features}
    else:
        assert line is None


def test_the_folder_says_the_name():
    spec = {
        "project_name": default_project_name("stock-direction"),
        "inputs": [{"name": "a", "type": "text"}],
        "outputs": [{"name": "y", "task": "binary"}],
    }
    line = command_line(spec, "stock-direction")
    assert line == "scaffold new stock-direction -i a:text -o y:binary"
    spec["project_name"] = "It's & {{ mine }}"
    assert shlex.split(command_line(spec, "stock-direction"))[-2:] == [
        "--name",
        "It's & {{ mine }}",
    ]


@given(merges(["a", "b", "c"]))
def test_drawn_trees_are_valid(tree):
    complete_merge(tree, ["a", "b", "c"])
