"""What people do to a project's files, and whether all of it is still there and in its place.

Every line that a person changes or puts in carries a mark of its own. Without the marks a file must
be what the template renders for the project's spec, line by line: nothing lost, nothing moved,
nothing that somebody else did is undone.
"""

from __future__ import annotations

import ast
import contextlib
import random
import re
import subprocess
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

MARK = re.compile(r"kept_\d+_")
WIDTH = 88  # of lines that a mark is put behind; with it they still stand in 100 columns
Files = dict[str, str]
Same = Callable[[str], str]  # what a rename makes equal


@dataclass
class Mark:
    """A line of a person's: where it stands."""

    name: str
    path: str
    line: str
    scope: str
    before: str
    after: str


@dataclass
class Person:
    """Somebody who edits a project, and remembers what."""

    folder: Path
    random: random.Random
    marks: dict[str, Mark] = field(default_factory=dict)
    deleted: list[tuple[str, str, str]] = field(default_factory=list)  # path, scope, line
    number: int = 0

    def name(self) -> str:
        """A mark that nobody else has."""
        self.number += 1
        return f"kept_{self.number}_"

    def files(self) -> Files:
        """The files that people edit."""
        return texts(self.folder)

    # Edits

    def edit(self, kinds: str = "") -> str:
        """Edit something somewhere; the path."""
        edits = {
            "line": self._change_a_line,
            "comment": self._put_a_comment,
            "statement": self._put_statements,
            "delete": self._delete_a_line,
            "function": self._put_a_function,
            "file": self._put_a_file,
            "words": self._change_words,
        }
        chances = kinds.split() or [*["line", "comment", "statement", "delete"] * 3, *edits]
        while True:
            path = edits[self.random.choice(chances)]()
            if path:
                self.remember()
                return path

    def edit_in(self, path: str, scope: str, kind: str) -> bool:
        """Edit a given function; whether there was a place for it."""
        for _ in range(200):
            here = self.random.getstate()
            if self.edit_at(path, kind, lambda place, at: at == scope):
                self.remember()
                return True
            self.random.setstate(here)
            self.random.random()
        return False

    def edit_at(self, path: str, kind: str, fits: Callable[[int, str], bool]) -> bool:
        """Edit a file at one of the places that fit (a number of a line and its scope)."""
        text = self.files()[path]
        lines = text.splitlines()
        at = scopes(path, text)
        wanted = {
            "line": _lines_to_mark,
            "comment": _gaps_for_comments,
            "statement": _gaps_for_statements,
            "delete": _lines_to_delete,
        }[kind](text)
        places = [place for place in wanted if fits(place, at[min(place, len(at) - 1)])]
        if not places:
            return False
        place = self.random.choice(places)
        if kind == "line":
            space = " " if "#" in lines[place] else "  # "
            lines[place] += f"{space}{self.name()}"
        elif kind == "delete":
            self.deleted.append((path, at[place], lines.pop(place)))
        else:
            indent = re.match(r" *", lines[place])[0]
            words = "# {}" if kind == "comment" else 'print("{}")'
            count = self.random.choice([1, 1, 2, 4])
            lines[place:place] = [indent + words.format(self.name()) for _ in range(count)]
        self.write(path, lines)
        return True

    def _python(self) -> str:
        paths = [path for path in self.files() if path.endswith(".py")]
        # Most of the changes of a spec meet these.
        known = [path for path in paths if path.endswith(("model.py", "data.py", "sample.py"))]
        return self.random.choice([*paths, *known, *known])

    def _change_a_line(self) -> str:
        return self._anywhere("line")

    def _put_a_comment(self) -> str:
        return self._anywhere("comment")

    def _put_statements(self) -> str:
        return self._anywhere("statement")

    def _delete_a_line(self) -> str:
        return self._anywhere("delete")

    def _anywhere(self, kind: str) -> str:
        path = self._python()
        return path if self.edit_at(path, kind, lambda place, scope: True) else ""

    def _put_a_function(self) -> str:
        path = self._python()
        name = self.name()
        text = (self.folder / path).read_text(encoding="utf-8")
        text += f'\n\ndef {name}() -> None:\n    """Say {self.name()}."""\n'
        (self.folder / path).write_text(text, encoding="utf-8")
        return path

    def _put_a_file(self) -> str:
        folder = self.random.choice(sorted({str(Path(path).parent) for path in self.files()}))
        path = str(Path(folder, f"{self.name()}.py"))
        (self.folder / path).write_text(f'"""Say {self.name()}."""\n', encoding="utf-8")
        return path

    def _change_words(self) -> str:
        path = self.random.choice(["README.md", "pyproject.toml"])
        lines = self.files()[path].splitlines()
        places = [place for place, line in enumerate(lines) if line and line[0] not in "`|[#-]"]
        place = self.random.choice(places)
        if path.endswith(".toml"):
            lines[place:place] = [f"# {self.name()}"]
        else:
            lines[place] += f" {self.name()}"
        self.write(path, lines)
        return path

    def write(self, path: str, lines: list[str]) -> None:
        """Write a file's lines."""
        (self.folder / path).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    # Looking after them

    def remember(self) -> None:
        """Learn where the marks stand now."""
        self.marks = marks(self.files())

    def look(
        self, rendered: Files, same: Same = str, conflicts: frozenset[str] = frozenset()
    ) -> list[str]:
        """What is wrong with the project, whose spec renders as these files.

        `same` makes names equal that were renamed; in files with conflicts the person's side counts.
        """
        problems: list[str] = []
        now = {path: mine(text) for path, text in self.files().items()}
        found = marks(now)
        for name, mark in self.marks.items():
            here = [(path, text.count(name)) for path, text in now.items() if name in text]
            if not here:
                problems.append(f"lost: {name} of {mark.path}, {mark.scope}: {mark.line}")
                continue
            if sum(count for _, count in here) > 1:
                problems.append(f"doubled: {name} in {here}")
            if mark.path not in conflicts:
                problems += _compare(mark, found[name], rendered, same)
        for path in sorted({*now, *rendered} - conflicts):
            problems += self._differences(path, now, rendered, same)
        return problems

    def _differences(self, path: str, now: Files, rendered: Files, same: Same) -> list[str]:
        """Where a file without the marks is not as rendered."""
        if path not in now:
            return [f"gone: {path}"]
        if path not in rendered:
            return [] if MARK.search(now[path]) else [f"nobody's: {path}"]
        gone = [same(line) for place, _, line in self.deleted if same(place) == same(path)]
        left = list(unmarked(now[path]))
        wanted = rendered[path].splitlines()
        problems = []
        for line in wanted:
            if left and left[0] == line:
                left.pop(0)
            elif same(line) in gone:
                gone.remove(same(line))
            else:
                return [f"not as rendered: {path}: {line!r} is {left[:1]}"]
        if left and any(left):
            problems.append(f"too much: {path}: {left}")
        return problems


