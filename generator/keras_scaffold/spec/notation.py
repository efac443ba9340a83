"""The short notation of the command line: `chart:image:100x100x3:cnn`, `multiply(a, b)`.

`parse_input`, `parse_output` and `parse_merge` read it into the sparse form of a spec;
`command_line` writes it back. Errors are `SpecError`s that quote what was typed.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from keras_scaffold.catalog import load_catalog
from keras_scaffold.spec import (
    DEEPEST_MERGE,
    SpecError,
    check_name,
    complete_input,
    complete_output,
    default_project_name,
    nearest,
    one_line,
)

INPUT_FORM = "NAME:TYPE[:SHAPE][:ENCODER]"
OUTPUT_FORM = "NAME:TASK[:CLASSES]"
DIGITS = 12  # the longest number that is read; no field takes a longer one


def _fail(place: str, message: str) -> NoReturn:
    raise SpecError(f"{place}: {message}")


def _known(word: str, words: Iterable[str], what: str, place: str) -> str:
    words = list(words)
    if word not in words:
        _fail(place, f"no {what} '{one_line(word)}'; {nearest(word, words)}")
    return word


def _number(text: str, what: str, place: str) -> int:
    if not re.fullmatch(r"[0-9]+", text):
        _fail(place, f"'{one_line(text)}' is no {what}; give a whole number")
    if len(text) > DIGITS:
        _fail(place, f"the {what} has {len(text)} digits; that is too large")
    return int(text)


# Inputs and outputs


def parse_input(text: str) -> dict[str, Any]:
    """Read `chart:image:100x100x3:cnn` into a sparse input."""
    place = f"-i '{one_line(text)}'"
    parts = text.split(":")
    if not 2 <= len(parts) <= 4:
        _fail(place, f"an input is {INPUT_FORM}, such as chart:image:64x64x3:cnn")
    types = load_catalog().inputs
    entry: dict[str, Any] = {"name": check_name(parts[0], place)}
    entry["type"] = _known(parts[1], types, "type of input", place)
    rest = parts[2:]
    if rest and rest[0][:1].isdigit():
        sizes = rest.pop(0).split("x")
        entry["shape"] = [_number(size, "size in a shape", place) for size in sizes]
    if rest:
        encoders = types[entry["type"]].encoders
        entry["encoder"] = _known(rest.pop(0), encoders, f"encoder of {entry['type']}", place)
    if rest:
        _fail(place, f"an input is {INPUT_FORM}: the shape comes before the encoder")
    complete_input(entry, place)
    return entry


def parse_output(text: str) -> dict[str, Any]:
    """Read `genre:multiclass:4` into a sparse output."""
    place = f"-o '{one_line(text)}'"
    parts = text.split(":")
    if not 2 <= len(parts) <= 3:
        _fail(place, f"an output is {OUTPUT_FORM}, such as genre:multiclass:4")
    tasks = load_catalog().outputs
    entry: dict[str, Any] = {"name": check_name(parts[0], place)}
    entry["task"] = _known(parts[1], tasks, "task", place)
    if len(parts) == 3:
        size = tasks[entry["task"]].size
        if not isinstance(size, str):
            _fail(place, f"{entry['task']} takes no number; write {parts[0]}:{entry['task']}")
        entry[size] = _number(parts[2], f"number of {size}", place)
    complete_output(entry, place)
    return entry


def shape_text(shape: Iterable[int]) -> str:
    """`[100, 100, 3]` -> `100x100x3`."""
    return "x".join(str(size) for size in shape)


def input_text(entry: Mapping[str, Any]) -> str | None:
    """`parse_input` the other way; None where the entry says more than the notation can."""
    if not entry.keys() <= {"name", "type", "shape", "encoder"}:
        return None
    parts = [entry["name"], entry["type"]]
    parts += [shape_text(entry["shape"])] if "shape" in entry else []
    return ":".join(parts + ([entry["encoder"]] if "encoder" in entry else []))


def output_text(entry: Mapping[str, Any]) -> str | None:
    """`parse_output` the other way; None where the entry says more than the notation can."""
    size = load_catalog().outputs[entry["task"]].size
    if not entry.keys() <= {"name", "task", size}:
        return None
    parts = [entry["name"], entry["task"]]
    return ":".join(parts + ([str(entry[size])] if isinstance(size, str) and size in entry else []))


# Merge trees


def parse_merge(text: str) -> str | dict[str, Any]:
    """Read `concatenate(multiply(a, b, width=32), c)`; a bare method's name stays a string."""
    place = f"-m '{one_line(text)}'"
    tokens = re.findall(r"\w+|[^\w\s]", text)
    if len(tokens) == 1 and re.fullmatch(r"\w+", tokens[0]):
        return _known(tokens[0], load_catalog().merges, "merge", place)
    return _Parser(tokens, place).tree()


