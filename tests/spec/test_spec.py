"""Specs: what is refused, in one line that names the place, and nothing written."""

import json
import re
from datetime import date

import pytest
import yaml
from helpers import NUMBERS_AND_PICTURE, assert_one_error, run_scaffold, scaffold_process, specs
from hypothesis import example, given
from hypothesis import strategies as st
from keras_scaffold.spec import (
    SpecError,
    check_given,
    parse_spec,
    validate,
    without_unread_codes,
)

PROJECT = {"project_name": "P"}
A = {"name": "a", "type": "numeric"}
B = {"name": "b", "type": "numeric"}
C = {"name": "c", "type": "text"}
D = {"name": "d", "type": "datetime"}
Y = {"name": "y", "task": "binary"}


def spec(inputs=(A, B), outputs=(Y,), **more):
    return {**PROJECT, "inputs": list(inputs), "outputs": list(outputs), **more}


def classes(value):
    return spec(outputs=[{"name": "y", "task": "multiclass", "classes": value}])


def deep(levels):
    node = "a"
    for _ in range(levels):
        node = {"method": "add", "of": [node]}
    return node


# What is wrong, and words of the error: the place, and where there is one the nearest word.
BAD_SPECS = {
    "a list": ([1], "mapping"),
    "unknown key": (spec(input=[A]), "'inputs'"),
    "no inputs": ({**PROJECT, "inputs": [], "outputs": [Y]}, "inputs"),
    "inputs a mapping": ({**PROJECT, "inputs": {"a": A}, "outputs": [Y]}, "inputs"),
    "input a word": (spec(["a"]), "inputs[0]"),
    "too many inputs": (spec([{**A, "name": f"a{i}"} for i in range(101)]), "100"),
    "output named as a part of another": (
        spec(outputs=[{"name": "p", "task": "quantile"}, {"name": "p_low", "task": "count"}]),
        "outputs[1] (p_low)",
        "the column 'p_low' for the output 'p' too",
    ),
    "output named as a class of another": (
        spec(outputs=[{**Y, "name": "y_a"}, {"name": "y", "task": "ordinal", "classes": [*"ab"]}]),
        "outputs[1] (y)",
        "'y_a'",
    ),
    "classes that differ in case alone": (
        spec(outputs=[{**Y, "task": "multiclass", "classes": ["A", "a"], "ignore_case": True}]),
        "'y_a'",
    ),
    "output named row": (spec(outputs=[{**Y, "name": "row"}]), "the row's number"),
    "wrong type": (spec([{"name": "a", "type": "imge"}]), "inputs[0]", "'image'"),
    "type missing": (spec([{"name": "a"}]), "inputs[0]", "numeric"),
    "type a list": (spec([{"name": "a", "type": ["text"]}]), "inputs[0]"),
    "like itself": (spec([A, {"name": "b", "like": "b"}]), "inputs[1] (b).like", "itself"),
    "like nothing": (spec([A, {"name": "b", "like": "aa"}]), "inputs[1] (b).like", "'a'"),
    "like, alone": (spec([{"name": "b", "like": "a"}]), "no other input"),
    "like a number": (spec([A, {"name": "b", "like": 3}]), "inputs[1] (b).like"),
    "like an output": (spec([A, {"name": "b", "like": "y"}]), "no input", '"y"'),
    "a chain of likes": (
        spec([A, {"name": "b", "like": "a"}, {"name": "c", "like": "b"}]),
        "inputs[2] (c).like",
        "'b' is like",
    ),
    "a circle of likes": (
        spec([{"name": "a", "like": "b"}, {"name": "b", "like": "a"}]),
        "inputs[0] (a).like",
    ),
    "like another type": (spec([A, {**C, "like": "a"}]), "inputs[1] (c).type", "'a' is numeric"),
    "a field of both": (
        spec([A, {"name": "b", "like": "a", "bins": 4}]),
        "inputs[1] (b).bins",
        "leave it out",
    ),
    "an encoder of both": (
        spec([A, {"name": "b", "like": "a", "encoder": "mlp"}]),
        "inputs[1] (b).encoder",
    ),
    "unknown key beside like": (spec([A, {"name": "b", "like": "a", "colums": ["x"]}]), "colums"),
    "as many columns": (
        spec([{**A, "columns": ["x"]}, {"name": "b", "like": "a", "columns": ["v", "w"]}]),
        "inputs[1] (b).columns",
        "'a' has 1, here are 2",
    ),
    "a comparator of three": (
        spec([A, B, {**A, "name": "c"}], merge="comparator"),
        "exactly 2",
    ),
    "wrong encoder": (spec([{**A, "encoder": "mlpp"}]), "encoder", "'mlp'"),
    "field of another encoder": (spec([{**A, "frequencies": 4}]), "frequencies"),
    "name missing": (spec([{"type": "text"}]), "inputs[0].name"),
    "name is False": (spec([{**A, "name": False}]), "quotes"),
    "name a number": (spec([{**A, "name": 3}]), "inputs[0].name"),
    "name a keyword": (spec([{**A, "name": "class"}]), "Python keyword", "class_input"),
    "name upper case": (spec([{**A, "name": "Chart"}]), "chart"),
    "name too long": (spec([{**A, "name": "a" * 33}]), "32"),
    "name a path": (spec([{**A, "name": "../../etc/passwd"}]), "inputs[0].name"),
    "name with a folder": (spec([{**A, "name": "a/b"}]), "inputs[0].name", "a_b"),
    "name is code": (spec([{**A, "name": "a'); import os #"}]), "inputs[0].name"),
    "name is a template": (spec([{**A, "name": "{{ 7 * 7 }}"}]), "inputs[0].name"),
    "name with a line end": (spec([{**A, "name": "a\n"}]), "inputs[0].name"),
    "name of another script": (spec([{**A, "name": "größe"}]), "inputs[0].name"),
    "equal names": (spec([A, A]), "inputs[1].name", "inputs[0]"),
    "output named as input": (spec(outputs=[{**Y, "name": "a"}]), "outputs[0].name"),
    "weight an input": (spec(outputs=[{**Y, "weight": "a_0"}]), "outputs[0]", "input 'a'"),
    "weight a target": (spec(outputs=[{**Y, "weight": "y"}]), "outputs[0]", "output 'y'"),
    "weight a number": (spec(outputs=[{**Y, "weight": 2}]), "weight", "quotes"),
    "weight the split": (spec(outputs=[{**Y, "weight": "split"}]), "weight", "splits"),
    "balanced numbers": (spec(outputs=[{**Y, "task": "regression", "balance": True}]), "balance"),
    "one named class": (classes(["a"]), "outputs[0] (y).classes", "2 to 100000"),
    "a class twice": (classes([1, "1"]), "classes", "twice"),
    "a class that is true": (classes(["a", True]), "classes[1]", "quotes"),
    "a class that is a list": (classes(["a", ["b"]]), "classes[1]", "quotes"),
    "a class in spaces": (classes(["a", " b"]), "classes[1]", "spaces"),
    "an empty class": (classes(["a", ""]), "classes[1]"),
    "classes a word": (classes("many"), "classes", "[home, ward, icu]"),
    "classes a mapping": (classes({"a": 1}), "classes", "[home, ward, icu]"),
    "shape a word": (spec([{**A, "shape": "8"}]), "shape"),
    "shape a number": (spec([{**A, "shape": 8}]), "shape"),
    "shape too short": (spec([{"name": "a", "type": "image", "shape": [64, 64]}]), "height"),
    "shape of floats": (spec([{**A, "shape": [8.0]}]), "whole number"),
    "shape of truth": (spec([{**A, "shape": [True]}]), "whole number"),
    "shape negative": (spec([{**A, "shape": [-1]}]), "1 to 4096"),
    "shape zero": (spec([{**A, "shape": [0]}]), "1 to 4096"),
    "two channels": (spec([{"name": "a", "type": "image", "shape": [64, 64, 2]}]), "channel"),
    "a huge picture": (
        spec([{"name": "a", "type": "image", "shape": [10**6, 10**6, 3]}]),
        "height",
        "2048",
    ),
    "columns do not fit": (spec([{**A, "shape": [3], "columns": ["p", "q"]}]), "columns"),
    "columns twice": (spec([{**A, "columns": ["p", "p"]}]), "'p'"),
    "column is split": (spec([{**C, "column": "split"}]), "split"),
    "column with a line end": (spec([{**C, "column": "a\nb"}]), "column"),
    "output's column is an input's": (spec([{**C, "column": "y"}]), "'y'"),
    "width zero": (spec([{**A, "units": [0]}]), "units[0]", "1 to"),
    "width a word": (spec([{**A, "units": ["wide"]}]), "units[0]"),
    "no widths": (spec([{**A, "units": []}]), "units"),
    "dropout too high": (spec([{**A, "dropout": 1.5}]), "0.9"),
    "a number that YAML reads as text": (spec([{**A, "dropout": "1e-3"}]), "1.0e-3"),
    "dropout infinite": (spec([{**A, "dropout": float("inf")}]), "0.9"),
    "dropout no number": (spec([{**A, "dropout": float("nan")}]), "0.9"),
    "a condition": (
        spec([{"name": "a", "type": "image", "encoder": "vit", "width": 63, "heads": 4}]),
        "multiple of heads",
    ),
    "wrong task": (spec(outputs=[{"name": "y", "task": "binry"}]), "outputs[0]", "'binary'"),
    "no outputs": (spec(outputs=[]), "outputs"),
    "one class": (spec(outputs=[{"name": "y", "task": "multiclass", "classes": 1}]), "classes"),
    "classes of binary": (spec(outputs=[{**Y, "classes": 2}]), "classes"),
    "wrong merge": (spec(merge="concat"), "merge", "'concatenate'"),
    "merge a list": (spec(merge=["a", "b"]), "merge"),
    "merge without a method": (spec(merge={"of": ["a", "b"]}), "method"),
    "merge of strangers": (spec(merge={"method": "add", "of": ["a", "bb"]}), "of[1]", "'b'"),
    "merge forgets one": (spec(merge={"method": "add", "of": ["a"]}), "'b'"),
    "merge of nothing": (spec(merge={"method": "add", "of": []}), "merge.of"),
    "dot of three": (spec([A, B, C], merge="dot"), "exactly 2"),
    "subtract of one": (spec([A], merge="subtract"), "exactly 2"),
    "width of concatenate": (spec(merge={"method": "concatenate", "width": 3}), "merge.width"),
    "width of film": (spec(merge={"method": "film", "width": 3}), "merge.width"),
    "no head": (spec(merge={"method": "attention", "heads": 0}), "merge.heads", "1 to 32"),
    "heads that do not fit": (
        spec(merge={"method": "attention", "heads": 3}),
        "merge: width must be a multiple of heads",
    ),
    "heads of gated": (spec(merge={"method": "gated", "heads": 3}), "the merge gated"),
    "film of three": (spec([A, B, C], merge="film"), "exactly 2"),
    "merge too deep": (spec([A], merge=deep(40)), "levels deep"),
    "merge's unknown key": (spec(merge={"method": "add", "off": ["a"]}), "'of'"),
    "table a list": (spec(table=[";"]), "table", "mapping"),
    "table's unknown key": (spec(table={"delimeter": ";"}), "table", "'delimiter'"),
    "a text of rows": (spec(table={"skip_rows": "2"}), "table.skip_rows", "whole number"),
    "two delimiters": (spec(table={"delimiter": ";;"}), "table.delimiter", "one character"),
    "delimiter a letter": (spec(table={"delimiter": "a"}), "table.delimiter"),
    "delimiter a quote": (spec(table={"delimiter": '"'}), "table.delimiter"),
    "no delimiter": (spec(table={"delimiter": ""}), "table.delimiter"),
    "delimiter not ASCII": (spec(table={"delimiter": "¦"}), "ASCII"),
    "wrong encoding": (spec(table={"encoding": "utf-88"}), "table.encoding", "cp1252"),
    "encoding of bytes": (spec(table={"encoding": "hex"}), "table.encoding"),
    "encoding a number": (spec(table={"encoding": 8}), "table.encoding"),
    "wrong decimal": (spec(table={"decimal": "comma"}), "table.decimal", '".", ","'),
    "equal marks": (spec(table={"decimal": ",", "thousands": ","}), "same character"),
    "codes of no column": (
        spec([{**A, "columns": ["co"]}], table={"missing": {"c_o": [-1]}}),
        "table.missing",
        "'co'",
    ),
    "codes a number": (spec(table={"missing": {"a_0": -1}}), "table.missing.a_0", "[-200]"),
    "no codes": (spec(table={"missing": {"a_0": []}}), "table.missing.a_0"),
    "a code of truth": (spec(table={"missing": {"a_0": [True]}}), "table.missing.a_0[0]"),
    "a code with spaces": (spec(table={"missing": {"a_0": [" x"]}}), "table.missing.a_0[0]"),
    "dates in words": (spec([{**D, "format": "DD.MM.YYYY"}]), "format", "%d.%m.%Y", "unix_ms"),
    "dates without a year": (spec([{**D, "format": "%d.%m."}]), "format", "no year"),
    "dates of a wrong format": (spec([{**D, "format": "%Y-%Q"}]), "format", "'Q'"),
    "dates a number": (spec([{**D, "format": 2020}]), "format"),
    "dates of two orders": (spec([{**D, "format": "%m/%Y", "day_first": True}]), "day_first"),
    "decimal of an input": (spec([{**A, "decimal": "comma"}]), "decimal"),
    "wrong feature": ({**spec(), "features": ["repor"]}, "features[0]", "'report'"),
    "a feature twice": ({**spec(), "features": ["report", "report"]}, "features[1]", "twice"),
    "features a word": ({**spec(), "features": "report"}, "features", "[report]"),
    "project name empty": ({**spec(), "project_name": " "}, "project_name"),
    "project name a number": ({**spec(), "project_name": 7}, "project_name", "quotes"),
    "project name of two lines": ({**spec(), "project_name": "a\nb"}, "project_name"),
    "project name too long": ({**spec(), "project_name": "a" * 61}, "60"),
}