def _compare(old: Mark, new: Mark, rendered: Files, same: Same) -> list[str]:
    """Whether a marked line still stands where it stood."""
    told = f"{old.name} of {old.path}, {old.scope or 'top'}: {old.line!r}"
    if same(new.path) != same(old.path):
        return [f"moved: {told} to {new.path}"]
    if same(new.line) != same(old.line):
        return [f"changed: {told} is {new.line!r}"]
    if same(new.scope) != same(old.scope):
        return [f"moved: {told} to {new.scope or 'top'}"]
    if same(new.before) == same(old.before) or same(new.after) == same(old.after):
        return []
    there = {same(line.strip()) for line in rendered.get(new.path, "").splitlines()}
    if {same(old.before.strip()), same(old.after.strip())} & there - {"", ")", "]", "}"}:
        return [f"moved: {told} from {old.before!r} to {new.before!r}"]
    return []


# Files


def texts(folder: Path) -> Files:
    """The text files of a project that git knows or would."""
    told = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=folder,
        check=True,
        capture_output=True,
    ).stdout.decode()
    paths = sorted({path for path in told.split("\0") if path and (folder / path).is_file()})
    wanted = (".py", ".md", ".toml")
    return {path: (folder / path).read_bytes().decode() for path in paths if path.endswith(wanted)}


