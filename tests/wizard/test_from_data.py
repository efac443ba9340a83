"""Beginning from data in the wizard: `scaffold new` driven in a pseudo-terminal of 100 x 60."""

import random
import shlex
import sys

import polars as pl
import pytest
import yaml
from helpers import assert_one_error, files_in, png, run_scaffold
from keras_scaffold.infer import Overrides, inspect
from keras_scaffold.infer.targets import likely_target
from terminal import CLEAR, CTRL_C, DOWN, ENTER, Terminal, approve

NEW = [sys.executable, "-m", "keras_scaffold", "new", "mine", "--no-git"]
BEGIN = "How do you want to start?"
WHERE = "Where is the data?"
TARGET = "Which column should be predicted?"
FOUND = "Is this what the columns are?"
COLUMN = "Which column?"
LAST = "Create this project?"


def houses(rows=200):
    """A table with numbers, a category, an id, a constant, a date and a column that tells the price."""
    rng = random.Random(0)
    table = []
    for row in range(rows):
        area, rooms = rng.uniform(30, 200), rng.randint(1, 6)
        price = round(2000 * area + 9000 * rooms + rng.gauss(0, 40_000))
        table.append(
            {
                "house": f"H{row:04}",
                "area": round(area, 1),
                "rooms": rooms,
                "district": rng.choice(["north", "east", "south"]),
                "garden": rng.choice(["yes", "no"]),
                "built": f"{rng.randint(1900, 2020)}-{rng.randint(1, 12):02}-15",
                "country": "DE",
                "tax": round(price * 0.05, 2),
                "price": price,
            }
        )
    return pl.DataFrame(table)


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "houses.csv"
    houses().write_csv(path)
    return path


@pytest.fixture
def new(tmp_path):
    """Start `scaffold new mine` beside the table."""
    terminals = []

    def start(*arguments, rows=60, **options):
        terminals.append(Terminal([*NEW, *arguments], tmp_path, rows=rows, **options))
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.close()


def spec_of(project):
    answers = yaml.safe_load((project / ".copier-answers.yml").read_text())
    kept = {key: answers[key] for key in ("inputs", "merge", "outputs")}
    return kept | ({"table": answers["table"]} if answers.get("table") else {})


def spec_from(path, **overrides):
    spec = inspect(path, Overrides(**overrides)).given
    return {"merge": "concatenate", **{key: spec[key] for key in spec if key != "project_name"}}


def change(it, column, what):
    """Say another word on a column."""
    it.answer(FOUND, "change", ENTER)
    it.answer(COLUMN, column, ENTER)
    it.answer(f"How should {column} be used?", what, ENTER)


def accept(it):
    """Take the columns and the model as they are."""
    it.answer(FOUND, ENTER)
    it.answer(LAST, ENTER)
    assert it.ends() == 0


def same_again(it):
    """The command that is said to give the same again."""
    lines = [line.rstrip() for line in it.text().split("\n")]
    return shlex.split("".join(lines[lines.index("To repeat:") + 1 :]))[1:]


def test_from_a_table_to_a_project(new, csv):
    it = new()
    it.answer(BEGIN, DOWN, ENTER)
    it.asks(WHERE)
    it.approve("from_data_1_path")
    it.press("houses.csv", ENTER)
    it.asks(TARGET)
    it.approve("from_data_2_target")
    it.press(ENTER)
    it.asks(FOUND)
    it.approve("from_data_3_found")
    it.press(ENTER)
    it.asks(LAST)
    assert [path.name for path in csv.parent.iterdir()] == ["houses.csv"]
    assert "▼ concatenate" in it.text()
    it.press(ENTER)
    assert it.ends() == 0
    assert "  python -m mine train --data ../houses.csv\n" in it.text()

    arguments = ["inspect", "houses.csv", "--target", "price", "--out", "spec.yml"]
    assert run_scaffold(*arguments, cwd=csv.parent).code == 0
    told = yaml.safe_load((csv.parent / "spec.yml").read_text())
    assert told.pop("project_name") == "Houses"
    assert spec_of(csv.parent / "mine") == told

    assert same_again(it) == ["new", "mine", "--data", "houses.csv", "--target", "price"]
    (csv.parent / "mine").rename(csv.parent / "first")
    done = run_scaffold(*same_again(it), "--yes", "--no-git", cwd=csv.parent)
    assert "  python -m mine train --data ../houses.csv\n" in done.out
    assert files_in(csv.parent / "mine") == files_in(csv.parent / "first")


