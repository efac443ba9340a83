"""How a table is written: delimiter, encoding, marks of numbers, codes for what is missing."""

import csv
import io
import random

import pytest
from helpers import run_scaffold
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keras_scaffold.infer import Overrides, inspect
from keras_scaffold.spec import validate

TOWNS = ["Köln", "Zürich", "Genève", "København", "Málaga"]


def look(path, target="y", **overrides):
    return inspect(path, Overrides(targets=[target], **overrides))


def written(tmp_path, columns, **notation):
    """A table of columns and a target, as Python's csv module writes it in a notation."""
    rows = len(next(iter(columns.values())))
    table = {**columns, "y": [i * 7 % 5 % 2 for i in range(rows)]}
    text = io.StringIO()
    writer = csv.writer(text, delimiter=notation.get("delimiter", ","))
    writer.writerows([list(table), *zip(*table.values(), strict=True)])
    path = tmp_path / "table.csv"
    path.write_bytes(text.getvalue().encode(notation.get("encoding", "utf-8")))
    return path


def number(value, decimal=".", thousands="", places=2):
    swapped = {",": thousands, ".": decimal}
    return "".join(swapped.get(c, c) for c in f"{value:,.{places}f}")


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    marks=st.sampled_from(
        [(d, t) for d in ".," for t in ["", ",", ".", " ", "'", "\u00a0", "\u202f"] if d != t]
    ),
    code=st.sampled_from([None, -200, -999, 99999, -99.5]),
    rows=st.integers(60, 200),
    seed=st.integers(0, 1000),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_a_table_is_inspected_to_the_notation_in_which_it_is_written(
    delimiter, encoding, marks, code, rows, seed, quoting, tmp_path_factory
):
    decimal, thousands = marks
    if encoding == "cp1252" and thousands == "\u202f":
        thousands = "\u00a0"
    rng = random.Random(seed)
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting)
    writer.writerow(["größe", "amount", "town", "y"])
    for row in range(rows):
        missing = code is not None and row % 9 == 0
        small = number(code if missing else rng.uniform(0, 40), decimal)
        large = number(rng.uniform(100, 2_000_000), decimal, thousands)
        writer.writerow([small, large, rng.choice(TOWNS), rng.choice("ab")])
    path = tmp_path_factory.mktemp("table") / "table.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    found = look(path)
    pandas = pytest.importorskip("pandas")
    given = found.table.written
    frame = pandas.read_csv(path, dtype=str, sep=given.delimiter, encoding=given.encoding)
    assert list(frame.columns) == ["größe", "amount", "town", "y"]
    assert set(frame["town"]) <= set(TOWNS)
    usual = {"delimiter": ",", "encoding": "utf-8", "decimal": ".", "thousands": "", "missing": {}}
    table = {
        "delimiter": delimiter,
        "encoding": "utf-8" if encoding == "utf-8-sig" else encoding,
        "decimal": decimal,
        "thousands": thousands,
        "missing": {} if code is None else {"größe": [code]},
    }
    assert validate(found.given).table.given == found.given.get("table", {})
    assert found.given.get("table", {}) == {k: v for k, v in table.items() if v != usual[k]}
    assert found.given["inputs"][0]["columns"] == ["größe", "amount"]
    assert found.given["inputs"][0].get("optional", False) == (code is not None)


def test_a_byte_that_no_codec_expects_does_not_stop_the_project(tmp_path):
    rows = b"".join(b"K\xf6ln,%d\n" % (i % 2) for i in range(60)) + b"\x81,1\n"
    (tmp_path / "table.csv").write_bytes(b"town,y\n" + rows)
    encoding = look(tmp_path / "table.csv").table.written.encoding
    assert "K\xf6ln" in rows.decode(encoding)


# Marks of numbers


