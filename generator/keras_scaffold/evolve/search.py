"""Finding the spec whose rendering is nearest to a project.

Names stand in the code. Then every type and encoder of the catalog is rendered once, with all inputs
of it at the same time: what is rendered for an input depends on no other, so one rendering serves
them all. Fields follow by trying values that occur in an input's own lines, one field after the
other, again all inputs at once; the merge is read, and its variants are tried.
"""

from __future__ import annotations

import contextlib
import copy
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from keras_scaffold.catalog import Field, load_catalog
from keras_scaffold.evolve.reading import IDENTIFIER, Code, Facts, Lines, Owners
from keras_scaffold.spec import (
    SpecError,
    check_field,
    complete_input,
    complete_merge,
    complete_output,
)

Entry = dict[str, Any]
Render = Callable[[dict[str, Any]], dict[str, str]]  # a spec -> its files as the project has them
Try = Generator[Entry, int, tuple[int, Entry]]  # gives entries, is told how far off each is

DEFAULT = "concatenate"  # the merge of a spec that says none
UNLIKELY = "qzx"  # a name that nobody has
ROUNDS = 4
MOST_NUMBERS = 40
KINDS_TRIED = 3  # of which the fields are found, where the first does not fit exactly


@dataclass
class Best:
    """The best entry so far, and how far off it is."""

    entry: Entry
    distance: int


