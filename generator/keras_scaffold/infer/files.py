"""Columns of paths: which files they name, and what these say of shapes.

Only headers are read: a picture is never decoded, a series never loaded. A path that leaves the
table's folder is followed only when asked.
"""

from __future__ import annotations

import random
import re
import statistics
from pathlib import Path
from typing import Any

from keras_scaffold.infer import tags
from keras_scaffold.infer.cells import Cells, Column
from keras_scaffold.infer.paths import files_near, find_fix
from keras_scaffold.infer.tables import (
    PICTURES,
    SERIES,
    DataError,
    Table,
    npy_header,
    quiet_pictures,
)
from keras_scaffold.spec import one_line

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP")
OTHERS = {
    ".tif": "pictures in a format that projects do not decode; convert them to PNG or JPEG",
    ".tiff": "pictures in a format that projects do not decode; convert them to PNG or JPEG",
    ".wav": "sound is no type of input yet",
    ".mp3": "sound is no type of input yet",
    ".flac": "sound is no type of input yet",
    ".mp4": "video is no type of input yet",
    ".avi": "video is no type of input yet",
}
ORIENTATION = (
    0x0112  # the EXIF tag: above 1, the picture is mirrored or turned; above 4 by 90 degrees
)
OPENED = 200  # files of a column of which the header is read
LARGEST_SIDE = 128  # of a picture, so that a CPU can train on it
LONGEST_SERIES = 2048  # steps
MOST_PICTURES = 8  # of a row
NAMES = ("id", "category", "text", "number")  # what a column of names of files may seem to be
LARGEST_CSV = 1 << 24  # bytes of a series


def column(cells: Cells, folder: Path, outside: bool, kind: str = "") -> Column | None:
    """The column as one of pictures, of several in a cell, or of series; None where its cells are no paths."""
    mark = _mark(cells.values.to_list(), kind == "albums") if kind in ("", "albums") else ""
    several = bool(mark) or kind == "albums"
    some = _some_paths(cells, mark)
    suffixes = [match[0].lower() for v in some if (match := re.search(r"\.\w{2,5}$", v))]
    if not kind and len(suffixes) < 0.9 * len(some):
        return None
    usual = max(set(suffixes), key=suffixes.count) if suffixes else ""
    if usual in OTHERS:
        return Column(cells.name, "file", 0.95, f"paths ending in {usual}", aside=OTHERS[usual])
    if kind != "series" and sum(s in PICTURES for s in suffixes) >= 0.9 * len(some):
        what, read = "picture", _pictures
    elif kind in ("", "series") and sum(s in SERIES for s in suffixes) >= 0.9 * len(some):
        what, read = "series", _series
    else:
        return None
    paths = [_path(cells.name, name, folder, outside) for name in some]
    there = [path for path in paths if path.is_file()]
    if not there:
        return Column(
            cells.name, what, 0.8, f"paths ending in {usual}", aside=_nowhere(some, folder)
        )
    found = read(cells.name, there)
    if not found:
        reason = f"none of its files can be read, such as {one_line(there[0].name)}"
        return Column(cells.name, what, 0.8, f"paths ending in {usual}", aside=reason)
    why, span, facts = found
    if several:
        most = max((len(_parts(cell, mark or "|")) for cell in cells.values.to_list()), default=1)
        kept = min(MOST_PICTURES, max(2, most))
        facts |= {"shape": [kept, *facts["shape"]], "mark": mark}
        first = f", of which the first {kept} are kept" if kept < most else ""
        why, what = f"up to {most} in a cell{first}; {why}", "pictures"
    facts["absent"] = 1 - len(there) / len(paths)
    facts["absent_file"] = next(
        (n for n, p in zip(some, paths, strict=True) if not p.is_file()), ""
    )
    return Column(
        cells.name,
        what,
        0.99 if len(there) == len(paths) else 0.85,
        why,
        "albums" if several else "pictures" if what == "picture" else "series",
        distinct=cells.values.n_unique(),
        view=("", span),
        facts=facts,
    )


def _mark(cells: list[str], known: bool) -> str:
    """The character that joins paths of pictures in the cells; empty where a cell has one at the most.

    A twentieth of the cells have several, or any where that is `known`.
    """
    for mark in tags.MARKS:
        parts = [part for cell in cells for part in _parts(cell, mark)]
        pictures = sum(part.lower().endswith(PICTURES) for part in parts)
        if len(parts) > (1 if known else 1.05) * len(cells) and pictures >= 0.9 * len(parts):
            return mark
    return ""


def _some_paths(cells: Cells, mark: str) -> list[str]:
    """Some of the paths, from the whole sample."""
    if not mark:
        return cells.some(OPENED)
    paths = [path for cell in cells.some(OPENED) for path in _parts(cell, mark)]
    return random.Random(0).sample(paths, min(OPENED, len(paths)))


def _parts(cell: str, mark: str) -> list[str]:
    return [part.strip() for part in cell.split(mark) if part.strip()]


