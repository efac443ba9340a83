"""The questions of `scaffold new`, asked in a terminal.

The conversation is one plain function, `_project`, that asks on and on. Every answer is kept in a
list. Going back takes the last answer off the list and runs the function again, with the kept
answers in the place of the questions: so each question has a way back, and none has code for it.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from keras_scaffold.catalog import load_catalog
from keras_scaffold.diagram import draw, draw_partial
from keras_scaffold.estimate import parameters, parameters_text
from keras_scaffold.notation import merge_text, parse_merge, shape_text
from keras_scaffold.questions import (
    BACK,
    Option,
    Question,
    Select,
    Terminal,
    Text,
    columns,
    this_terminal,
    wrapped,
)
from keras_scaffold.spec import (
    KEYS,
    Spec,
    SpecError,
    check_field,
    check_name,
    check_project_name,
    columns_of,
    complete_input,
    complete_merge,
    complete_output,
    default_project_name,
    one_line,
    validate,
)

FROM_DATA = "From a table: scaffold new DEST --data TABLE --target COLUMN"
MERGE = "concatenate"  # what a spec without a merge means
Entry = dict[str, Any]
T = TypeVar("T")


class _Back(Exception):
    """The person wants the question before."""


class _Talk:
    """A conversation that can be taken back answer by answer."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._answers: list[str] = []
        self._asked = 0
        self._undone: str | None = None

    def run(self, flow: Callable[[], T]) -> T:
        while True:
            self._asked = 0
            try:
                return flow()
            except _Back:
                continue

    def say(self, text: str) -> None:
        """Show something, unless this part of the conversation is only repeated."""
        if self._asked == len(self._answers):
            self._terminal.show(text)

    def ask(self, question: Question) -> str:
        if self._asked == len(self._answers):
            self._answers.append(self._ask(question))
        self._asked += 1
        return self._answers[self._asked - 1]

    def _ask(self, question: Question) -> str:
        undone, self._undone = self._undone, None
        if undone is not None and _fits(question, undone):
            question = replace(question, default=undone)
        answer = self._terminal.ask(question, can_go_back=bool(self._answers))
        if answer == BACK and self._answers:
            self._undone = self._answers.pop()
            raise _Back
        return answer


def _fits(question: Question, answer: str) -> bool:
    if isinstance(question, Text):
        return not question.problem(answer)
    return answer in [option.value for option in question.options]


# The conversation


def ask(
    given: Mapping[str, Any], destination: Path, tree: Callable[[Spec], str] | None = None
) -> Entry | None:
    """Ask for what `given` does not say; a sparse spec, or None where the person cancels.

    `tree` draws the files that would be written. Ctrl-C raises KeyboardInterrupt.
    """
    terminal = this_terminal()
    talk = _Talk(terminal)
    terminal.show(
        "Arrow keys and Enter choose, Enter alone takes the [default].\n"
        f"{BACK} goes back, Ctrl-C stops. Nothing is written before a last look.\n"
        + ("" if given.get("inputs") else f"{FROM_DATA}\n")
    )
    return talk.run(lambda: _project(talk, copy.deepcopy(dict(given)), destination, tree))


def _project(
    talk: _Talk, draft: Entry, destination: Path, tree: Callable[[Spec], str] | None
) -> Entry | None:
    if "project_name" not in draft:
        draft["project_name"] = _project_name(
            talk, default_project_name(destination.resolve().name)
        )
    if "inputs" not in draft:
        draft["inputs"] = _inputs(talk, _taken(draft.get("outputs", [])))
    if "merge" not in draft:
        _set_merge(talk, draft)
    if "outputs" not in draft:
        draft["outputs"] = _outputs(talk, _taken(draft["inputs"]))
    while (choice := _last_look(talk, draft, destination, tree)) not in ("write", "cancel"):
        _change(talk, draft, choice)
    return {key: draft[key] for key in KEYS if key in draft} if choice == "write" else None


def _project_name(talk: _Talk, default: str) -> str:
    return talk.ask(Text("What is the project called?", default, check_project_name))


def _taken(entries: Sequence[Entry]) -> set[str]:
    """The names that a further entry may not have."""
    taken = {entry["name"] for entry in entries}
    for entry in entries:
        complete = complete_input if "type" in entry else complete_output
        taken.update(columns_of(complete(entry)))
    return taken


def _name(talk: _Talk, message: str, default: str, taken: set[str], help: str = "") -> str:
    number, free = 1, default
    while free in taken:
        number += 1
        free = f"{default[:28]}_{number}"

    def check(name: str) -> None:
        check_name(name, "name")
        if name in taken:
            raise SpecError(f"name: '{name}' is already taken; choose another")

    return talk.ask(Text(message, free, check, help))


# Inputs


