"""Opening a table as people have it: its delimiter and encoding, how many rows, a sample of them.

Whatever the file is, its cells become strings: 007 stays 007, and what a column is gets decided in
one place, `columns`. A sample is spread over the whole file, as a sorted one would mislead else;
what must hold for every row (holes, stray words) is counted in one pass over all of them.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import json
import re
import shutil
import tempfile
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl

from keras_scaffold.spec import SpecError, TableNotation, complete_table, one_line

SAMPLE = 20_000  # rows, of a wide table fewer
CELLS = 2_000_000  # of the sample
ROW = "\x00row"  # the sample's column with the rows' numbers, from 0; no file has such a name
BLOCK = 1 << 22
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
SERIES = (".npy", ".csv")
PICTURES = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp")  # what a project decodes
SUFFIXES = {
    ".csv": "CSV",
    ".txt": "CSV",
    ".tsv": "CSV",
    ".parquet": "Parquet",
    ".jsonl": "JSON Lines",
    ".ndjson": "JSON Lines",
    ".xlsx": "Excel",
    ".npz": "npz",
}
SPLIT_FOLDERS = {"train": "train", "training": "train", "test": "test", "testing": "test"}
SPLIT_FOLDERS |= dict.fromkeys(("val", "valid", "validation", "dev"), "validation")
OF_SPLITS = "folder per split and class"
MANIFEST = "manifest.csv"  # is written into such a folder
KNOWN = "a .csv, .tsv, .parquet, .jsonl, .xlsx or .npz file, or a folder with a folder per class"


class DataError(SpecError):
    """Data that cannot be looked at; the text is one line."""


@dataclass
class Table:
    """A table: its sample, and a way over all its rows.

    `lazy` and `sample` have the same columns, all strings, null where the file has nothing; the
    sample has `ROW` too. `native` says what a file with types of its own calls a column: number,
    boolean, date, text or other.
    """

    path: Path
    kind: str
    rows: int
    columns: list[str]
    lazy: pl.LazyFrame
    sample: pl.DataFrame
    native: dict[str, str] = field(default_factory=dict)
    arrays: dict[str, Array] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    written: TableNotation = field(default_factory=lambda: complete_table({}))
    other_notation: dict[str, str] = field(default_factory=dict)  # an example of each such column
    scratch: tempfile.TemporaryDirectory[str] | None = None  # goes with the table

    @property
    def folder(self) -> Path:
        """The folder from which paths in the table start."""
        return self.path if self.path.is_dir() else self.path.parent

    def notation_of(self, name: str) -> TableNotation:
        """How a column is written: numbers that are no text have no marks of the table's."""
        if self.native.get(name, "string") == "string":
            return self.written
        return replace(self.written, decimal=".", thousands="", units={})

    def all_rows(self, *expressions: pl.Expr) -> pl.DataFrame:
        """Evaluate expressions over every row."""
        try:
            return self.lazy.select(*expressions).collect(engine="streaming")
        except pl.exceptions.PolarsError as error:
            raise _unreadable(self.path, error) from None


@dataclass(frozen=True)
class Array:
    """An array of an .npz: its shape beyond the rows, and NumPy's letter for its kind."""

    shape: tuple[int, ...]
    kind: str
    dtype: str


