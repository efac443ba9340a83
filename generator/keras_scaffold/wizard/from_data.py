"""The wizard's questions on data: where it is, what to predict, whether columns are what they seem.

Each answer is tried by looking at the table with it, so that a mistake is shown at its question.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from keras_scaffold.catalog import load_catalog
from keras_scaffold.infer import Inspection, Overrides, inspect, report
from keras_scaffold.infer.overrides import typed_column
from keras_scaffold.infer.tables import KNOWN, SUFFIXES, DataError
from keras_scaffold.infer.targets import likely_target, ordered_words, parse_target
from keras_scaffold.wizard.navigation import Dialog
from keras_scaffold.wizard.questions import Option, Select, Text

Word = tuple[str, str, Overrides]  # a line of a list, its help, and the overrides with it


@lru_cache(maxsize=16)
def _looked(path: Path, overrides: Overrides, written: int) -> Inspection:
    return inspect(path, overrides)


def _look(path: Path, overrides: Overrides) -> Inspection:
    """Look at a table, unless that was done: going back repeats the conversation."""
    written = 0
    with suppress(OSError, ValueError):  # which `inspect` tells of
        written = path.stat().st_mtime_ns
    return _looked(path, overrides, written)


def ask_data(dialog: Dialog, path: Path | None, overrides: Overrides) -> Inspection:
    """Ask until the person accepts the columns; an inspection that has a spec."""
    found = _look(_path(dialog, overrides) if path is None else path, overrides)
    if found.spec is None:
        found = _look(found.table.path, _target(dialog, found))
    options = (
        Option("go on", "go on", "to a summary of the model"),
        Option("change", "change a column", "what it is, whether it goes in or is predicted"),
    )
    while True:
        if dialog.is_new():
            dialog.show("")
            report.show(found, model=False)
            dialog.show("")
        if dialog.ask(Select("Is this what the columns are?", options, "go on")) == "go on":
            return found
        found = _look(found.table.path, _changed(dialog, found))


def _path(dialog: Dialog, overrides: Overrides) -> Path:
    def check(text: str) -> None:
        if not text:
            raise DataError(f"give {KNOWN}")
        _look(_as_path(text), overrides)

    text = Text("Where is the data?", "", check, KNOWN, False, _may_open, "looking ...")
    return _as_path(dialog.ask(text))


def _as_path(text: str) -> Path:
    """The path that a person typed, or dropped into the terminal."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    with suppress(RuntimeError):  # ~nobody
        return Path(text).expanduser()
    return Path(text)


def _may_open(name: str) -> bool:
    path = Path(name)
    return not path.name.startswith(".") and (path.is_dir() or path.suffix.lower() in SUFFIXES)


# Overrides


def _target(dialog: Dialog, found: Inspection) -> Overrides:
    names = found.table.columns
    words = [
        (*text, replace(found.overrides, targets=(name,)))
        for name, text in zip(names, _columns(found), strict=True)
    ]
    likely = names.index(likely_target(found.columns))
    return _word(dialog, "Which column should be predicted?", found.table.path, words, likely)


def _changed(dialog: Dialog, found: Inspection) -> Overrides:
    """Ask for the person's word on one column."""
    columns = tuple(Option(str(n), *text) for n, text in enumerate(_columns(found)))
    name = found.table.columns[int(dialog.ask(Select("Which column?", columns, "0")))]
    predicted = name in _targets(found)
    words, now = (_words_on_target if predicted else _words_on_input)(found, name)
    place = [title for title, *_ in words].index(now)
    message = f"How should {report.column_title(name)} be used?"
    chosen = _word(dialog, message, found.table.path, words, place)
    return _in_order(dialog, found, chosen, name) if predicted else chosen


