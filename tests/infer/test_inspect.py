"""`scaffold inspect` and `scaffold new --data`: what tables hold, and what is said of bad ones."""

import json
import math
import os
import random
import re
import shutil
import string

import hypothesis.strategies as st
import numpy as np
import pexpect
import polars as pl
import pytest
import yaml
from helpers import BIN, assert_one_error, files_in, png, run_scaffold
from hypothesis import HealthCheck, given, settings
from keras_scaffold import catalog
from keras_scaffold.infer import Overrides, inspect
from keras_scaffold.infer.cells import spark
from keras_scaffold.infer.propose import free_name
from keras_scaffold.infer.report import as_json
from keras_scaffold.infer.tables import open_table
from keras_scaffold.spec import validate

ROWS = 400
WORDS = [
    "red",
    "green",
    "blue",
    "yellow",
    "black",
    "white",
    "pink",
    "grey",
    "brown",
    "orange",
    "fast",
    "slow",
    "new",
    "old",
]


def _sentence(rng):
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(6, 14)))


def people(rows=ROWS, seed=0):
    """A table with a column of every kind; `bought` depends on `age` in part."""
    rng = random.Random(seed)
    table = []
    for row in range(rows):
        age = rng.gauss(40, 12)
        table.append(
            {
                "id": row + 1,
                "key": f"{rng.getrandbits(128):032x}",
                "age": round(age, 1),
                "height": round(rng.gauss(170, 9), 1),
                "children": rng.randint(0, 5),
                "zip": f"{rng.choice([1, 2, 3, 4, 5, 6, 7, 8]):05d}",
                "country": rng.choice(["NA", "DE", "FR", "IT", "ES"]),
                "member": rng.choice(["yes", "no"]),
                "note": _sentence(rng),
                "likes": "|".join(rng.sample(["tea", "cake", "jazz", "golf"], rng.randint(0, 3))),
                "since": f"20{rng.randint(10, 24)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
                "always": "x",
                "nothing": "",
                "bought": "yes" if age + rng.gauss(0, 12) > 40 else "no",
            }
        )
    return pl.DataFrame(table)


TRUTH = {
    "id": "id",
    "key": "id",
    "age": "number",
    "height": "number",
    "children": "number",
    "zip": "category",
    "country": "category",
    "member": "yes or no",
    "note": "text",
    "likes": "tags",
    "since": "date",
    "always": "constant",
    "nothing": "empty",
}


def look(path, target="bought", **overrides):
    return inspect(path, Overrides(targets=[target] if target else [], **overrides))


def kinds(found):
    return {column.name: column.what for column in found.columns}


def column(found, name):
    return next(column for column in found.columns if column.name == name)


def entry(found, name):
    return next(each.given for each in found.inputs if each.given["name"] == name)


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "people.csv"
    people().write_csv(path)
    return path