BAD_FILES = {
    "empty": ("", "mapping"),
    "text": ("just words", "mapping"),
    "broken": ("inputs: [", "line"),
    "a tab": ("inputs:\n\t- a", "line 2"),
    "python tag": ("inputs: !!python/object/apply:os.system [exit 1]", "python/object"),
    "a tag": ("inputs: !secret x", "!secret"),
    "alias": ("inputs: &a [x]\noutputs: *a", "aliases"),
    "alias bomb": (
        "a: &a [x, x]\n"
        + "".join(f"{c}: &{c} [*{p}, *{p}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)),
        "aliases",
    ),
    "key twice": ("project_name: a\nproject_name: b", "twice"),
    "two documents": ("a: 1\n---\nb: 2", "document"),
    "a name that is no": ("inputs:\n- name: no\n  type: text", "quotes"),
    "date as a key": ("project_name: p\ninputs: {2024-01-01: x}", "inputs"),
    "a long number": ("project_name: p\ninputs: " + "1" * 5000, "digits"),
    "deep": ("inputs: " + "[" * 5000 + "]" * 5000, "deep"),
    "as deep as a spec is large": ("inputs: " + "[" * 490_000 + "]" * 490_000, "deep"),
    "deep by dashes": ("inputs:\n" + "- " * 400_000 + "a", "deep"),
    "large": ("#" * 1_000_001, "too large"),
}


@pytest.mark.parametrize("case", BAD_SPECS.values(), ids=BAD_SPECS)
def test_bad_specs(case, tmp_path):
    data, *words = case
    (tmp_path / "spec.json").write_text(json.dumps(data), encoding="utf-8")
    done = run_scaffold("new", "out", "--spec", "spec.json", cwd=tmp_path)
    assert_one_error(done, 1, "spec.json", *words)
    assert [path.name for path in tmp_path.iterdir()] == ["spec.json"]


@pytest.mark.parametrize("case", BAD_FILES.values(), ids=BAD_FILES)
def test_bad_files(case, tmp_path):
    text, *words = case
    (tmp_path / "spec.yml").write_text(text, encoding="utf-8")
    done = run_scaffold("new", "out", "--spec", "spec.yml", cwd=tmp_path)
    assert_one_error(done, 1, "spec.yml", *words)
    assert [path.name for path in tmp_path.iterdir()] == ["spec.yml"]


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "bytes.yml").write_bytes(b"\xff\xfe\x00\xd8")
    for name, word in [("none.yml", "no such file"), (".", "irectory"), ("bytes.yml", "UTF-8")]:
        done = run_scaffold("new", "out", "--spec", name, cwd=tmp_path)
        assert_one_error(done, 1, word)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("case", ["a huge picture", "name is code", "dot of three"])
