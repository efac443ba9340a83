"""Running `scaffold` in this process and in one of its own; specs and files to run it on."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from keras_scaffold import cli
from keras_scaffold.catalog import Field, load_catalog
from keras_scaffold.spec import SpecError, complete_merge

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

NUMBERS_AND_PICTURE = {
    "project_name": "Numbers And Picture",
    "inputs": [{"name": "numbers", "type": "numeric"}, {"name": "picture", "type": "image"}],
    "outputs": [{"name": "label", "task": "binary"}],
}


@contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    """Let nobody write into a folder: for root, who may write everywhere, it is mounted read-only."""
    if os.geteuid():
        folder.chmod(0o555)
        try:
            yield
        finally:
            folder.chmod(0o755)
        return
    if subprocess.run(["mount", "--bind", folder, folder]).returncode:
        pytest.skip("root, and nothing can be mounted here")
    subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@dataclass
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str


def run_scaffold(*arguments: str, cwd: Path) -> Done:
    """Run the command line in this process, without a terminal."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with chdir(cwd), redirect_stdout(out), redirect_stderr(err):
        stdin, sys.stdin = sys.stdin, io.StringIO()
        try:
            code = cli.run(arguments)
        finally:
            sys.stdin = stdin
    texts = []
    for stream in (out, err):
        stream.seek(0)
        texts.append(stream.read())
    return Done(code, *texts)