def _inputs(talk: _Talk, taken: set[str]) -> list[Entry]:
    entries = [_input(talk, 0, taken)]
    while True:
        talk.say(_diagram([complete_input(entry) for entry in entries]))
        options = (
            Option("add", "add another input"),
            Option("done", "done", "these are all"),
            Option("change", f"change {entries[-1]['name']}"),
        )
        # The second input is the point of it all; from then on Enter moves along.
        default = "add" if len(entries) == 1 else "done"
        choice = talk.ask(Select("Another input?", options, default))
        if choice == "done":
            return entries
        old = entries.pop() if choice == "change" else None
        known = taken | {entry["name"] for entry in entries}
        entries.append(_input(talk, len(entries), known, old))


def _input(talk: _Talk, place: int, taken: set[str], old: Entry | None = None) -> Entry:
    """Ask for one input; what is offered comes from the `old` one where there is one."""
    types = load_catalog().inputs
    usual = list(types.values())[place % len(types)]
    offered = old or {"name": re.sub(r"\W+", "_", usual.title), "type": usual.name}
    name = _name(
        talk,
        f"Input {place + 1}: what is it called?",
        offered["name"],
        taken,
        "a short name; the model, its files and its data use it",
    )
    kinds = tuple(Option(kind.name, kind.title, kind.help) for kind in types.values())
    kind = talk.ask(Select(f"What kind of input is {name}?", kinds, offered["type"]))
    offered = complete_input(offered if kind == offered["type"] else {"name": name, "type": kind})
    entry = {"name": name, "type": kind}
    entry |= _shape(talk, entry, offered["shape"])
    entry |= _encoder(talk, entry, offered["encoder"])
    return _keep(entry, old or entry, complete_input, ("name", "type", "shape", "encoder"))


def _shape(talk: _Talk, entry: Entry, default: list[int]) -> Entry:
    field = load_catalog().inputs[entry["type"]].fields["shape"]
    if field.least == field.most:
        return {}

    def parse(text: str) -> list[int]:
        parts = re.split(r"[\sx×*,]+", text.strip("[]() "))
        numbers = all(re.fullmatch(r"[0-9]{1,9}", part) for part in parts)
        if not numbers or len(parts) != len(field.axes):
            axes = " x ".join(field.axes)
            raise SpecError(f"shape: give {axes}, such as {shape_text(field.default)}")
        shape = [int(part) for part in parts]
        check_field(field, shape, "shape")
        try:
            complete_input({**entry, "shape": shape})
        except SpecError as error:  # a condition of the type; the place is clear here
            raise SpecError(str(error).partition(": ")[2]) from None
        return shape

    message = f"What is the shape of {entry['name']}?"
    text = Text(message, shape_text(default), parse, field.help, live=False)
    shape = parse(talk.ask(text))
    return {} if shape == field.default else {"shape": shape}


def _encoder(talk: _Talk, entry: Entry, default: str) -> Entry:
    kind = load_catalog().inputs[entry["type"]]
    options = tuple(
        Option(encoder.name, encoder.name, encoder.help)
        for encoder in kind.encoders.values()
        if _holds(complete_input, {**entry, "encoder": encoder.name})
    )
    choice = options[0].value
    if len(options) > 1:
        default = default if default in [option.value for option in options] else choice
        message = f"Which layers turn {entry['name']} into features?"
        choice = talk.ask(Select(message, options, default))
    return {} if choice == kind.default_encoder.name else {"encoder": choice}


def _holds(check: Callable[..., object], *values: object) -> bool:
    try:
        check(*values)
    except SpecError:
        return False
    return True


def _keep(
    entry: Entry, old: Entry, complete: Callable[[Entry], Entry], questions: Sequence[str]
) -> Entry:
    """The entry with what the `old` one says beyond the questions, where that still holds."""
    answered, before = complete(entry), complete(old)
    alike = all(answered.get(key) == before.get(key) for key in ("type", "encoder", "task"))
    for key, value in old.items():
        more = {**entry, key: value}
        if key in questions or not (alike or key in ("column", "columns")):
            continue
        # Columns say how many numbers there are, too: they may not overrule an answer.
        if _holds(complete, more) and all(complete(more)[it] == answered[it] for it in questions):
            entry = more
    return entry


# The merge


def _set_merge(talk: _Talk, draft: Entry) -> None:
    names = [entry["name"] for entry in draft["inputs"]]
    merge = draft.pop("merge", MERGE)
    if len(names) > 1:
        merge = _merge(talk, names, merge)
    elif not _holds(complete_merge, merge, names):
        merge = MERGE
    if merge != MERGE:
        draft["merge"] = merge