def test_bad_specs_in_a_process_of_their_own(case, tmp_path):
    data, *_ = BAD_SPECS[case]
    (tmp_path / "spec.yml").write_text(yaml.safe_dump(data), encoding="utf-8")
    done = scaffold_process("new", "out", "--spec", "spec.yml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: spec.yml: ")
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["spec.yml"]


BAD_FLAGS = {
    "wrong type": (["-i", "chart:imge"], "chart:imge", "'image'"),
    "keyword": (["-i", "class:text"], "Python keyword"),
    "wrong shape": (["-i", "chart:image:64"], "height"),
    "huge": (["-i", "chart:image:1000000x1000000x3"], "2048"),
    "path": (["-i", "../a:text"], "no name"),
    "equal names": (["-i", "a:text", "-i", "a:text"], "inputs[1].name"),
    "wrong task": (["-i", "a:text", "-o", "y:binry"], "'binary'"),
    "classes": (["-i", "a:text", "-o", "y:multiclass:1"], "classes"),
    "wrong merge": (["-i", "a:text", "-m", "concat"], "'concatenate'"),
    "stranger": (["-i", "a:text", "-i", "b:text", "-m", "add(a, bb)"], "'b'"),
    "dot of three": (
        ["-i", "a:text", "-i", "b:text", "-i", "c:text", "-m", "dot", "-o", "y:binary"],
        "exactly 2",
    ),
    "merge forgets one": (["-i", "a:text", "-i", "b:text", "-m", "add(a)"], "'b'"),
    "name": (["-i", "a:text", "-o", "y:binary", "--name", "a\nb"], "--name"),
    "no name": (["-i", "a:text", "-o", "y:binary", "--name", ""], "--name"),
    "spec and flags": (["--spec", "x.yml", "-i", "a:text"], "--spec"),
    "unknown option": (["--forse"], "--force"),
    "nothing said": ([], "-i NAME:TYPE", "-o NAME:TASK", "--yes"),
    "no outputs": (["-i", "a:text"], "outputs", "-o NAME:TASK"),
    "no inputs": (["-o", "y:binary"], "inputs", "-i NAME:TYPE"),
}


