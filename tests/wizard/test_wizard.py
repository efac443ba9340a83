"""The wizard, driven as a person drives it, in a pseudo-terminal of 100 x 40.

Its screens are approved as text in tests/screens; APPROVE=1 writes them again.
"""

import json
import sys
from itertools import pairwise

import pytest
import yaml
from keras_scaffold.catalog import load_catalog
from keras_scaffold.spec import validate
from terminal import BACKSPACE, CLEAR, CTRL_C, CTRL_D, DOWN, ENTER, UP, Terminal, approve

# What `scaffold new stock-direction` does with the wizard, without the writing.
PROGRAM = """
import json, sys
from pathlib import Path
from keras_scaffold.wizard.flow import Data, ask
given = json.loads(sys.argv[1])
try:
    answers = ask(given, Path("stock-direction"), data=None if given else Data())
except KeyboardInterrupt:
    sys.exit(130)
Path("result.json").write_text(json.dumps(answers and answers.given))
"""

# The questions that Enter alone leads through, and whether each is answered by typing.
QUESTIONS = [
    ("How do you want to start?", False),
    ("What is the project called?", True),
    ("Input 1: what is it called?", True),
    ("What kind of input is numbers?", False),
    ("What is the shape of numbers?", True),
    ("Which layers turn numbers into features?", False),
    ("Another input?", False),
    ("Input 2: what is it called?", True),
    ("What kind of input is picture?", False),
    ("What is the shape of picture?", True),
    ("Which layers turn picture into features?", False),
    ("Another input?", False),
    ("How should the branches be merged?", False),
    ("What should be predicted?", True),
    ("What is label?", False),
    ("Another output?", False),
    ("Which features should the project have?", False),
    ("Create this project?", False),
]
FEATURES = QUESTIONS[-2][0]
BY_ENTER = {
    "project_name": "Stock Direction",
    "inputs": [{"name": "numbers", "type": "numeric"}, {"name": "picture", "type": "image"}],
    "outputs": [{"name": "label", "task": "binary"}],
}


@pytest.fixture
def wizard(tmp_path):
    """Start the wizard; `result` waits for its end and gives the spec."""
    terminals = []

    class Wizard(Terminal):
        def result(self):
            assert self.ends() == 0
            return json.loads((tmp_path / "result.json").read_text())

    def start(given=None, command=None, **options):
        command = command or [sys.executable, "-c", PROGRAM, json.dumps(given or {})]
        terminals.append(Wizard(command, tmp_path, **options))
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.close()


def test_enter_alone_leads_to_a_good_project(wizard):
    it = wizard()
    for message, _ in QUESTIONS:
        it.answer(message, ENTER)
    spec = it.result()
    assert spec == BY_ENTER
    assert list(spec) == ["project_name", "inputs", "outputs"]
    validate(spec)


@pytest.mark.parametrize("typed", ["image", "IMAGE", "pictu", "png"])
def test_a_search_finds_a_type_by_its_name_and_by_words(wizard, typed):
    """Names before words of descriptions, in which other types speak of files, too."""
    it = wizard()
    for message, _ in QUESTIONS[:3]:
        it.answer(message, ENTER)
    it.answer("What kind of input is numbers?", typed)
    it.shows(f"/ {typed}...")
    it.press(ENTER)
    it.asks("What is the shape of numbers?")
    assert "What kind of input is numbers? picture" in it.text()


def test_a_second_text_may_share_the_encoder_of_the_first(wizard):
    it = wizard()
    it.answer("How do you want to start?", ENTER)
    it.answer("What is the project called?", ENTER)
    it.answer("Input 1: what is it called?", "headline", ENTER)
    it.answer("What kind of input is headline?", "text", ENTER)
    it.answer("What is the shape of headline?", ENTER)
    it.answer("Which layers turn headline into features?", ENTER)
    it.answer("Another input?", ENTER)
    it.answer("Input 2: what is it called?", "summary", ENTER)
    it.answer("What kind of input is summary?", "text", ENTER)
    it.answer("Share the encoder of an earlier text input?", DOWN, ENTER)
    it.answer("Another input?", ENTER)
    for message, _ in QUESTIONS[-6:-1]:
        it.answer(message, ENTER)
    it.answer("Create this project?", "change summary", ENTER)
    it.answer("Input 2: what is it called?", "abstract", ENTER)
    it.answer("What kind of input is abstract?", ENTER)
    it.answer("Share the encoder of an earlier text input?", ENTER)  # offers what it was
    it.answer("Create this project?", "change headline", ENTER)
    it.answer("Input 1: what is it called?", ENTER)
    it.answer("What kind of input is headline?", ENTER)  # one that is shared shares none itself
    it.answer("What is the shape of headline?", ENTER)
    it.answer("Which layers turn headline into features?", ENTER)
    it.answer("Create this project?", ENTER)
    spec = it.result()
    headline, abstract = (
        {"name": "headline", "type": "text"},
        {"name": "abstract", "like": "headline"},
    )
    assert spec["inputs"] == [headline, abstract]
    validate(spec)


