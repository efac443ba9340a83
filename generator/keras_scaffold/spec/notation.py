"""The short notation of the command line: `chart:image:100x100x3:cnn`, `multiply(a, b)`.

`parse_input`, `parse_output` and `parse_merge` read it into the sparse form of a spec;
`command_line` writes it back. Errors are `SpecError`s that quote what was typed.
"""

from __future__ import annotations

import ast
import re
import shlex
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from keras_scaffold.catalog import Task, load_catalog
from keras_scaffold.spec.entries import complete_input, complete_output
from keras_scaffold.spec.errors import fail, nearest, one_line
from keras_scaffold.spec.fields import check_field, parse_field
from keras_scaffold.spec.merge import DEEPEST_MERGE
from keras_scaffold.spec.names import check_name, default_project_name
from keras_scaffold.spec.reading import Given

INPUT_FORM = "NAME:TYPE[:SHAPE][:ENCODER]"
LIKE_FORM = "NAME:like:INPUT"
OUTPUT_FORM = "NAME:TASK[:CLASSES]"
MERGE_EXAMPLE = "concatenate(multiply(a, b), c)"
DIGITS = 12  # the longest number that is read; no field takes a longer one


def _known(word: str, words: Iterable[str], what: str, place: str) -> str:
    words = list(words)
    if word not in words:
        fail(place, f"no {what} '{one_line(word)}'; {nearest(word, words)}")
    return word


def _number(text: str, what: str, place: str) -> int:
    if not re.fullmatch(r"[0-9]+", text):
        fail(place, f"'{one_line(text)}' is no {what}; give a whole number")
    if len(text) > DIGITS:
        fail(place, f"the {what} has {len(text)} digits; that is too large")
    return int(text)


# Inputs and outputs


def parse_input(text: str) -> Given:
    """Read `chart:image:100x100x3:cnn`, or `photo:like:chart`, into a sparse input."""
    place = f"-i '{one_line(text)}'"
    parts = text.split(":")
    if parts[1:2] == ["like"]:
        if len(parts) != 3:
            fail(place, f"an input like another is {LIKE_FORM}, such as summary:like:headline")
        return {"name": check_name(parts[0], place), "like": check_name(parts[2], place)}
    if not 2 <= len(parts) <= 4:
        fail(place, f"an input is {INPUT_FORM}, such as chart:image:64x64x3:cnn")
    types = load_catalog().inputs
    entry: Given = {"name": check_name(parts[0], place)}
    entry["type"] = _known(parts[1], types, "type of input", place)
    rest = parts[2:]
    if rest and rest[0][:1].isdigit():
        sizes = rest.pop(0).split("x")
        entry["shape"] = [_number(size, "size in a shape", place) for size in sizes]
    if rest:
        encoders = types[entry["type"]].encoders
        entry["encoder"] = _known(rest.pop(0), encoders, f"encoder of {entry['type']}", place)
    if rest:
        fail(place, f"an input is {INPUT_FORM}: the shape comes before the encoder")
    complete_input(entry, place)
    return entry


def parse_output(text: str) -> Given:
    """Read `genre:multiclass:4` into a sparse output."""
    place = f"-o '{one_line(text)}'"
    parts = text.split(":")
    if not 2 <= len(parts) <= 3:
        fail(place, f"an output is {OUTPUT_FORM}, such as genre:multiclass:4")
    tasks = load_catalog().outputs
    entry: Given = {"name": check_name(parts[0], place)}
    entry["task"] = _known(parts[1], tasks, "task", place)
    if len(parts) == 3:
        entry |= parse_size(tasks[entry["task"]], parts[2], place)
    complete_output(entry, place)
    return entry


def parse_size(task: Task, text: str, place: str) -> Given:
    """Read the classes or levels of an output: `low,mid,high` -> {classes: [low, mid, high]}."""
    if not isinstance(task.size, str):
        fail(place, f"{task.name} takes no classes; leave ':{one_line(text)}' out")
    field = task.fields[task.size]
    if field.kind == "levels":
        return {task.size: parse_field(field, text)}
    if field.kind in ("classes", "names") and "," in text:
        return {task.size: [name.strip() for name in text.split(",")]}
    if field.kind == "names":
        return {task.size: text}  # which is refused with an example
    return {task.size: _number(text, f"number of {task.size}", place)}


