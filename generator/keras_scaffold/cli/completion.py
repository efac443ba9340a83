"""What the shell offers at Tab: the catalog's words, inside the short notation too."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras_scaffold.catalog import Field
    from keras_scaffold.spec import Spec

Offer = tuple[str, str]  # a word and its help

VARIABLE = "_SCAFFOLD_COMPLETE"


def complete_input(incomplete: str, others: Iterable[str] = ()) -> list[Offer]:
    """NAME:TYPE[:SHAPE][:ENCODER] or NAME:like:INPUT, part by part; `others` are given already."""
    from keras_scaffold.catalog import load_catalog
    from keras_scaffold.spec.notation import shape_text

    types = load_catalog().inputs
    *given, _ = incomplete.split(":")
    before = "".join(f"{part}:" for part in given)
    if len(given) == 1:
        like = [("like", "shares the encoder of another input")] if others else []
        return _offers(before, [*((kind.name, kind.help) for kind in types.values()), *like])
    if given[1:] == ["like"]:
        return _offers(before, [(text.split(":")[0], "an input") for text in others])
    kind = types.get(given[1]) if len(given) in (2, 3) else None
    if kind is None:
        return []
    offers = _offers(before, ((each.name, each.help) for each in kind.encoders.values()))
    if len(given) == 2:
        shape = kind.fields["shape"]
        offers.insert(0, (f"{before}{shape_text(shape.default)}", shape.help))
    elif not given[2][:1].isdigit():  # an encoder is given already
        return []
    return offers


def complete_output(incomplete: str) -> list[Offer]:
    """NAME:TASK[:CLASSES], part by part."""
    from keras_scaffold.catalog import load_catalog

    tasks = load_catalog().outputs
    *given, _ = incomplete.split(":")
    before = "".join(f"{part}:" for part in given)
    if len(given) == 1:
        return _offers(before, ((task.name, task.help) for task in tasks.values()))
    task = tasks.get(given[1]) if len(given) == 2 else None
    if task is None or not isinstance(task.size, str):
        return []
    classes = task.fields[task.size]
    default = ["low", "mid", "high"] if classes.required else classes.default
    shown = ",".join(map(str, default)) if isinstance(default, list) else default
    return [(f"{before}{shown}", classes.help)]


def complete_merge(incomplete: str, inputs: Iterable[str]) -> list[Offer]:
    """A method, or inside a tree a method or one of the given inputs."""
    from keras_scaffold.catalog import load_catalog

    methods = [(method.name, method.help) for method in load_catalog().merges.values()]
    before = re.sub(r"\w*$", "", incomplete)
    if not before:
        return _offers("", methods)
    names = [(text.split(":")[0], "an input") for text in inputs]
    return _offers(before, [*names, *((f"{name}(", help) for name, help in methods)])


def complete_section(incomplete: str) -> list[Offer]:
    """The sections of the catalog."""
    sections = {"inputs": "types of input", "merges": "merge methods", "outputs": "tasks"}
    return [*sections.items(), ("features", "optional parts of a project")]


def complete_feature(incomplete: str) -> list[Offer]:
    """The features of the catalog."""
    from keras_scaffold.catalog import load_catalog

    return [(feature.name, feature.help) for feature in load_catalog().features.values()]


def complete_own_input(incomplete: str) -> list[Offer]:
    """The inputs of the project that we are in."""
    own = _own()
    return [(entry.name, entry.type.name) for entry in own.inputs] if own else []


def complete_own_output(incomplete: str) -> list[Offer]:
    """The outputs of the project that we are in."""
    own = _own()
    return [(entry.name, entry.task.name) for entry in own.outputs] if own else []


def complete_own_feature(incomplete: str) -> list[Offer]:
    """The features of the project that we are in."""
    own = _own()
    return [offer for offer in complete_feature("") if own and offer[0] in own.features]


def complete_new_feature(incomplete: str) -> list[Offer]:
    """The features that the project that we are in does not have."""
    own = _own()
    return [offer for offer in complete_feature("") if not own or offer[0] not in own.features]


def complete_set(words: list[str], incomplete: str) -> list[Offer]:
    """What `scaffold set` changes, and to what: merge, encoder, NAME.FIELD or table.FIELD."""
    from keras_scaffold.spec.fields import field_words

    own = _own()
    if not words:
        general = [("merge", "how the branches merge"), ("encoder", "an input's encoder")]
        return [*general, *((key, field.help) for key, field in _own_fields(own).items())]
    if words == ["merge"]:
        return complete_merge(incomplete, [entry.name for entry in own.inputs] if own else [])
    if words == ["encoder"]:
        return complete_own_input(incomplete)
    if len(words) == 2 and words[0] == "encoder" and own:
        encoders = {entry.name: entry.type.encoders for entry in own.inputs}.get(words[1], {})
        return [(each.name, each.help) for each in encoders.values()]
    if len(words) == 1 and (field := _own_fields(own).get(words[0])):
        return [(word, field.help) for word in field_words(field)]
    return []


def _own_fields(own: Spec | None) -> dict[str, Field]:
    """The fields of a project's inputs and outputs, and of its table, by the words of `set`."""
    from keras_scaffold.catalog import load_catalog

    known = {entry.name: entry.known_fields for entry in (own.entries if own else ())}
    known.setdefault("table", load_catalog().table)
    return {
        f"{name}.{field.name}": field for name, fields in known.items() for field in fields.values()
    }


def _own() -> Spec | None:
    """The spec of the project that we are in; None where we are in none, or in a damaged one."""
    from keras_scaffold.evolve.project import find_root, open_project
    from keras_scaffold.spec import SpecError

    try:
        return open_project(find_root(Path())).spec
    except SpecError:
        return None


def _offers(before: str, words: Iterable[Offer]) -> list[Offer]:
    return [(f"{before}{word}", help) for word, help in words]


def answer(app: Callable[[], object]) -> None:
    """Let `app` answer the shell; Bash takes a ':' for the end of a word, so join what it cut."""
    if not os.environ[VARIABLE].endswith("_bash"):
        app()
        return
    words, cursor = join_at_colons(
        os.environ.get("COMP_WORDS", "").split("\n"), int(os.environ.get("COMP_CWORD") or 0)
    )
    current = words[cursor] if cursor < len(words) else ""
    joined = ":" in current and not current.startswith(("'", '"'))
    known = current.rpartition(":")[0] + ":" if joined else ""
    os.environ.update(COMP_WORDS="\n".join(words), COMP_CWORD=str(cursor))
    output = StringIO()
    try:
        with redirect_stdout(output):
            app()
    finally:
        for line in output.getvalue().splitlines():
            print(line.removeprefix(known))


def join_at_colons(words: list[str], cursor: int) -> tuple[list[str], int]:
    """`[a, :, image]` -> `[a:image]`, and where the word under the cursor went."""
    joined: list[str] = []
    place = cursor
    after_colon = False
    for index, word in enumerate(words):
        colon = bool(word) and set(word) == {":"}
        if joined and word and (colon or after_colon):
            joined[-1] += word
        else:
            joined.append(word)
        if index == cursor:
            place = len(joined) - 1
        after_colon = colon
    return joined, place