def mine(text: str) -> str:
    """The person's side of a file with conflicts."""
    lines, side = [], "ours"
    for line in text.splitlines(keepends=True):
        if line.startswith("<<<<<<< "):
            side = "ours of two"
        elif line.startswith("=======") and side == "ours of two" and line.strip() == "=======":
            side = "theirs"
        elif line.startswith(">>>>>>> ") and side == "theirs":
            side = "ours"
        elif side != "theirs":
            lines.append(line)
    return "".join(lines)


def marks(files: Mapping[str, str]) -> dict[str, Mark]:
    """All the marked lines."""
    found = {}
    for path, text in files.items():
        if not MARK.search(text):
            continue
        lines = ["", *text.splitlines(), ""]
        at = scopes(path, text)
        for place, line in enumerate(lines):
            for name in MARK.findall(line):
                scope = at[place - 1]
                found[name] = Mark(name, path, line, scope, lines[place - 1], lines[place + 1])
    return found


def unmarked(text: str) -> list[str]:
    """A file's lines as they were before a person edited them."""
    kept = []
    text = re.sub(r"\n\n\ndef kept_\d+_\(.*\n    .*kept_\d+_.*", "", text)
    for line in text.splitlines():
        if not MARK.search(line):
            kept.append(line)
        elif not re.fullmatch(
            r"\s*(# kept_\d+_|print\(\"kept_\d+_\"\))(  # kept_\d+_)*( kept_\d+_)*", line
        ):
            kept.append(re.sub(r"((  #)? kept_\d+_)+$", "", line))
    return kept


def scopes(path: str, text: str) -> list[str]:
    """For each line the function, the variable, the table or the heading that it belongs to."""
    lines = text.splitlines()
    at = [""] * (len(lines) + 1)
    if path.endswith(".py"):
        with contextlib.suppress(SyntaxError):
            _name_scopes(ast.parse(text), "", at)
        return at
    sign = "#" if path.endswith(".md") else "["
    scope = ""
    for place, line in enumerate(lines):
        if line.startswith(sign) and not MARK.search(line):
            scope = line
        at[place] = scope
    return at


def _name_scopes(node: ast.AST, outer: str, at: list[str]) -> None:
    for child in ast.iter_child_nodes(node):
        scope = outer
        if isinstance(child, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            scope = f"{outer}.{child.name}"
        elif isinstance(child, ast.Assign) and not outer:
            scope = ast.unparse(child.targets[0])
        if scope != outer:
            first = min([child.lineno, *(it.lineno for it in getattr(child, "decorator_list", []))])
            for place in range(first - 1, child.end_lineno):
                at[place] = scope
        _name_scopes(child, scope, at)


# Places in Python


def _inside_strings(tree: ast.AST) -> set[int]:
    """The lines (from 0) that end within a string."""
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.Constant) and isinstance(node.value, str)
        ):
            inside.update(range(node.lineno - 1, node.end_lineno - 1))
    return inside


def _lines_to_mark(text: str) -> list[int]:
    inside = _inside_strings(ast.parse(text))
    return [
        place
        for place, line in enumerate(text.splitlines())
        if line.strip()
        and place not in inside
        and len(line) <= WIDTH
        and line[-1] not in "\\"
        and "noqa" not in line
        and "type:" not in line
    ]


def _gaps_for_comments(text: str) -> list[int]:
    inside, lines = _inside_strings(ast.parse(text)), text.splitlines()
    return [
        place
        for place, line in enumerate(lines)
        if place - 1 not in inside
        and re.match(r" +[\w\"@#]", line)
        and not re.match(r" +(else|elif|except|finally)\b", line)
        # ruff would give each argument of such a line one of its own.
        and not (lines[place - 1].endswith("(") and line[-1] != ",")
    ]


def _statements(text: str) -> list[tuple[ast.stmt, ast.AST]]:
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            for child in ast.walk(node):
                for body in (getattr(child, "body", []), getattr(child, "orelse", [])):
                    if isinstance(body, list):
                        found += [(it, body) for it in body if isinstance(it, ast.stmt)]
    return found


