"""The questions of `scaffold new`, asked in a terminal.

The conversation is one plain function, `_project`, that asks on and on; `navigation` makes it one that
can be taken back. `from_data` asks about a person's own table.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_scaffold.catalog import load_catalog
from keras_scaffold.render.diagram import draw, draw_partial
from keras_scaffold.spec import (
    KEYS,
    Given,
    Input,
    Output,
    Spec,
    SpecError,
    check_field,
    check_name,
    check_project_name,
    complete_input,
    complete_inputs,
    complete_merge,
    complete_output,
    default_project_name,
    one_line,
    validate,
    without_unread_codes,
)
from keras_scaffold.spec.fields import parse_field
from keras_scaffold.spec.notation import merge_text, parse_merge, shape_text
from keras_scaffold.wizard import kept
from keras_scaffold.wizard.navigation import Dialog
from keras_scaffold.wizard.questions import (
    BACK,
    Checklist,
    Option,
    Select,
    Text,
    checked,
    columns,
    joined,
    this_terminal,
    wrapped,
)

if TYPE_CHECKING:
    from keras_scaffold.infer import Inspection

OWN = "-"  # the answer of an input that shares no encoder; no input has the name
MERGE = "concatenate"  # what a spec without a merge means
CHANGE_MERGE = Option("merge", "change the merge")


# The conversation


@dataclass(frozen=True)
class Data:
    """A table to start from, and overrides for it; without a path, it is asked for."""

    path: Path | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)  # those of infer.Overrides


@dataclass(frozen=True)
class Answers:
    """A sparse spec, and what was found in the table that it comes from."""

    given: Given
    found: Inspection | None = None


def ask(
    given: Mapping[str, Any],
    destination: Path,
    tree: Callable[[Spec], str] | None = None,
    data: Data | None = None,
    resume: bool = False,
) -> Answers | None:
    """Ask for what `given` lacks; None where the person cancels.

    `tree` draws the files that would be written. With `data` the inputs may come from a table.
    Ctrl-C raises KeyboardInterrupt, and keeps the answers for `resume`.
    """
    terminal = this_terminal()
    dialog = Dialog(terminal, kept.load(destination) if resume else ())
    terminal.show(
        "Arrow keys and Enter choose, Enter alone takes the [default].\n"
        f"{BACK} goes back, Ctrl-C stops. Nothing is written until you confirm.\n"
    )
    try:
        answers = dialog.run(
            lambda: _project(dialog, copy.deepcopy(dict(given)), destination, tree, data)
        )
    except KeyboardInterrupt:
        if dialog.answers and kept.keep(destination, dialog.answers):
            terminal.show("\nYour answers are kept: add --resume to the same command.")
        raise
    kept.forget()
    return answers


def ask_input(given: Mapping[str, Any]) -> Given:
    """Ask for one more input of a project; Ctrl-C raises KeyboardInterrupt."""
    dialog = Dialog(this_terminal())
    taken = _taken([*given["inputs"], *given["outputs"]])
    return dialog.run(lambda: _input(dialog, len(given["inputs"]), taken, given["inputs"]))


def ask_output(given: Mapping[str, Any]) -> Given:
    """Ask for one more output of a project; Ctrl-C raises KeyboardInterrupt."""
    dialog = Dialog(this_terminal())
    taken = _taken([*given["inputs"], *given["outputs"]])
    return dialog.run(lambda: _output(dialog, len(given["outputs"]), taken, None))


def _project(
    dialog: Dialog,
    draft: Given,
    destination: Path,
    tree: Callable[[Spec], str] | None,
    data: Data | None,
) -> Answers | None:
    found, name = None, default_project_name(destination.resolve().name)
    if data is not None and (data.path is not None or _from_data(dialog)):
        from keras_scaffold.infer import Overrides
        from keras_scaffold.wizard.from_data import ask_data

        found = ask_data(dialog, data.path, Overrides(**data.overrides))
        draft = {**copy.deepcopy(found.given), "project_name": name, **draft}
    # A complete proposal, such as that of a table, goes to the summary with the default features.
    proposed = {"project_name", "inputs", "outputs"} <= draft.keys()
    if "project_name" not in draft:
        draft["project_name"] = _project_name(dialog, name)
    if "inputs" not in draft:
        draft["inputs"] = _inputs(dialog, _taken(draft.get("outputs", [])))
    if "merge" not in draft:
        _set_merge(dialog, draft)
    if "outputs" not in draft:
        draft["outputs"] = _outputs(dialog, _taken(draft["inputs"]))
    if "features" not in draft and not proposed:
        _set_features(dialog, draft)
    while (choice := _last_look(dialog, draft, destination, tree)) not in ("write", "cancel"):
        _change(dialog, draft, choice)
    if choice == "cancel":
        return None
    return Answers({key: draft[key] for key in KEYS if key in draft}, found)


def _from_data(dialog: Dialog) -> bool:
    options = (
        Option("describe", "describe the inputs", "numbers, a picture, a text; data comes later"),
        Option("data", "look at data", "a table, or a folder with a folder of pictures per class"),
    )
    return dialog.ask(Select("How do you want to start?", options, "describe")) == "data"


def _project_name(dialog: Dialog, default: str) -> str:
    return dialog.ask(Text("What is the project called?", default, check_project_name))


def _taken(entries: Sequence[Given]) -> set[str]:
    """The names that a further entry may not have."""
    taken = {entry["name"] for entry in entries}
    for entry in entries:
        if "task" in entry:
            taken.update(complete_output(entry).columns)
        else:
            taken.update(complete_input(entry, among=entries).columns)
    return taken


def _name(dialog: Dialog, message: str, default: str, taken: set[str], help: str = "") -> str:
    number, free = 1, default
    while free in taken:
        number += 1
        free = f"{default[:28]}_{number}"

    def check(name: str) -> None:
        check_name(name, "name")
        if name in taken:
            raise SpecError(f"name: '{name}' is already taken; choose another")

    return dialog.ask(Text(message, free, check, help))


# Inputs


def _inputs(dialog: Dialog, taken: set[str]) -> list[Given]:
    entries = [_input(dialog, 0, taken, [])]
    while True:
        diagram = draw_partial(complete_inputs(entries), columns=columns())
        dialog.show(f"\n{diagram}\n")
        options = (
            Option("add", "add another input"),
            Option("done", "done", "these are all"),
            Option("change", f"change {entries[-1]['name']}"),
        )
        # The second input is the point of it all; from then on Enter moves along.
        default = "add" if len(entries) == 1 else "done"
        choice = dialog.ask(Select("Another input?", options, default))
        if choice == "done":
            return entries
        old = entries.pop() if choice == "change" else None
        known = taken | {entry["name"] for entry in entries}
        entries.append(_input(dialog, len(entries), known, entries, old))


def _input(
    dialog: Dialog, place: int, taken: set[str], others: Sequence[Given], old: Given | None = None
) -> Given:
    """Ask for one input; what is offered comes from the `old` one where there is one."""
    types = load_catalog().inputs
    next_type = list(types.values())[place % len(types)]
    offered = old or {"name": re.sub(r"\W+", "_", next_type.title), "type": next_type.name}
    before = old or {}
    if before.get("like"):
        kind = complete_input(before, among=others).type.name
        offered, old = {"name": before["name"], "type": kind}, None
    name = _name(
        dialog,
        f"Input {place + 1}: what is it called?",
        offered["name"],
        taken,
        "a short name; the model, its files and its data use it",
    )
    kinds = tuple(Option(kind.name, kind.title, kind.help) for kind in types.values())
    kind = dialog.ask(Select(f"What kind of input is {name}?", kinds, offered["type"]))
    if like := _like(dialog, kind, others, before):
        return {**(before if like == before.get("like") else {}), "name": name, "like": like}
    usual = complete_input(offered if kind == offered["type"] else {"name": name, "type": kind})
    entry = {"name": name, "type": kind}
    entry |= _shape(dialog, entry, usual.shape)
    entry |= _encoder(dialog, entry, usual.encoder.name)
    return _keep(entry, old or entry, complete_input, ("name", "type", "shape", "encoder"))


def _like(dialog: Dialog, kind: str, others: Sequence[Given], old: Given) -> str:
    """Ask which other input's encoder is shared; empty for an encoder of its own."""
    owners = [it["name"] for it in others if it.get("type") == kind and not it.get("like")]
    shared = old and any(it.get("like") == old["name"] for it in others)
    if not owners or shared:
        return ""
    options = (
        Option(OWN, "no", "an encoder of its own"),
        *(Option(name, name, "the same layers, weights and fitted state") for name in owners),
    )
    message = f"Share the encoder of an earlier {load_catalog().inputs[kind].title} input?"
    default = old["like"] if old.get("like") in owners else OWN
    choice = dialog.ask(Select(message, options, default))
    return "" if choice == OWN else choice