def open_table(path: Path) -> Table:
    """Open a table, whatever kind it is; DataError where it cannot be."""
    try:
        table = _opened(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    except pl.exceptions.PolarsError as error:
        raise _unreadable(path, error) from None
    if table.rows == 0:
        raise DataError(f"{path}: has a header but no rows; give a table with rows")
    return table


def _opened(path: Path) -> Table:
    if not path.exists():
        raise DataError(f"{path}: no such file or folder; give the path of a table")
    if path.is_dir():
        return _class_folders(path)
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise DataError(f"{path}: '{path.suffix}' is no kind of table known here; give {KNOWN}")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: is empty; give a table with a header and rows")
    openers = {"CSV": _csv, "Parquet": _parquet, "JSON Lines": _json_lines, "Excel": _excel}
    return _npz(path) if kind == "npz" else openers[kind](path)


def _unreadable(path: Path, error: Exception) -> DataError:
    kind = SUFFIXES.get(path.suffix.lower(), "table")
    reason = (str(error).strip().splitlines() or ["it is damaged"])[0]
    return DataError(f"{path}: cannot be read as {kind}: {one_line(reason)}")


def _sampled(lazy: pl.LazyFrame, rows: int) -> pl.DataFrame:
    """At most about `SAMPLE` rows, evenly over the table and in step with no period of it."""
    numbered = lazy.with_row_index(ROW)
    most = max(SAMPLE // 10, min(SAMPLE, CELLS // len(lazy.collect_schema())))
    if rows > most:
        # Multiples of the golden ratio fall evenly between 0 and 1, whatever follows them.
        place = (pl.col(ROW).cast(pl.UInt64) * 2_654_435_769) % (1 << 32)
        numbered = numbered.filter(place < int((1 << 32) * (most / rows)))
    return numbered.collect(engine="streaming")


def _table(path: Path, kind: str, lazy: pl.LazyFrame, **more: Any) -> Table:
    rows: int = lazy.select(pl.len()).collect(engine="streaming").item()
    names = lazy.collect_schema().names()
    return Table(path, kind, rows, names, lazy, _sampled(lazy, rows), **more)


# CSV


def _csv(path: Path) -> Table:
    scratch: tempfile.TemporaryDirectory[str] | None = None
    encoding = _encoding(path)
    source = path
    if encoding != "utf-8":
        scratch = tempfile.TemporaryDirectory(prefix="keras-scaffold-")
        source = Path(scratch.name, f"utf8{path.suffix}")
        encoding = _transcode(path, encoding, source)
    delimiter = _stated_delimiter(source) or _delimiter(source)
    skipped, notes = _lines_to_skip(source, delimiter, path)
    if skipped:
        scratch = scratch or tempfile.TemporaryDirectory(prefix="keras-scaffold-")
        source = _without_lines(source, skipped, Path(scratch.name, f"below{path.suffix}"))
    header = _header(source, delimiter)
    written = complete_table({"delimiter": delimiter, "skip_rows": skipped, "encoding": encoding})
    named_rows, table = _has_named_rows(source, delimiter, header), None
    if not named_rows:
        with contextlib.suppress(pl.exceptions.PolarsError):
            lazy = _scan_csv(source, delimiter, header)
            table = _table(path, "CSV", lazy, written=written, scratch=scratch)
    if table is None:
        # Stray quotes, names of rows, or rows of other lengths: Python's reader takes two and names the other.
        scratch = scratch or tempfile.TemporaryDirectory(prefix="keras-scaffold-")
        clean = Path(scratch.name, "clean.csv")
        _rewrite(source, delimiter, clean, path, named_rows)
        table = _table(path, "CSV", _scan_csv(clean, ",", header), written=written, scratch=scratch)
    table.notes += notes
    if _looks_like_data(header, table.sample):
        table.notes.append(
            f"the first line ({', '.join(header[:4])} ...) looks like data and is taken for the"
            " header; if it is data, put a line with names above it"
        )
    return table


def _scan_csv(source: Path, delimiter: str, header: list[str]) -> pl.LazyFrame:
    def names(_: list[str]) -> list[str]:
        return header

    return pl.scan_csv(source, separator=delimiter, infer_schema=False, with_column_names=names)


def _encoding(path: Path) -> str:
    """The encoding of a text file, by its mark, by trying UTF-8, or by the look of its bytes."""
    with path.open("rb") as file:
        head = file.read(4096)
        if head.startswith(codecs.BOM_UTF8):
            return "utf-8"
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if b"\0" in head:
            raise DataError(f"{path}: is no text file; give {KNOWN}")
        file.seek(0)
        strange = _not_utf8(file)
    if strange is None:
        return "utf-8"
    if b"\0" in strange:
        raise DataError(f"{path}: is no text file; give {KNOWN}")
    return _guessed(strange)


def _not_utf8(file: BinaryIO) -> bytes | None:
    """The first block that is not UTF-8; None where all is."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    while block := file.read(BLOCK):
        try:
            decoder.decode(block)
        except UnicodeDecodeError:
            return block
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return block
    return None


def _guessed(block: bytes) -> str:
    """An encoding of some bytes that are not UTF-8."""
    from charset_normalizer import from_bytes

    # A space between thousands says nothing of the letters.
    lines = block.replace(b"\xa0", b" ").splitlines()
    strange = b"\n".join(line for line in lines if not line.isascii())[:20_000]
    best = from_bytes(strange).best() if len(strange) > 40 else None
    name = best.encoding if best is not None else "cp1252"
    # Western bytes read as some rarer page with the same letters; name the usual one.
    western = {"latin_1", "iso8859_15", "cp1250", "cp1254", "cp1257", "cp850", "cp437"}
    western |= {"mac_roman", "mac_iceland", "mac_turkish", "hp_roman8"}
    return "cp1252" if name in western else name


def _transcode(path: Path, encoding: str, target: Path) -> str:
    """Copy a text file into UTF-8; the encoding that reads all of it, which a project needs too."""
    reader = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as source, target.open("w", encoding="utf-8", newline="") as out:
            while block := source.read(BLOCK):
                out.write(reader.decode(block))
            out.write(reader.decode(b"", final=True))
    except UnicodeDecodeError:
        return _transcode(path, "latin-1", target)  # it has a character for every byte
    return encoding


def _head(source: Path, size: int = 1 << 18) -> str:
    with source.open("rb") as file:
        return codecs.getincrementaldecoder("utf-8-sig")(errors="replace").decode(file.read(size))


def _delimiter(source: Path) -> str:
    """The delimiter with which the first records have most cells, and equally many."""
    if source.suffix.lower() in (".tsv",):
        return "\t"
    head = _head(source)
    best, found = 0.0, ","
    for delimiter in DELIMITERS:
        lengths = Counter(len(record) for record in _records(head, delimiter) if record)
        width, times = max(lengths.items(), key=lambda pair: (pair[1], pair[0]), default=(1, 1))
        score = times / max(1, lengths.total()) * (1 + width / 1000)
        if width > 1 and score > best + 1e-9:
            best, found = score, delimiter
    return found


def _records(text: str, delimiter: str, most: int = 50) -> list[list[str]]:
    records = []
    try:
        for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            records.append(record)
            if len(records) == most:
                return records
    except csv.Error:
        pass
    return records[:-1] if len(records) > 2 else records  # the last may be cut


def _stated_delimiter(source: Path) -> str:
    """The delimiter that a first line for Excel states, such as sep=; or an empty text without one."""
    first = re.match(r'"?sep=([,;|\t])"?\r?\n', _head(source, 20), re.IGNORECASE)
    return first[1] if first else ""


def _lines_to_skip(source: Path, delimiter: str, path: Path) -> tuple[int, list[str]]:
    """How many lines are above the header, and a note of them; DataError for columns without delimiter."""
    if _stated_delimiter(source):
        return 1, []
    head = _head(source)
    lines = [line for line in head.splitlines()[:50] if line.strip()]
    if not lines:
        return 0, []
    if not any(mark in lines[0] for mark in DELIMITERS) and _is_aligned(lines):
        raise DataError(
            f"{path}: the columns are aligned with spaces; write a delimiter between them, as"
            " pandas.read_fwf and to_csv do"
        )
    above = _lines_above([record for record in _records(head, delimiter) if any(record)])
    if not above:
        return 0, []
    skipped = filled = 0
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    for record in reader:
        filled += any(record)
        if filled > len(above):
            break
        skipped = reader.line_num
    example = one_line(delimiter.join(above[0]).strip(delimiter))
    lines_skipped = f"{skipped} line{'s' if skipped > 1 else ''}"
    return skipped, [f"{lines_skipped} above the header skipped, such as '{example}'"]


def _without_lines(source: Path, count: int, target: Path) -> Path:
    """Copy a text file in UTF-8 without its first lines."""
    with (
        source.open(encoding="utf-8-sig", newline="") as file,
        target.open("w", encoding="utf-8", newline="") as out,
    ):
        for _ in range(count):
            file.readline()
        shutil.copyfileobj(file, out)
    return target


def _is_aligned(lines: Sequence[str]) -> bool:
    """Whether spaces make columns of lines: equally many words in each, or parts between wide gaps."""
    for gap in (r"\s+", r"\s{2,}"):
        widths = [len(re.split(gap, line.strip())) for line in lines]
        if widths[0] > 1 and widths.count(widths[0]) >= 0.9 * len(lines):
            return True
    return False


def _lines_above(records: Sequence[list[str]]) -> Sequence[list[str]]:
    """The records before the header: of few cells, where those from the header on have more."""
    widths = Counter(map(len, records))
    width, times = max(widths.items(), key=lambda pair: pair[1], default=(1, 0))
    if times < 0.5 * len(records):
        return ()
    for place, record in enumerate(records):
        filled = sum(bool(cell.strip()) for cell in record)
        if len(record) == width and filled == width and not any(map(_is_number, record)):
            return records[:place]
        if filled > width / 2:
            return ()
    return ()


def _header(source: Path, delimiter: str) -> list[str]:
    first = next((record for record in _records(_head(source), delimiter) if record), [])
    if not any(name.strip() for name in first):
        raise DataError(f"{source.name}: its first line has no names; give the table a header")
    return _named(first)


def _named(first: Sequence[str]) -> list[str]:
    """The names of the columns, as pandas (and so the project) will call them."""
    names: list[str] = []
    for place, name in enumerate(first):
        free = name = name or f"Unnamed: {place}"
        number = 0
        while free in names:
            number += 1
            free = f"{name}.{number}"
        names.append(free)
    return names


def _looks_like_data(header: Sequence[str], sample: pl.DataFrame) -> bool:
    numbers = [_is_number(name.split(".")[0]) or _is_number(name) for name in header]
    return len(header) > 1 and sum(numbers) > len(header) / 2 and sample.height > 1


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _has_named_rows(source: Path, delimiter: str, header: list[str]) -> bool:
    """Whether each row has a name before its cells, as R's write.table writes; pandas drops it too."""
    rows = [record for record in _records(_head(source), delimiter) if record][1:]
    names = {record[0] for record in rows}
    longer = all(len(record) == len(header) + 1 for record in rows)
    return bool(rows) and longer and len(names) == len(rows) and any(r[-1] for r in rows)


def _rewrite(source: Path, delimiter: str, target: Path, path: Path, named_rows: bool) -> None:
    """Rewrite a CSV in the plainest way, without names of rows; DataError for a row with too many cells."""
    csv.field_size_limit(1 << 24)
    with (
        source.open(encoding="utf-8-sig", newline="") as file,
        target.open("w", encoding="utf-8", newline="") as out,
    ):
        writer = csv.writer(out, quoting=csv.QUOTE_ALL)
        reader = csv.reader(file, delimiter=delimiter)
        width = 0
        try:
            for record in reader:
                record = record[1:] if named_rows and width else record
                width = width or len(record)
                if len(record) > width:
                    raise DataError(
                        f"{path}: line {reader.line_num} has {len(record)} cells, the header"
                        f" {width}; fix the line, or quote the cell with the delimiter in it"
                    )
                if record:
                    writer.writerow(record + [""] * (width - len(record)))
        except csv.Error as error:
            line = reader.line_num
            raise DataError(f"{path}: line {line} cannot be read as CSV: {error}") from None


# Files with types of their own


def _native(kind: pl.DataType) -> str:
    if kind.is_numeric():
        return "number"
    if kind == pl.Boolean:
        return "boolean"
    if kind.is_temporal():
        return "date"
    return "string" if kind in (pl.String, pl.Categorical, pl.Enum, pl.Null) else "other"


def _as_strings(lazy: pl.LazyFrame) -> tuple[pl.LazyFrame, dict[str, str]]:
    schema = lazy.collect_schema()
    native = {name: _native(kind) for name, kind in schema.items()}
    cells = [
        pl.when(pl.col(name).is_null()).then(None).otherwise(pl.lit("...")).alias(name)
        if native[name] == "other"
        else pl.col(name).cast(pl.String)
        for name in schema
    ]
    return lazy.select(cells), native


def _parquet(path: Path) -> Table:
    with path.open("rb") as file:
        if file.read(4) != b"PAR1":
            raise DataError(f"{path}: is no Parquet file; give {KNOWN}")
    lazy, native = _as_strings(pl.scan_parquet(path))
    return _table(path, "Parquet", lazy, native=native)


def _json_lines(path: Path) -> Table:
    """A line is an object; its values become strings, nested ones the JSON that they are."""
    names: dict[str, None] = {}
    kinds: dict[str, set[str]] = {}
    for number, line in _some_lines(path):
        try:
            entry = json.loads(line)
        except ValueError as error:
            reason = "it is not UTF-8 text" if isinstance(error, UnicodeError) else error
            raise DataError(f"{path}: line {number} is no JSON: {reason}") from None
        if not isinstance(entry, dict):
            raise DataError(f"{path}: line {number} is no JSON object; write one per line")
        for name, value in entry.items():
            names[name] = None
            if value is not None:
                kinds.setdefault(name, set()).add(_json_kind(value))
    # Parsing is most of the work: do it once.
    scratch = tempfile.TemporaryDirectory(prefix="keras-scaffold-")
    once = Path(scratch.name, "table.arrow")
    pl.scan_ndjson(path, schema=dict.fromkeys(names, pl.String)).sink_ipc(once)
    lazy = pl.scan_ipc(once)
    native = {name: kinds.get(name, set()) for name in names}
    one_kind = {
        name: next(iter(kind)) if len(kind) == 1 else "string" for name, kind in native.items()
    }
    return _table(path, "JSON Lines", lazy, native=one_kind, scratch=scratch)


def _json_kind(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else "other"


def _some_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers: the first thousand, then every hundredth."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if (number <= 1000 or number % 100 == 0) and line.strip():
                yield number, line.removeprefix(codecs.BOM_UTF8)


def _excel(path: Path) -> Table:
    import importlib.util

    if importlib.util.find_spec("fastexcel") is None:
        raise DataError(f"{path}: Excel files need a library: pip install fastexcel")
    try:
        frame = pl.read_excel(path, infer_schema_length=0, has_header=False).cast(pl.String)
    except Exception as error:  # the library's own, whatever it is
        raise _unreadable(path, error) from None
    if not frame.height:
        raise DataError(f"{path}: its first sheet is empty; give a table with a header and rows")
    frame.columns = _named([name or "" for name in frame.row(0)])
    return _table(path, "Excel", frame.slice(1).lazy())


# Arrays


def _npz(path: Path) -> Table:
    import numpy as np

    arrays: dict[str, Array] = {}
    flat: dict[str, pl.Series] = {}
    native: dict[str, str] = {}
    counts: dict[str, int] = {}
    try:
        with zipfile.ZipFile(path) as file:
            for entry in file.namelist():
                name = entry.removesuffix(".npy")
                with file.open(entry) as stream:
                    shape, dtype = npy_header(stream)
                if not shape:
                    continue
                counts[name] = shape[0]
                arrays[name] = Array(shape[1:], dtype.kind, str(dtype))
        with np.load(path, allow_pickle=False) as loaded:
            for name, array in arrays.items():
                if array.shape in ((), (1,)) and array.kind in "biufUS":
                    values = loaded[name].reshape(-1)
                    text = values.astype(str) if array.kind in "US" else values
                    flat[name] = pl.Series(name, text.tolist()).cast(pl.String)
                    native[name] = {"b": "boolean", "U": "string", "S": "string"}.get(
                        array.kind, "number"
                    )
    except (zipfile.BadZipFile, ValueError, KeyError, EOFError, NotImplementedError, zlib_error()):
        raise DataError(f"{path}: cannot be read as arrays; np.savez writes such a file") from None
    if not arrays:
        raise DataError(f"{path}: has no arrays with rows; np.savez writes such a file")
    if len(set(counts.values())) > 1:
        few, many = (pick(counts, key=lambda name: counts[name]) for pick in (min, max))
        raise DataError(
            f"{path}: {few} has {counts[few]} rows, {many} {counts[many]};"
            " give every array the same number of rows"
        )
    rows = next(iter(counts.values()))
    blank = pl.repeat(None, rows, dtype=pl.String, eager=True)
    frame = pl.DataFrame([flat.get(name, blank.alias(name)) for name in arrays])
    lazy = frame.lazy()
    return Table(
        path, "npz", rows, list(arrays), lazy, _sampled(lazy, rows), native=native, arrays=arrays
    )


def zlib_error() -> type[Exception]:
    """What a damaged archive raises beyond zipfile's own errors."""
    import zlib

    return zlib.error


def npy_header(stream: Any) -> tuple[tuple[int, ...], Any]:
    """Shape and dtype of a .npy, of which only the header is read."""
    from numpy.lib import format as npy

    version = npy.read_magic(stream)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(stream)
    if dtype.hasobject:
        raise ValueError("it holds Python objects")
    return shape, dtype


# Folders


def _class_folders(folder: Path) -> Table:
    """A folder with a folder of files per class, as a table of paths with a label each.

    Folders of splits may be between: train/cat/1.png.
    """
    places = [place for place in folder.iterdir() if place.is_dir() and place.name[0] != "."]
    of_splits = bool(places) and all(place.name.lower() in SPLIT_FOLDERS for place in places)
    files = sorted(file for at in places for file in at.glob("[!.]*/*" if of_splits else "*"))
    found = [file for file in files if file.suffix.lower() in PICTURES + SERIES]
    if not found or (of_splits and (folder / MANIFEST).exists()):
        raise _no_classes(folder)
    pictures = sum(file.suffix.lower() in PICTURES for file in found)
    kinds, name = (PICTURES, "image") if pictures > len(found) / 2 else (SERIES, "series")
    kept = [file.relative_to(folder) for file in found if file.suffix.lower() in kinds]
    columns = {name: [p.as_posix() for p in kept], "label": [p.parent.name for p in kept]}
    if of_splits:
        columns["split"] = [SPLIT_FOLDERS[path.parts[0].lower()] for path in kept]
    kind = OF_SPLITS if of_splits else "folder per class"
    return _table(folder, kind, pl.DataFrame(columns).lazy())


def write_manifest(table: Table) -> Path:
    """Write the table of a folder into the folder; DataError where it has one already."""
    path, text = table.path / MANIFEST, table.lazy.collect().write_csv()
    try:
        with path.open("x", encoding="utf-8") as file:
            try:
                file.write(text)
                file.flush()
            except BaseException:  # also Ctrl-C
                path.unlink()
                raise
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror or error}") from None
    return path


def _no_classes(folder: Path) -> DataError:
    inside = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if inside:
        return DataError(
            f"{folder}: is a folder; give the table in it, such as {folder / inside[0]}"
        )
    deeper = next((file.parent.parent for file in _pictures(folder.glob("*/*/*"))), None)
    if deeper is not None:
        return DataError(
            f"{folder}: the classes' folders lie one deeper; give one such as {deeper}"
        )
    return DataError(
        f"{folder}: has no folders with pictures ({', '.join(PICTURES)}); give a table, or a folder"
        " with a folder per class"
    )


def _pictures(paths: Iterable[Path]) -> Iterator[Path]:
    return (path for path in paths if path.suffix.lower() in PICTURES)


def quiet_pictures() -> warnings.catch_warnings[Any]:
    """A context in which Pillow's warnings of oversized pictures are errors."""
    return warnings.catch_warnings(action="error")
