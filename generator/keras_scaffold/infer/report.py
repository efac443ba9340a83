"""What `inspect` found, for people (tables), for scripts (JSON), and as a spec (YAML)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from shutil import get_terminal_size
from textwrap import fill
from typing import Any

import yaml

from keras_scaffold.console import bold, echo, in_terminal, tables
from keras_scaffold.infer import Inspection
from keras_scaffold.infer.cells import Column
from keras_scaffold.infer.tables import DELIMITERS, Table
from keras_scaffold.render.diagram import COLUMNS, draw
from keras_scaffold.spec import Given, complete_input, one_line
from keras_scaffold.spec.notation import shape_text

MOST_ROWS = 40  # of the report; beyond, families of columns are one row
NAME_WIDTH = 20
LONGEST_LINE = 10_000  # nothing is broken where no terminal is


# For people


def show(inspection: Inspection, *, model: bool = True) -> None:
    """Print what was found; without the `model`, where it is shown next in any case."""
    echo(_headline(inspection))
    rows = list(_column_rows(inspection))
    _table("Columns", _HEADER, [row for column, row in rows if not column.aside])
    _table("Targets" if len(inspection.targets) > 1 else "Target", _TARGETS, _targets(inspection))
    _table("Proposed inputs", ("input", "type", "columns", "why"), _inputs(inspection))
    if inspection.spec and model:
        echo(f"\n{draw(inspection.spec, min(COLUMNS, get_terminal_size().columns))}")
    if inspection.checks:
        echo(f"\n{bold('Check')}")
        width = get_terminal_size().columns if in_terminal() else LONGEST_LINE
        for line in inspection.checks:
            echo(fill(_printable(line), width, initial_indent="- ", subsequent_indent="  "))


def _table(title: str, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Print a table, without the columns that have nothing to say."""
    if not rows:
        return
    telling = [place for place in range(len(header)) if any(row[place] for row in rows)]
    kept = [tuple(_printable(row[place]) for place in telling) for row in rows]
    echo()
    tables([(title, tuple(header[place] for place in telling), kept)], dense=True)


def _printable(text: str) -> str:
    """The text without what would command a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _headline(inspection: Inspection) -> str:
    table = inspection.table
    written, parts = table.written, [table.kind]
    if table.kind == "CSV":
        parts = [f"CSV, {DELIMITERS[written.delimiter]}, {written.encoding}"]
    if written.given.keys() & {"decimal", "thousands"}:
        parts.append(f"numbers like 1{written.thousands}234{written.decimal}5")
    count = len(table.columns)
    parts.append(f"{table.rows:,} rows, {count:,} column{'s' if count != 1 else ''}")
    if table.sample.height < table.rows:
        parts.append(f"looked at {table.sample.height:,} rows, counted holes in all")
    return f"{bold(str(table.path))}: {'; '.join(parts)}"


_HEADER = ("column", "is", "sure", "holes", "", "values", "input", "why")
_TARGETS = ("target", "task", "holes", "labeled rows", "", "values", "why")


def _column_rows(inspection: Inspection) -> Iterator[tuple[Column, tuple[str, ...]]]:
    for column, more in _folded(inspection):
        goes = inspection.input_of(column.name)
        name = _cut(column.name) + (f" … {_cut(more[-1].name)} ({len(more) + 1})" if more else "")
        missing = max([column.missing, *(c.missing for c in more)]) / inspection.table.rows
        row = (
            name,
            column.what,
            f"{column.sure:.0%}",
            share_text(missing),
            *column.view,
            goes.given["name"] if goes else "",
            column.aside or column.why,
        )
        yield column, row


def _folded(inspection: Inspection) -> Iterator[tuple[Column, list[Column]]]:
    """Columns, in a wide table with those of one family (pixel0, pixel1 ...) as one."""
    columns = inspection.columns
    wide = len(columns) > MOST_ROWS
    place = 0
    while place < len(columns):
        first, more = columns[place], []
        while wide and place + 1 < len(columns) and _alike(inspection, first, columns[place + 1]):
            place += 1
            more.append(columns[place])
        yield first, more
        place += 1


def _alike(inspection: Inspection, one: Column, other: Column) -> bool:
    first, second = inspection.input_of(one.name), inspection.input_of(other.name)
    stem = re.sub(r"\d+", "#", one.name) == re.sub(r"\d+", "#", other.name)
    return stem and first == second and (first is not None or one.what == other.what)


def column_title(name: str) -> str:
    """A column's name as it stands in a list."""
    return _printable(_cut(name))


def column_text(column: Column) -> str:
    """What a column is, in a few words."""
    more = column.view[1] or column.why
    return _printable(f"{column.what}, {more}{'; set aside' if column.aside else ''}")


def _targets(inspection: Inspection) -> list[tuple[str, ...]]:
    holes = any(target.missing for target in inspection.targets)
    return [
        (
            _cut(target.column),
            target.task + (f", {target.classes} classes" if target.classes > 2 else ""),
            share_text(target.missing / inspection.table.rows),
            f"{inspection.table.rows - target.missing:,}" if holes else "",
            *target.view,
            target.why,
        )
        for target in inspection.targets
    ]