def _shape(dialog: Dialog, entry: Given, default: list[int]) -> Given:
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
    shape = parse(dialog.ask(text))
    return {} if shape == field.default else {"shape": shape}


def _encoder(dialog: Dialog, entry: Given, default: str) -> Given:
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
        choice = dialog.ask(Select(message, options, default))
    return {} if choice == kind.default_encoder.name else {"encoder": choice}


def _holds(check: Callable[..., object], *values: object) -> bool:
    try:
        check(*values)
    except SpecError:
        return False
    return True


def _keep(
    entry: Given, old: Given, parse: Callable[[Given], Input | Output], questions: Sequence[str]
) -> Given:
    """The entry with the fields of the `old` one beyond the questions, where that still holds."""
    answered, before = parse(entry).complete, parse(old).complete
    alike = all(answered.get(key) == before.get(key) for key in ("type", "encoder", "task"))
    for key, value in old.items():
        if key in questions or not (alike or key in ("column", "columns")):
            continue
        with suppress(SpecError):
            more = parse({**entry, key: value}).complete
            # Columns say how many numbers there are, too: they may not overrule an answer.
            if all(more[it] == answered[it] for it in questions):
                entry = {**entry, key: value}
    return entry


# The merge


def _set_merge(dialog: Dialog, draft: Given) -> None:
    names = [entry["name"] for entry in draft["inputs"]]
    merge = draft.pop("merge", MERGE)
    if len(names) > 1:
        merge = _merge(dialog, names, merge)
    elif not _holds(complete_merge, merge, names):
        merge = MERGE
    if merge != MERGE:
        draft["merge"] = merge