def _in_order(dialog: Dialog, found: Inspection, chosen: Overrides, name: str) -> Overrides:
    """Ask for the order of the classes where they have one that the data cannot tell."""
    targets = {parse_target(text, found.table): text for text in chosen.targets}
    target = next((each for each in targets if each.column == name), None)
    if target is None or not target.size:
        return chosen

    def stated(typed: str) -> Overrides:
        texts = {**targets, target: f"{name}:{target.task}:{typed}"}
        return replace(chosen, targets=tuple(texts.values()))

    def check(typed: str) -> None:
        _look(found.table.path, stated(typed))

    message = f"The classes of {report.column_title(name)}, from the lowest to the highest?"
    text = Text(message, target.size, check, "separated by commas", live=False)
    return stated(dialog.ask(text))


def _columns(found: Inspection) -> list[tuple[str, str]]:
    """Each column of the table, and what it is."""
    tasks = load_catalog().outputs
    texts = {column.name: report.column_text(column) for column in found.columns}
    texts |= {each.column: f"predicted, {tasks[each.task].title}" for each in found.targets}
    return [(report.column_title(name), texts[name]) for name in found.table.columns]


def _word(
    dialog: Dialog, message: str, path: Path, words: Sequence[Word], default: int
) -> Overrides:
    """Ask for one of the options, with which it must be possible to inspect the table."""

    def check(place: str) -> None:
        try:
            _look(path, words[int(place)][2])
        except DataError as error:  # of a flag that nobody typed
            raise DataError(re.sub("^--(target|as|drop|keep) ", "", str(error))) from None

    # By their places, as the name of a column may be anything.
    options = tuple(Option(str(n), title, help) for n, (title, help, _) in enumerate(words))
    return words[int(dialog.ask(Select(message, options, str(default), check=check)))][2]


def _words_on_input(found: Inspection, name: str) -> tuple[list[Word], str]:
    """What a column that is not predicted may be, and what it is now."""
    column = next(column for column in found.columns if column.name == name)
    kinds = load_catalog().inputs
    silent = _silent_on(found, name)
    words: list[Word] = [
        (kind.title, kind.help, replace(silent, types=(*silent.types, f"{name}:{kind.name}")))
        for kind in kinds.values()
    ]
    words.append(("left out", "set aside (--drop)", replace(silent, drop=(*silent.drop, name))))
    if column.aside and name not in found.overrides.drop:
        keep = replace(silent, keep=(*silent.keep, name))
        words.append(("taken in", "in spite of the reason against it (--keep)", keep))
    if silent != replace(found.overrides, targets=silent.targets):
        words.append(("what it seems", "as was found at first", silent))
    targets = ", ".join(map(report.column_title, _targets(found)))
    words.append(("predicted", f"instead of {targets}", replace(silent, targets=(name,))))
    too = replace(silent, targets=(*silent.targets, name))
    words.append(("predicted too", f"besides {targets}", too))
    return words, kinds[column.type].title if column.type else "left out"


def _words_on_target(found: Inspection, name: str) -> tuple[list[Word], str]:
    """The tasks that a column to be predicted may have, and its task now."""
    tasks = load_catalog().outputs
    words: list[Word] = []
    for task in tasks.values():
        classes = ordered_words(task, next(t for t in found.targets if t.column == name))
        targets = {**_targets(found), name: f"{name}:{task.name}{classes and ':'}{classes}"}
        overrides = replace(found.overrides, targets=tuple(targets.values()))
        words.append((task.title, task.help, overrides))
    if len(found.targets) > 1:
        words.append(("not predicted", "an input, as it seems", _silent_on(found, name)))
    now = next(target.task for target in found.targets if target.column == name)
    return words, tasks[now].title


def _targets(found: Inspection) -> dict[str, str]:
    """The columns to be predicted, with their overrides."""
    columns = [target.column for target in found.targets]
    return dict(zip(columns, found.overrides.targets or columns, strict=True))


def _silent_on(found: Inspection, name: str) -> Overrides:
    """The overrides without any on this column."""
    overrides = found.overrides
    return replace(
        overrides,
        targets=tuple(text for column, text in _targets(found).items() if column != name),
        drop=tuple(text for text in overrides.drop if text != name),
        keep=tuple(text for text in overrides.keep if text != name),
        types=tuple(text for text in overrides.types if typed_column(text)[0] != name),
    )
