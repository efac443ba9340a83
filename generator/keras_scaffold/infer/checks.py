"""The section Check of an inspection: each column that is no input, why, and the option that makes it one."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from keras_scaffold.infer.cells import Column
from keras_scaffold.spec import one_line

FILES = ("picture", "series", "file")
# The type that reads a column which --keep cannot restore, by what it is.
TYPES = {
    "address": "text",
    "time of day": "categorical",
    "number with marks": "categorical",
    "tags": "set",
}
NO_OPTION = (*FILES, "empty", "split", "nested", "array")  # the reason has the fix
NAMED = 4  # columns of a line
MOST_LINES = 40


def aside_lines(columns: Sequence[Column], warnings: Sequence[str]) -> list[str]:
    """A line for the columns of each reason; none for those that a warning names."""
    warned = {warning.partition(": ")[0] for warning in warnings if "set aside" in warning}
    groups: dict[tuple[str, str], list[Column]] = {}
    for column in columns:
        if column.aside and column.name not in warned:
            groups.setdefault((column.aside, TYPES.get(column.what, "")), []).append(column)
    lines = [_line(group) for group in groups.values()]
    if len(lines) > MOST_LINES:
        more = f"and {len(lines) - MOST_LINES} more reasons; --json lists all columns"
        lines = [*lines[:MOST_LINES], more]
    return lines


def _line(group: Sequence[Column]) -> str:
    names = ", ".join(one_line(column.name) or '""' for column in group[:NAMED])
    if len(group) > NAMED:
        names += f" … ({len(group)} columns)"
    options = [option for column in group[:NAMED] if (option := use_option(column))]
    use = f"; to use {'it' if len(group) == 1 else 'them'}: {' '.join(options)}" if options else ""
    return f"{names}: no input: {group[0].aside}{use}"


def use_option(column: Column) -> str:
    """The option that makes an input of a column that was set aside; empty where there is none."""
    if column.what in NO_OPTION or column.aside == CHOSEN or "rename" in column.aside:
        return ""
    if kind := TYPES.get(column.what):
        return f"--as {shlex.quote(f'{column.name}:{kind}')}"
    return f"--keep {shlex.quote(column.name)}"


CHOSEN = "as you chose"