def test_a_search_that_finds_nothing_chooses_nothing(wizard):
    it = wizard()
    for message, _ in QUESTIONS[:3]:
        it.answer(message, ENTER)
    it.answer("What kind of input is numbers?", "zzz")
    it.shows("/ zzz...")
    it.press(ENTER, ENTER, *3 * [BACKSPACE], "text")
    it.shows("/ text...")
    it.press(ENTER)
    it.asks("What is the shape of numbers?")
    assert "What kind of input is numbers? text" in it.text()


def test_the_flagship_by_arrow_keys_and_typing(wizard):
    it = wizard()
    it.asks("How do you want to start?")
    it.approve("wizard_1_first_question")
    it.press(ENTER)
    it.answer("What is the project called?", "Stock Direction", ENTER)
    it.answer("Input 1: what is it called?", "indicators", ENTER)
    it.answer("What kind of input is indicators?", ENTER)
    it.answer("What is the shape of indicators?", "20", ENTER)
    it.answer("Which layers turn indicators into features?", ENTER)
    it.answer("Another input?", ENTER)
    it.answer("Input 2: what is it called?", "chart", ENTER)
    it.answer("What kind of input is chart?", UP, DOWN)
    it.approve("wizard_2_type")
    it.press(ENTER)
    it.answer("What is the shape of chart?", "100 x 100 x 3", ENTER)
    it.answer("Which layers turn chart into features?", DOWN, DOWN)
    it.approve("wizard_3_encoder")
    it.press(ENTER)
    it.answer("Another input?", UP, ENTER)
    it.answer("Input 3: what is it called?", "headline", ENTER)
    it.answer("What kind of input is headline?", "text")
    it.shows("/ text...")
    it.approve("wizard_4_search")
    it.press(ENTER)
    it.answer("What is the shape of headline?", ENTER)
    it.answer("Which layers turn headline into features?", ENTER)
    it.asks("Another input?")
    it.approve("wizard_5_diagram")
    it.press(ENTER)
    it.asks("How should the branches be merged?")
    it.approve("wizard_6_merge")
    it.press(DOWN, DOWN, DOWN, ENTER)
    it.answer("What should be predicted?", "direction", ENTER)
    it.answer("What is direction?", ENTER)
    it.answer("Another output?", DOWN, ENTER)
    it.answer("Output 2: what is it called?", "genre", ENTER)
    it.answer("What is genre?", "several", ENTER)
    it.answer("How many classes has genre?", "4", ENTER)
    it.answer("Another output?", ENTER)
    it.answer(FEATURES, *5 * [DOWN], " ", DOWN, " ")
    it.shows("[x] warm-start")
    it.approve("wizard_7_features")
    it.press(ENTER)
    it.asks("Create this project?")
    it.approve("wizard_8_last_look")
    it.press(ENTER)
    assert it.result() == {
        "project_name": "Stock Direction",
        "inputs": [
            {"name": "indicators", "type": "numeric", "shape": [20]},
            {"name": "chart", "type": "image", "shape": [100, 100, 3], "encoder": "resnet"},
            {"name": "headline", "type": "text"},
        ],
        "merge": "multiply",
        "outputs": [
            {"name": "direction", "task": "binary"},
            {"name": "genre", "task": "multiclass", "classes": 4},
        ],
        "features": ["ensemble", "calibration", "split-by", "arrays", "baselines", "warm-start"],
    }


def test_every_question_has_a_way_back(wizard):
    """At each question one step back, then on again: the answers before it are offered again."""
    it = wizard()
    it.answer(QUESTIONS[0][0], ENTER)
    it.answer(QUESTIONS[1][0], "My Own Name", ENTER)
    for (before, _), (message, typed) in pairwise(QUESTIONS[1:]):
        it.answer(message, *(["<", ENTER] if typed else ["<"]))
        it.answer(before, ENTER)
        it.asks(message)
        it.press(ENTER)
    assert it.result() == {**BY_ENTER, "project_name": "My Own Name"}


