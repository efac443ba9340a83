"""Random projects, random commands on them, and what becomes of what people edited."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import copier
import jinja2
import pytest
import yaml
from copier import VcsRef
from helpers import Done, run_scaffold
from keras_scaffold.catalog import Field, load_catalog
from keras_scaffold.evolve.project import read_answers
from keras_scaffold.render.history import Recorded, current, template_at
from keras_scaffold.render.project import render_version
from keras_scaffold.spec import SpecError, validate
from keras_scaffold.spec.notation import merge_text, output_text
from past import commit_all, git
from people import Files, Same, texts
from projects import bare_output

CATALOG = load_catalog()
NAMES = ["alpha", "bravo", "chart", "delta", "echo", "fox_1", "gamma", "hotel", "x", "model"]
Given = dict[str, Any]


# Specs and commands


def value(field: Field, chance: random.Random) -> Any:
    """A value that a field takes."""
    if field.kind == "shape":
        sizes = zip(field.least, field.most, field.default, strict=True)
        return [
            chance.randint(least, min(most, least + 60)) if chance.random() < 0.5 else default
            for least, most, default in sizes
        ]
    if field.kind == "integers":
        return [
            chance.choice([4, 8, 16, 24]) for _ in range(chance.randint(1, min(field.count, 3)))
        ]
    if field.kind == "integer":
        return chance.randint(field.least, min(field.most, field.least + 12))
    if field.kind == "number":
        return round(chance.uniform(field.least, field.most), 2)
    if field.kind == "flag":
        return chance.random() < 0.5
    if field.kind == "choice":
        return chance.choice(field.choices)
    return field.default


def random_input(chance: random.Random, name: str, kind: str = "") -> Given:
    """An input, with some of its fields said."""
    kind = kind or chance.choice(list(CATALOG.inputs))
    entry: Given = {"name": name, "type": kind}
    encoder = chance.choice(list(CATALOG.inputs[kind].encoders))
    if encoder != CATALOG.inputs[kind].default_encoder.name:
        entry["encoder"] = encoder
    for field in CATALOG.inputs[kind].fields_with(encoder).values():
        if field.kind not in ("column", "columns") and chance.random() < 0.2:
            entry[field.name] = value(field, chance)
    return entry


def random_merge(chance: random.Random, names: list[str]) -> Any:
    """A method, or a tree of two levels."""
    fits = [
        it for it in CATALOG.merges.values() if it.least <= len(names) <= (it.most or len(names))
    ]
    method = chance.choice(fits).name
    if len(names) > 2 and chance.random() < 0.3:
        cut = chance.randint(2, len(names) - 1)
        first = {"method": chance.choice(["concatenate", "add", "multiply"]), "of": names[:cut]}
        return {"method": "concatenate", "of": [first, *names[cut:]]}
    return method


def random_given(chance: random.Random, *, alike: bool = False) -> Given:
    """A valid spec; `alike`: eight inputs of one type and one encoder."""
    while True:
        names = chance.sample(NAMES, 8 if alike else chance.randint(2, 5))
        kind = chance.choice(list(CATALOG.inputs)) if alike else ""
        inputs = [random_input(chance, name, kind) for name in names]
        if alike:
            inputs = [{**inputs[0], "name": name} for name in names]
        outputs = [
            bare_output(name, chance.choice(list(CATALOG.outputs)))
            for name in ["label", "price"][: chance.choice([1, 1, 2])]
        ]
        given: Given = {"project_name": "Random Walk", "inputs": inputs, "outputs": outputs}
        if chance.random() < 0.6:
            given["merge"] = random_merge(chance, names)
        if chance.random() < 0.5:
            features = list(CATALOG.features)
            given["features"] = sorted(
                chance.sample(features, chance.randint(0, len(features))), key=features.index
            )
        given = json.loads(json.dumps(given))  # no list of it twice: YAML would refer to it
        try:
            validate(given)
        except SpecError:
            continue
        return given


@dataclass
class Command:
    """A command line, and the one that takes it back where there is one."""

    words: list[str]
    back: list[str] | None = None
    renamed: tuple[tuple[str, str], ...] = ()

    @property
    def kind(self) -> str:
        """The command without what it is about."""
        if self.words[0] == "set" and "." in self.words[1]:
            return "set field"
        return " ".join(self.words[: 1 if self.words[0] in ("update", "undo") else 2])

    @property
    def same(self) -> Same:
        """What makes names equal that it renames."""

        def one(text: str) -> str:
            for old, new in self.renamed:
                text = re.sub(rf"(?<![A-Za-z0-9]){old}(?![A-Za-z0-9])", new, text, flags=re.I)
            return text

        return one if self.renamed else str


def random_command(chance: random.Random, given: Given) -> Command:
    """A change of a spec; some are refused."""
    makers: list[Callable[[random.Random, Given], Command]] = [
        _add_input,
        _add_input,
        _add_output,
        _remove_input,
        _remove_output,
        _rename,
        _rename,
        _rename_project,
        _add_feature,
        _remove_feature,
        _set_merge,
        _set_encoder,
        _set_field,
        _set_field,
    ]
    return chance.choice(makers)(chance, given)


def _names(given: Given, section: str = "inputs") -> list[str]:
    return [entry["name"] for entry in given[section]]


def _free(chance: random.Random, given: Given) -> str:
    taken = {*_names(given), *_names(given, "outputs")}
    return chance.choice([name for name in [*NAMES, "pulse", "sky_2"] if name not in taken])


def _spelled(given: Given) -> str:
    merge = given.get("merge", "concatenate")
    return merge if isinstance(merge, str) else merge_text(merge)


def _add_input(chance: random.Random, given: Given) -> Command:
    name, kind = _free(chance, given), chance.choice(list(CATALOG.inputs))
    encoder = chance.choice(["", *(f":{it}" for it in CATALOG.inputs[kind].encoders)])
    words = ["add", "input", f"{name}:{kind}{encoder}"]
    back = ["remove", "input", name]
    if isinstance(given.get("merge"), dict):
        words += ["--merge", f"concatenate({_spelled(given)}, {name})"]
        back += ["--merge", _spelled(given)]
    return Command(words, back)


def _add_feature(chance: random.Random, given: Given) -> Command:
    name = chance.choice(list(CATALOG.features))
    return Command(["add", "feature", name], ["remove", "feature", name])


def _remove_feature(chance: random.Random, given: Given) -> Command:
    name = chance.choice(list(CATALOG.features))
    return Command(["remove", "feature", name], ["add", "feature", name])


def _add_output(chance: random.Random, given: Given) -> Command:
    name = _free(chance, given)
    words = ["add", "output", output_text(bare_output(name, chance.choice(list(CATALOG.outputs))))]
    return Command(words, ["remove", "output", name])


def _remove_input(chance: random.Random, given: Given) -> Command:
    return Command(["remove", "input", chance.choice(_names(given))])


def _remove_output(chance: random.Random, given: Given) -> Command:
    return Command(["remove", "output", chance.choice(_names(given, "outputs"))])


def _rename(chance: random.Random, given: Given) -> Command:
    section = chance.choice(["inputs", "inputs", "outputs"])
    old, new = chance.choice(_names(given, section)), _free(chance, given)
    words = ["rename", section[:-1]]
    return Command([*words, old, new], [*words, new, old], ((old, new),))


def _rename_project(chance: random.Random, given: Given) -> Command:
    old, new = given["project_name"], chance.choice(["Other Place", "Night Walk 2", "Émile"])
    if new == old:
        new = "Random Walk"
    pairs = [(old, new)]
    before, after = validate(given), validate({**given, "project_name": new})
    for key in ("package_name", "project_slug"):
        pairs.append((getattr(before, key), getattr(after, key)))
    words = ["rename", "project"]
    return Command([*words, new], [*words, old], tuple(pairs))


def _set_merge(chance: random.Random, given: Given) -> Command:
    merge = random_merge(chance, _names(given))
    text = merge if isinstance(merge, str) else merge_text(merge)
    return Command(["set", "merge", text], ["set", "merge", _spelled(given)])


def _set_encoder(chance: random.Random, given: Given) -> Command:
    entry = chance.choice(given["inputs"])
    kind = CATALOG.inputs[entry["type"]]
    words = ["set", "encoder", entry["name"]]
    new = chance.choice(list(kind.encoders))
    return Command([*words, new], [*words, entry.get("encoder", kind.default_encoder.name)])


def _set_field(chance: random.Random, given: Given) -> Command:
    entry = chance.choice(given["inputs"])
    kind = CATALOG.inputs[entry["type"]]
    encoder = entry.get("encoder", kind.default_encoder.name)
    fields = kind.fields_with(encoder)
    fields = {
        name: it for name, it in fields.items() if it.kind not in ("column", "columns", "input")
    }
    if not fields or "columns" in entry:
        return _set_merge(chance, given)
    field = chance.choice(list(fields.values()))
    what = f"{entry['name']}.{field.name}"
    old = json.dumps(entry.get(field.name, field.default))
    return Command(["set", what, json.dumps(value(field, chance))], ["set", what, old])


# Projects


def begin(given: Given, folder: Path, recorded: Recorded | None = None) -> Path:
    """A project as a version of the tool makes it, committed."""
    recorded = recorded or current()
    with template_at(recorded) as root:
        render_version(given, folder, root, recorded)
    commit_all(folder, "Start")
    return folder


def rendered(folder: Path, elsewhere: Path) -> Files:
    """What the template renders for a project's spec."""
    given, recorded = read_answers(folder)
    shutil.rmtree(elsewhere, ignore_errors=True)
    with template_at(recorded) as root:
        render_version(given, elsewhere, root, recorded)
    git(elsewhere, "init", "-q")
    return texts(elsewhere)