def write(tmp_path, text, name="table.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


# Kinds of columns, whatever the file


def _as_written(path, kind):
    frame = people()
    if kind == "tsv":
        frame.write_csv(path, separator="\t")
    elif kind == "csv; cp1252":
        frame = frame.with_columns(pl.lit("Füße").alias("always"))
        path.write_bytes(frame.write_csv(separator=";").encode("cp1252"))
    elif kind == "csv| utf-16":
        path.write_bytes(frame.write_csv(separator="|").encode("utf-16"))
    elif kind == "csv utf-8-sig":
        path.write_bytes(frame.write_csv().encode("utf-8-sig"))
    elif kind == "parquet":
        frame.with_columns(pl.col("since").str.to_date()).write_parquet(path)
    elif kind == "jsonl":
        frame.write_ndjson(path)
    elif kind == "xlsx":
        frame.write_excel(path)


@pytest.mark.parametrize(
    "kind",
    ["csv", "tsv", "csv; cp1252", "csv| utf-16", "csv utf-8-sig", "parquet", "jsonl", "xlsx"],
)
def test_every_kind_of_file_tells_the_same(kind, tmp_path):
    path = tmp_path / f"people.{kind[:3] if kind.startswith('csv') else kind}"
    if kind == "csv":
        people().write_csv(path)
    else:
        _as_written(path, kind)
    found = look(path)
    assert kinds(found) == TRUTH
    assert [each.given["type"] for each in found.inputs] == [
        "numeric",
        "categorical",
        "binary",
        "text",
        "set",
        "datetime",
    ]
    assert found.targets[0].task == "binary"
    assert found.table.rows == ROWS


def test_how_a_csv_is_written_is_told(tmp_path):
    text = "kind;größe\n" + "".join(f'"a\n{i % 5}";{i}\n' for i in range(50))
    found = look(write(tmp_path, text, encoding="cp1252"), target="größe")
    assert found.given["outputs"] == [{"name": "grosse", "task": "regression", "column": "größe"}]
    assert found.given["table"] == {"delimiter": ";", "encoding": "cp1252"}
    assert found.table.rows == 50


def test_stray_quotes_are_read_as_pandas_reads_them(tmp_path):
    text = "size,y\n" + "".join(f'{i % 7}" pipe,{i % 2}\n' for i in range(60))
    found = look(write(tmp_path, text), target="y")
    assert found.table.rows == 60
    assert kinds(found) == {"size": "category"}


def test_names_of_columns_are_those_of_pandas(tmp_path):
    pandas = pytest.importorskip("pandas")
    path = write(tmp_path, "a,a,,b b, ü ,a\n" + "1,2,3,4,5,6\n" * 3)
    assert open_table(path).columns == list(pandas.read_csv(path).columns)


def test_zeros_in_front_stay(tmp_path):
    text = "code,y\n" + "".join(f"{i % 5:03d},{i % 2}\n" for i in range(60))
    found = look(write(tmp_path, text), target="y")
    assert entry(found, "code")["type"] == "categorical"


def test_json_lines_with_holes_and_nested_values(tmp_path):
    lines = [{"a": i / 3, "b": [i], "y": i % 2} for i in range(40)] + [{"a": None, "y": 1}]
    path = write(tmp_path, "\n".join(map(json.dumps, lines)), "table.jsonl")
    found = look(path, target="y")
    assert kinds(found) == {"a": "number", "b": "nested"}
    assert entry(found, "a")["optional"] is True


# A large table


def test_a_sorted_table_does_not_mislead(tmp_path):
    """The head of the file has one kind of value, its end another."""
    rows = 60_000
    frame = pl.DataFrame(
        {
            "kind": ["first"] * (rows // 2) + ["second"] * (rows // 4) + ["third"] * (rows // 4),
            "value": [1.0] * (rows // 2) + [float(i) for i in range(rows // 2)],
            "y": [i % 2 for i in range(rows)],
        }
    )
    frame.write_csv(tmp_path / "table.csv")
    found = look(tmp_path / "table.csv", target="y")
    assert found.table.sample.height < rows
    assert column(found, "kind").distinct == 3
    assert column(found, "kind").view[1] == "first 50%"


def test_a_single_hole_and_a_single_stray_word_in_all_rows_are_found(tmp_path):
    rows = 50_000
    good = [str(i * 7 % 1000 + 0.5) for i in range(rows)]
    frame = pl.DataFrame(
        {
            "hole": [*good[:-1], "NA"],
            "stray": [*good[:31_234], "lots", *good[31_235:]],
            "whole": good,
            "y": ["ab"[i % 2] for i in range(rows)],
        }
    )
    frame.write_csv(tmp_path / "table.csv")
    found = look(tmp_path / "table.csv", target="y")
    assert column(found, "hole").missing == 1
    assert any("but for 1 cell such as 'lots'" in it for it in found.warnings)
    numbers = {"name": "numbers", "type": "numeric", "columns": ["hole", "stray", "whole"]}
    assert found.given["inputs"] == [{**numbers, "optional": True}]


def test_a_column_with_many_stray_words_is_set_aside(tmp_path):
    values = [["lots", "few"][i % 2] if i % 30 > 28 else f"{i * 7 % 100}.5" for i in range(600)]
    values[59] = "some"
    found = _column(values, tmp_path)
    assert found.what == "number"
    assert "numbers but for 20 cells such as 'few'" in found.aside


def test_one_word_among_numbers_means_missing(tmp_path):
    values = ["Nil" if i % 10 == 7 else f"{i * 7 % 100}.5" for i in range(300)]
    pl.DataFrame({"it": values, "y": ["ab"[i % 2] for i in range(300)]}).write_csv(
        tmp_path / "table.csv"
    )
    found = look(tmp_path / "table.csv", target="y")
    assert (column(found, "it").type, column(found, "it").missing) == ("numeric", 30)
    assert found.given["table"] == {"missing": {"it": ["nil"]}}
    assert "it: 'nil' among numbers is read as missing" in "\n".join(found.checks)
    kept = look(tmp_path / "table.csv", target="y", missing=["it:none"], types=["it:categorical"])
    assert "table" not in kept.given
    said = look(tmp_path / "table.csv", target="y", missing=["it:NIL"])
    assert said.given["table"] == {"missing": {"it": ["nil"]}}


def test_names_of_rows_without_a_header_are_left_out(tmp_path):
    lines = [f'"{i}",{i * 7 % 50}.5,{"ab"[i % 2]}' for i in range(60)]
    path = write(tmp_path, "\n".join(['"v","y"', *lines]))
    found = look(path, target="y")
    assert [c.name for c in found.columns] == ["v"]
    assert found.columns[0].type == "numeric"
    shifted = write(tmp_path, "\n".join(['"v","y"', *(f"{i},{'ab'[i % 2]}," for i in range(60))]))
    done = run_scaffold("inspect", str(shifted), "--target", "y", cwd=tmp_path)
    assert_one_error(done, 1, "line 2 has 3 cells, the header 2")


# Kinds of columns, one by one


def _column(values, tmp_path, name="it"):
    rng = random.Random(0)
    rows = (f'"{value}",{rng.randint(0, 999)},{rng.randint(0, 1)}\n' for value in values)
    text = f"{name},other,y\n" + "".join(rows)
    return column(look(write(tmp_path, text), target="y"), name)


@pytest.mark.parametrize(
    ("name", "values", "what", "type"),
    [
        ("it", [f"{i * 37 % 91},{i % 10}" for i in range(60)], "number", "numeric"),
        ("it", [f"1,{i * 37 % 91:03d}" for i in range(100)], "number", "numeric"),
        ("it", [f"0,{i * 37 % 91:03d}" for i in range(100)], "number", "numeric"),
        ("it", [f"${i * 13}.50" for i in range(60)], "number", "numeric"),
        (
            "it",
            [f"{i * 13} {'km' if i % 2 else 'm'}" for i in range(60)],
            "number with marks",
            None,
        ),
        ("patient_id", [i // 3 for i in range(60)], "id", None),
        ("store_id", [i % 3 for i in range(90)], "category", "categorical"),
        ("zip", [10_000 + i * 37 % 50 for i in range(200)], "category", "categorical"),
        ("", list(range(60)), "id", None),
        ("it", [f"https://a.b/{i}" for i in range(60)], "address", None),
        ("it", [f"{i}@example.org" for i in range(60)], "id", None),
        ("it", [f"{i % 12 + 1:02d}/{i % 28 + 1:02d}/2020" for i in range(60)], "date", "datetime"),
        ("timestamp", [1_600_000_000 + i**2 * 1000 for i in range(60)], "date", "datetime"),
        ("it", [f"Dec {i % 28 + 1}, 2020 5:38 PM" for i in range(60)], "date", "datetime"),
        ("it", [f"{i % 24}:{i % 60:02d}" for i in range(60)], "time of day", None),
        ("it", ["2020-12-31"] * 60, "constant", None),
        ("year", [1950 + i for i in range(60)], "number", "numeric"),
        ("it", ["T" if i % 3 else "F" for i in range(60)], "yes or no", "binary"),
        ("it", [1 + i % 2 for i in range(60)], "category", "categorical"),
        ("it", ["red|blue" if i % 2 else "red" for i in range(60)], "tags", "set"),
        (
            "it",
            ["; ".join(["ab", "cd", "ef"][i % 3 :: i % 2 + 1]) for i in range(60)],
            "tags",
            "set",
        ),
        ("it", [f"{'abc'[i % 3]}x, {'de'[i % 2]}y" for i in range(60)], "category", "categorical"),
        ("subject", [f"M{i // 4}" for i in range(60)], "id", None),
        ("pidnum", [10 * i * i + 7 * (i % 3) for i in range(60)], "id", None),
        ("cowcode2", [f"{i // 3 * 7}.0" for i in range(60)], "category", "categorical"),
        ("it", [f"w{i * i % 53 if i % 3 else i}" for i in range(60)], "category", "categorical"),
        (
            "it",
            ["今天天气很好我们去" + "公园散步吧"[i % 5] + str(i) for i in range(60)],
            "text",
            "text",
        ),
        ("it", [f"sound/{i}.wav" for i in range(60)], "file", None),
        ("it", [f"pictures/{i}.png" for i in range(60)], "picture", None),
        ("it", ["1e400" if i % 2 else "2" for i in range(60)], "category", "categorical"),
    ],
)
def test_kinds(name, values, what, type, tmp_path):
    found = _column(values, tmp_path, name or "Unnamed: 0")
    assert (found.what, found.type) == (what, type), found
    assert bool(found.aside) == (type is None)
    assert found.why


def test_marks_of_a_text_are_counted_as_the_project_will(tmp_path):
    words = ["“so”,", "what", "#now", "€5", "über", "a_b", "हिन्दी"]
    texts = [" ".join(words[(i + j * j) % 7] for j in range(6)) + f" {i}!" for i in range(60)]
    found = _column(texts, tmp_path)
    assert found.facts["tokens"] == "words"
    assert found.facts["length"] > 8  # 6 words, a number and a mark, and the marks within
    assert "marks" in found.why


def test_whatever_people_write_for_a_hole(tmp_path):
    words = ["-", "?", "N/A", "nan", "NULL", "None", "<NA>", " ", "NA", "na"]
    values = [words[i // 10] if i % 10 == 3 else f"{i}.25" for i in range(100)]
    found = _column(values, tmp_path)
    assert (found.what, found.missing) == ("number", 10)
    values = ["NA" if i % 10 == 3 else "DE" if i % 2 else "FR" for i in range(100)]
    found = _column(values, tmp_path)
    assert (found.what, found.missing, found.distinct) == ("category", 0, 3)


def test_dates(tmp_path):
    rng = random.Random(0)
    lines = ["When it was,due,y"]
    for i in range(200):
        when = f"{rng.randint(1, 28)}/{rng.randint(1, 12)}/2020 {i % 24}:30"
        due = "soon" if i == 7 else "" if i % 9 == 0 else f"202{i % 9}-02-0{i % 7 + 1}"
        lines.append(f"{when},{due},{rng.randint(0, 1)}")
    found = look(write(tmp_path, "\n".join(lines)), target="y")
    assert found.given["inputs"] == [
        {
            "name": "when_it_was",
            "type": "datetime",
            "column": "When it was",
            "format": "%d/%m/%Y %H:%M",
        },
        {"name": "due", "type": "datetime", "optional": True},
    ]
    assert "written as %d/%m/%Y %H:%M" in found.inputs[0].why
    assert "train --time 'When it was'" in found.inputs[0].why
    assert any(it.startswith("due: dates but for 1 cell such as 'soon'") for it in found.warnings)


def test_dates_in_arrays_are_set_aside(tmp_path):
    days = np.array([f"2020-01-{i % 28 + 1:02d}" for i in range(60)])
    np.savez(tmp_path / "table.npz", day=days, x=np.random.rand(60, 3), y=np.arange(60) % 2)
    found = look(tmp_path / "table.npz", target="y")
    assert "(rows, 2)" in column(found, "day").aside


def test_families_of_numbers_are_inputs_of_their_own(tmp_path):
    names = [f"sensor_{i}" for i in range(6)] + ["age", "v1", "v2"]
    rows = [",".join(f"{math.sin(i * 7 + j):.4f}" for j in range(9)) for i in range(60)]
    lines = [f"{row},{i % 2}" for i, row in enumerate(rows)]
    found = look(write(tmp_path, "\n".join([",".join([*names, "y"]), *lines])), target="y")
    assert {it.given["name"]: len(it.columns) for it in found.inputs} == {"sensor": 6, "numbers": 3}


def test_many_flags_are_no_inputs_of_their_own(tmp_path):
    rng = random.Random(0)
    header = ",".join([f"flag {c}" for c in "abcdef"] + ["y"])
    rows = [",".join(str(rng.randint(0, 1)) for _ in range(7)) for _ in range(80)]
    found = look(write(tmp_path, "\n".join([header, *rows])), target="y")
    assert [each.given["type"] for each in found.inputs] == ["numeric"]
    assert len(found.inputs[0].columns) == 6


def test_a_split_column_is_no_input(tmp_path):
    parts = ["train", "train", "validation", "test"]
    text = "a,split,y\n" + "".join(f"{i}.5,{parts[i % 4]},{i % 2}\n" for i in range(40))
    found = look(write(tmp_path, text), target="y")
    assert column(found, "split").what == "split"
    assert [each.columns for each in found.inputs] == [("a",)]
    found = look(write(tmp_path, text.replace("validation", "dev")), target="y")
    assert "other words" in column(found, "split").aside


# The types that the catalog has for what is found


@pytest.fixture
def types(tmp_path, monkeypatch):
    """Folders of the catalog's types, to be changed before anything is looked at."""
    root = tmp_path / "root"
    shutil.copytree(catalog.template_root() / "template", root / "template")
    shutil.copy(catalog.template_root() / "copier.yml", root)
    monkeypatch.setattr(catalog, "template_root", lambda: root)
    catalog.load_catalog.cache_clear()
    yield root / "template" / "inputs"
    catalog.load_catalog.cache_clear()


def everything(tmp_path):
    """A table with a column of every kind, files too."""
    photos = [f"data/{row}.png" for row in range(60)]
    traces = [f"data/{row}.npy" for row in range(60)]
    _beside(tmp_path)
    files = {"photo": photos, "album": [f"{it}|data/0.png" for it in photos], "trace": traces}
    table = people(60).with_columns(pl.Series(name, paths) for name, paths in files.items())
    table.write_csv(tmp_path / "everything.csv")
    return tmp_path / "everything.csv"


def test_types_are_proposed_for_what_they_say_they_are_found_in(tmp_path, types):
    path = everything(tmp_path)
    before = look(path)
    proposed = {each.columns: each.given["type"] for each in before.inputs}
    inputs = catalog.load_catalog().inputs.values()
    assert set(proposed.values()) == {each.name for each in inputs if each.found_in}

    for kind in set(proposed.values()):
        (types / kind).rename(types / f"my_{kind}")
        for file in types.glob("*/input.yml"):  # a type may have the encoders of this one
            file.write_text(
                re.sub(rf"(encoders_of: .)\b{kind}:", rf"\1my_{kind}:", file.read_text())
            )
    catalog.load_catalog.cache_clear()
    after = look(path)
    assert {each.columns: each.given["type"] for each in after.inputs} == {
        columns: f"my_{kind}" for columns, kind in proposed.items()
    }
    assert json.dumps(after.given) == re.sub(
        r'"type": "(\w+)"', r'"type": "my_\1"', json.dumps(before.given)
    )


def test_a_type_that_is_found_in_nothing_is_taken_where_one_says_it(tmp_path, types):
    path = everything(tmp_path)
    for kind in ("binary", "categorical"):
        file = types / kind / "input.yml"
        file.write_text(re.sub("found_in: .*\n", "", file.read_text()))
    found = look(path)
    assert column(found, "member").aside == "no type of input takes flags"
    assert column(found, "zip").aside == "no type of input takes labels"
    found = look(path, types=["member:binary", "zip:categorical"])
    assert entry(found, "member") == {"name": "member", "type": "binary"}
    assert entry(found, "zip") == {"name": "zip", "type": "categorical", "columns": ["zip"]}
    assert column(found, "member").why == "as you chose"


@pytest.mark.parametrize(
    ("kind", "claim", "says"),
    [
        ("binary", "labels", "categorical and binary: both are found_in labels"),
        ("text", "letters", "text: found_in is one of numbers, labels"),
    ],
)
def test_a_kind_of_column_is_claimed_by_one_type(types, kind, claim, says):
    file = types / kind / "input.yml"
    file.write_text(re.sub("found_in: .*", f"found_in: {claim}", file.read_text()))
    with pytest.raises(ValueError, match=says):
        catalog.load_catalog()


# Targets


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        ([i * 1.5 for i in range(60)], "regression", 0),
        (list(range(60)), "regression", 0),
        ([i % 2 for i in range(60)], "binary", 2),
        (["up" if i % 3 else "down" for i in range(60)], "binary", 2),
        ([i % 10 for i in range(60)], "multiclass", 10),
        (["abc"[i % 3] for i in range(60)], "multiclass", 3),
        (["red|blue" if i % 3 else "blue|green" for i in range(60)], "binary", 2),
        (["|".join("abcd"[: i % 4 + 1]) for i in range(60)], "multilabel", 4),
        ([int(abs(random.Random(i).gauss(0, 3))) for i in range(500)], "regression", 0),
    ],
)
def test_tasks(values, task, classes, tmp_path):
    text = "a,y\n" + "".join(f"{math.sin(i):.5f},{v}\n" for i, v in enumerate(values))
    target = look(write(tmp_path, text), target="y").targets[0]
    assert (target.task, target.classes) == (task, classes)


def test_a_task_is_said_and_several_targets(csv):
    found = inspect(csv, Overrides(targets=["children:multiclass", "age", "bought"]))
    assert [(it["name"], it["task"]) for it in found.given["outputs"]] == [
        ("children", "multiclass"),
        ("age", "regression"),
        ("bought", "binary"),
    ]
    assert found.given["outputs"][0]["classes"] == 6
    assert found.inputs[0].columns == ("height",)


def test_rows_without_a_target_are_no_class(tmp_path):
    labels = ["a", "b", "c", "NA", "", "?"]
    text = "x,y\n" + "".join(f"{math.sin(i):.5f},{labels[i % 6]}\n" for i in range(120))
    found = look(write(tmp_path, text), target="y")
    assert found.targets[0].classes == 3
    assert found.targets[0].missing == 60
    assert any(
        "60 of 120 rows are unlabeled; training drops them" in warning for warning in found.warnings
    )


def test_targets_with_holes_are_optional_where_there_are_several(tmp_path):
    text = "x,y,z,w\n" + "".join(
        f"{math.sin(i):.5f},{'ab'[i // 2 % 2] if i % 2 else ''},{i / 7 if i % 3 else 'NA'},{i % 2}\n"
        for i in range(120)
    )
    found = inspect(write(tmp_path, text), Overrides(targets=["y", "z", "w"]))
    assert [entry.get("optional", False) for entry in found.given["outputs"]] == [True, True, False]
    assert any("y: 60 of 120 rows are unlabeled" in warning for warning in found.warnings)
    assert [target["labeled"] for target in json.loads(as_json(found))["targets"]] == [60, 80, 120]
    done = run_scaffold("inspect", "table.csv", *("--target", "y", "--target", "z"), cwd=tmp_path)
    assert "labeled rows" in done.out and " 60 " in done.out and " 80 " in done.out
    assert "optional" not in look(tmp_path / "table.csv", target="y").given["outputs"][0]


def test_imbalance_is_said(tmp_path):
    text = "x,y\n" + "".join(f"{math.sin(i):.5f},{int(i % 40 == 0)}\n" for i in range(800))
    assert any("imbalanced" in it for it in look(write(tmp_path, text), target="y").warnings)


# Leaks


def _with_leak(tmp_path):
    rng = random.Random(0)
    lines = ["a,b,told,code,price,euros,y"]
    for _ in range(400):
        a, b = rng.gauss(0, 1), rng.gauss(0, 1)
        y = a + b + rng.gauss(0, 1) > 0
        told = rng.gauss(9 if y else 1, 1)
        price = 100 + 10 * a + rng.gauss(0, 3)
        code = rng.choice("pq" if y else "rs")
        lines.append(f"{a:.4f},{b:.4f},{told:.4f},{code},{price:.4f},{price * 0.9:.4f},{int(y)}")
    return write(tmp_path, "\n".join(lines))


def test_leaks_of_a_class(tmp_path):
    found = look(_with_leak(tmp_path), target="y")
    leaks = {c.name for c in found.columns if "leak" in c.aside}
    assert leaks == {"told", "code"}
    assert sum("likely target leakage for y" in it for it in found.warnings) == 2


def test_a_text_with_the_label_in_it_leaks(tmp_path):
    rng = random.Random(0)
    lines = ["told,other,x,y"]
    for _ in range(200):
        y = rng.choice(["death", "retirement", "resignation"])
        words = [" ".join(rng.choices(["on", "the", "senate", y.upper()], k=9)) for _ in range(2)]
        other = words[1].lower().replace(y, rng.choice(["death", "retirement", "none"]))
        lines.append(f"{words[0]} ({y.title()}),{other},{rng.gauss(0, 1):.3f},{y}")
    found = look(write(tmp_path, "\n".join(lines)), target="y")
    assert {c.name for c in found.columns if "leak" in c.aside} == {"told"}


def test_a_class_of_a_number_leaks_it(tmp_path):
    rng = random.Random(0)
    lines = ["size,near,x,weight"]
    for _ in range(200):
        weight = round(rng.gauss(7, 1.5), 1)
        size = "low" if weight < 5.5 else "high" if weight > 8 else "normal"
        near = "low" if weight + rng.gauss(0, 0.3) < 5.5 else "high"
        lines.append(f"{size},{near},{rng.gauss(0, 1):.3f},{weight}")
    found = look(write(tmp_path, "\n".join(lines)), target="weight")
    assert {c.name for c in found.columns if "leak" in c.aside} == {"size"}


def test_leaks_of_a_number(tmp_path):
    found = look(_with_leak(tmp_path), target="price")
    assert {c.name for c in found.columns if "leak" in c.aside} == {"euros"}


def test_a_column_that_stands_out_is_kept_with_a_warning(tmp_path):
    rng = random.Random(0)
    lines = ["a,b,told,y"]
    for _ in range(2000):
        y = rng.random() < 0.5
        told = rng.choice("pq") if y != (rng.random() < 0.03) else rng.choice("rs")
        lines.append(f"{rng.gauss(y, 2):.4f},{rng.gauss(0, 1):.4f},{told},{int(y)}")
    found = look(write(tmp_path, "\n".join(lines)), target="y")
    assert column(found, "told").type == "categorical"
    (warning,) = found.warnings
    assert warning.startswith("told: predicts y suspiciously well")


@pytest.mark.parametrize("target", ["bought", "age", "children"])
def test_an_honest_table_has_no_leaks(target, csv):
    found = look(csv, target=target)
    assert not any("leak" in it.aside for it in found.columns)
    assert not any(word in it for it in found.warnings for word in ("suspicious", "together"))


def test_a_leak_is_kept_as_one_says(tmp_path):
    found = look(_with_leak(tmp_path), target="y", keep=["told"])
    assert {c.name for c in found.columns if "leak" in c.aside} == {"code"}
    assert any("told" in it and "as you chose" in it for it in found.warnings)


def test_two_columns_whose_sum_is_the_target_are_said(tmp_path):
    rng = random.Random(0)
    lines = ["a,b,c,sum"]
    for _ in range(300):
        a, b, c = (rng.randint(0, 500) for _ in range(3))
        lines.append(f"{a},{b},{c},{a + b}")
    found = look(write(tmp_path, "\n".join(lines)), target="sum")
    assert any("a and b: together they give sum" in it for it in found.warnings)


def _numbered(tmp_path, name, of_row):
    """A table with five numbered columns and a target that lies among their numbers."""
    rng = random.Random(0)
    lines = [",".join([*(f"{name}{i}" for i in range(1, 6)), "other", "y"])]
    for _ in range(400):
        cells, y = of_row(rng)
        lines.append(",".join(f"{cell:.3f}" for cell in (*cells, rng.gauss(0, 1), y)))
    return look(write(tmp_path, "\n".join(lines)), target="y")


def test_votes_whose_mean_is_the_target_are_said(tmp_path):
    def votes(rng):
        liked = rng.uniform(1, 5)
        given = [sum(round(rng.gauss(liked, 1)) == star for _ in range(20)) for star in range(1, 6)]
        mean = sum(star * count for star, count in enumerate(given, 1)) / max(1, sum(given))
        return given, mean + rng.gauss(0, 0.2)

    found = _numbered(tmp_path, "stars_", votes)
    (warning,) = found.warnings
    assert warning.startswith("stars_1, stars_2, …, stars_5: were they votes")
    assert warning.endswith(" ".join(f"--drop 'stars_{i}'" for i in range(1, 6)))
    assert not any("leak" in it.aside for it in found.columns)
    found = look(tmp_path / "table.csv", target="y", drop=[f"stars_{i}" for i in range(1, 6)])
    assert not found.warnings


def test_other_numbered_columns_may_tell_the_target(tmp_path):
    def lags(rng):
        level = rng.uniform(1, 5)
        return [level + rng.gauss(0, 0.2) for _ in range(5)], level

    def peak(rng):
        height = rng.uniform(1, 5)
        shapes = (0.0, 0.1, 0.8, 0.3, 0.05)
        return [2 + height * shape + rng.gauss(0, 0.2) for shape in shapes], height

    for name, of_row in (("lag_", lags), ("band_", peak)):
        assert not _numbered(tmp_path, name, of_row).warnings


# Corrections


def test_corrections(csv):
    found = look(csv, drop=["height"], types=["children:categorical", "key:text"], keep=["id"])
    assert column(found, "height").aside == "as you chose"
    assert column(found, "children").type == "categorical"
    assert column(found, "key").type == "text"
    assert column(found, "id").type == "numeric"
    validate(found.given)


# Files beside a table, folders, arrays


def _beside(tmp_path, size=(600, 400), steps=30, prefix=""):
    (tmp_path / "data").mkdir()
    lines = ["photo,trace,y"]
    for i in range(30):
        (tmp_path / "data" / f"{i}.png").write_bytes(png(*size, color=i % 2))
        np.save(tmp_path / "data" / f"{i}.npy", np.zeros((steps + i, 3), "float32"))
        lines.append(f"{prefix}data/{i}.png,{prefix}data/{i}.npy,{i % 2}")
    return write(tmp_path, "\n".join(lines))


def test_shapes_come_from_the_files(tmp_path):
    found = look(_beside(tmp_path), target="y")
    assert entry(found, "photo")["shape"] == [88, 128, 3]
    trace = {"name": "trace", "type": "timeseries", "shape": [59, 3], "encoder": "conv"}
    assert entry(found, "trace") == trace


def test_small_grey_pictures(tmp_path):
    path = _beside(tmp_path)
    for i in range(30):
        (tmp_path / "data" / f"{i}.png").write_bytes(png(28, 20, color=False))
    found = look(path, target="y")
    assert entry(found, "photo")["shape"] == [20, 28, 1]


@pytest.mark.parametrize(("orientation", "upright"), [(1, False), (3, True), (6, True)])
def test_photos_that_the_camera_held_on_its_side(orientation, upright, tmp_path):
    from PIL import Image

    path = _beside(tmp_path)
    exif = Image.Exif()
    exif[0x0112] = orientation
    for i in range(30):
        photo = Image.new("RGB", (28, 20))
        photo.save(tmp_path / "data" / f"{i}.png", "JPEG", **({"exif": exif} if i % 3 else {}))
    found = look(path, target="y")
    assert entry(found, "photo").get("exif", False) == upright
    assert entry(found, "photo")["shape"] == ([28, 20, 3] if orientation == 6 else [20, 28, 3])


def test_files_that_are_elsewhere(tmp_path):
    path = _beside(tmp_path)
    text = path.read_text().replace("data/", "")
    found = look(write(tmp_path, text, "other.csv"), target=None)
    assert "the files lie in data/" in column(found, "photo").aside


def test_paths_out_of_the_folder_are_followed_when_asked(tmp_path):
    (tmp_path / "table").mkdir()
    path = _beside(tmp_path, prefix="../")
    moved = tmp_path / "table" / "table.csv"
    path.rename(moved)
    done = run_scaffold("inspect", "table/table.csv", "--target", "y", cwd=tmp_path)
    assert_one_error(done, 1, "--outside")
    assert entry(look(moved, target="y", outside=True), "photo")["type"] == "image"


def test_some_files_are_missing_or_broken(tmp_path):
    path = _beside(tmp_path)
    (tmp_path / "data" / "3.png").unlink()
    (tmp_path / "data" / "4.png").write_bytes(b"no picture")
    found = look(path, target="y")
    assert any("are not there, such as data/3.png" in it for it in found.warnings)
    assert any("cannot be read" in it for it in found.warnings)
    assert entry(found, "photo")["optional"] is True
    assert found.has_invalid_rows  # the broken one: training has to drop it


def test_a_folder_per_class(tmp_path):
    for label in ("cat", "dog"):
        (tmp_path / "pets" / label).mkdir(parents=True)
        for i in range(20):
            (tmp_path / "pets" / label / f"{i}.png").write_bytes(png(64, 48))
    done = run_scaffold("inspect", "pets", "--json", cwd=tmp_path)
    told = json.loads(done.out)
    assert told["spec"] == {
        "project_name": "Pets",
        "inputs": [{"name": "image", "type": "image", "shape": [48, 64, 3]}],
        "outputs": [{"name": "label", "task": "binary"}],
    }


def test_a_folder_per_split_and_class(tmp_path):
    for split in ("Train", "val", "test"):
        for label in ("cat", "dog"):
            (tmp_path / "pets" / split / label).mkdir(parents=True)
            for i in range(10):
                (tmp_path / "pets" / split / label / f"{i}.png").write_bytes(png(64, 48))
    (tmp_path / "pets" / ".thumbs" / "cat").mkdir(parents=True)
    (tmp_path / "pets" / ".thumbs" / "cat" / "0.png").write_bytes(png(8, 8))
    manifest = tmp_path / "pets" / "manifest.csv"
    done = run_scaffold("inspect", "pets", "--json", cwd=tmp_path)
    told = json.loads(done.out)
    assert told["spec"]["inputs"] == [{"name": "image", "type": "image", "shape": [48, 64, 3]}]
    assert {c["name"]: c["what"] for c in told["columns"]} == {"image": "picture", "split": "split"}
    new = ["new", "made", "--data", "pets", "--yes", "--no-git"]
    assert run_scaffold(*new, "--dry-run", cwd=tmp_path).code == 0
    assert not manifest.exists()
    assert run_scaffold(*new, "--template", "nowhere", cwd=tmp_path).code == 1
    assert not manifest.exists()

    done = run_scaffold(*new, cwd=tmp_path)
    assert "Wrote pets/manifest.csv, 60 rows with the split of each." in done.out
    assert "train --data ../pets/manifest.csv" in done.out
    table = pl.read_csv(manifest)
    assert table.row(0) == ("Train/cat/0.png", "cat", "train")
    assert table["split"].value_counts().sort("split").rows() == [
        ("test", 20),
        ("train", 20),
        ("validation", 20),
    ]
    assert look(manifest, target="label").given["inputs"] == told["spec"]["inputs"]

    manifest.write_text("mine")
    done = run_scaffold(*new[:1], "again", *new[2:], cwd=tmp_path)
    assert_one_error(done, 1, "is a folder; give the table in it, such as pets/manifest.csv")
    assert manifest.read_text() == "mine"


def test_arrays(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(
        tmp_path / "arrays.npz",
        numbers=rng.normal(size=(60, 5)),
        age=rng.normal(size=60),
        photo=np.zeros((60, 16, 16, 3), "uint8"),
        photos=np.zeros((60, 4, 16, 16, 3), "uint8"),
        trace=np.zeros((60, 300, 2), "float32"),
        note=np.array([_sentence(random.Random(i)) for i in range(60)]),
        Odd=np.zeros((60, 2)),
        scan=np.zeros((60, 16, 16, 3), "int64"),
        y=np.arange(60) % 2,
    )
    found = look(tmp_path / "arrays.npz", target="y")
    assert {it.given["name"]: (it.given["type"], it.given["shape"]) for it in found.inputs} == {
        "numbers": ("numeric", [5]),
        "age": ("numeric", [1]),
        "photo": ("image", [16, 16, 3]),
        "photos": ("images", [4, 16, 16, 3]),
        "trace": ("timeseries", [300, 2]),
        "note": ("text", [16]),
    }
    assert "rename the array" in column(found, "Odd").aside
    assert column(found, "scan").aside.endswith("pictures of 0 to 255 are stored as uint8")
    new = ["new", "out", "--data", "arrays.npz", "--target", "y", "--yes", "--no-git"]
    done = run_scaffold(*new, "--no-feature", "arrays", cwd=tmp_path)
    assert (done.code, done.err) == (
        2,
        "error: --no-feature arrays: it reads arrays.npz; leave it in\n",
    )
    assert run_scaffold(*new, "--minimal", cwd=tmp_path).code == 0
    answers = yaml.safe_load((tmp_path / "out" / ".copier-answers.yml").read_text())
    assert answers["features"] == ["arrays"]


# Bad input


def _random_bytes():
    return random.Random(0).randbytes(4000)


BAD = {
    "norows.csv": (b"a,y\n", "no rows"),
    "one.csv": (b"a,y\n1,2\n", "one row"),
    "one_class.csv": (b"a,y\n" + b"1,x\n2,x\n" * 9, "the same value 'x'"),
    "holes.csv": (b"a,y\n" + b"1,\n2,NA\n" * 9, "no row has a value"),
    "no_target.csv": (b"a,b\n" + b"1,2\n" * 9, "no such column"),
    "labels.csv": (b"a,y\n" + b"".join(b"1,l%d\n" % i for i in range(5000)), "5,000 different"),
    "empty.csv": (b"", "is empty"),
    "blank.csv": (b"\n\n", "no names"),
    "ragged.csv": (b"a,y\n1,2\n1,2,3\n", "line 3 has 3 cells"),
    "dates.csv": (b"a,y\n" + b"1,2020-01-02\n2,2020-01-03\n3,2020-01-04\n" * 9, "date"),
    "rubbish.csv": (_random_bytes(), "no text file"),
    "rubbish.parquet": (_random_bytes(), "no Parquet file"),
    "cut.parquet": (b"PAR1" + _random_bytes(), "cannot be read"),
    "rubbish.npz": (_random_bytes(), "cannot be read as arrays"),
    "rubbish.xlsx": (_random_bytes(), "cannot be read as Excel"),
    "rubbish.jsonl": (_random_bytes(), "line 1 is no JSON"),
    "list.jsonl": (b"[1]\n[2]\n", "no JSON object"),
    "table.doc": (b"abc", "no kind of table"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_tables_are_one_line(name, tmp_path):
    data, words = BAD[name]
    (tmp_path / name).write_bytes(data)
    done = run_scaffold("inspect", name, "--target", "y", "--out", "spec.yml", cwd=tmp_path)
    assert_one_error(done, 1, words)
    done = run_scaffold("new", "out", "--data", name, "--target", "y", "--yes", cwd=tmp_path)
    assert_one_error(done, 1, words)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_bomb_of_a_picture(tmp_path):
    path = _beside(tmp_path)
    (tmp_path / "data" / "3.png").write_bytes(png(60_000, 60_000))
    done = run_scaffold("inspect", path.name, "--target", "y", cwd=tmp_path)
    assert_one_error(done, 1, "3.png", "pixels")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["inspect", "nope.csv"], 1, "no such file"),
        (["inspect", "."], 1, "people.csv"),
        (["inspect", "people.csv", "--target", "bougth"], 1, "'bought'"),
        (["inspect", "people.csv", "--target", "age:regresion"], 1, "'regression'"),
        (["inspect", "people.csv", "--target", "note:regression"], 1, "no numbers"),
        (["inspect", "people.csv", "--target", "country:binary"], 1, "two labels"),
        (["inspect", "people.csv", "--target", "age", "--target", "age"], 1, "twice"),
        (["inspect", "people.csv", "--target", "country:ordinal"], 1, "low,mid,high"),
        (["inspect", "people.csv", "--target", "country:ordinal:Chad,Mali"], 1, "add it"),
        (["inspect", "people.csv", "--target", "country:ordinal:Chad"], 1, "give a list such as"),
        (["inspect", "people.csv", "--target", "country:ordinal:a,,b"], 1, 'is ""'),
        (["inspect", "people.csv", "--target", "country:multiclass:3"], 1, "':3' out"),
        (["inspect", "people.csv", "--target", "age:regression:3"], 1, "takes no classes"),
        (["inspect", "people.csv", "--target", "age:quantile:low"], 1, "levels"),
        (["inspect", "people.csv", "--drop", "agee"], 1, "'age'"),
        (["inspect", "people.csv", "--as", "age:number"], 1, "no type of input"),
        (["inspect", "people.csv", "--as", "note:image"], 1, "no paths"),
        (["inspect", "people.csv", "--as", "note:numeric"], 1, "no numbers"),
        (["inspect", "people.csv", "--as", "note:datetime"], 1, "no dates"),
        (["inspect", "people.csv", "--target", "since"], 1, "reads as a date"),
        (["inspect", "people.csv", "--keep", "nothing"], 1, "empty"),
        (["inspect", "people.csv", "--out", "spec.yml"], 2, "--target"),
        (["inspect", "people.csv", "--target", "age", "--out", "people.csv"], 1, "already exists"),
        (["new", "out", "--data", "people.csv"], 2, "--target"),
        (["new", "out", "--target", "age"], 2, "--data"),
        (["new", "out", "--data", "people.csv", "--target", "age", "-m", "add(x)"], 2, "no input"),
        (["new", "out", "--data", "people.csv", "--target", "age", "-i", "a:text"], 2, "-i"),
        (["new", "out", "--data", "people.csv", "--target", "age", "--spec", "s"], 2, "--spec"),
    ],
    ids=lambda it: " ".join(it) if isinstance(it, list) else None,
)
def test_wrong_requests_are_one_line(arguments, code, words, csv):
    assert_one_error(run_scaffold(*arguments, cwd=csv.parent), code, words)
    assert [path.name for path in csv.parent.iterdir()] == ["people.csv"]


# The report, the spec, the project


def test_the_report(csv):
    done = run_scaffold("inspect", "people.csv", "--target", "bought", cwd=csv.parent)
    assert (done.code, done.err) == (0, "")
    for name in TRUTH:
        assert re.search(rf"\n  {name} |^- {name}: ", done.out, re.MULTILINE)
    for words in (
        "Check",
        "--keep key",
        "numeric",
        "▇",
        "yes or no",
        "train --time",
        "concatenate",
    ):
        assert words in done.out


def test_without_a_target_columns_are_told_and_no_spec(csv):
    done = run_scaffold("inspect", "people.csv", cwd=csv.parent)
    assert done.code == 0
    assert done.out.endswith("No target, so no spec: use --target COLUMN\n")
    told = json.loads(run_scaffold("inspect", "people.csv", "--json", cwd=csv.parent).out)
    assert told["spec"] is None
    assert {it["name"]: it["what"] for it in told["columns"]} == {**TRUTH, "bought": "yes or no"}


def test_json_keeps_its_keys(csv):
    arguments = ["inspect", "people.csv", "--target", "bought", "--json"]
    told = json.loads(run_scaffold(*arguments, cwd=csv.parent).out)
    assert list(told) == [
        "source",
        "kind",
        "written",
        "rows",
        "rows_looked_at",
        "columns",
        "group",
        "targets",
        "warnings",
        "check",
        "spec",
    ]
    assert list(told["columns"][0]) == [
        "name",
        "what",
        "confidence",
        "missing",
        "distinct",
        "type",
        "input",
        "encoder",
        "why",
        "aside",
    ]
    age = next(it for it in told["columns"] if it["name"] == "age")
    assert (age["type"], age["input"], age["encoder"]) == ("numeric", "numbers", "mlp")


def test_the_spec_that_is_written_is_the_one_that_is_shown(csv):
    arguments = ["inspect", "people.csv", "--target", "bought"]
    told = json.loads(run_scaffold(*arguments, "--json", cwd=csv.parent).out)
    done = run_scaffold(*arguments, "--out", "spec.yml", cwd=csv.parent)
    assert "scaffold new DEST --spec spec.yml" in done.out
    text = (csv.parent / "spec.yml").read_text()
    assert yaml.safe_load(text) == told["spec"]
    assert "# always: always 'x'" in text
    done = run_scaffold(*arguments, "--out", "spec.yml", cwd=csv.parent)
    assert_one_error(done, 1, "--force")
    assert run_scaffold(*arguments, "--out", "spec.yml", "--force", cwd=csv.parent).code == 0


def test_a_project_from_data_is_the_one_from_its_spec(csv, monkeypatch):
    monkeypatch.setattr("keras_scaffold.render.project.shutil.which", lambda _: None)
    data = ["--target", "bought", "--drop", "height"]
    done = run_scaffold("new", "mine", "--data", "people.csv", *data, "--yes", cwd=csv.parent)
    assert (done.code, done.err) == (0, "")
    assert "  python -m mine train --data ../people.csv\n" in done.out
    run_scaffold("inspect", "people.csv", *data, "--out", "spec.yml", cwd=csv.parent)
    arguments = ["new", "two", "--spec", "spec.yml", "--name", "Mine"]
    assert run_scaffold(*arguments, cwd=csv.parent).code == 0
    assert files_in(csv.parent / "mine") == files_in(csv.parent / "two")


def _in_terminal(*arguments, cwd):
    return pexpect.spawn(
        str(BIN / "scaffold"),
        list(arguments),
        cwd=str(cwd),
        env={**os.environ, "TERM": "xterm", "NO_COLOR": "1"},
        encoding="utf-8",
        timeout=30,
        dimensions=(60, 100),
    )


def test_a_terminal_is_asked_before_a_project_is_written(csv):
    arguments = ["new", "mine", "--data", "people.csv", "--target", "bought", "--no-git"]
    child = _in_terminal(*arguments, cwd=csv.parent)
    child.expect_exact("Check")
    child.expect_exact("Create this project?")
    child.send("\r")
    child.expect_exact("train --data ../people.csv")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    answers = yaml.safe_load((csv.parent / "mine" / ".copier-answers.yml").read_text())
    assert answers["inputs"] == look(csv).given["inputs"]


@pytest.mark.parametrize(
    ("target", "stated"),
    [
        ("how:bad:ordinal:low,so so,high", {"classes": ["low", "so so", "high"]}),
        ("how:bad:multiclass:high, low, so so", {"classes": ["high", "low", "so so"]}),
        ("grade:ordinal:3.0,1.0,2", {"classes": ["3", "1", "2"]}),
        ("sure:multiclass:True,False", {"classes": ["true", "false"]}),
        ("score:quantile:0.1,0.5,0.9", {"levels": [0.1, 0.5, 0.9]}),
    ],
)
def test_classes_and_levels_are_stated_with_the_target(target, stated, tmp_path):
    rows = {
        "how:bad": ["high", "low", "so so"] * 20,
        "grade": ["1.0", "2.0", "3.0"] * 20,
        "sure": ["True", "False"] * 30,
        "score": [k / 7 for k in range(60)],
    }
    pl.DataFrame(rows).write_csv(tmp_path / "t.csv")
    given = look(tmp_path / "t.csv", target).given
    (output,) = given["outputs"]
    assert {key: output[key] for key in stated} == stated


def test_the_merge_of_a_project_from_data_can_be_chosen(csv):
    arguments = ["new", "mine", "--data", "people.csv", "--target", "bought", "-m", "gated"]
    done = run_scaffold(*arguments, "--yes", "--no-git", cwd=csv.parent)
    assert (done.code, done.err) == (0, "")
    assert "▼ gated" in done.out
    child = _in_terminal(*arguments, "--no-git", "--force", cwd=csv.parent)
    child.expect_exact("Create this project?")
    child.send("\r")
    child.expect_exact("--target bought -m gated")
    child.expect(pexpect.EOF)
    answers = yaml.safe_load((csv.parent / "mine" / ".copier-answers.yml").read_text())
    assert answers["merge"] == "gated"


def test_no_line_is_wider_than_the_terminal(csv):
    child = _in_terminal("inspect", "people.csv", "--target", "bought", cwd=csv.parent)
    child.setwinsize(60, 80)
    lines = child.read().replace("\r", "").split("\n")
    assert max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in lines) <= 100
    assert any("decimals" in line for line in lines)


# Properties


NAMES = st.text(string.printable[:94] + " äß日,;|\"'", min_size=1, max_size=12)


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(
    names=st.lists(NAMES, min_size=2, max_size=6, unique_by=str.strip),
    seed=st.integers(0, 1000),
    values=st.lists(
        st.sampled_from(
            ["", "NA", "1", "2", "3.5", "1e3", "yes", "no", "a b c d", "x", "2020-01-02"]
        ),
        min_size=1,
        max_size=6,
    ),
)
def test_whatever_is_proposed_is_a_valid_spec(names, seed, values, tmp_path_factory):
    rng = random.Random(seed)
    frame = pl.DataFrame({name: [rng.choice(values) for _ in range(40)] for name in names})
    frame = frame.with_columns(pl.Series("the target", [f"{i % 3}" for i in range(40)]))
    path = tmp_path_factory.mktemp("table") / "table.csv"
    frame.write_csv(path)
    done = run_scaffold("inspect", str(path), "--target", "the target", "--json", cwd=path.parent)
    if done.code:
        assert_one_error(done, 1)
        return
    spec = json.loads(done.out)["spec"]
    validate(spec)
    used = [
        name for it in spec["inputs"] for name in it.get("columns", [it.get("column", it["name"])])
    ]
    assert len(used) == len(set(used))
    assert set(used) <= set(frame.columns)


MAKERS = {
    "number": lambda rng, i: f"{rng.gauss(0, 50):.3f}",
    "category": lambda rng, i: rng.choice(["alpha", "beta", "gamma", "delta"]),
    "yes or no": lambda rng, i: rng.choice(["true", "false"]),
    "text": lambda rng, i: _sentence(rng),
    "date": lambda rng, i: f"{rng.randint(1990, 2030)}/{rng.randint(1, 12)}/{rng.randint(1, 28)}",
    "id": lambda rng, i: f"{rng.getrandbits(128):032x}",
}


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(
    wanted=st.lists(st.sampled_from(list(MAKERS)), min_size=1, max_size=8),
    seed=st.integers(0, 1000),
    holes=st.floats(0, 0.5),
    rows=st.integers(80, 300),
)
def test_columns_of_known_kinds_are_told(wanted, seed, holes, rows, tmp_path_factory):
    rng = random.Random(seed)
    table = {
        f"c{place} of it": [
            "" if rng.random() < holes else MAKERS[kind](rng, i) for i in range(rows)
        ]
        for place, kind in enumerate(wanted)
    }
    path = tmp_path_factory.mktemp("table") / "table.csv"
    pl.DataFrame(table).write_csv(path)
    found = look(path, target=None)
    assert [column.what for column in found.columns] == wanted


@given(st.lists(st.text(max_size=40), min_size=1, max_size=8))
def test_free_names_are_names(columns):
    taken = {"y"}
    names = [free_name(column, taken, "text") for column in columns]
    inputs = [{"name": name, "type": "text"} for name in names]
    validate({"project_name": "P", "inputs": inputs, "outputs": [{"name": "y", "task": "binary"}]})


def test_sparks():
    assert spark([0, 1, 8, 4]) == "·▁█▄"
    assert spark([]) == spark([0]) == ""


def test_a_hole_is_the_same_here_and_in_the_project():
    """Else inspect calls an input whole that the project then finds holes in, or the reverse."""
    from keras_scaffold.catalog import template_root
    from keras_scaffold.infer.cells import HOLES

    helper = template_root() / "template" / "shared" / "helpers" / "is_missing.py.jinja"
    text = helper.read_text(encoding="utf-8")
    (words,) = re.findall(r"^MISSING_WORDS = \[(.*)\]$", text, flags=re.MULTILINE)
    assert set(HOLES) == set(re.findall(r'"([^"]*)"', words))
