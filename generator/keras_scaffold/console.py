"""What commands print: trees of files, tables, code; plain where nobody looks at a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from keras_scaffold.catalog import Catalog
from keras_scaffold.render.diagram import for_encoding

Table = tuple[str, tuple[str, ...], list[tuple[str, ...]]]  # title, header, rows


def in_terminal() -> bool:
    """Whether a person sees what we print."""
    return sys.stdout.isatty()


def use_color() -> bool:
    """Whether what we print may have colors."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return in_terminal() and not plain


def echo(text: str = "") -> None:
    """Print, in characters that the terminal or the file can take."""
    print(for_encoding(text, sys.stdout.encoding))


def bold(text: str) -> str:
    """The text in bold where a terminal shows it."""
    return f"\x1b[1m{text}\x1b[0m" if use_color() else text


COLORS = {"good": 32, "note": 33, "wrong": 31}


def verdict(state: str) -> str:
    """`good`, `note` or `wrong`, each as wide as the others."""
    word = state.ljust(max(map(len, COLORS)))
    return f"\x1b[{COLORS[state]}m{word}\x1b[0m" if use_color() else word


def file_tree(files: Mapping[Path, str], root: str) -> str:
    """The files as a tree, with their sizes."""
    from rich.console import Console
    from rich.text import Text
    from rich.tree import Tree

    tree = Tree(Text(f"{root}/"))
    branches = {Path(): tree}
    for path in sorted(files):
        for folder in reversed(path.parents[:-1]):
            if folder not in branches:
                branches[folder] = branches[folder.parent].add(Text(f"{folder.name}/"))
        size = size_text(len(files[path].encode()))
        branches[path.parent].add(Text(f"{path.name}  {size}"))
    console = Console(color_system=None, width=1000)
    with console.capture() as capture:
        console.print(tree, soft_wrap=True)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def size_text(size: int) -> str:
    """`2.1 kB`."""
    return f"{size} B" if size < 1000 else f"{size / 1000:.1f} kB"


def code(text: str) -> None:
    """Print Python, highlighted in a terminal."""
    if not use_color():
        echo(text.rstrip())
        return
    from rich.console import Console
    from rich.syntax import Syntax

    Console().print(Syntax(text.rstrip(), "python", theme="ansi_dark", background_color="default"))


# The catalog


def catalog_tables(catalog: Catalog) -> dict[str, Table]:
    """The catalog's sections as tables."""
    inputs: list[tuple[str, ...]] = [
        (kind.name, kind.help, kind.row, kind.tensor, ", ".join(kind.encoders))
        for kind in catalog.inputs.values()
    ]
    merges: list[tuple[str, ...]] = [
        (method.name, method.help, str(method.most or f"{method.least} or more"))
        for method in catalog.merges.values()
    ]
    outputs: list[tuple[str, ...]] = [
        (task.name, task.help, task.column, task.tensor) for task in catalog.outputs.values()
    ]
    features: list[tuple[str, ...]] = [
        (each.name, each.help, "on" if each.default else "off", ", ".join(each.options))
        for each in catalog.features.values()
    ]
    return {
        "inputs": (
            "Inputs: NAME:TYPE[:SHAPE][:ENCODER]",
            ("type", "what it is", "a manifest row has", "tensor", "encoders, default first"),
            inputs,
        ),
        "merges": ("Merges", ("method", "what it does", "takes"), merges),
        "outputs": (
            "Outputs: NAME:TASK[:CLASSES]",
            ("task", "what it is", "its column has", "tensor"),
            outputs,
        ),
        "features": ("Features", ("feature", "what it does", "default", "options"), features),
    }


def tables(chosen: Sequence[Table], *, dense: bool = False) -> None:
    """Print tables: drawn in a terminal, lined up elsewhere; dense ones with less air."""
    for place, table in enumerate(chosen):
        if place:
            echo()
        if in_terminal():
            _drawn(table, dense)
        else:
            _lined_up(table)


SHORT = 14  # cells of at most so many characters stay on one line


def _drawn(table: Table, dense: bool) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    title, header, rows = table
    drawn = RichTable(
        title=title,
        title_style="bold",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0) if dense else (0, 1),
        show_edge=not dense,
    )
    for column, name in enumerate(header):
        short = dense and max(len(row[column]) for row in rows) <= SHORT
        style = "bold" if column == 0 else None
        drawn.add_column(name, style=style, no_wrap=column == 0 or short)
    for row in rows:
        drawn.add_row(*(Text(for_encoding(cell, sys.stdout.encoding)) for cell in row))
    Console().print(drawn)


def _lined_up(table: Table) -> None:
    title, header, rows = table
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    echo(title)
    for row in [header, *rows]:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        echo(("  " + "  ".join(cells)).rstrip())