@dataclass
class Search:
    """A search in one project, with one version of the template."""

    render: Render
    whole: Callable[[dict[str, Any]], int]  # how far the whole project is from a spec
    files: Mapping[str, str]  # the project's, of those that `render` gives
    code: Code
    project_name: str
    progress: Callable[[str], None] = lambda _: None
    renderings: int = 0

    def run(self) -> dict[str, Any]:
        """The nearest spec; SpecError where the code names no inputs and outputs."""
        self.inputs, outputs = (self.code.names(what) for what in ("inputs", "outputs"))
        self.outputs = [name for name in outputs if name not in self.inputs]
        for what, names in (("encode", self.inputs), ("head", self.outputs)):
            if not names:
                raise SpecError(
                    f"no {what}_NAME stands in model.py whose NAME is in data.py too, so nothing"
                    " can be told of the spec; write it by hand and say scaffold new --spec"
                )
        self.owners = Owners([*self.inputs, *self.outputs], self._neutral())
        self.now: dict[str, Entry] = {}
        self.lines = self.owners.lines(self.files)
        self.masked = {name: _masked(lines) for name, lines in self.lines.items()}
        self.facts = {
            name: self.code.facts(name, self.lines[name], self.owners) for name in self.lines
        }
        kinds = self._kinds()
        self.now = {name: nearest[0] for name, nearest in kinds.items()}
        found = self._fields(kinds)
        return self._merge(
            {
                "project_name": self.project_name,
                "inputs": [found[name] for name in self.inputs],
                "outputs": [found[name] for name in self.outputs],
            }
        )

    # Types, encoders and tasks

    def _neutral(self) -> set[str]:
        """The identifiers that stand in every project, or in all of a type or a task."""
        kinds = [*_types(), *_tasks()]
        entries = [{"name": f"{UNLIKELY}{number}", **kind} for number, kind in enumerate(kinds)]
        given = {
            "project_name": UNLIKELY,
            "inputs": [entry for entry in entries if "type" in entry],
            "outputs": [entry for entry in entries if "task" in entry],
            "merge": DEFAULT,
        }
        found = (IDENTIFIER.findall(text) for text in self.render(given).values())
        return {word for words in found for word in words if UNLIKELY not in word.lower()}

    def _kinds(self) -> dict[str, list[Entry]]:
        """For each input and output the kinds that are nearest, the nearest first."""
        types, tasks = _types(), _tasks()
        ranked: dict[str, list[tuple[int, int, Entry]]] = {name: [] for name in self.lines}
        for number in range(max(len(types), len(tasks))):
            self.progress(f"type {number + 1} of {len(types)}")
            kind, task = types[number % len(types)], tasks[number % len(tasks)]
            entries = {name: {"name": name, **kind} for name in self.inputs}
            entries |= {name: {"name": name, **task} for name in self.outputs}
            for name, distance in self._try(entries, masked=True).items():
                ranked[name].append((distance, number, entries[name]))
        best: dict[str, list[Entry]] = {}
        for name, tried in ranked.items():
            nearest = min(distance for distance, _, _ in tried)
            near = (it for it in sorted(tried, key=lambda it: it[:2]) if it[0] <= 2 * nearest + 4)
            unique = {_text(entry): entry for _, _, entry in near}
            best[name] = list(unique.values())[:KINDS_TRIED]
        return best

    def _try(self, entries: Mapping[str, Entry], masked: bool = False) -> dict[str, int]:
        """How far the lines of each are from the project's, where they are all rendered at once.

        The others stay as they are: some lines are there only where there are several of a kind.
        """
        self.renderings += 1
        some = {**self.now, **entries}
        given = {
            "project_name": self.project_name,
            "inputs": [some[name] for name in self.inputs],
            "outputs": [some[name] for name in self.outputs],
            "merge": DEFAULT,
        }
        lines = self.owners.lines(self.render(given))
        if masked:
            return {name: _apart(_masked(lines[name]), self.masked[name]) for name in entries}
        return {name: _apart(lines[name], self.lines[name]) for name in entries}

    # Fields

    def _fields(self, kinds: Mapping[str, list[Entry]]) -> dict[str, Entry]:
        """The nearest fields of the nearest kind of each."""
        done: dict[str, tuple[int, Entry]] = {}
        for place in range(KINDS_TRIED):
            open_ones = {
                name: entries[place]
                for name, entries in kinds.items()
                if len(entries) > place and done.get(name, (1, {}))[0] > 0
            }
            lanes = {name: self._lane(name, entry) for name, entry in open_ones.items()}
            found = self._together(lanes)
            for name, result in found.items():
                if name not in done or result[0] < done[name][0]:
                    done[name] = result
                self.now[name] = done[name][1]
        return {name: _sparse(entry) for name, (_, entry) in done.items()}

    def _together(self, lanes: Mapping[str, Try]) -> dict[str, tuple[int, Entry]]:
        """Run searches of single entries, each step of all of them in one rendering."""
        done: dict[str, tuple[int, Entry]] = {}
        known: dict[str, dict[str, int]] = {name: {} for name in lanes}
        trying = {name: next(lane) for name, lane in lanes.items()}
        while trying:
            self.progress(f"fields, {len(trying)} to go, {self.renderings} renderings")
            distances = self._try(trying)
            for name, entry in [*trying.items()]:
                known[name][_text(entry)] = distances[name]
                try:
                    while (key := _text(trying[name])) in known[name]:
                        trying[name] = lanes[name].send(known[name][key])
                except StopIteration as end:
                    del trying[name]
                    done[name] = end.value
                    self.now[name] = end.value[1]
        return done

    def _lane(self, name: str, entry: Entry) -> Try:
        """Find the fields of one entry, one after the other, until none makes it nearer."""
        best = Best(entry, (yield entry))
        for number in range(ROUNDS):
            before = best.distance
            for variant in _variants(best, self.facts[name], thorough=number > 0):
                if best.distance == 0:
                    break
                distance = yield variant
                if distance < best.distance:
                    best.entry, best.distance = variant, distance
            if best.distance == 0 or (best.distance == before and number > 0):
                break
        for key in list(best.entry)[1:]:  # all but the name
            with contextlib.suppress(SpecError):
                less = {each: best.entry[each] for each in best.entry if each != key}
                _complete(less)
                if (yield less) <= best.distance:
                    best.entry = less
        return best.distance, best.entry

    # The merge

    def _merge(self, given: dict[str, Any]) -> dict[str, Any]:
        """The spec with the merge that is nearest."""
        best, least = {**given, "merge": DEFAULT}, sys.maxsize
        # What is read comes first: lines say nothing of the operands' order.
        for merge in (*self._merges(), DEFAULT):
            self.progress(f"the merge, {self.renderings} renderings")
            distance = self._distance(given, merge)
            if distance < least:
                best, least = {**given, "merge": merge}, distance
            if least == 0:
                break
        if isinstance(best["merge"], dict):
            best["merge"] = self._without_widths(given, best["merge"], least)
        return best

    def _merges(self) -> Iterator[Any]:
        methods = list(load_catalog().merges)
        tree = self.code.merge(self.inputs)
        for filled in _filled(tree, methods) if tree is not None else ():
            plain = copy.deepcopy(filled)
            for node in _nodes(plain):
                node.pop("width", None)
            yield plain["method"] if plain["of"] == self.inputs else plain
            yield filled
        yield from methods

    def _without_widths(self, given: dict[str, Any], tree: Any, least: int) -> Any:
        """The tree without the widths that are so by themselves."""
        for place, node in enumerate(_nodes(tree)):
            if "width" in node:
                fewer = copy.deepcopy(tree)
                del [*_nodes(fewer)][place]["width"]
                if self._distance(given, fewer) <= least:
                    return self._without_widths(given, fewer, least)
        return tree

    def _distance(self, given: dict[str, Any], merge: Any) -> int:
        """How far the whole project is from a spec with a merge; endless where that is none."""
        try:
            complete_merge(merge, self.inputs)
        except SpecError:
            return sys.maxsize
        self.renderings += 1
        return self.whole({**given, "merge": merge})


def _types() -> list[Entry]:
    """Every type with every encoder."""
    return [
        {"type": kind.name, "encoder": encoder}
        for kind in load_catalog().inputs.values()
        for encoder in kind.encoders
    ]


def _tasks() -> list[Entry]:
    return [{"task": task} for task in load_catalog().outputs]


def _masked(lines: Lines) -> Lines:
    """The lines whatever their numbers are."""
    masked: Lines = Counter()
    for (path, line), count in lines.items():
        masked[path, re.sub(r"\d+(?:\.\d+)?", "0", line)] += count
    return masked