def shape_text(shape: Iterable[int]) -> str:
    """`[100, 100, 3]` -> `100x100x3`."""
    return "x".join(str(size) for size in shape)


def input_text(entry: Mapping[str, Any]) -> str | None:
    """`parse_input` the other way; None where the entry says more than the notation can."""
    if entry.keys() == {"name", "like"} and entry["like"]:
        return f"{entry['name']}:like:{entry['like']}"
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
    if isinstance(size, str) and size in entry:
        values = entry[size] if isinstance(entry[size], list) else [entry[size]]
        if isinstance(entry[size], list) and any(
            not isinstance(value, str | float) or re.search("[,:]", str(value)) for value in values
        ):
            return None
        parts.append(",".join(map(str, values)))
    return ":".join(parts)


# Merge trees


def parse_merge(text: str) -> str | Given:
    """Read `concatenate(multiply(a, b, width=32), c)`; a bare method's name stays a string."""
    place = f"-m '{one_line(text)}'"
    try:
        with warnings.catch_warnings(action="ignore"):  # such as those of an odd escape
            tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "it cannot be parsed"
        fail(place, f"{one_line(reason)}; write a tree such as {MERGE_EXAMPLE}")
    if isinstance(tree, ast.Name):
        return _known(tree.id, load_catalog().merges, "merge", place)
    if not isinstance(tree, ast.Call):
        fail(place, f"not a merge; write a tree such as {MERGE_EXAMPLE}")
    return _merge_node(tree, text.strip(), place)


def _merge_node(call: ast.Call, text: str, place: str, depth: int = 1) -> Given:
    """A merge of a tree that Python's parser read from the text."""
    if depth > DEEPEST_MERGE:
        fail(place, f"over {DEEPEST_MERGE} levels deep; flatten the tree")
    method = _known(_source(call.func, text), load_catalog().merges, "merge", place)
    fields = load_catalog().merges[method].fields
    node: Given = {"method": method}
    for operand in call.args:
        if isinstance(operand, ast.Call):
            value: Any = _merge_node(operand, text, place, depth + 1)
        elif isinstance(operand, ast.Name):
            value = operand.id
        else:
            fail(place, f"'{_source(operand, text)}' is neither an input nor a merge")
        node.setdefault("of", []).append(value)
    for option in call.keywords:
        name = option.arg or "**"
        if name not in fields:
            hint = nearest(name, fields) if fields else "it has none"
            fail(place, f"no option '{name}' of {method}; {hint}")
        if isinstance(option.value, ast.Constant):
            node[name] = option.value.value
        else:
            node[name] = parse_field(fields[name], _source(option.value, text))
        check_field(fields[name], node[name], f"{place}: {name}")
    if len(node) == 1:
        fail(place, f"{method}() merges nothing; name its inputs, as in {method}(a, b)")
    return node


def _source(node: ast.expr, text: str) -> str:
    return one_line(ast.get_source_segment(text, node) or "")


def merge_text(merge: str | Mapping[str, Any]) -> str:
    """`parse_merge` the other way."""
    if isinstance(merge, str):
        return merge
    arguments = [merge_text(operand) for operand in merge.get("of", [])]
    arguments += [f"{key}={value}" for key, value in merge.items() if key not in ("method", "of")]
    return f"{merge['method']}({', '.join(arguments)})" if arguments else merge["method"]


# Features


def parse_feature(text: str, place: str) -> str:
    """A feature of the catalog."""
    return _known(text, load_catalog().features, "feature", place)


# The whole command


def feature_options(given: Mapping[str, Any]) -> list[str]:
    """The options of `scaffold new` that give a spec's features."""
    defaults = load_catalog().default_features
    features = given.get("features", defaults)
    omitted = [name for name in defaults if name not in features]
    if len(omitted) == len(defaults) > 0:
        words, added = ["--minimal"], features
    else:
        words = [word for name in omitted for word in ("--no-feature", name)]
        added = [name for name in features if name not in defaults]
    return [*words, *(word for name in added for word in ("--feature", name))]


def command_line(given: Mapping[str, Any], destination: Path | str) -> str | None:
    """The `scaffold new` line with the same answers; None where only a spec file can hold them."""
    if given.get("table"):
        return None
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
    words += feature_options(given)
    if given["project_name"] != default_project_name(Path(destination).resolve().name):
        words += ["--name", given["project_name"]]
    return shlex.join(words)