def scaffold(folder: Path, *words: str) -> Done:
    """Run a command in a project, with nobody to ask."""
    flags = [] if words[0] == "undo" else ["--yes"]
    return run_scaffold(*words, *flags, cwd=folder)


def unmerged(folder: Path) -> dict[str, dict[int, str]]:
    """The files with conflicts, as git knows them, and their versions."""
    stages: dict[str, dict[int, str]] = {}
    for entry in git(folder, "ls-files", "-u", "-z").split("\0"):
        if entry:
            meta, _, path = entry.partition("\t")
            stages.setdefault(path, {})[int(meta.split()[2])] = meta.split()[1]
    return stages


def unreal_conflicts(folder: Path) -> list[str]:
    """Conflicts in which the two sides changed no line in common."""
    problems = []
    for path, stages in unmerged(folder).items():
        if set(stages) == {1, 2, 3}:
            ours, theirs = (touched(folder, stages[1], stages[side]) for side in (2, 3))
            if not meet(ours, theirs):
                problems.append(f"no conflict: {path}: {ours} {theirs}")
            if "<<<<<<< " not in (folder / path).read_text(encoding="utf-8"):
                problems.append(f"not marked: {path}")
    return problems


Touched = list[tuple[int, int]]


def touched(folder: Path, before: str, after: str) -> Touched:
    """The lines of a text that a change takes away, as git sees it; where it only puts, none of one."""
    command = ["git", "diff", "--no-ext-diff", "-U0", "--text", before, after]
    told = subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout.decode()
    ranges = []
    for found in re.finditer(r"^@@ -(\d+)(?:,(\d+))? ", told, flags=re.M):
        start, count = int(found[1]), int(found[2] or 1)
        start -= count > 0
        ranges.append((start, start + count))
    return ranges


