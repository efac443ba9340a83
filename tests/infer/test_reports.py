"""Tables behind public reports about tools of this field: what each should be taken for."""

import random
import shlex

import pandas as pd
import pytest
from helpers import assert_one_error, png, run_scaffold
from keras_scaffold.infer import Overrides, inspect

ROWS = 200


def write(tmp_path, columns, delimiter=","):
    lines = [delimiter.join(columns)]
    for cells in zip(*columns.values(), strict=True):
        texts = map(str, cells)
        lines.append(delimiter.join(f'"{t}"' if delimiter in t else t for t in texts))
    path = tmp_path / "table.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def look(path, target="y", **overrides):
    return inspect(path, Overrides(targets=(target,), **overrides))


def column(found, name):
    return next(column for column in found.columns if column.name == name)


def check(found, name):
    """The lines of the section Check on a column."""
    return [line for line in found.checks if line.partition(": ")[0] == name]


@pytest.fixture
def rng():
    return random.Random(1)


def flags(rng, rows=ROWS):
    return [rng.randint(0, 1) for _ in range(rows)]


# Ids and indexes


@pytest.mark.parametrize("name", ["x1", "index", "idx", "row", "rownames", "Unnamed: 0", "id"])
def test_a_feature_is_one_under_any_name(name, rng, tmp_path):
    decimals = [round(rng.random(), 4) for _ in range(ROWS)]
    y = [round(20 * x + rng.gauss(0, 3), 3) for x in decimals]
    found = look(write(tmp_path, {name: decimals, "y": y}))
    assert found.inputs[0].columns == (name,)
    assert found.checks == []


@pytest.mark.parametrize("name", ["x1", "nr", "it", "amount"])
@pytest.mark.parametrize("first", [0, 1, 5000])
def test_an_index_is_one_under_any_name(name, first, rng, tmp_path):
    table = {name: range(first, first + ROWS), "b": [rng.random() for _ in range(ROWS)]}
    path = write(tmp_path, {**table, "y": flags(rng)})
    found = look(path)
    assert column(found, name).what == "id"
    (line,) = check(found, name)
    assert line.endswith(f"to use it: --keep {name}")
    assert look(path, keep=(name,)).inputs[0].columns == (name, "b")


