"""What a project's code says of the spec that it was rendered from: names, numbers, words, merges.

The template's own conventions serve, which CONTRIBUTING.md lists: `encode_NAME`, `head_NAME`,
`"NAME.layer"`, `merged_1`. Nothing here knows a type of input, a task or a method.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from keras_scaffold.catalog import load_catalog
from keras_scaffold.spec import NAME

Lines = Counter[tuple[str, str]]  # the path, and a line without its indentation

NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])")
STRING = re.compile(r"'([^'\n]*)'|\"([^\"\n]*)\"")
IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
# A word that begins a string, as a layer's name does, or that a comment is about.
WORD = re.compile(r"[\"'`]([a-z]\w*)(?=[\"'`.])|^# ([a-z]\w*):")
BLOCK = re.compile(r"(?:def|class) (\w+)|([A-Z_0-9a-z]+)(?:: [^=]+)? = ")


# Where branches are merged: what stands there depends on more than the branch.
MERGED = re.compile(r"\bmerged(_\d+)?(\.project_| = )|\w+_branch\)?,$")


class Owners:
    """Which line is whose, of the inputs and outputs.

    `neutral` are identifiers that the template has whatever the names are: where an input is called
    `model`, `build_model` is not its own.
    """

    def __init__(self, names: Iterable[str], neutral: Iterable[str] = ()) -> None:
        self.names = sorted(names, key=len, reverse=True)  # `a_b` before `b`
        self._owner: dict[str, str] = dict.fromkeys(neutral, "")
        self._mentions: dict[str, frozenset[str]] = {}

    def lines(self, files: Mapping[str, str]) -> dict[str, Lines]:
        """The lines of each: its functions and constants, and where its names occur elsewhere."""
        found: dict[str, Lines] = {name: Counter() for name in self.names}
        for path, text in files.items():
            block: frozenset[str] = frozenset()  # whose function or constant it is
            call, depth = block, 0  # whose call, written over several lines
            for line in text.splitlines():
                bare = line.strip()
                if not bare or MERGED.search(bare):
                    continue
                indent = len(line) - len(line.lstrip())
                if indent == 0 and bare[0] not in ")]}":
                    opened = BLOCK.match(line)
                    block = frozenset({self.owner_of(opened[1] or opened[2])} if opened else ())
                owners = block - {""} or self._mentioned(bare)
                if call and (indent > depth or (indent == depth and bare[0] in ")]}")):
                    owners = owners or call
                else:
                    call, depth = (owners if bare[-1] in "([{" else frozenset()), indent
                for name in owners:
                    found[name][path, bare] += 1
        return found

    def _mentioned(self, line: str) -> frozenset[str]:
        if line not in self._mentions:
            words = {one or two for one, two in WORD.findall(line)}
            owners = {self.owner_of(word) for word in IDENTIFIER.findall(line)}
            owners |= words & set(self.names)
            owners -= {""}
            # What is of two changes with either.
            self._mentions[line] = frozenset(owners if len(owners) == 1 else ())
        return self._mentions[line]

    def owner_of(self, identifier: str) -> str:
        """`encode_chart`, `chart_branch` and `CHART_COLUMNS` are of `chart`."""
        if identifier not in self._owner:
            word = identifier.lower()
            fits = (it for it in self.names if word.endswith(f"_{it}") or word.startswith(f"{it}_"))
            self._owner[identifier] = next(fits, "")
        return self._owner[identifier]


@dataclass
class Facts:
    """The values that occur in the lines of one input or output."""

    shape: list[int] | None = None
    numbers: list[int | float] = field(default_factory=list)
    runs: list[list[int]] = field(default_factory=list)  # those of calls of one function
    words: list[str] = field(default_factory=list)
    lists: list[list[str]] = field(default_factory=list)


class Code:
    """The model and the data of a project, as text and, where it is Python, as a tree."""

    def __init__(self, model: str, data: str) -> None:
        self.model, self.data = model, data

    @cached_property
    def _trees(self) -> list[ast.Module]:
        trees = []
        for text in (self.model, self.data):
            try:
                trees.append(ast.parse(text))
            except (SyntaxError, ValueError, RecursionError):
                trees.append(ast.Module([], []))  # such as with conflict marks
        return trees

    @cached_property
    def _build(self) -> ast.AST:
        """The function that builds the model."""
        for node in self._trees[0].body:
            if isinstance(node, ast.FunctionDef) and node.name == "build_model":
                return node
        return ast.Module([], [])

    # Names

    def names(self, what: str) -> list[str]:
        """The names of the `inputs` or the `outputs`, in their order."""
        verb, reads = ("encode", INPUTS) if what == "inputs" else ("head", OUTPUTS)
        made = re.findall(rf"^def {verb}_(\w+)\(", self.model, re.M)
        keys = self._keys(what)
        listed = reads.search(self.data)
        in_data = re.findall(r"['\"](\w+)['\"]", listed[1]) if listed else []
        read = re.findall(r"^def read_(\w+)\(", self.data, re.M)
        votes = Counter([*made, *keys, *in_data, *(name for name in read if name in in_data)])
        # A name of a person's own stands in one of these places alone.
        known = [name for name, count in votes.items() if count > 1 and NAME.fullmatch(name)]
        for order in (keys, in_data, made):
            if set(known) <= set(order):
                return [name for name in order if name in known]
        return sorted(known, key=[*keys, *in_data, *made].index)

    def _keys(self, what: str) -> list[str]:
        for node in ast.walk(self._build):
            value = node.value if isinstance(node, ast.Assign) else None
            if _target(node) == what and isinstance(value, ast.Dict):
                keys = (key for key in value.keys if isinstance(key, ast.Constant))
                return [key.value for key in keys if isinstance(key.value, str)]
        return []

    # Values

    def facts(self, name: str, lines: Lines, owners: Owners) -> Facts:
        """All values that could be a field's."""
        texts = [line for _, line in lines]
        numbers = dict.fromkeys(found for text in texts for found in NUMBER.findall(text))
        words = [one or two for text in texts for one, two in STRING.findall(text)]
        facts = Facts(self._shape(name), [_number(text) for text in numbers])
        for tree in self._trees:
            for node in tree.body:
                named = getattr(node, "name", "") or _target(node)
                if named and owners.owner_of(named) == name:
                    facts.runs += _runs(node)
                    words += _strings(node)
                    facts.lists += _string_lists(node)
        facts.words = list(dict.fromkeys(words))
        return facts

    def _shape(self, name: str) -> list[int] | None:
        """The shape of the input's tensor."""
        for node in ast.walk(self._build):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            says = {word.arg: word.value for word in node.keywords}
            named = says.get("name")
            if isinstance(named, ast.Constant) and named.value == name:
                sizes = getattr(node.args[0], "elts", [])
                values = [getattr(size, "value", None) for size in sizes]
                shape = [value for value in values if isinstance(value, int)]
                if values and len(shape) == len(values):
                    return shape
        return None

    # The merge

    def merge(self, inputs: list[str]) -> dict[str, Any] | None:
        """The tree of merges; None where the code does not say it in the template's way."""
        steps: dict[str, dict[str, Any]] = {}
        for node in ast.walk(self._build):
            variable = _target(node)
            if variable and re.fullmatch(r"merged(_\d+)?", variable):
                assert isinstance(node, ast.Assign)  # it has a target
                steps[variable] = _step(variable, node.value)
        try:
            return _tree("merged", steps, inputs, set())
        except KeyError:
            return None