def test_back_stands_in_every_list_too(wizard):
    it = wizard()
    for message, typed in QUESTIONS[:4]:
        it.asks(message)
        first = message == QUESTIONS[0][0]
        assert typed or first != ("« back" in it.text())
        it.press(*([ENTER] if typed or first else [UP, ENTER]))
    it.asks(QUESTIONS[2][0])
    it.approve("wizard_back")


def test_back_goes_on_to_the_first_question(wizard):
    it = wizard()
    for message, _ in QUESTIONS:
        it.asks(message)
        if message != QUESTIONS[-1][0]:
            it.press(ENTER)
    for message, typed in reversed(QUESTIONS[1:]):
        it.answer(message, *(["<", ENTER] if typed else ["<"]))
    it.answer(QUESTIONS[0][0], ENTER)
    it.answer(QUESTIONS[1][0], CLEAR, "Again", ENTER)
    for message, _ in QUESTIONS[2:]:
        it.answer(message, ENTER)
    assert it.result() == {**BY_ENTER, "project_name": "Again"}


@pytest.mark.parametrize("place", range(len(QUESTIONS)))
def test_ctrl_c_at_any_question_leaves_nothing(wizard, tmp_path, place):
    it = wizard()
    for message, _ in QUESTIONS[:place]:
        it.answer(message, ENTER)
    it.answer(QUESTIONS[place][0], CTRL_C)
    assert it.ends() == 130
    assert list(tmp_path.iterdir()) == []


def test_the_end_of_the_input_stops_too(wizard):
    it = wizard()
    it.answer(QUESTIONS[0][0], ENTER)
    it.answer(QUESTIONS[1][0], CTRL_D)
    assert it.ends() == 130


def test_mistakes_are_told_while_typing(wizard):
    it = wizard()
    it.answer("How do you want to start?", ENTER)
    it.answer("What is the project called?", "x" * 61)
    it.shows("61 characters long; 60 are the most")
    it.press(CLEAR, ENTER)
    for typed, problem in [
        ("Chart", "for example chart"),
        ("class", "'class' is a Python keyword; for example class_input"),
        ("a/../b", "for example a_b"),
        ("1st", "is no name"),
    ]:
        it.answer("Input 1: what is it called?", CLEAR, typed)
        it.shows(problem)
    it.press(CLEAR, "Chart")
    it.shows("for example chart")
    it.approve("wizard_mistake")
    it.press(ENTER, ENTER)  # and Enter does not take it
    it.shows("for example chart")
    it.press(CLEAR, "chart", ENTER)
    it.answer("What kind of input is chart?", DOWN, ENTER)
    for typed, problem in [
        ("100x100", "give height x width x channels, such as 64x64x3"),
        ("big", "give height x width x channels, such as 64x64x3"),
        ("1000000x1000000x3", "it must be 8 to 2048"),
        ("64x64x2", "1 channel (gray), 3 (color)"),
    ]:
        it.answer("What is the shape of chart?", CLEAR, typed, ENTER)
        it.shows(problem)
    it.press(CLEAR, "[32, 32, 1]", ENTER)
    it.answer("Which layers turn chart into features?", ENTER)
    it.answer("Another input?", ENTER)
    it.answer("Input 2: what is it called?", "chart")
    it.shows("'chart' is already taken; choose another")


def test_an_output_may_not_take_an_inputs_name_or_column(wizard):
    it = wizard({"project_name": "P", "inputs": [{"name": "numbers", "type": "numeric"}]})
    for taken in ("numbers", "numbers_3"):
        it.answer("What should be predicted?", CLEAR, taken)
        it.shows(f"'{taken}' is already taken")


def test_a_tree_of_merges_is_typed(wizard):
    names = ["chart", "headline", "volume"]
    given = {"project_name": "P", "inputs": [{"name": name, "type": "text"} for name in names]}
    it = wizard(given)
    it.answer("How should the branches be merged?", "tree", ENTER)
    it.answer("Which tree?", "concatenate(multiply(chart, headline), volum)", ENTER)
    it.shows("did you mean 'volume'?")
    it.press(CLEAR, "concatenate(chart, headline)", ENTER)
    it.shows("the input 'volume' is not merged")
    it.approve("wizard_tree")
    it.press(CLEAR, "add(dot(chart, headline), volume, chart)", ENTER)
    for message in ("What should be predicted?", "What is label?", "Another output?", FEATURES):
        it.answer(message, ENTER)
    it.answer("Create this project?", ENTER)
    assert it.result()["merge"] == {
        "method": "add",
        "of": [{"method": "dot", "of": ["chart", "headline"]}, "volume", "chart"],
    }