def _gaps_for_statements(text: str) -> list[int]:
    places = []
    for node, body in _statements(text):
        doc = (
            node is body[0] and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        )
        if not doc and not isinstance(node, ast.FunctionDef | ast.ClassDef):
            places.append(node.lineno - 1)
    lines = text.splitlines()
    return [place for place in places if not re.match(r" *(elif|else)\b", lines[place])]


def _lines_to_delete(text: str) -> list[int]:
    lines = text.splitlines()
    places = [
        node.lineno - 1
        for node, body in _statements(text)
        if len(body) > 2
        and isinstance(node, ast.Assign)
        and node.lineno == node.end_lineno
        and re.match(r" +x = layers\.\w+\(.*\)\(x\)$", lines[node.lineno - 1])
    ]
    inside = _inside_strings(ast.parse(text))
    return places + [
        place
        for place, line in enumerate(lines)
        if re.match(r" +# ", line) and place not in inside and not MARK.search(line)
    ]


def check_parses(files: Files) -> None:
    """The files can be read by what reads them."""
    for path, text in files.items():
        if path.endswith(".py"):
            ast.parse(text, path)
        elif path.endswith(".toml"):
            tomllib.loads(text)


# Edits of whole functions and files


def rewrite_branch(folder: Path, package: str, name: str) -> None:
    """Write the branch of an input anew: other layers, names in f-strings, other words."""
    path = folder / "src" / package / "model.py"
    body = f'''\
    """Encode the {name} of a day, as our paper has it.

    The {name} is of "{name}" quality; its sum is what counts.
    """
    # A {name} has few facts.
    x = layers.Flatten(name="{name}.flat")(features)
    x = layers.Rescaling(1 / 255, name="{name}.our_scale")(x)
    for number in range(2):
        x = layers.Dense(8, activation="relu", name=f"{name}.ours_{{number}}")(x)
    return x
'''
    text = path.read_text(encoding="utf-8")
    start, stop = _function(text, f"encode_{name}")
    head = text[start:stop].partition('"""')[0].rstrip(" ")
    path.write_text(text[:start] + head + body + text[stop:], encoding="utf-8")


def move_head(folder: Path, package: str, name: str) -> None:
    """Move the head of an output into a module of its own."""
    path = folder / "src" / package / "model.py"
    text = path.read_text(encoding="utf-8")
    start, stop = _function(text, f"head_{name}")
    imports = "import keras\nfrom keras import layers\n"
    heads = f'"""Our heads."""\n\n{imports}\n\n{text[start:stop]}'
    text = text[:start] + text[stop:].lstrip("\n")
    line = f"from {package}.heads import head_{name}\n"
    text = text.replace("from keras import layers\n", f"from keras import layers\n\n{line}", 1)
    (path.parent / "heads.py").write_text(heads, encoding="utf-8")
    path.write_text(text, encoding="utf-8")


def own_file(name: str, output: str) -> str:
    """A module of a person's that uses an input and an output: keys, layers, columns, prose."""
    return f'''\
"""What the {name} does to the {output}; a "{name}" is a row of them."""

import keras
import pandas as pd


def look(model: keras.Model, batch: dict) -> list:
    """Look at each layer of the {name}."""
    # The key "{name}" of model.input.
    inner = [model.get_layer(f"{name}.ours_{{number}}").output for number in range(2)]
    part = keras.Model({{"{name}": model.input["{name}"]}}, [*inner, model.output["{output}"]])
    return part.predict({{"{name}": batch["{name}"]}})


def columns(path: str) -> pd.DataFrame:
    """Get the columns of the manifest, which keep their names."""
    table = pd.read_csv(path)
    return table[table["{name}"].notna()][["{name}", "{output}"]]
'''


def _function(text: str, name: str) -> tuple[int, int]:
    """Where a function at the top of a module starts and ends."""
    (node,) = (
        node
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and node.name == name
    )
    lines = text.splitlines(keepends=True)
    assert node.end_lineno is not None
    return len("".join(lines[: node.lineno - 1])), len("".join(lines[: node.end_lineno]))