def test_a_path_that_is_wrong_is_told_in_its_place(new, csv, tmp_path):
    (tmp_path / "one.csv").write_text("a,y\n1,2\n")
    (tmp_path / "ragged.csv").write_text("a,y\n1,2\n1,2,3\n")
    (tmp_path / "notes.doc").write_text("no table")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "table.csv").write_text("photo,y\n" + "../a.png,1\n../b.png,2\n" * 9)
    it = new()
    it.answer(BEGIN, "look", ENTER)
    for typed, problem in [
        ("", "give a .csv"),
        ("nope.csv", "nope.csv: no such file or folder"),
        ("x" * 300, "cannot be read"),
        ("one.csv", "has one row; a model needs more"),
        ("ragged.csv", "line 3 has 3 cells"),
        ("notes.doc", "'.doc' is no kind of table"),
        ("deep", "give the table in it, such as deep/table.csv"),
        ("deep/table.csv", "leads out of deep; use --outside"),
        ("~nobody/x.csv", "no such file"),
    ]:
        it.answer(WHERE, CLEAR, typed, ENTER)
        it.shows(problem)
    it.press(CLEAR, "one.csv", ENTER)
    it.shows("has one row")
    it.approve("from_data_mistake")
    it.press(CLEAR, "'houses.csv' ", ENTER)  # as a terminal quotes what is dropped into it
    it.asks(TARGET)


def test_tab_completes_what_can_be_opened(new, csv, tmp_path):
    (tmp_path / "houses.txt.bak").write_text("")
    (tmp_path / "houses").mkdir()
    (tmp_path / "houses" / "more.csv").write_text(houses().write_csv())
    it = new()
    it.answer(BEGIN, "look", ENTER)
    it.answer(WHERE, "ho", "\t")
    it.shows(" houses.csv")
    assert "bak" not in it.text()
    it.press("\t")
    it.shows("> houses/")
    it.press(ENTER)  # takes what is chosen in the list
    it.wait(lambda: " houses.csv" not in it.text(), "the list's end")
    it.press("\t")
    it.shows("> houses/more.csv")
    it.press(ENTER)
    it.asks(TARGET)
    assert "? Where is the data? houses/more.csv" in it.text()


def test_a_target_that_cannot_be_is_told_in_its_place(new, csv):
    it = new("--data", "houses.csv")
    it.answer(TARGET, "built", ENTER)
    it.shows("    built: reads as a date; make a number of it, or choose another target")
    it.answer(TARGET, "country", ENTER)
    it.shows("    country: every row has the same value 'DE'")
    it.answer(TARGET, "garden", ENTER)
    accept(it)
    assert "  python -m mine train --data ../houses.csv\n" in it.text()
    assert spec_of(csv.parent / "mine") == spec_from(csv, targets=["garden"])


def test_columns_are_corrected(new, csv):
    it = new("--data", "houses.csv", "--drop", "district")
    it.answer(TARGET, "garden", ENTER)
    change(it, "rooms", "categories")
    change(it, "house", "taken in")
    change(it, "built", "left out")
    change(it, "area", "left out")
    change(it, "area", "what it seems")
    change(it, "price", "predicted too")
    it.answer(FOUND, "change", ENTER)
    it.answer(COLUMN, "house", ENTER)
    it.asks("How should house be used?")
    it.approve("from_data_column")
    it.press("time series", ENTER)
    it.shows("    house:timeseries: its cells are no paths of such files")
    it.answer("How should house be used?", "<")
    it.answer(COLUMN, "<")
    it.answer(FOUND, "go on", ENTER)
    it.answer(LAST, ENTER)
    assert it.ends() == 0
    overrides = {
        "targets": ["garden", "price"],
        "types": ["rooms:categorical"],
        "keep": ["house"],
        "drop": ["district", "built"],
    }
    assert spec_of(csv.parent / "mine") == spec_from(csv, **overrides)
    (csv.parent / "mine").rename(csv.parent / "first")
    assert run_scaffold(*same_again(it), "--yes", "--no-git", cwd=csv.parent).code == 0
    assert files_in(csv.parent / "mine") == files_in(csv.parent / "first")


def test_what_is_predicted_is_corrected(new, csv):
    it = new("--data", "houses.csv")
    it.answer(TARGET, "garden", ENTER)
    change(it, "rooms", "instead of garden")
    change(it, "district", "predicted too")
    change(it, "rooms", "a number")
    it.answer(FOUND, ENTER)
    it.answer(LAST, "<")
    change(it, "district", "not predicted")
    accept(it)
    assert spec_of(csv.parent / "mine") == spec_from(csv, targets=["rooms:regression"])