def test_only_merges_that_fit_the_number_of_inputs_are_offered(wizard):
    inputs = [{"name": name, "type": "binary"} for name in ("a", "b", "c")]
    it = wizard({"project_name": "P", "inputs": inputs})
    it.asks("How should the branches be merged?")
    it.shows("a tree of merges")
    assert "average" in it.text()
    assert "subtract" not in it.text()


def test_what_is_given_is_not_asked(wizard):
    given = {
        "project_name": "Given",
        "inputs": [
            {"name": "chart", "type": "image", "filters": [8]},
            {"name": "b", "type": "binary"},
        ],
        "merge": "add",
        "outputs": [{"name": "price", "task": "regression"}],
    }
    it = wizard(given)
    it.answer("Create this project?", ENTER)
    assert it.result() == given


def test_a_type_with_one_shape_and_one_encoder_asks_for_neither(wizard):
    it = wizard({"project_name": "P", "outputs": [{"name": "y", "task": "binary"}]})
    it.answer("Input 1: what is it called?", "flag", ENTER)
    it.answer("What kind of input is flag?", "yes", ENTER)
    it.answer("Another input?", DOWN, ENTER)
    it.answer(FEATURES, ENTER)
    it.answer("Create this project?", ENTER)
    assert it.result()["inputs"] == [{"name": "flag", "type": "binary"}]


def test_the_last_input_can_be_changed_at_once(wizard):
    it = wizard({"project_name": "P", "outputs": [{"name": "y", "task": "binary"}]})
    for message, _ in QUESTIONS[2:6]:
        it.answer(message, ENTER)
    it.answer("Another input?", DOWN, DOWN, ENTER)
    it.answer("Input 1: what is it called?", "prices", ENTER)
    it.answer("What kind of input is prices?", ENTER)
    it.answer("What is the shape of prices?", "3", ENTER)
    it.answer("Which layers turn prices into features?", ENTER)
    it.answer("Another input?", DOWN, ENTER)
    it.answer(FEATURES, ENTER)
    it.answer("Create this project?", ENTER)
    assert it.result()["inputs"] == [{"name": "prices", "type": "numeric", "shape": [3]}]


def test_everything_can_be_changed_at_the_last_look(wizard):
    given = {**BY_ENTER, "merge": "concatenate"}
    given["inputs"] = [{"name": "numbers", "type": "numeric", "units": [7]}, given["inputs"][1]]
    it = wizard({**given, "features": ["onnx"]})
    it.answer("Create this project?", "change the name", ENTER)
    it.answer("What is the project called?", "Changed", ENTER)
    it.answer("Create this project?", "change numbers", ENTER)
    it.answer("Input 1: what is it called?", "prices", ENTER)
    for message in (
        "What kind of input is prices?",
        "What is the shape of prices?",
        "Which layers turn prices into features?",
    ):
        it.answer(message, ENTER)
    it.answer("Create this project?", "add", ENTER)
    it.answer("Input 3: what is it called?", "trace", ENTER)
    for message in (
        "What kind of input is trace?",
        "What is the shape of trace?",
        "Which layers turn trace into features?",
    ):
        it.answer(message, ENTER)
    it.answer("Create this project?", "merge", ENTER)
    it.answer("How should the branches be merged?", "average", ENTER)
    it.answer("Create this project?", "outputs", ENTER)
    it.answer("What should be predicted?", "price", ENTER)
    it.answer("What is price?", "a number", ENTER)
    it.answer("Another output?", ENTER)
    it.answer("Create this project?", "features", ENTER)
    it.answer(FEATURES, " ", ENTER)
    it.answer("Create this project?", ENTER)
    assert it.result() == {
        "project_name": "Changed",
        "inputs": [
            # What was never asked is kept.
            {"name": "prices", "type": "numeric", "units": [7]},
            {"name": "picture", "type": "image"},
            {"name": "trace", "type": "timeseries"},
        ],
        "merge": "average",
        "outputs": [{"name": "price", "task": "regression"}],
        "features": ["ensemble", "onnx"],
    }