class _Parser:
    """Reads a tree with a stack of its own, so that no depth of text exhausts Python's."""

    def __init__(self, tokens: list[str], place: str) -> None:
        self.tokens = [*tokens, "", ""]  # the end, and what is looked at behind it
        self.place = place
        self.at = 0

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def tree(self) -> dict[str, Any]:
        root = self.node(self.take())
        open_nodes = [root]
        while open_nodes:
            self.operand(open_nodes)
        if self.take():
            _fail(self.place, "something stands after the last ')'; take it away")
        return root

    def operand(self, open_nodes: list[dict[str, Any]]) -> None:
        """Read one operand or width of the innermost node, and what closes after it."""
        node, word = open_nodes[-1], self.take()
        if self.tokens[self.at] == "(":
            if len(open_nodes) >= DEEPEST_MERGE:
                _fail(self.place, f"over {DEEPEST_MERGE} levels deep; flatten the tree")
            open_nodes.append(self.node(word))
            node.setdefault("of", []).append(open_nodes[-1])
            return
        if self.tokens[self.at] == "=":
            self.width(node, word)
        else:
            self.word(word, "an input or a merge")
            node.setdefault("of", []).append(word)
        while open_nodes and (after := self.take()) != ",":
            if after != ")":
                _fail(self.place, f"expected ',' or ')', found {self.found(after)}")
            open_nodes.pop()
        if open_nodes and "width" in open_nodes[-1]:
            _fail(self.place, "width=... comes last, right before its ')'")

    def node(self, word: str) -> dict[str, Any]:
        self.word(word, "a merge")
        _known(word, load_catalog().merges, "merge", self.place)
        if self.take() != "(":
            _fail(self.place, f"expected '(' after {word}, as in {word}(a, b)")
        return {"method": word}

    def width(self, node: dict[str, Any], word: str) -> None:
        if word != "width":
            _fail(self.place, f"no option '{one_line(word)}'; did you mean 'width'?")
        self.take()
        node["width"] = _number(self.take(), "width", self.place)

    def word(self, token: str, what: str) -> None:
        if not re.fullmatch(r"\w+", token):
            _fail(self.place, f"expected {what}, found {self.found(token)}")

    @staticmethod
    def found(token: str) -> str:
        return f"'{one_line(token)}'" if token else "the end"


def merge_text(merge: str | Mapping[str, Any]) -> str:
    """`parse_merge` the other way."""
    if isinstance(merge, str):
        return merge
    arguments = [merge_text(operand) for operand in merge.get("of", [])]
    if "width" in merge:
        arguments.append(f"width={merge['width']}")
    return f"{merge['method']}({', '.join(arguments)})" if arguments else merge["method"]


# The whole command


def command_line(given: Mapping[str, Any], destination: Path | str) -> str | None:
    """The `scaffold new` line with the same answers; None where only a spec file can say them."""
    words = ["scaffold", "new", str(destination)]
    for entry in given["inputs"]:
        text = input_text(entry)
        if text is None:
            return None
        words += ["-i", text]
    if "merge" in given:
        words += ["-m", merge_text(given["merge"])]
    for entry in given["outputs"]:
        text = output_text(entry)
        if text is None:
            return None
        words += ["-o", text]
    if given["project_name"] != default_project_name(Path(destination).resolve().name):
        words += ["--name", given["project_name"]]
    return shlex.join(words)