def _merge(dialog: Dialog, names: list[str], old: str | Given) -> str | Given:
    options = tuple(
        Option(method.name, method.name, method.help)
        for method in load_catalog().merges.values()
        if _holds(complete_merge, method.name, names)
    )
    tree = Option("tree", "a tree of merges", "typed, such as concatenate(multiply(a, b), c)")
    default = MERGE
    if _holds(complete_merge, old, names):
        default = old if isinstance(old, str) else tree.value
    choice = dialog.ask(Select("How should the branches be merged?", (*options, tree), default))
    if choice != tree.value:
        return choice
    example = f"{MERGE}({', '.join([f'multiply({names[0]}, {names[1]})', *(names[2:] or names)])})"

    def parse(text: str) -> str | Given:
        try:
            merge = parse_merge(text)
            complete_merge(merge, names)
        except SpecError as error:  # the place is clear here
            problem = str(error).removeprefix(f"-m '{one_line(text)}': ")
            raise SpecError(re.sub(r"^merge\S*: ", "", problem)) from None
        return merge

    offered = merge_text(old) if default == tree.value else example
    hint = "each input at least once, and again where you like"
    return parse(dialog.ask(Text("Which tree?", offered, parse, hint, live=False)))


# Outputs


def _outputs(dialog: Dialog, taken: set[str], old: Sequence[Given] = ()) -> list[Given]:
    entries: list[Given] = []
    while True:
        known = taken | {entry["name"] for entry in entries}
        place = len(entries)
        entries.append(_output(dialog, place, known, old[place] if place < len(old) else None))
        options = (Option("done", "done", "these are all"), Option("add", "add another output"))
        default = "add" if len(entries) < len(old) else "done"
        if dialog.ask(Select("Another output?", options, default)) == "done":
            return entries


def _output(dialog: Dialog, place: int, taken: set[str], old: Given | None) -> Given:
    tasks = load_catalog().outputs
    offered = old or {"name": "label", "task": next(iter(tasks))}
    message = (
        "What should be predicted?" if not place else f"Output {place + 1}: what is it called?"
    )
    name = _name(dialog, message, offered["name"], taken, "a short name; its manifest column too")
    kinds = tuple(Option(task.name, task.title, task.help) for task in tasks.values())
    task = tasks[dialog.ask(Select(f"What is {name}?", kinds, offered["task"]))]
    entry = {"name": name, "task": task.name}
    questions = ["name", "task"]
    if isinstance(task.size, str):
        entry |= _classes(dialog, entry, task.size, offered)
        questions.append(task.size)
    return _keep(entry, old or entry, complete_output, questions)