@pytest.mark.parametrize("answer", ["3", "8"])
def test_columns_are_kept_only_where_they_are_as_many_as_the_answer(wizard, answer):
    numbers = {"name": "numbers", "type": "numeric", "columns": ["a", "b", "c"]}
    it = wizard({**BY_ENTER, "inputs": [numbers], "merge": "concatenate"})
    it.answer("Create this project?", "change numbers", ENTER)
    it.answer("Input 1: what is it called?", ENTER)
    it.answer("What kind of input is numbers?", ENTER)
    it.answer("What is the shape of numbers?", answer, ENTER)
    it.answer("Which layers turn numbers into features?", ENTER)
    it.answer("Create this project?", ENTER)
    kept = {"shape": [3], "columns": ["a", "b", "c"]} if answer == "3" else {}
    assert it.result()["inputs"] == [{"name": "numbers", "type": "numeric", **kept}]


def test_a_tree_is_offered_again(wizard):
    merge = {"method": "add", "of": [{"method": "dot", "of": ["numbers", "picture"]}, "numbers"]}
    it = wizard({**BY_ENTER, "merge": merge})
    it.answer("Create this project?", "merge", ENTER)
    it.answer("How should the branches be merged?", ENTER)
    it.answer("Which tree?", ENTER)
    it.answer("Create this project?", ENTER)
    assert it.result()["merge"] == merge


def test_a_tree_that_no_longer_fits_is_asked_again(wizard):
    it = wizard({**BY_ENTER, "merge": {"method": "add", "of": ["numbers", "picture"]}})
    it.answer("Create this project?", "change numbers", ENTER)
    it.answer("Input 1: what is it called?", "prices", ENTER)
    for message in (
        "What kind of input is prices?",
        "What is the shape of prices?",
        "Which layers turn prices into features?",
        "How should the branches be merged?",
        "Create this project?",
    ):
        it.answer(message, ENTER)
    spec = it.result()
    assert "merge" not in spec
    validate(spec)


def test_what_cannot_be_built_is_told_and_can_be_changed(wizard):
    output = {"name": "y", "task": "binary", "column": "numbers_0"}
    it = wizard({**BY_ENTER, "merge": "add", "outputs": [output]})
    it.shows("This cannot be built yet. inputs[0] (numbers): the column 'numbers_0'")
    it.answer("What should change?", "outputs", ENTER)


def test_cancel_at_the_last_look(wizard):
    it = wizard({**BY_ENTER, "merge": "add"})
    it.answer("Create this project?", "cancel", ENTER)
    assert it.result() is None


def test_a_free_name_in_any_script_is_kept(wizard):
    it = wizard({**{key: BY_ENTER[key] for key in ("inputs", "outputs")}, "merge": "add"})
    name = "Börse 株価 “{{ 7 * 7 }}” & 'more'"
    it.answer("What is the project called?", name, ENTER)
    it.answer(FEATURES, ENTER)
    it.asks("Create this project?")
    assert "{{ 7 * 7 }}" in it.text()
    it.press(ENTER)
    assert it.result()["project_name"] == name


def test_a_small_terminal_is_enough(wizard):
    it = wizard(columns=80, rows=24)
    for message, _ in QUESTIONS[:-1]:
        it.answer(message, ENTER)
    it.asks(QUESTIONS[-1][0])
    it.approve("wizard_80x24")
    it.press(ENTER)
    assert it.result() == BY_ENTER


def test_a_terminal_without_a_cursor_gets_lines(wizard):
    it = wizard(TERM="dumb", rows=160)
    for message, _ in QUESTIONS[:3]:
        it.shows(f"? {message}")
        it.press(ENTER)
    it.shows("What kind of input is numbers?")
    it.press("99", ENTER)
    it.shows(f"type a number from 1 to {len(load_catalog().inputs)}")
    it.press("picture", ENTER)
    it.shows("[64x64x3] >")
    it.press("<", ENTER, "1", ENTER)
    it.shows("[8] >")
    it.press("many", ENTER)
    it.shows("give numbers, such as 8")
    it.press(ENTER, ENTER, "2", ENTER)
    for message in ("What should be predicted?", "What is label?", "Another output?"):
        it.shows(message)
        it.press(ENTER)
    it.shows("[1 2 3 4 5 6] >")
    it.press("1 11", ENTER)
    it.shows("type numbers from 1 to 10, with spaces between, or none")
    it.press("none", ENTER)
    it.shows("Create this project?")
    it.press("<", ENTER)
    it.shows("[none] >")
    it.press("6, 1, report", ENTER)
    it.shows("Features: ensemble, report.")
    it.press(ENTER)
    spec = {**BY_ENTER, "inputs": BY_ENTER["inputs"][:1], "features": ["ensemble", "report"]}
    assert it.result() == spec
    approve("wizard_dumb", it.text())