def meet(one: Touched, other: Touched) -> bool:
    """Whether two changes touch a line in common, or put lines in the same place."""
    return any(
        max(start, begin) < min(stop, end)
        or (start == stop and begin == end and start == begin)
        or (start == stop and begin < start < end)
        or (begin == end and start < begin < stop)
        for start, stop in one
        for begin, end in other
    )


def blob(folder: Path, text: str) -> str:
    """A text as a blob of a repository."""
    done = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"],
        cwd=folder,
        input=text.encode(),
        capture_output=True,
        check=True,
    )
    return done.stdout.decode().strip()


def plain_update(folder: Path, given: Given, ref: str | VcsRef = VcsRef.CURRENT) -> None:
    """What `copier update` makes of the same change."""
    copier.run_update(
        folder,
        data=given,
        vcs_ref=ref,
        defaults=True,
        overwrite=True,
        quiet=True,
        conflict="inline",
    )


@contextmanager
def quick_rendering() -> Iterator[None]:
    """Compile each template once, and read YAML in C: hundreds of renderings in minutes."""
    compiled: dict[Any, Any] = {}
    compile_usually = jinja2.Environment.compile

    def compile_once(
        self: Any, source: Any, name: Any = None, filename: Any = None, **more: Any
    ) -> Any:
        if not isinstance(source, str) or more:
            return compile_usually(self, source, name, filename, **more)
        key = (source, name, self.keep_trailing_newline, self.trim_blocks, type(self))
        if key not in compiled:
            compiled[key] = compile_usually(self, source, name, filename)
        else:  # copier's extension for file names wants to see each template again
            for extension in self.iter_extensions():
                extension.preprocess(source, name, filename)
        return compiled[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2.Environment, "compile", compile_once)
        patch.setattr(yaml, "SafeLoader", yaml.CSafeLoader)
        yield