def _classes(dialog: Dialog, entry: Given, key: str, offered: Given) -> Given:
    field = load_catalog().outputs[entry["task"]].fields[key]

    def parse(text: str) -> Any:
        value: Any = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else text
        if field.kind == "levels":
            value = parse_field(field, text)
        elif field.kind in ("classes", "names") and "," in text:
            value = [name.strip() for name in text.split(",")]
        check_field(field, value, key)
        return value

    default = offered.get(key, field.default) if entry["task"] == offered["task"] else field.default
    shown = ", ".join(map(str, default)) if isinstance(default, list) else str(default)
    which = field.kind in ("levels", "names")
    message = f"{'Which' if which else 'How many'} {key} has {entry['name']}?"
    question = Text(message, shown, parse, field.help)
    value = parse(dialog.ask(question))
    return {} if value == field.default else {key: value}


# Features


def _set_features(dialog: Dialog, draft: Given) -> None:
    catalog = load_catalog()
    old = draft.pop("features", catalog.default_features)
    options = tuple(Option(each.name, each.name, each.help) for each in catalog.features.values())
    message = "Which features should the project have?"
    features = checked(dialog.ask(Checklist(message, options, joined(old))))
    if features != catalog.default_features:
        draft["features"] = features


# The summary


def _last_look(
    dialog: Dialog, draft: Given, destination: Path, tree: Callable[[Spec], str] | None
) -> str:
    options = (
        Option("write", "write it", f"into {destination}"),
        Option("name", "change the name"),
        *(Option(f"input {i}", f"change {it['name']}") for i, it in enumerate(draft["inputs"])),
        Option("add", "add an input"),
        *([CHANGE_MERGE] if len(draft["inputs"]) > 1 else []),
        Option("outputs", "change the outputs"),
        Option("features", "change the features"),
        Option("cancel", "cancel", "nothing is written"),
    )
    try:
        spec = validate(draft)
    except SpecError as error:
        dialog.show(wrapped(f"\nThis cannot be built yet. {error}\n"))
        wrong = "merge" if str(error).startswith("merge") else "name"
        missing = () if wrong in {option.value for option in options} else (CHANGE_MERGE,)
        return dialog.ask(Select("What should change?", (*options[1:], *missing), wrong))
    columns_said = any({"column", "columns"} & entry.keys() for entry in draft["inputs"])
    defaults = "Layer widths" if columns_said else "Manifest columns and layer widths"
    hint = f"{defaults} have their defaults; a spec file sets each."
    parts = [
        f"{spec.project_name}, the package {spec.package_name}",
        *([tree(spec)] if tree else []),
        draw(spec, columns()),
        wrapped(f"Features: {joined(spec.features)}. {hint}"),
    ]
    dialog.show("\n" + "\n\n".join(parts) + "\n")
    return dialog.ask(Select("Create this project?", options, "write"))


def _change(dialog: Dialog, draft: Given, what: str) -> None:
    """Ask again for one part; the merge too, where it no longer fits the inputs."""
    inputs = draft["inputs"]
    if what == "name":
        draft["project_name"] = _project_name(dialog, draft["project_name"])
    elif what == "outputs":
        draft["outputs"] = _outputs(dialog, _taken(inputs), draft["outputs"])
    elif what == "merge":
        _set_merge(dialog, draft)
    elif what == "features":
        _set_features(dialog, draft)
    else:
        place = len(inputs) if what == "add" else int(what.split()[1])
        others = [entry for index, entry in enumerate(inputs) if index != place]
        taken = {entry["name"] for entry in others} | _taken(draft["outputs"])
        old = None if what == "add" else inputs[place]
        inputs[place : place + 1] = [_input(dialog, place, taken, others, old)]
        for entry in inputs:
            if old and entry.get("like") == old["name"]:
                entry["like"] = inputs[place]["name"]
        names = [entry["name"] for entry in inputs]
        if (what == "add" and len(names) == 2) or not _holds(
            complete_merge, draft.get("merge", MERGE), names
        ):
            _set_merge(dialog, draft)
    draft.update(without_unread_codes(draft))