def test_ids_are_stated_for_predictions(rng, tmp_path):
    uuids = [f"{rng.getrandbits(128):032x}" for _ in range(ROWS)]
    ids = {"patient_id": [i // 4 + 1000 for i in range(ROWS)], "uuid": uuids}
    table = {**ids, "a": [rng.random() for _ in range(ROWS)], "y": flags(rng)}
    path = write(tmp_path, table)
    assert look(path).given["table"] == {"ids": ["patient_id", "uuid"], "group": "patient_id"}
    assert look(path, keep=("patient_id",), drop=("uuid",)).given.get("table") is None


def test_rows_of_an_index_may_be_shuffled_or_drawn(rng, tmp_path):
    table = {"a": rng.sample(range(ROWS), ROWS), "b": rng.sample(range(2 * ROWS), ROWS)}
    table |= {"c": [rng.randint(0, 2 * ROWS) for _ in range(ROWS)], "y": flags(rng)}
    found = look(write(tmp_path, table))
    assert [c.what for c in found.columns] == ["id", "id", "number"]


def test_years_and_other_steps_are_no_index(rng, tmp_path):
    grid = rng.sample(range(0, 1000, 5), ROWS)
    table = {"when": range(1820, 2020), "dose": range(0, 1000, 5), "grid": grid, "y": flags(rng)}
    assert {c.what for c in look(write(tmp_path, table)).columns} == {"number"}


def test_long_numbers_are_names(rng, tmp_path):
    table = {
        "tweet": [rng.randrange(10**17, 10**18) for _ in range(ROWS)],
        "phone": [rng.randrange(10**9, 10**10) for _ in range(ROWS)],
        "mobile": [f"+49{rng.randrange(10**9, 10**10)}" for _ in range(ROWS)],
        "revenue": [round(rng.lognormvariate(17, 2)) for _ in range(ROWS)],
        "loan": [rng.randrange(10**3, 10**5) * 10**5 for _ in range(ROWS)],
        "y": flags(rng),
    }
    found = look(write(tmp_path, table))
    assert found.inputs[0].columns == ("revenue", "loan")
    assert "18 digits" in check(found, "tweet")[0]
    assert "--keep phone" in check(found, "phone")[0]


def test_names_of_several_words_are_texts(rng, tmp_path):
    words = (
        ["Acolyte", "Knight", "Lord", "Mage", "Spirit", "Rogue"],
        ["Pain", "Doom", "Storm", "Iron", "Flame"],
    )
    names = [f"{a} of {b}" for a in words[0] for b in words[1]]
    names += [f"{b} {a}" for a in words[0] for b in words[1]]
    rng.shuffle(names)
    codes = [f"A-{i * 37 % 991} B" for i in range(len(names))]
    table = {"card": names, "code": codes, "y": flags(rng, len(names))}
    found = look(write(tmp_path, table))
    assert column(found, "card").type == "text"
    assert column(found, "code").type is None


# Columns that are no input


def test_each_column_that_is_no_input_is_listed_with_what_brings_it_in(rng, tmp_path):
    table = {
        "id": range(ROWS),
        "key": [f"{rng.getrandbits(128):032x}" for _ in range(ROWS)],
        "always": ["x"] * ROWS,
        "site": [f"https://a.b/{i}" for i in range(ROWS)],
        "clock": [f"{i % 24}:{i % 60:02d}" for i in range(ROWS)],
        "mixed": [f"{i * 7 % 91} {'km' if i % 2 else 'm'}" for i in range(ROWS)],
        "some": [f"{i * 7 % 91 if i % 25 else 'lots'}" for i in range(ROWS)],
        "a b": [i * 2 if i % 9 else i for i in rng.sample(range(ROWS), ROWS)],
        "empty": [""] * ROWS,
        "x": [rng.random() for _ in range(ROWS)],
        "y": flags(rng),
    }
    path = write(tmp_path, table)
    found = look(path)
    named = {line.partition(": ")[0] for line in found.checks}
    assert named >= {c.name for c in found.columns if c.aside}
    for line in found.checks:
        name, _, option = line.partition("; to use it: ")
        if not option:
            continue
        name = line.partition(": ")[0]
        done = run_scaffold(
            "inspect", path.name, "--target", "y", *shlex.split(option), cwd=tmp_path
        )
        assert done.code == 0, done
        assert f"- {name}: no input" not in done.out
    assert check(found, "empty") == ["empty: no input: empty"]


def test_keep_restores_the_type_of_the_values(rng, tmp_path):
    table = {"id": range(ROWS), "key": [f"k{i}" for i in range(ROWS)], "y": flags(rng)}
    found = look(write(tmp_path, table), keep=("id", "key"))
    assert [(c.name, c.type) for c in found.columns] == [("id", "numeric"), ("key", "categorical")]


@pytest.mark.parametrize(
    ("cell", "fix"),
    [
        (r"img\c{}.png", "\\ is used where / is meant; write paths such as img/c0.png"),
        ("c{}.png", "the files lie in img/; write paths such as img/c0.png"),
        ("img/c{}", ".png is missing; write paths such as img/c0.png"),
        ("c{}", ".png is missing, the files lie in img/; write paths such as img/c0.png"),
        ("IMG/C{}.PNG", "upper and lower case differ; write paths such as img/c0.png"),
        ("/home/me/img/c{}.png", "no folder /home/me/img/ is here; write paths such as img/c0.png"),
        ("D:\\me\\c{}.png", "no folder D:/me/ is here; write paths such as img/c0.png"),
        ("12{:03d}", ".png is missing; write paths such as 12000.png"),
    ],
)
def test_pictures_that_are_not_found_come_first_with_the_fix(cell, fix, rng, tmp_path):
    (tmp_path / "img").mkdir()
    for i in range(40):
        (tmp_path / "img" / f"c{i}.png").write_bytes(png(20, 10))
        (tmp_path / f"12{i:03d}.png").write_bytes(png(20, 10))
    table = {
        "a": range(40),
        "photo": [cell.format(i) for i in range(40)],
        "x": [rng.random() for _ in range(40)],
        "y": flags(rng, 40),
    }
    found = look(write(tmp_path, table))
    assert found.checks[0].startswith("photo: no input: no such file: ")
    assert found.checks[0].endswith(fix)


def test_ids_beside_paths_are_ids(rng, tmp_path):
    for i in range(40):
        (tmp_path / f"c{i}.png").write_bytes(png(20, 10))
    table = {"name": [f"c{i}" for i in range(40)], "photo": [f"c{i}.png" for i in range(40)]}
    found = look(write(tmp_path, {**table, "y": flags(rng, 40)}))
    assert [c.what for c in found.columns] == ["id", "picture"]
    assert [each.columns for each in found.inputs] == [("photo",)]


# Numbers and dates


def grouped(number, mark):
    return f"{number:,}".replace(",", mark)


def revenues(rng):
    return [rng.choice([rng.randint(5, 999), rng.randint(1000, 99999)]) for _ in range(ROWS)]


def test_a_point_between_thousands_in_a_german_file(rng, tmp_path):
    amounts = revenues(rng)
    fees = [f"{5 + amount / 2000:.2f}".replace(".", ",") for amount in amounts]
    table = {"fee": fees, "revenue": [grouped(amount, ".") for amount in amounts]}
    for target in ("fee", "revenue"):
        found = look(write(tmp_path, {**table, "y": flags(rng)}, ";"), target)
        notation = {"delimiter": ";", "decimal": ",", "thousands": "."}
        assert found.given["table"] == notation
        assert found.targets[0].task == "regression"


def test_groups_beside_small_whole_numbers_are_thousands(rng, tmp_path):
    path = write(tmp_path, {"a": [grouped(n, ".") for n in revenues(rng)], "y": flags(rng)}, ";")
    found = look(path)
    assert found.given["table"] == {"delimiter": ";", "decimal": ",", "thousands": "."}
    assert check(found, "a")[0].endswith("--decimal .")
    assert look(path, decimal=".").given["table"] == {"delimiter": ";"}
    assert look(path, decimal=".").checks == []


def test_marks_are_given_on_the_command_line(rng, tmp_path):
    path = write(
        tmp_path, {"a": [f"{rng.uniform(1, 90):.3f}" for _ in range(ROWS)], "y": flags(rng)}
    )
    assert look(path, decimal=",").given["table"] == {"decimal": ",", "thousands": "."}
    assert look(path, decimal=",", thousands=".").given["table"] == {
        "decimal": ",",
        "thousands": ".",
    }
    done = run_scaffold("inspect", path.name, "--target", "y", "--decimal", "x", cwd=tmp_path)
    assert_one_error(done, 1, "--decimal")


def test_units_of_numbers_are_stated(rng, tmp_path):
    amounts = [rng.uniform(-2000, 9000) for _ in range(ROWS)]
    table = {
        "price": [f"{'-' if a < 0 else ''}${abs(a):,.2f}" for a in amounts],
        "share": [f"{a / 100:.1f}%" for a in amounts],
        "euros": ["" if i % 9 == 0 else f"{a:.0f} €" for i, a in enumerate(amounts)],
        "weight": [
            "-999 kg" if i % 9 == 0 else f"{50 + a / 100:.1f} kg" for i, a in enumerate(amounts)
        ],
        "room": [f"{i * 7 % 400}B" for i in range(ROWS)],
        "y": [f"{a:,.2f} USD" for a in amounts],
    }
    found = look(write(tmp_path, table))
    units = {"price": ["$"], "share": ["%"], "euros": ["€"], "weight": ["kg"], "y": ["USD"]}
    missing = {"weight": [-999]}
    assert found.given["table"] == {
        "thousands": ",",
        "missing": missing,
        "units": units,
        "ids": ["room"],
    }
    assert column(found, "room").type != "numeric"
    assert "read without $" in column(found, "price").why


def test_dates_by_their_values(rng, tmp_path):
    def days(i):
        return i % 12 + 1, i % 28 + 1

    table = {
        "when": [f"2021{days(i)[0]:02d}{days(i)[1]:02d}" for i in range(ROWS)],
        "seen": [1_300_000_000 + rng.randint(0, 10**8) for _ in range(ROWS)],
        "sent": [1_300_000_000_000 + rng.randint(0, 10**11) for _ in range(ROWS)],
        "plain": [rng.randint(19_000_101, 22_001_231) for _ in range(ROWS)],
        "price": [rng.randint(10**5, 10**7) for _ in range(ROWS)],
        "y": [rng.random() for _ in range(ROWS)],
    }
    found = look(write(tmp_path, table))
    formats = {c.name: c.facts.get("format") for c in found.columns if c.kind == "dates"}
    assert formats == {"when": "", "seen": "unix", "sent": "unix_ms"}
    assert column(found, "when").view[1] == "20210101 … 20211228"
    assert "--as seen:numeric" in check(found, "seen")[0]


def test_an_ambiguous_order_is_said_with_its_option(rng, tmp_path):
    days = [f"01/{i % 12 + 1:02d}/{2013 + i // 12}" for i in range(120)]
    path = write(tmp_path, {"month": days, "y": [rng.random() for _ in days]})
    (line,) = check(look(path), "month")
    assert line.endswith("--as month:datetime:day-first")
    found = look(path, types=("month:datetime:day-first",))
    assert found.given["inputs"] == [{"name": "month", "type": "datetime", "format": "%d/%m/%Y"}]
    assert found.checks == []
    assert column(found, "month").view[1] == "2013-01-01 … 2022-12-01"


# Labels and codes


@pytest.mark.parametrize("separator", [",", ", ", ";", "; ", "|", " "])
def test_the_separator_of_labels_is_found(separator, rng, tmp_path):
    names = ["action", "comedy", "drama", "horror"]
    labels = [separator.join(rng.sample(names, rng.randint(1, 3))) for _ in range(ROWS)]
    found = look(write(tmp_path, {"x": [rng.random() for _ in range(ROWS)], "y": labels}))
    output = {"name": "y", "task": "multilabel", "classes": 4}
    mark = separator.strip() or " "
    assert found.given["outputs"] == [{**output, "separator": mark} if mark != "|" else output]


@pytest.mark.parametrize(
    "labels",
    [
        ["New York", "New Jersey", "Texas"],
        ["Paris, France", "Lyon, France", "Rome, Italy"],
        ["small red", "small blue", "big red", "big blue"],
    ],
)
def test_names_of_classes_are_not_split(labels, rng, tmp_path):
    y = [rng.choice(labels) for _ in range(ROWS)]
    found = look(write(tmp_path, {"x": [rng.random() for _ in range(ROWS)], "y": y}))
    assert found.targets[0].task == "multiclass"


def test_spellings_of_one_label_are_named(rng, tmp_path):
    y = [rng.choice(["yes", "Yes", "YES", "no", "No"]) for _ in range(ROWS)]
    kind = [rng.choice(["red", "Red", "blue", "green"]) for _ in range(ROWS)]
    found = look(write(tmp_path, {"kind": kind, "y": y}))
    assert "No, no" in check(found, "y")[0] or "no, No" in check(found, "y")[0]
    assert "Red, red" in check(found, "kind")[0]


def test_spellings_of_one_label_are_merged_on_request(rng, tmp_path):
    y = [rng.choice(["yes", "Yes", "YES ", "no", "No", ""]) for _ in range(ROWS)]
    path = write(tmp_path, {"size": [rng.random() for _ in range(ROWS)], "y": y})
    assert look(path).given["outputs"] == [{"name": "y", "task": "multiclass", "classes": 5}]
    found = look(path, ignore_case=("y",))
    assert found.given["outputs"] == [{"name": "y", "task": "binary", "ignore_case": True}]
    assert not any("differ in case" in line for line in check(found, "y"))
    done = run_scaffold(
        "inspect", str(path), "--target", "y", "--ignore-case", "size", cwd=tmp_path
    )
    assert_one_error(done, 1, "size: is not a target")


@pytest.mark.parametrize("one", ["1", "1.0", "True"])
def test_labels_have_the_form_in_which_a_project_reads_them(one, rng, tmp_path):
    other = {"1": "1.0", "1.0": "1", "True": "true"}[one]
    y = [rng.choice([one, other, "0"]) for _ in range(ROWS)]
    found = look(write(tmp_path, {"size": [rng.random() for _ in range(ROWS)], "y": y}))
    assert found.given["outputs"] == [{"name": "y", "task": "binary"}]


def test_codes_are_read_as_missing_or_named(rng, tmp_path):
    def coded(code, values):
        return [code if i % 9 == 0 else value for i, value in enumerate(values)]

    table = {
        "co": coded(-200, [round(rng.gauss(2, 1), 2) for _ in range(ROWS)]),
        "age": coded(999, [rng.randint(18, 90) for _ in range(ROWS)]),
        "visits": coded(-1, [rng.randint(0, 60) for _ in range(ROWS)]),
        "y": flags(rng),
    }
    path = write(tmp_path, table)
    found = look(path)
    assert found.given["table"]["missing"] == {"co": [-200], "age": [999]}
    assert check(found, "visits")[0].endswith("--missing visits:-1")
    assert check(found, "age")[0].endswith("--missing age:none")
    found = look(path, missing=("visits:-1", "age:none"))
    assert found.given["table"]["missing"] == {"co": [-200], "visits": [-1]}


@pytest.mark.parametrize(
    ("option", "words"),
    [("visits", "give COLUMN:CODE"), ("vists:-1", "'visits'"), ("kind:9", "read as no numbers")],
)
def test_wrong_codes_are_one_line(option, words, rng, tmp_path):
    table = {
        "visits": [rng.random() for _ in range(ROWS)],
        "kind": ["ab"[i % 2] for i in range(ROWS)],
    }
    path = write(tmp_path, {**table, "y": flags(rng)})
    done = run_scaffold("inspect", path.name, "--target", "y", "--missing", option, cwd=tmp_path)
    assert_one_error(done, 1, words)


@pytest.mark.parametrize("form", ["{}", "{}.0"])
def test_ordered_numbers_with_gaps_are_amounts(form, rng, tmp_path):
    values, times = [*range(1, 13), 20, 25, 100], [8, 9, 9, 8, 7, 6, 5, 4, 3, 3, 2, 2, 1, 1, 1]
    y = [form.format(it) for it in rng.choices(values, times, k=ROWS)]
    found = look(write(tmp_path, {"x": [rng.random() for _ in range(ROWS)], "y": y}))
    assert found.targets[0].task == "regression"


@pytest.mark.parametrize(
    "codes", [range(10), range(10, 80, 10), [200, 301, 302, 401, 404, 500, 503], [*range(9), 99]]
)
def test_numbers_of_classes_are_classes(codes, rng, tmp_path):
    y = [rng.choice(list(codes)) for _ in range(ROWS)]
    found = look(write(tmp_path, {"x": [rng.random() for _ in range(ROWS)], "y": y}))
    assert found.targets[0].task == "multiclass"


# Groups


def patients(rng, name, groups=25, each=8, columns=4):
    table = {"subject": [], **{f"f{i}": [] for i in range(columns)}, "y": []}
    for group in range(groups):
        base = [rng.gauss(0, 1) for _ in range(columns)]
        for _ in range(each):
            cells = [f"{b + rng.gauss(0, 0.05):.3f}" for b in base]
            for key, cell in zip(table, [name(group), *cells, group % 2], strict=True):
                table[key].append(cell)
    return table


@pytest.mark.parametrize("name", [lambda i: 101 + i, lambda i: f"S{i:02d}", lambda i: i * 37 % 991])
def test_a_group_is_proposed_under_any_name(name, rng, tmp_path):
    path = write(tmp_path, patients(rng, name))
    found = look(path)
    assert found.group == "subject"
    assert [each.columns for each in found.inputs] == [("f0", "f1", "f2", "f3")]
    assert "train --group subject" in check(found, "subject")[0]
    done = run_scaffold("inspect", path.name, "--target", "y", cwd=tmp_path)
    assert done.out.endswith("train --data table.csv --group subject\n")
    data = ["new", "mine", "--data", path.name, "--target", "y", "--yes", "--no-git"]
    assert "train --data ../table.csv --group subject\n" in run_scaffold(*data, cwd=tmp_path).out
    kept = look(path, keep=("subject",))
    assert (kept.group, column(kept, "subject").type is not None) == ("", True)


def test_a_measure_that_fixes_others_is_no_group(rng, tmp_path):
    ages = [rng.randint(18, 80) for _ in range(400)]
    table = {f"f{i}": [age * i + rng.gauss(0, 1) for age in ages] for i in range(1, 5)}
    table |= {"y": [int(age + rng.gauss(0, 9) > 50) for age in ages]}
    found = look(write(tmp_path, {"age": ages, **table}))
    assert found.group == ""
    assert column(found, "age").type == "numeric"


# The first lines, and folders


@pytest.mark.parametrize(
    ("above", "skipped", "note"),
    [
        ("sep=;\n", 1, None),
        ("\ufeffSEP=;\r\n", 1, None),
        ("Report of May\n\n", 2, "2 lines above the header skipped, such as 'Report of May'"),
        ("Report of May;\n;\n", 2, "2 lines above the header skipped, such as 'Report of May'"),
        ("# by us\n", 1, "1 line above the header skipped, such as '# by us'"),
        ("", None, None),
        ("\n\n", None, None),
    ],
)
def test_lines_above_the_header_are_skipped_as_pandas_does(above, skipped, note, rng, tmp_path):
    rows = "".join(f"{rng.random():.3f};{rng.randint(0, 1)}\n" for _ in range(50))
    path = tmp_path / "table.csv"
    path.write_text(f"{above}x;y\n{rows}", encoding="utf-8", newline="")
    found = inspect(path, Overrides(targets=["y"]))
    stated = found.given["table"]
    assert stated.get("skip_rows") == skipped
    assert note is None or note in found.checks
    assert (found.table.rows, [c.name for c in found.columns]) == (50, ["x"])
    assert found.columns[0].type == "numeric"
    read = pd.read_csv(path, sep=";", encoding="utf-8-sig", skiprows=stated.get("skip_rows", 0))
    assert (list(read.columns), len(read)) == (["x", "y"], 50)


@pytest.mark.parametrize("cell", ["{:.3f}", "a size of {:.3f}"])
def test_columns_aligned_with_spaces_are_one_line(cell, rng, tmp_path):
    rows = "\n".join(f"  {cell.format(rng.random())}    {rng.randint(0, 1)}" for _ in range(50))
    (tmp_path / "table.txt").write_text(f"  size     y\n{rows}\n")
    done = run_scaffold("inspect", "table.txt", cwd=tmp_path)
    assert_one_error(done, 1, "aligned with spaces", "delimiter")