def test_a_terminal_without_box_characters_gets_ascii(wizard):
    it = wizard(PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    for message, _ in QUESTIONS:
        it.answer(message, ENTER)
    assert it.result() == BY_ENTER
    assert it.text().isascii()
    assert "v concatenate" in it.text()


# The command itself

NEW = [sys.executable, "-m", "keras_scaffold", "new", "stock-direction"]


def test_scaffold_new_writes_what_was_answered(wizard, tmp_path):
    it = wizard(command=NEW)
    for message, _ in QUESTIONS[:-1]:
        it.answer(message, ENTER)
    it.asks(QUESTIONS[-1][0])
    assert list(tmp_path.iterdir()) == []
    assert "train.py" in it.text()  # the tree of files
    assert "▼ concatenate" in it.text()
    it.press(ENTER)
    assert it.ends() == 0
    assert "scaffold new stock-direction -i numbers:numeric -i picture:image -o label:binary" in (
        it.text()
    )
    answers = (tmp_path / "stock-direction" / ".copier-answers.yml").read_text()
    assert {key: yaml.safe_load(answers)[key] for key in BY_ENTER} == BY_ENTER


@pytest.mark.parametrize("place", [0, len(QUESTIONS) - 1])
def test_scaffold_new_leaves_nothing_after_ctrl_c(wizard, tmp_path, place):
    it = wizard(command=NEW)
    for message, _ in QUESTIONS[:place]:
        it.answer(message, ENTER)
    it.answer(QUESTIONS[place][0], CTRL_C)
    assert it.ends() == 130
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", [2, 8, len(QUESTIONS) - 1])
def test_answers_are_kept_after_ctrl_c(wizard, tmp_path, place):
    it = wizard(command=NEW)
    it.answer(QUESTIONS[0][0], ENTER)
    it.answer(QUESTIONS[1][0], "Kept", ENTER)
    for message, _ in QUESTIONS[2:place]:
        it.answer(message, ENTER)
    it.answer(QUESTIONS[place][0], CTRL_C)
    assert it.ends() == 130
    assert "Your answers are kept: add --resume to the same command." in it.text()
    it = wizard(command=[*NEW, "--resume"])
    for message, _ in QUESTIONS[place:]:
        it.answer(message, ENTER)
    assert it.ends() == 0
    answers = yaml.safe_load((tmp_path / "stock-direction" / ".copier-answers.yml").read_text())
    assert {key: answers[key] for key in BY_ENTER} == {**BY_ENTER, "project_name": "Kept"}
    it = wizard(command=[*NEW[:-1], "another", "--resume"])
    assert it.ends() == 1
    assert "another: no answers are kept; run scaffold new another" in it.text()


def test_answers_that_do_not_fit_are_asked_for_again(wizard, tmp_path):
    it = wizard(command=NEW)
    for message, _ in QUESTIONS[:4]:
        it.answer(message, ENTER)
    it.answer(QUESTIONS[4][0], CTRL_C)
    assert it.ends() == 130
    # With an input given, the questions are others: the first answer fits none of them.
    it = wizard(command=[*NEW, "--resume", "-i", "chart:image:32x32x3", "--name", "Charts"])
    it.answer("What should be predicted?", ENTER)
    it.asks("What is label?")


def test_scaffold_new_asks_only_for_what_no_flag_says(wizard, tmp_path):
    it = wizard(command=[*NEW, "-i", "chart:image:32x32x3", "--name", "Charts"])
    it.answer("What should be predicted?", ENTER)
    it.answer("What is label?", ENTER)
    it.answer("Another output?", ENTER)
    it.answer(FEATURES, ENTER)
    it.answer("Create this project?", "cancel", ENTER)
    assert it.ends() == 0
    assert "Nothing was written." in it.text()
    assert list(tmp_path.iterdir()) == []


def test_the_command_to_repeat_has_the_features(wizard, tmp_path):
    it = wizard(command=[*NEW, "-i", "chart:image:32x32x3", "--name", "Charts"], columns=160)
    for message in ("What should be predicted?", "What is label?", "Another output?"):
        it.answer(message, ENTER)
    it.answer(FEATURES, " ", *6 * [DOWN], " ", ENTER)
    it.answer("Create this project?", ENTER)
    assert it.ends() == 0
    options = "-o label:binary --no-feature ensemble --feature warm-start --name Charts"
    assert options in it.text()
