"""The merge of the branches: a tree of methods over inputs, and the widths of what they give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from keras_scaffold.catalog import MergeMethod, load_catalog
from keras_scaffold.spec.entries import complete_fields, run_checks
from keras_scaffold.spec.errors import check_keys, fail, known_word, nearest, shown

DEEPEST_MERGE = 32
MOST_OPERANDS = 400


@dataclass(frozen=True)
class Merge:
    """A node of the merge tree; operands are names of inputs or further nodes."""

    method: str
    of: tuple[str | Merge, ...]
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def inputs(self) -> Iterator[str]:
        """The inputs, from left to right, again where they occur again."""
        for operand in self.of:
            if isinstance(operand, str):
                yield operand
            else:
                yield from operand.inputs

    def widths(self, branches: Mapping[str, int]) -> tuple[int, int]:
        """The width of the result, and the one to which operands are brought (0: each keeps its own)."""
        sizes = [
            branches[operand] if isinstance(operand, str) else operand.widths(branches)[0]
            for operand in self.of
        ]
        method = load_catalog().merges[self.method]
        if method.width in ("sum", "first"):
            return (sum(sizes) if method.width == "sum" else sizes[0]), 0
        common = self.fields.get("width") or max(sizes)
        return {"equal": common, "double": 2 * common, "one": 1}[method.width], common


def complete_merge(given: object, names: list[str]) -> Merge:
    """A method's name or a tree of mappings -> Merge; each input must occur."""
    budget = iter(range(MOST_OPERANDS))
    root = {"method": given} if isinstance(given, str) else given
    tree = _node(root, names, "merge", budget)
    used = set(tree.inputs)
    for name in names:
        if name not in used:
            fail(
                "merge", f"the input '{name}' is not merged; add it, as in concatenate(..., {name})"
            )
    return tree


def _node(
    given: object, names: list[str], place: str, budget: Iterator[int], depth: int = 1
) -> Merge:
    methods = load_catalog().merges
    if depth > DEEPEST_MERGE:
        fail("merge", f"the tree is over {DEEPEST_MERGE} levels deep; flatten it")
    if not isinstance(given, Mapping):
        fail(place, f"is {shown(given)}; give a method or a mapping with method and of")
    method = methods[known_word(given, "method", methods, place)]
    if "width" in given and "width" not in method.fields:
        fail(f"{place}.width", f"{method.name} keeps every width; leave width out")
    check_keys(given, ["method", "of", *method.fields], place, f"the merge {method.name}")
    operands: list[str | Merge] = list(names)
    if "of" in given:
        if not isinstance(given["of"], list) or not given["of"]:
            fail(f"{place}.of", f"is {shown(given['of'])}; give a list of inputs and merges")
        operands = [
            _operand(operand, names, f"{place}.of[{index}]", budget, depth)
            for index, operand in enumerate(given["of"])
        ]
    elif depth > 1:
        fail(place, "has no 'of'; list the inputs that it merges")
    _check_operands(method, len(operands), place)
    fields = complete_fields(given, method.fields, "", place)
    run_checks(method.checks, fields, place)
    return Merge(method.name, tuple(operands), fields)


def _operand(
    operand: object, names: list[str], place: str, budget: Iterator[int], depth: int
) -> str | Merge:
    if next(budget, None) is None:
        fail("merge", "the tree has too many operands")
    if isinstance(operand, Mapping):
        return _node(operand, names, place, budget, depth + 1)
    if not isinstance(operand, str) or operand not in names:
        fail(place, f"no input {shown(operand)}; {nearest(operand, names)}")
    return operand


def _check_operands(method: MergeMethod, count: int, place: str) -> None:
    if count < method.least or (method.most is not None and count > method.most):
        many = (
            f"exactly {method.least}" if method.least == method.most else f"at least {method.least}"
        )
        hint = "; nest merges to take more" if method.most and count > method.most else ""
        fail(place, f"{method.name} takes {many} operands, here are {count}{hint}")