def _inputs(inspection: Inspection) -> list[tuple[str, ...]]:
    return [
        (
            each.given["name"],
            f"{each.given['type']}{_shape(each.given)}",
            _few(each.columns),
            each.why,
        )
        for each in inspection.inputs
    ]


def _shape(given: Given) -> str:
    encoder = f", {given['encoder']}" if "encoder" in given else ""
    shape = f" {shape_text(given['shape'])}" if "shape" in given else ""
    return shape + encoder


def _few(names: tuple[str, ...]) -> str:
    shown = [_cut(name) for name in names]
    return ", ".join(shown if len(shown) <= 4 else [*shown[:2], "…", shown[-1]])


def _cut(name: str) -> str:
    name = one_line(name) or '""'
    return name if len(name) <= NAME_WIDTH else f"{name[: NAME_WIDTH - 1]}…"


def share_text(share: float) -> str:
    """`0.3%`, nothing for none."""
    if not share:
        return ""
    return "<0.1%" if share < 0.001 else f"{share:.1%}" if share < 0.1 else f"{share:.0%}"


# For scripts


def as_json(inspection: Inspection) -> str:
    """What was found, in one JSON object whose keys stay as they are."""
    table = inspection.table
    data = {
        "source": str(table.path),
        "kind": table.kind,
        "written": _written(table),
        "rows": table.rows,
        "rows_looked_at": table.sample.height,
        "columns": [_column_data(inspection, column) for column in inspection.columns],
        "group": inspection.group or None,
        "targets": [
            {
                "column": target.column,
                "task": target.task,
                "missing": round(target.missing / table.rows, 6),
                "labeled": table.rows - target.missing,
                "classes": target.classes or None,
                "counts": dict(target.counts),
                "why": target.why,
            }
            for target in inspection.targets
        ],
        "warnings": inspection.warnings,
        "check": inspection.checks,
        "spec": inspection.given or None,
    }
    return json.dumps(data, indent=2)


def _written(table: Table) -> dict[str, Any]:
    """How the table is written; what only a CSV has, only of a CSV."""
    of_csv = ("delimiter", "skip_rows", "encoding")
    fields = asdict(table.written).items()
    return {key: value for key, value in fields if table.kind == "CSV" or key not in of_csv}


def _column_data(inspection: Inspection, column: Column) -> dict[str, Any]:
    goes = inspection.input_of(column.name)
    return {
        "name": column.name,
        "what": column.what,
        "confidence": round(column.sure, 3),
        "missing": round(column.missing / inspection.table.rows, 6),
        "distinct": column.distinct,
        "type": column.type,
        "input": goes.given["name"] if goes else None,
        "encoder": complete_input(goes.given).encoder.name if goes else None,
        "why": column.why,
        "aside": column.aside or None,
    }


# As a spec


class _Lines(yaml.SafeDumper):
    """Lists of plain values on a line, as people write them."""


def _list(dumper: _Lines, data: list[Any]) -> yaml.SequenceNode:
    plain = all(not isinstance(item, dict | list) for item in data)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=plain)


_Lines.add_representer(list, _list)


def as_spec(inspection: Inspection) -> str:
    """The spec in YAML, with the reasons as comments."""
    given = inspection.given
    lines = [
        *_comment(
            f"From {inspection.table.path.name}, {inspection.table.rows:,} rows. Change what you like;"
        ),
        *_comment(
            "scaffold schema > spec.schema.json helps an editor, scaffold catalog lists what there is."
        ),
        *_entry({"project_name": given["project_name"]}),
        "inputs:",
    ]
    for each in inspection.inputs:
        lines += [*_comment(each.why, "  "), *_entry(each.given, "  ")]
    aside = [column for column in inspection.columns if column.aside]
    if aside:
        lines += _comment("Set aside:", "  ")
        lines += [line for c in aside for line in _comment(f"{_cut(c.name)}: {c.aside}", "    ")]
    if "merge" in given:
        lines += _entry({"merge": given["merge"]})
    lines.append("outputs:")
    for target, entry in zip(inspection.targets, given["outputs"], strict=True):
        lines += [*_comment(target.why, "  "), *_entry(entry, "  ")]
    if "table" in given:
        lines += _entry({"table": given["table"]})
    return "\n".join(lines) + "\n"


def _comment(text: str, indent: str = "") -> list[str]:
    return [f"{indent}# {one_line(text)}"]


def _entry(entry: Given, indent: str = "") -> list[str]:
    text = yaml.dump(entry, Dumper=_Lines, sort_keys=False, allow_unicode=True, width=96)
    first, rest = ("- ", "  ") if indent else ("", "")
    lines = text.rstrip("\n").split("\n")
    return [f"{indent}{rest if place else first}{line}" for place, line in enumerate(lines)]
