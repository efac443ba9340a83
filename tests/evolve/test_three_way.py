"""Merging lines, and carrying renames: the rules, without a project."""

import random

import pytest
from keras_scaffold.evolve.renames import renames
from keras_scaffold.evolve.three_way import Conflict, Edit, merge_edits

BASE = ["a\n", "b\n", "c\n", "d\n"]


def merged(ours, theirs):
    return merge_edits(BASE, ours, theirs)


def edit(start, stop, text=""):
    return Edit(start, stop, tuple(f"{letter}\n" for letter in text))


@pytest.mark.parametrize(
    ("ours", "theirs", "result"),
    [
        (edit(0, 1, "x"), edit(1, 2, "y"), "xycd"),  # neighbours
        (edit(1, 1, "x"), edit(1, 2, "y"), "axycd"),  # put in before what changes
        (edit(2, 2, "x"), edit(1, 2, "y"), "ayxcd"),  # and behind it
        (edit(1, 2), edit(2, 3), "ad"),
        (edit(0, 0, "x"), edit(4, 4, "y"), "xabcdy"),
        (edit(1, 2, "x"), edit(1, 2, "x"), "axcd"),  # the same on both sides
    ],
)
def test_edits_of_different_lines(ours, theirs, result):
    lines = "".join(f"{letter}\n" for letter in result)
    assert "".join(merged([ours], [theirs])) == lines
    assert "".join(merged([theirs], [ours])) == lines


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (edit(1, 2, "x"), edit(1, 2, "y")),
        (edit(1, 1, "x"), edit(1, 1, "y")),  # put in the same place
        (edit(1, 3), edit(2, 2, "y")),  # put into what is taken away
        (edit(0, 2, "x"), edit(1, 3, "y")),
        (edit(0, 4), edit(2, 3, "y")),
    ],
)
def test_edits_of_the_same_lines(ours, theirs):
    for one, other in ((ours, theirs), (theirs, ours)):
        (clash,) = (part for part in merged([one], [other]) if isinstance(part, Conflict))
        assert (clash.ours != clash.base) and (clash.theirs != clash.base)


def test_a_chain_of_clashes_is_one_conflict():
    parts = merged([edit(0, 2, "x"), edit(2, 4, "z")], [edit(1, 3, "y")])
    (clash,) = parts
    assert (clash.base, clash.ours, clash.theirs) == (BASE, ["x\n", "z\n"], ["a\n", "y\n", "d\n"])


def test_a_last_line_without_an_end():
    assert "".join(merged([Edit(3, 4, ("d",))], [edit(4, 4, "e")])) == "a\nb\nc\nd\ne\n"
    assert "".join(merged([Edit(3, 4, ("x",))], [edit(0, 1, "e")])) == "e\nb\nc\nx"


@pytest.mark.parametrize("seed", range(200))
def test_nothing_is_lost(seed):
    """Every line that a side put in is there, in its order; a line that none took away as well."""
    chance = random.Random(seed)
    base = [f"{number}\n" for number in range(chance.randint(0, 12))]
    sides = [_edits(chance, base, name) for name in "xy"]
    parts = merge_edits(base, *sides)
    for number, side in enumerate(sides):
        lines = []
        for part in parts:
            text = part if isinstance(part, str) else "".join((part.ours, part.theirs)[number])
            lines += text.splitlines(keepends=True)
        mine = [line for line in lines if line.startswith("xy"[number])]
        assert mine == [line for edit in side for line in edit.lines]
    gone = {line for side in sides for edit in side for line in base[edit.start : edit.stop]}
    for line in set(base) - gone:
        for part in parts:
            if isinstance(part, Conflict):
                assert part.ours.count(line) == part.theirs.count(line)
        told = "".join(it if isinstance(it, str) else "".join(it.ours) for it in parts)
        assert f"\n{told}".count(f"\n{line}") == 1


def _edits(chance, base, name):
    """Random edits, in order, that do not touch each other."""
    edits, place = [], 0
    while place <= len(base) and chance.random() < 0.8:
        start = chance.randint(place, len(base))
        stop = chance.randint(start, min(len(base), start + 3))
        count = chance.randint(0 if stop > start else 1, 2)
        lines = tuple(f"{name}{len(edits)}.{number}\n" for number in range(count))
        edits.append(Edit(start, stop, lines))
        place = stop + 1
    return edits


def test_a_rename_changes_names_of_the_template_and_of_layers():
    before = {"model.py": 'def encode_chart(): Dense(name="chart.conv_1")\nx = ["chart"]\n'}
    after = {"model.py": 'def encode_plot(): Dense(name="plot.conv_1")\nx = ["plot"]\n'}
    change = renames([("chart", "plot")], before, after)
    for path, text, renamed in [
        ("mine.py", "encode_chart(chart, my_chart)", "encode_plot(chart, my_chart)"),
        ("model.py", 'Dense(name="chart.mine")', 'Dense(name="plot.mine")'),
        ("mine.py", 'get_layer("chart.conv_1")', 'get_layer("plot.conv_1")'),
        ("mine.py", 'read("chart.png")', 'read("chart.png")'),
        ("mine.py", 'row["chart"]  # a chart', 'row["chart"]  # a chart'),
        ("model.py", 'inputs["chart"]', 'inputs["plot"]'),
        ("notes.txt", "encode_chart", "encode_chart"),
    ]:
        assert change.apply(path, text) == renamed


def test_a_renamed_package_is_no_word_in_prose():
    before, after = (
        {"model.py": "from life.data import x\n"},
        {"model.py": "from work.data import x\n"},
    )
    change = renames([("life", "work")], before, after, bare=True)
    for text, renamed in [
        ("import life.model as m", "import work.model as m"),
        ("m = life.model.build_model()", "m = work.model.build_model()"),
        ("python -m life train", "python -m work train"),
        ("src/life/model.py", "src/work/model.py"),
        ('patch("life.train.fit")', 'patch("work.train.fit")'),
        ("# That is life. Still life, my life-long", "# That is life. Still life, my life-long"),
        ("life = still_life(x)", "life = still_life(x)"),
    ]:
        assert change.apply("model.py", text) == renamed