def test_the_order_of_classes_is_asked(new, csv):
    order = "The classes of district, from the lowest to the highest?"
    it = new("--data", "houses.csv")
    it.answer(TARGET, "district", ENTER)
    change(it, "district", "one of several in order")
    it.answer(order, "<", ENTER)
    it.answer("How should district be used?", "one of several in order", ENTER)
    it.answer(order, "south,east", ENTER)
    it.shows("rows have north, which south,east lacks")
    it.answer(order, ",north", ENTER)
    accept(it)
    (output,) = spec_of(csv.parent / "mine")["outputs"]
    assert output["classes"] == ["south", "east", "north"]
    assert "district:ordinal:south,east,north" in same_again(it)


def test_a_merge_that_does_not_fit_the_columns_is_asked_for_again(new, csv):
    it = new("--data", "houses.csv", "-m", "film")
    it.answer(TARGET, "garden", ENTER)
    it.answer(FOUND, ENTER)
    it.shows("film takes exactly 2 operands")
    it.answer("What should change?", ENTER)
    it.answer("How should the branches be merged?", "gated", ENTER)
    it.answer(LAST, ENTER)
    assert it.ends() == 0
    assert spec_of(csv.parent / "mine")["merge"] == "gated"


def test_every_question_on_data_has_a_way_back(new, csv):
    it = new()
    it.answer(BEGIN, "look", ENTER)
    it.answer(WHERE, "houses.csv", ENTER)
    it.answer(TARGET, "garden", ENTER)
    change(it, "rooms", "left out")
    it.answer(FOUND, ENTER)
    it.answer(LAST, "<")
    it.answer(FOUND, "<")
    it.answer("How should rooms be used?", "<")
    it.answer(COLUMN, "<")
    it.answer(FOUND, "<")
    it.answer(TARGET, "<")
    it.asks(WHERE)
    assert "[houses.csv] >" in it.text()
    it.press("<", ENTER)
    it.asks(BEGIN)
    assert "» look at data" in it.text()
    it.press(ENTER)
    it.answer(WHERE, "houses.csv", ENTER)
    it.answer(TARGET, ENTER)
    accept(it)
    assert spec_of(csv.parent / "mine") == spec_from(csv, targets=["price"])


def test_a_table_that_is_mended_meanwhile_is_looked_at_again(new, csv):
    broken = csv.read_text()
    csv.write_text(broken + "1,2,3,4,5,6,7,8,9,10,11\n")
    it = new()
    it.answer(BEGIN, "look", ENTER)
    it.answer(WHERE, "houses.csv", ENTER)
    it.shows("line 202 has 11 cells")
    csv.write_text(broken)
    it.press(ENTER)
    it.answer(TARGET, "<")
    csv.write_text(broken.replace("price", "worth"))
    it.answer(WHERE, ENTER)
    it.asks(TARGET)
    it.shows("worth")


@pytest.mark.parametrize("place", range(4))
def test_ctrl_c_leaves_nothing(new, csv, place):
    it = new()
    steps = [(BEGIN, ["look", ENTER]), (WHERE, ["houses.csv", ENTER]), (TARGET, [ENTER])]
    for message, keys in steps[:place]:
        it.answer(message, *keys)
    it.answer([BEGIN, WHERE, TARGET, FOUND][place], CTRL_C)
    assert it.ends() == 130
    assert [path.name for path in csv.parent.iterdir()] == ["houses.csv"]


def test_what_the_last_look_changes_is_kept(new, csv):
    it = new("--data", "houses.csv", "--name", "Other")
    it.answer(TARGET, ENTER)
    it.answer(FOUND, ENTER)
    it.answer(LAST, "merge", ENTER)
    it.answer("How should the branches be merged?", "average", ENTER)
    it.answer(LAST, ENTER)
    assert it.ends() == 0
    spec = spec_from(csv, targets=["price"])
    assert spec_of(csv.parent / "mine") == {**spec, "merge": "average"}
    assert shlex.join(same_again(it)) == (
        "new mine --data houses.csv --target price -m average --name Other"
    )
    assert "Other is in mine" in it.text()


def test_features_are_changed_in_the_summary(new, csv):
    it = new("--data", "houses.csv", "--feature", "onnx", columns=160)
    it.answer(TARGET, ENTER)
    it.answer(FOUND, ENTER)
    it.shows("Features: ensemble, calibration, split-by, arrays, baselines, report, onnx.")
    it.answer(LAST, "features", ENTER)
    it.answer("Which features should the project have?", " ", ENTER)
    it.answer(LAST, ENTER)
    assert it.ends() == 0
    assert spec_of(csv.parent / "mine") == spec_from(csv, targets=["price"])
    flags = ["--no-feature", "ensemble", "--feature", "onnx"]
    assert same_again(it) == ["new", "mine", "--data", "houses.csv", "--target", "price", *flags]