def _merge(talk: _Talk, names: list[str], old: str | Entry) -> str | Entry:
    options = tuple(
        Option(method.name, method.name, method.help)
        for method in load_catalog().merges.values()
        if _holds(complete_merge, method.name, names)
    )
    tree = Option("tree", "a tree of merges", "typed, such as concatenate(multiply(a, b), c)")
    default = MERGE
    if _holds(complete_merge, old, names):
        default = old if isinstance(old, str) else tree.value
    choice = talk.ask(Select("How do the branches come together?", (*options, tree), default))
    if choice != tree.value:
        return choice
    example = f"{MERGE}({', '.join([f'multiply({names[0]}, {names[1]})', *(names[2:] or names)])})"

    def parse(text: str) -> str | Entry:
        try:
            merge = parse_merge(text)
        except SpecError as error:  # the place is clear here
            raise SpecError(str(error).removeprefix(f"-m '{one_line(text)}': ")) from None
        complete_merge(merge, names)
        return merge

    offered = merge_text(old) if default == tree.value else example
    hint = "each input at least once, and again where you like"
    return parse(talk.ask(Text("Which tree?", offered, parse, hint, live=False)))


# Outputs


def _outputs(talk: _Talk, taken: set[str], old: Sequence[Entry] = ()) -> list[Entry]:
    entries: list[Entry] = []
    while True:
        known = taken | {entry["name"] for entry in entries}
        place = len(entries)
        entries.append(_output(talk, place, known, old[place] if place < len(old) else None))
        options = (Option("done", "done", "these are all"), Option("add", "add another output"))
        default = "add" if len(entries) < len(old) else "done"
        if talk.ask(Select("Another output?", options, default)) == "done":
            return entries


def _output(talk: _Talk, place: int, taken: set[str], old: Entry | None) -> Entry:
    tasks = load_catalog().outputs
    offered = old or {"name": "label", "task": next(iter(tasks))}
    message = "What shall be predicted?" if not place else f"Output {place + 1}: what is it called?"
    name = _name(talk, message, offered["name"], taken, "a short name; its manifest column too")
    kinds = tuple(Option(task.name, task.title, task.help) for task in tasks.values())
    task = tasks[talk.ask(Select(f"What is {name}?", kinds, offered["task"]))]
    entry = {"name": name, "task": task.name}
    questions = ["name", "task"]
    if isinstance(task.size, str):
        entry |= _classes(talk, entry, task.size, offered)
        questions.append(task.size)
    return _keep(entry, old or entry, complete_output, questions)


def _classes(talk: _Talk, entry: Entry, key: str, offered: Entry) -> Entry:
    field = load_catalog().outputs[entry["task"]].fields[key]

    def parse(text: str) -> int:
        number = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else text
        check_field(field, number, key)
        return int(number)

    default = offered.get(key, field.default) if entry["task"] == offered["task"] else field.default
    question = Text(f"How many {key} has {entry['name']}?", str(default), parse, field.help)
    number = parse(talk.ask(question))
    return {} if number == field.default else {key: number}


# The last look


def _last_look(
    talk: _Talk, draft: Entry, destination: Path, tree: Callable[[Spec], str] | None
) -> str:
    options = (
        Option("write", "write it", f"into {destination}"),
        Option("name", "change the name"),
        *(Option(f"input {i}", f"change {it['name']}") for i, it in enumerate(draft["inputs"])),
        Option("add", "add an input"),
        *([Option("merge", "change the merge")] if len(draft["inputs"]) > 1 else []),
        Option("outputs", "change the outputs"),
        Option("cancel", "cancel", "nothing is written"),
    )
    try:
        spec = validate(draft)
    except SpecError as error:
        talk.say(wrapped(f"\nThis cannot be built yet. {error}\n"))
        return talk.ask(Select("What shall change?", options[1:], options[1].value))
    hint = "Manifest columns and layer widths have their defaults; a spec file sets each."
    parts = [
        spec.project_name,
        draw(spec, columns()),
        *([tree(spec)] if tree else []),
        wrapped(f"{parameters_text(parameters(spec))}. {hint}"),
    ]
    talk.say("\n" + "\n\n".join(parts) + "\n")
    return talk.ask(Select("A last look: all right?", options, "write"))


def _change(talk: _Talk, draft: Entry, what: str) -> None:
    """Ask again for one part; the merge too, where it no longer fits the inputs."""
    inputs = draft["inputs"]
    if what == "name":
        draft["project_name"] = _project_name(talk, draft["project_name"])
    elif what == "outputs":
        draft["outputs"] = _outputs(talk, _taken(inputs), draft["outputs"])
    elif what == "merge":
        _set_merge(talk, draft)
    else:
        place = len(inputs) if what == "add" else int(what.split()[1])
        others = [entry for index, entry in enumerate(inputs) if index != place]
        taken = {entry["name"] for entry in others} | _taken(draft["outputs"])
        old = None if what == "add" else inputs[place]
        inputs[place : place + 1] = [_input(talk, place, taken, old)]
        names = [entry["name"] for entry in inputs]
        if (what == "add" and len(names) == 2) or not _holds(
            complete_merge, draft.get("merge", MERGE), names
        ):
            _set_merge(talk, draft)


def _diagram(inputs: Sequence[Entry]) -> str:
    return f"\n{draw_partial(inputs, columns=columns())}\n"