def _path(name: str, cell: str, folder: Path, outside: bool) -> Path:
    path = folder / cell
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):
        return folder / "no such file"
    # Paths of another machine lead out, too: where the files are near, that is what to say.
    if not inside and not outside and (path.exists() or not find_fix([cell], folder)):
        raise DataError(
            f"{name}: '{one_line(cell)}' leads out of {folder}; use --outside to follow such paths"
        )
    return path


def _nowhere(some: list[str], folder: Path) -> str:
    """Why no file is there, with the fix where the files are near."""
    missing = f"no such file: {one_line(some[0])}"
    fix = find_fix(some, folder)
    return f"{missing}; {fix or 'paths start from the folder of the table'}"


def of_names(table: Table, column: Column) -> Column:
    """The column, or, where nearly each of its values is the name of another file, those files."""
    possible = column.what in NAMES and column.distinct > max(1, table.sample.height / 10)
    if not possible or not files_near(table.folder):
        return column
    cells = Cells.of(table, column.name)
    some = cells.some(OPENED)
    if column.distinct <= 0.9 * len(cells.values):
        return column
    fix = find_fix(some, table.folder, 0.9)
    if not fix:
        return column
    kind = "series" if fix.endswith(SERIES) else "picture"
    aside = f"no such file: {one_line(some[0])}; {fix}"
    return Column(cells.name, kind, 0.8, "names of files", aside=aside, distinct=column.distinct)


Found = tuple[str, str, dict[str, Any]]


def _pictures(name: str, paths: list[Path]) -> Found | None:
    from PIL import Image, UnidentifiedImageError

    sizes: list[tuple[int, int]] = []
    grey = broken = turned = 0
    for path in paths:
        try:
            with quiet_pictures(), Image.open(path, formats=FORMATS) as it:
                # Of a PNG, the tag is looked for only where that decodes nothing.
                orientation = it.getexif().get(ORIENTATION, 1) if "exif" in it.info else 1
                turned += orientation > 1
                upright = it.size if orientation > 4 else (it.height, it.width)
                sizes.append(upright)
                grey += it.mode in ("1", "L", "I", "I;16", "LA", "F")
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise DataError(
                f"{name}: {path} says it is larger than {Image.MAX_IMAGE_PIXELS:,} pixels; look at"
                " it, shrink it or take it out"
            ) from None
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Warning):
            broken += 1
    if not sizes:
        return None
    height, width = (round(statistics.median(side)) for side in zip(*sizes, strict=True))
    alike = len(set(sizes)) == 1
    channels = 1 if grey == len(sizes) else 3
    shape = [*fitted(height, width), channels]
    why = f"pictures of {'' if alike else 'about '}{height} x {width}, {'grayscale' if channels == 1 else 'color'}"
    if shape[:2] != [height, width]:
        why += f"; {shape[0]} x {shape[1]} trains on a CPU"
    heights, widths = zip(*sizes, strict=True)
    span = (
        f"{min(heights)}x{min(widths)} … {max(heights)}x{max(widths)}"
        if not alike
        else f"{height}x{width}"
    )
    if turned:
        why += "; turned upright"
    return why, span, {"shape": shape, "broken": broken / len(paths), "exif": turned > 0}


def fitted(height: int, width: int) -> tuple[int, int]:
    """The size to which pictures are brought: theirs, or smaller with the same look."""
    scale = LARGEST_SIDE / max(height, width)
    if scale >= 1:
        return max(8, height), max(8, width)
    small = (max(8, 8 * round(side * scale / 8)) for side in (height, width))
    return next(small), next(small)


def _series(name: str, paths: list[Path]) -> Found | None:
    shapes: list[tuple[int, int]] = []
    broken = 0
    for path in paths:
        shape = _series_shape(path)
        if shape is None:
            broken += 1
        else:
            shapes.append(shape)
    if not shapes:
        return None
    widths = sorted({width for _, width in shapes})
    if len(widths) > 1:
        return None
    steps = [step for step, _ in shapes]
    most = max(steps)
    kept = min(most, LONGEST_SERIES)
    why = (
        f"series of {most if min(steps) == most else f'{min(steps)} to {most}'} steps x {widths[0]}"
    )
    if kept < most:
        why += f"; the last {kept} steps are kept"
    span = f"{min(steps)} … {most} steps"
    return why, span, {"shape": [kept, widths[0]], "broken": broken / len(paths)}


def _series_shape(path: Path) -> tuple[int, int] | None:
    """Steps and values of a series, from its header or its lines."""
    try:
        if path.suffix.lower() == ".npy":
            with path.open("rb") as file:
                shape, dtype = npy_header(file)
            if dtype.kind not in "biuf" or not 1 <= len(shape) <= 2 or 0 in shape:
                return None
            return shape[0], shape[1] if len(shape) == 2 else 1
        if path.stat().st_size > LARGEST_CSV:
            return None
        lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, ValueError, UnicodeDecodeError):
        return None
    if not lines:
        return None
    header = any(character.isalpha() for character in lines[0])
    return max(1, len(lines) - header), len(lines[0].split(","))