def scaffold_process(
    *arguments: str, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the installed command."""
    return subprocess.run(
        [BIN / "scaffold", *arguments],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, but for its git repository."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }


def assert_one_error(done: Done, code: int, *words: str) -> None:
    """The command failed with this code, and one line on stderr that has these words."""
    assert done.code == code, done
    assert done.err.startswith("error: "), done
    assert done.err.count("\n") == 1, done
    assert done.out == ""
    for word in words:
        assert word in done.err, done.err


def png(width: int, height: int, color: bool = True) -> bytes:
    """A PNG file of a size, with hardly any pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2 if color else 0, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


# Specs that hypothesis draws from the catalog


def names() -> st.SearchStrategy[str]:
    """Names, among them some that code could mistake for its own."""
    common = ["layers", "inputs", "model", "x", "np", "keras", "data", "self", "print", "a" * 32]
    return st.sampled_from(common) | st.from_regex(r"[b-h][a-z0-9_]{0,6}", fullmatch=True)


def field_values(field: Field) -> st.SearchStrategy[Any]:
    """Values that a field takes."""
    if field.kind == "shape":
        sizes = zip(field.least, field.most, strict=True)
        return st.tuples(*(st.integers(least, min(most, least + 60)) for least, most in sizes)).map(
            list
        )
    if field.kind == "integers":
        sizes = st.integers(field.least, min(field.most, 64))
        return st.lists(sizes, min_size=0 if field.empty else 1, max_size=min(field.count, 4))
    if field.kind == "integer":
        return st.integers(field.least, min(field.most, field.least + 60))
    if field.kind == "number":  # with the digits that a person writes: 17 of them make a long line
        return st.floats(field.least, field.most).map(lambda value: round(value, 6))
    if field.kind == "flag":
        return st.booleans()
    if field.kind == "choice":
        return st.sampled_from(field.choices)
    if field.kind == "date_format":
        return st.sampled_from(["", "%d.%m.%Y", "%m/%d/%y %H:%M", *field.choices])
    if field.kind == "character":
        return st.sampled_from([*";|\t,.' ", *([""] if field.empty else [])])
    if field.kind == "encoding":
        return st.sampled_from(["utf-8", "cp1252", "utf-16"])
    if field.kind == "codes":
        codes = st.integers(-999, -1) | st.floats(-9, 9) | st.sampled_from(["k. A.", "unknown"])
        return st.dictionaries(columns(), st.lists(codes, min_size=1, max_size=3), max_size=2)
    if field.kind in ("classes", "names"):
        words = st.text("abcXYZ 0-9äß_:,'\"{}é", min_size=1, max_size=12).filter(
            lambda word: word == word.strip()
        )
        names = st.lists(words | st.integers(-9, 9), min_size=2, max_size=5, unique_by=str)
        if field.kind == "names":
            return names
        return st.integers(field.least, min(field.most, field.least + 60)) | names
    if field.kind == "preset":
        return st.sampled_from([field.default, "weights/minilm", 'C:\\mine\\"a" b'])
    if field.kind == "levels":
        levels = st.lists(st.integers(1, 99), max_size=5).map(lambda some: {*some, 2, 50, 98})
        return levels.map(lambda some: [level / 100 for level in sorted(some)])
    if field.kind == "input":  # of those that a spec has; see `specs`
        return st.just("")
    if field.kind == "columns":
        return st.lists(columns(), min_size=1, max_size=6, unique=True)
    return columns() | st.just("") if field.empty else columns()


def columns() -> st.SearchStrategy[str]:
    """Names of manifest columns."""
    return st.text("abcXYZ äß_-:#'\"{}é", min_size=1, max_size=12)


@st.composite
def inputs(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """An input of a name, with some of its fields."""
    kind = draw(st.sampled_from(list(load_catalog().inputs.values())))
    encoder = draw(st.sampled_from(list(kind.encoders)))
    entry: dict[str, Any] = {"name": name, "type": kind.name}
    if encoder != kind.default_encoder.name or draw(st.booleans()):
        entry["encoder"] = encoder
    for field in kind.fields_with(encoder).values():
        if draw(st.booleans()):
            entry[field.name] = draw(field_values(field))
    if "columns" in entry:
        entry["shape"] = [len(entry["columns"])]
    return entry


@st.composite
def alike(draw: st.DrawFn, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The inputs, some of them in other words: like another one, perhaps a later one."""
    others = draw(st.lists(st.sampled_from(given), max_size=2, unique_by=id)) if given[1:] else []
    owners = [entry for entry in given if not any(entry is other for other in others)]
    if not owners:
        return given
    done = []
    for entry in given:
        if any(entry is other for other in others):
            owner = draw(st.sampled_from(owners))
            entry = {"name": entry["name"], "like": owner["name"]}
            own = load_catalog().inputs[owner["type"]].own_fields
            if "column" in own and draw(st.booleans()):
                entry["column"] = draw(columns())
            if draw(st.booleans()):
                entry["type"] = owner["type"]
        done.append(entry)
    return done


@st.composite
def outputs(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """An output of a name, with some of its fields."""
    task = draw(st.sampled_from(list(load_catalog().outputs.values())))
    entry: dict[str, Any] = {"name": name, "task": task.name}
    for field in task.fields.values():
        if field.required or draw(st.booleans()):
            entry[field.name] = draw(field_values(field))
    return entry


@st.composite
def merges(draw: st.DrawFn, operands: list[str], depth: int = 3) -> dict[str, Any]:
    """A tree in which each operand occurs."""
    rest: list[Any] = list(operands)
    if depth and len(rest) > 2 and draw(st.booleans()):
        cut = draw(st.integers(1, len(rest) - 1))
        rest = [draw(merges(rest[:cut], depth - 1)), *rest[cut:]]
    methods = [
        method
        for method in load_catalog().merges.values()
        if method.least <= len(rest) <= (method.most or len(rest))
    ]
    method = draw(st.sampled_from(methods))
    fields = {
        field.name: draw(st.integers(1, 64) if field.name == "width" else field_values(field))
        for field in method.fields.values()
        if draw(st.booleans())
    }
    with suppress(SpecError):  # conditions over several fields
        complete_merge({"method": method.name, "of": ["a"] * len(rest), **fields}, ["a"])
        return {"method": method.name, "of": rest, **fields}
    return {"method": method.name, "of": rest}


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """Specs, most of which are valid: conditions over several fields are left to `validate`."""
    taken = draw(st.lists(names(), min_size=2, max_size=6, unique=True))
    cut = draw(st.integers(1, len(taken) - 1))
    spec: dict[str, Any] = {
        "project_name": draw(st.text("aZ0 äß'\"{}&<>日", min_size=1, max_size=20)),
        "inputs": draw(alike([draw(inputs(name)) for name in taken[:cut]])),
        "outputs": [draw(outputs(name)) for name in taken[cut:]],
    }
    if draw(st.booleans()):
        spec["merge"] = draw(merges(taken[:cut]))
    if draw(st.booleans()):
        fields = {name: field_values(field) for name, field in load_catalog().table.items()}
        spec["table"] = draw(st.fixed_dictionaries({}, optional=fields))
        read = [it.get("columns", [it.get("column", it["name"])])[0] for it in spec["outputs"]]
        if codes := spec["table"].get("missing", {}).values():
            spec["table"]["missing"] = dict(zip(read, codes, strict=False))
    if draw(st.booleans()):
        features = st.sampled_from(list(load_catalog().features))
        spec["features"] = draw(st.lists(features, unique=True))
    return spec