def test_a_folder_per_class_says_its_target(new, tmp_path):
    for label in ("cat", "dog"):
        (tmp_path / "pets" / label).mkdir(parents=True)
        for i in range(20):
            (tmp_path / "pets" / label / f"{i}.png").write_bytes(png(64, 48))
    it = new()
    it.answer(BEGIN, "look", ENTER)
    it.answer(WHERE, "pets/", ENTER)
    it.asks(FOUND)
    it.approve("from_data_folder")
    it.press(ENTER)
    it.answer(LAST, ENTER)
    assert it.ends() == 0
    assert "  python -m mine train --data ../pets\n" in it.text()
    assert same_again(it) == ["new", "mine", "--data", "pets"]
    assert spec_of(tmp_path / "mine") == spec_from(tmp_path / "pets")


def test_columns_of_any_name_are_told_apart(new, tmp_path):
    rng = random.Random(0)
    names = ["<", "2", "a:numeric", *(f"p{i}" for i in range(60)), "go on", "price"]
    rows = [{name: rng.random() for name in names} for _ in range(50)]
    pl.DataFrame(rows).write_csv(tmp_path / "odd.csv")
    it = new("--data", "odd.csv", rows=24)
    it.answer(TARGET, ENTER)
    it.answer(FOUND, "change", ENTER)
    it.answer(COLUMN, ENTER)  # the first
    it.answer("How should < be used?", "left out", ENTER)
    change(it, "a:numeric", "left out")
    accept(it)
    spec = spec_from(tmp_path / "odd.csv", targets=["price"], drop=["<", "a:numeric"])
    assert spec_of(tmp_path / "mine") == spec


def test_a_terminal_without_a_cursor_gets_lines(new, csv):
    it = new(TERM="dumb", rows=200)
    it.shows(BEGIN)
    it.press("2", ENTER)
    it.shows(WHERE)
    it.press("nope", ENTER)
    it.shows("no such file")
    it.press("houses.csv", ENTER)
    it.shows("[9] >")
    it.press("built", ENTER)
    it.shows("built: reads as a date")
    it.press(ENTER)
    it.shows(FOUND)
    it.press("2", ENTER)
    it.shows(COLUMN)
    it.press("rooms", ENTER)
    it.shows("How should rooms be used?")
    it.press("left out", ENTER)
    it.shows("as you chose")
    it.press(CTRL_C)
    assert it.ends() == 130
    text = it.text()
    approve("from_data_dumb", text[: text.index("houses.csv: CSV")].rstrip())


# When it is asked


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["--name", "Given"], BEGIN),
        (["-o", "price:regression"], "What is the project called?"),
        (["--data", "houses.csv"], TARGET),
        (["--data", "houses.csv", "--target", "price"], LAST),
    ],
    ids=" ".join,
)
def test_only_what_is_not_said_is_asked(new, csv, arguments, asked):
    new(*arguments).asks(asked)


def test_a_spec_is_not_asked_for_data(new, tmp_path):
    (tmp_path / "spec.yml").write_text("project_name: Given\n")
    new("--spec", "spec.yml").asks("Input 1: what is it called?")


def test_with_yes_nothing_is_asked(new, csv):
    it = new("--data", "houses.csv", "--yes")
    assert it.ends() == 2
    assert "error: --data needs --target COLUMN, what to predict" in it.text()
    done = run_scaffold("new", "mine", "--data", "houses.csv", cwd=csv.parent)
    assert_one_error(done, 2, "--data needs --target COLUMN")


def test_a_target_that_is_said_shows_what_was_found(new, csv):
    it = new("--data", "houses.csv", "--target", "price", rows=120)
    it.asks(LAST)
    shown = it.text()
    assert "tax: likely target leakage for price" in shown
    assert shown.count("▼ concatenate") == 1
    it.press(ENTER)
    assert it.ends() == 0
    assert "  python -m mine train --data ../houses.csv\n" in it.text()
    assert same_again(it) == ["new", "mine", "--data", "houses.csv", "--target", "price"]


@pytest.mark.parametrize(
    ("names", "likely"),
    [
        (["a", "b"], "b"),
        (["label", "a", "b"], "label"),
        (["Target", "label", "b"], "Target"),
        (["y", "class", "b"], "y"),
        (["a", "price_label", "b"], "price_label"),
        (["a", "b", "id"], "b"),
        (["id", "note"], "note"),
    ],
)
def test_the_likely_target(names, likely, tmp_path):
    rng = random.Random(0)
    cells = {"id": lambda row: row, "note": lambda row: f"{row} {rng.random()} and more words"}
    table = {
        name: [cells.get(name, lambda _: rng.choice("xyz"))(row) for row in range(60)]
        for name in names
    }
    pl.DataFrame(table).write_csv(tmp_path / "table.csv")
    assert likely_target(inspect(tmp_path / "table.csv", Overrides()).columns) == likely