def _apart(one: Lines, two: Lines) -> int:
    return one.total() + two.total() - 2 * (one & two).total()


def _complete(entry: Entry) -> Entry:
    return complete_input(entry) if "type" in entry else complete_output(entry)


def _text(entry: Entry) -> str:
    """An entry as a key; 0 and 0.0, which are equal, are rendered differently."""
    return json.dumps(entry, sort_keys=True)


def _fields_of(entry: Entry) -> dict[str, Field]:
    catalog = load_catalog()
    if "type" in entry:
        return catalog.inputs[entry["type"]].fields_with(entry["encoder"])
    return dict(catalog.outputs[entry["task"]].fields)


def _sparse(entry: Entry) -> Entry:
    """The entry without what is so by itself."""
    whole, done = _text(_complete(entry)), dict(entry)
    for key in list(entry):
        rest = {each: done[each] for each in done if each != key}
        with contextlib.suppress(SpecError):
            if key not in ("name", "type", "task") and _text(_complete(rest)) == whole:
                done = rest
    return done


# Values to try


# Lists come last: a line of theirs often has one of the others in it.
ORDER = ("shape", "columns", "column", "flag", "choice", "number", "integer", "integers")


def _variants(best: Best, facts: Facts, thorough: bool) -> Iterator[Entry]:
    """The best entry so far with another value in one field; where thorough, also in two."""
    fields = sorted(_fields_of(best.entry).values(), key=lambda it: ORDER.index(it.kind))
    for each in fields:
        for value in _values(each, best, facts, thorough):
            yield from _with(best.entry, each, value, facts, thorough)


def _with(
    entry: Entry, changed: Field, value: Any, facts: Facts, thorough: bool
) -> Iterator[Entry]:
    """The entry with another value; where that alone is not valid, with one in a second field."""
    variant = {**entry, changed.name: value}
    if changed.kind == "columns":
        variant.pop("shape", None)
        if value is None:
            del variant["columns"]
    elif changed.kind == "shape":
        variant.pop("columns", None)
    try:
        if value is not None:
            check_field(changed, value, "")
        if _text(_complete(variant)) != _text(_complete(entry)):
            yield variant
    except SpecError:
        if not thorough or changed.kind not in ("integer", "shape"):
            return
        yield from _pairs(variant, changed, facts)


def _pairs(variant: Entry, changed: Field, facts: Facts) -> Iterator[Entry]:
    for other in _fields_of(variant).values():
        if other.name == changed.name or other.kind not in ("integer", "choice"):
            continue
        for value in other.choices or _integers(facts, thorough=False):
            pair = {**variant, other.name: value}
            with contextlib.suppress(SpecError):
                _complete(pair)
                yield pair


def _integers(facts: Facts, thorough: bool) -> list[int]:
    found = [number for number in facts.numbers if isinstance(number, int)][:MOST_NUMBERS]
    if thorough:
        more = [value for it in found for value in (it + 1, it - 1, it // 2, it * 2)]
        found = list(dict.fromkeys([*found, *more]))
    return found


def _values(wanted: Field, best: Best, facts: Facts, thorough: bool) -> Iterator[Any]:
    """The values of a field that the project's text suggests, and its default."""
    if wanted.kind == "shape":
        yield from [facts.shape] if facts.shape else []
    elif wanted.kind == "columns":
        yield None
        yield from facts.lists
    elif wanted.kind == "column":
        yield from facts.words
    elif wanted.kind == "flag":
        yield from (True, False)
    elif wanted.kind == "choice":
        yield from wanted.choices
    elif wanted.kind == "integer":
        yield from [wanted.default, wanted.least, *_integers(facts, thorough)]
    elif wanted.kind == "number":
        yield from [wanted.default, *facts.numbers, wanted.least]
    elif wanted.kind == "integers":
        yield from [[]] if wanted.empty else []
        yield from facts.runs
        if thorough:
            yield from _lists(wanted, best, facts)


def _lists(wanted: Field, best: Best, facts: Facts) -> Iterator[list[int]]:
    """The list as it is with one number more, another, or less."""
    numbers = _integers(facts, thorough=False)
    for grown in range(wanted.count):
        now = _complete(best.entry)[wanted.name]
        if grown > len(now):
            return
        yield now[:-1]
        for value in numbers:
            now = _complete(best.entry)[wanted.name]
            yield [*now, value]
            if grown < len(now):
                yield [*now[:grown], value, *now[grown + 1 :]]


# Merges


def _filled(tree: dict[str, Any], methods: list[str]) -> Iterator[dict[str, Any]]:
    """The tree with a method in each node; one operand alone is merged by any."""
    blank = [node for node in _nodes(tree) if node["method"] is None]
    for method in methods if blank else methods[:1]:
        done = copy.deepcopy(tree)
        for node in _nodes(done):
            node["method"] = node["method"] or method
        yield done


def _nodes(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield tree
    for operand in tree["of"]:
        if isinstance(operand, dict):
            yield from _nodes(operand)