@pytest.mark.parametrize(
    ("cells", "table"),
    [
        (["1.5", "22.25"], {}),
        (["1", "22"], {}),
        (["1,5", "22,25"], {"decimal": ","}),
        (["0,123", "0,456"], {"decimal": ","}),
        (["1,234", "5,678"], {"thousands": ","}),
        (["1,234.5", "22"], {"thousands": ","}),
        (["1.234,5", "22"], {"decimal": ",", "thousands": "."}),
        (["1.234.567", "22"], {"decimal": ",", "thousands": "."}),
        (["1 234,5", "22,5"], {"decimal": ",", "thousands": " "}),
        (["1'234.5", "22"], {"thousands": "'"}),
        (["1’234.5", "22"], {"thousands": "’"}),
        (["-1\u202f234,5", "+22"], {"decimal": ",", "thousands": "\u202f"}),
        (["1.5e3", "-2E-4"], {}),
    ],
)
def test_marks(cells, table, tmp_path):
    # Other digits in each row, of the same shape.
    turn = {
        i: str.maketrans("123456789", "".join(random.Random(i).sample("123456789", 9)))
        for i in range(60)
    }
    values = [cells[i % 2].translate(turn[i]) for i in range(60)]
    found = look(written(tmp_path, {"a": values}))
    assert found.given.get("table", {}) == table
    assert found.given["inputs"] == [{"name": "a", "type": "numeric", "columns": ["a"]}]


def _amounts(form, rows=60):
    return [form.format(i * 37 % 91 + 1, i * 613 % 1000) for i in range(rows)]


def test_columns_that_contradict_each_other_are_named_and_set_aside(tmp_path):
    columns = {"a": _amounts("{},5"), "b": _amounts("{}.5"), "c": _amounts("{}.25")}
    path = written(tmp_path, columns, delimiter=";")
    found = look(path)
    assert [each.columns for each in found.inputs] == [("b", "c")]
    assert found.given["table"] == {"delimiter": ";"}
    (warning,) = (it for it in found.warnings if it.startswith("a: "))
    assert "numbers written like 2,5" in warning.replace("1,5", "2,5")
    assert "one notation" in warning
    assert not any("notation" in it for it in look(path, drop=["a"]).warnings)


def test_the_target_decides_where_columns_contradict_each_other(tmp_path):
    columns = {"a": _amounts("{},5"), "b": _amounts("{}.5"), "c": _amounts("{}.25")}
    found = look(written(tmp_path, columns), target="a")
    assert found.given["table"] == {"decimal": ","}
    assert found.targets[0].task == "regression"


def test_another_column_decides_what_a_mark_means(tmp_path):
    columns = {"a": _amounts("{},{:03d}"), "b": _amounts("{},5")}
    found = look(written(tmp_path, columns))
    assert found.given["table"] == {"decimal": ","}
    assert not any("is read as" in it for it in found.warnings)


def test_a_mark_that_nothing_decides_is_said(tmp_path):
    found = look(written(tmp_path, {"a": _amounts("{},{:03d}")}))
    assert found.given["table"] == {"thousands": ","}
    (warning,) = (it for it in found.warnings if "is read as" in it)
    assert warning.startswith("a: ")
    assert warning.endswith("--decimal ,")


def test_telephone_numbers_are_no_amounts(tmp_path):
    values = [
        f"{i * 7919 % 900 + 100} {i * 613 % 900 + 100} {i * 37 % 900 + 100}" for i in range(60)
    ]
    found = look(written(tmp_path, {"phone": values, "a": _amounts("{}.5")}))
    assert found.given["table"] == {"ids": ["phone"]}
    assert [each.columns for each in found.inputs] == [("a",)]


def test_a_stray_comma_is_an_invalid_cell(tmp_path):
    values = _amounts("{}.5", 300)
    values[200] = "1,5"
    found = look(written(tmp_path, {"a": values}))
    assert any("but for 1 cell such as '1,5'" in it for it in found.warnings)