@pytest.mark.parametrize("case", BAD_FLAGS.values(), ids=BAD_FLAGS)
def test_bad_flags(case, tmp_path):
    flags, *words = case
    assert_one_error(run_scaffold("new", "out", *flags, cwd=tmp_path), 2, *words)
    assert list(tmp_path.iterdir()) == []


def test_bad_flags_in_a_process_of_their_own(tmp_path):
    done = scaffold_process("new", "out", "-i", "chart:imge", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: -i 'chart:imge': no type of input 'imge'; did you mean 'image'?\n"


KEYS = st.sampled_from(
    ["project_name", "inputs", "outputs", "merge", "name", "type", "task", "method", "of", "width"]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-2, 10**15)
    | st.floats()
    | st.sampled_from(["a", "b", "numeric", "image", "binary", "concatenate", "add", "\x1b[2J"])
    | st.text(max_size=8)
    | st.dates()
    | st.binary(max_size=4)
)
ANYTHING = st.recursive(
    LEAVES,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(KEYS | LEAVES, below, max_size=4),
)


@given(st.dictionaries(KEYS, ANYTHING, max_size=4) | ANYTHING)
@example({"inputs": {date(2024, 1, 1): 1}})
def test_no_data_breaks_validation(data):
    for check in (validate, check_given):
        try:
            check(data)
        except SpecError as error:
            assert "\n" not in str(error)
            assert str(error).isprintable()