INPUTS = re.compile(r"^INPUTS = \[(.*?)\]", re.M | re.S)
OUTPUTS = re.compile(r"^OUTPUTS = \[(.*?)\]", re.M | re.S)


def _target(node: ast.AST) -> str:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""


def _number(text: str) -> int | float:
    return float(text) if re.search("[.e]", text) else int(text)


def _in_order(node: ast.AST) -> Iterator[Any]:
    places: list[Any] = [it for it in ast.walk(node) if hasattr(it, "lineno")]
    return iter(sorted(places, key=lambda it: (it.lineno, it.col_offset)))


def _runs(node: ast.AST) -> list[list[int]]:
    """For each place of an argument of each function, its values from call to call."""
    runs: dict[tuple[str, object], list[int]] = {}
    for call in _in_order(node):
        if not isinstance(call, ast.Call):
            continue
        called = ast.unparse(call.func)
        if len(called) > 60:  # the call of a layer that is made here
            continue
        arguments: list[tuple[object, ast.expr]] = [*enumerate(call.args)]
        arguments += [(word.arg, word.value) for word in call.keywords]
        for place, value in arguments:
            if isinstance(value, ast.Constant) and type(value.value) is int:
                runs.setdefault((called, place), []).append(value.value)
    found = []
    for run in runs.values():
        for step in (1, 2, 3):
            found += [run[::step], run[step - 1 :: step]]
        found.append([value for i, value in enumerate(run) if not i or run[i - 1] != value])
    return [list(run) for run in dict.fromkeys(map(tuple, found)) if run]


def _strings(node: ast.AST) -> list[str]:
    values = (it.value for it in ast.walk(node) if isinstance(it, ast.Constant))
    return [value for value in values if isinstance(value, str)]


def _string_lists(node: ast.AST) -> list[list[str]]:
    found = []
    for it in ast.walk(node):
        if isinstance(it, ast.List) and it.elts:
            values = [getattr(element, "value", None) for element in it.elts]
            if all(isinstance(value, str) for value in values):
                found.append([str(value) for value in values])
    return found


def _step(variable: str, value: ast.AST) -> dict[str, Any]:
    """The method, the operands' variables and the width to which they are brought."""
    step: dict[str, Any] = {"method": None, "of": [], "width": None}
    for node in _in_order(value):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            method = node.value.removeprefix(f"{variable}.")
            if method != node.value and method in load_catalog().merges:
                step["method"] = method
        elif isinstance(node, ast.Name) and re.fullmatch(r"\w+_branch|merged_\d+", node.id):
            step["of"].append(node.id)
        elif isinstance(node, ast.Call) and node.args and step["width"] is None:
            said = " ".join(_strings(node))
            size = getattr(node.args[0], "value", None)
            if f"{variable}.project" in said and type(size) is int:
                step["width"] = size
    return step


def _tree(
    variable: str, steps: Mapping[str, Any], inputs: list[str], above: set[str]
) -> dict[str, Any]:
    """KeyError where a step is missing, goes in a circle, or names what is no input."""
    if variable in above:
        raise KeyError(variable)
    step = steps[variable]
    operands: list[Any] = []
    for operand in step["of"]:
        name = operand.removesuffix("_branch")
        if operand.endswith("_branch"):
            operands.append({each: each for each in inputs}[name])
        else:
            operands.append(_tree(operand, steps, inputs, above | {variable}))
    if not operands:
        raise KeyError(variable)
    node = {"method": step["method"], "of": operands}
    return node if step["width"] is None else {**node, "width": step["width"]}