def test_cells_of_excel_have_marks_too(tmp_path):
    import polars as pl

    frame = pl.DataFrame({"a": _amounts("{},5"), "y": ["ab"[i % 2] for i in range(60)]})
    frame.write_excel(tmp_path / "table.xlsx")
    assert look(tmp_path / "table.xlsx").given["table"] == {"decimal": ","}


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_numbers_that_are_no_text_have_no_marks(kind, tmp_path):
    import polars as pl

    floats = [i * 37 % 91 + 0.25 for i in range(60)]
    frame = pl.DataFrame({"a": floats, "b": _amounts("{},5"), "y": ["a", "b"] * 30})
    path = tmp_path / f"table.{kind}"
    (frame.write_parquet if kind == "parquet" else frame.write_ndjson)(path)
    found = look(path)
    assert found.given["table"] == {"decimal": ","}
    assert [each.columns for each in found.inputs] == [("a", "b")]
    assert found.targets[0].task == "binary"
    assert look(path, target="a").targets[0].task == "regression"


# Codes for what is missing


def test_a_code_in_one_column_is_one_in_others(tmp_path):
    rng = random.Random(0)
    near = [-200 if i % 7 == 0 else rng.randint(650, 2040) for i in range(200)]
    far = [-200 if i % 7 == 0 else round(rng.gauss(18, 8), 1) for i in range(200)]
    debt = [-200 if i % 7 == 0 else rng.randint(-250, 40) for i in range(200)]
    found = look(written(tmp_path, {"near": near, "far": far, "debt": debt}))
    assert found.given["table"] == {"missing": {"near": [-200], "far": [-200]}}
    assert next(c for c in found.columns if c.name == "far").missing == 29
    (warning,) = (it for it in found.warnings if "-200" in it)
    assert warning.startswith("near, far: ")


@pytest.mark.parametrize(
    "values",
    [
        [99999 if i % 9 == 0 else i * 613 % 41000 for i in range(200)],  # a cap
        [-1 if i % 9 == 0 else i for i in range(200)],
        [-9 if i % 9 == 0 else i % 5 for i in range(200)],  # classes
        [-5000 if i == 9 else i for i in range(200)],  # once
    ],
)
def test_what_may_be_a_number_is_no_code(values, tmp_path):
    found = look(written(tmp_path, {"a": values, "b": _amounts("{}.5", 200)}))
    assert "table" not in found.given


def test_codes_of_labels_are_labels(tmp_path):
    values = [-999 if i % 9 == 0 else i % 40 for i in range(200)]
    columns = {"a": values, "b": _amounts("{}.5", 200)}
    found = look(written(tmp_path, columns), types=["a:categorical"])
    assert "table" not in found.given
    assert not any("-999" in it for it in found.warnings)


def test_rows_without_a_target_may_have_a_code(tmp_path):
    values = [-999 if i % 9 == 0 else i * 37 % 91 + 0.5 for i in range(200)]
    found = look(written(tmp_path, {"a": values, "b": _amounts("{}.5", 200)}), target="a")
    assert found.targets[0].missing == 23
    assert found.given["table"] == {"missing": {"a": [-999]}}


# What is printed, and the project


def test_the_headline_and_the_spec_file_have_the_notation(tmp_path):
    columns = {"a": _amounts("{}.{:03d},5"), "town": [TOWNS[i % 5] for i in range(60)]}
    path = written(tmp_path, columns, delimiter=";", encoding="cp1252")
    done = run_scaffold("inspect", path.name, "--target", "y", "--out", "s.yml", cwd=tmp_path)
    assert "CSV, semicolon, cp1252; numbers like 1.234,5; 60 rows" in done.out
    assert "delimiter: ;" in (tmp_path / "s.yml").read_text()
    data = ["new", "one", "--data", path.name, "--target", "y", "--yes", "--no-git"]
    assert run_scaffold(*data, cwd=tmp_path).code == 0
    spec = ["new", "two", "--spec", "s.yml", "--name", "One", "--no-git"]
    assert run_scaffold(*spec, cwd=tmp_path).code == 0
    one, two = ((tmp_path / name / ".copier-answers.yml").read_text() for name in ("one", "two"))
    assert one == two
    assert "encoding: cp1252" in one