@given(st.text("ab:-[]{}\"'\n !&*|>#%@`,?0", max_size=80) | st.text(max_size=30))
def test_no_text_breaks_the_reader(text):
    try:
        parse_spec(text)
    except SpecError as error:
        assert "\n" not in str(error)


@given(specs())
def test_a_spec_survives_being_written(spec):
    try:
        checked = validate(spec)
    except SpecError:
        return
    assert parse_spec(yaml.safe_dump(spec, allow_unicode=True)) == checked.given == spec
    text = json.dumps(spec)
    if not re.search(r"\de[+-]", text):  # YAML 1.1, and so copier, reads 1e-06 as text
        assert parse_spec(text) == spec


def test_a_table_is_completed_and_given_back_sparse():
    table = {"delimiter": "\t", "thousands": "\u202f", "missing": {"a_0": [-200, "k. A."]}}
    done = validate(spec(table=table)).table
    assert (done.encoding, done.decimal, done.thousands) == ("utf-8", ".", "\u202f")
    assert done.given == table
    assert validate(spec()).table.given == {}


def test_codes_go_with_the_last_entry_that_reads_their_column():
    given = spec(table={"decimal": ",", "missing": {"a_0": [-1], "b_0": [-1]}})
    assert without_unread_codes(given) == given
    left = without_unread_codes({**given, "inputs": [A]})
    assert left["table"] == {"decimal": ",", "missing": {"a_0": [-1]}}
    left = without_unread_codes({**given, "inputs": [C]})
    assert left["table"] == {"decimal": ","}


@pytest.mark.parametrize("name", ["layers", "inputs", "model", "x", "np", "keras", "print"])
def test_legal_names(name):
    validate(spec([{**A, "name": name}, B]))
    validate(spec(outputs=[{**Y, "name": name}]))


def test_a_spec_may_be_incomplete_until_it_is_rendered():
    assert check_given({"merge": "add"}) == {"merge": "add"}
    with pytest.raises(SpecError, match="outputs: missing"):
        validate({key: NUMBERS_AND_PICTURE[key] for key in ("project_name", "inputs")})


def test_codes_of_a_column_of_weights_are_known_until_nothing_reads_it():
    given = spec(outputs=[{**Y, "weight": "w"}], table={"missing": {"w": [-1]}})
    assert validate(given).table.missing == {"w": [-1]}
    assert without_unread_codes(given) == given
    assert without_unread_codes({**given, "outputs": [Y]})["table"] == {}
