"""One edit of a person's and one command, beside each other: what becomes of the edit."""

from __future__ import annotations

import random
import re
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

from copier import VcsRef
from helpers import files_in
from keras_scaffold.evolve.project import read_answers
from keras_scaffold.render.history import Recorded, current
from past import NOW, OLD, OLDER, commit_all, git
from people import Files, Person, check_parses, scopes, texts
from walks import (
    Command,
    Touched,
    begin,
    blob,
    meet,
    plain_update,
    random_command,
    random_given,
    rendered,
    scaffold,
    touched,
    unmerged,
    unreal_conflicts,
)


@dataclass
class Outcome:
    """What became of a pair; the same for plain copier."""

    seed: int
    command: Command
    edit: str
    apart: bool = True  # edit and command touch no line in common
    near: bool = False  # they touch the same function
    conflicts: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    plain_conflicts: list[str] = field(default_factory=list)
    plain_problems: list[str] = field(default_factory=list)
    seconds: float = 0
    plain_seconds: float = 0


def try_pair(seed: int, folder: Path, *, plain: bool = False) -> Outcome:
    """Make a project, edit it, run a command on it, look, and take the command back."""
    chance = random.Random(seed)
    given = random_given(chance, alike=chance.random() < 0.2)
    version = chance.choice([NOW, NOW, NOW, NOW, OLD, OLDER])
    project = begin(given, folder / "project", Recorded(current().source, version))
    base = texts(project)
    person = Person(project, chance)
    while True:  # some commands are refused
        command = Command(["update"]) if version != NOW else random_command(chance, given)
        path = _edit(chance, person, command)
        edited = texts(project)
        commit_all(project)
        before = files_in(project)
        if plain:
            shutil.copytree(project, folder / "plain", dirs_exist_ok=True)
        start = time.perf_counter()
        done = scaffold(project, *command.words)
        seconds = time.perf_counter() - start
        if files_in(project) != before:
            break
        assert done.code in (0, 1), (command, done)

    outcome = Outcome(seed, command, path, seconds=seconds)
    wanted = rendered(project, folder / "wanted")
    after_given, _ = read_answers(project)
    outcome.conflicts = sorted(unmerged(project))
    if done.code != (1 if outcome.conflicts else 0):
        outcome.problems.append(f"exit code {done.code}: {done.err}")
    _compare(outcome, project, base, edited, wanted)
    outcome.problems += unreal_conflicts(project)
    outcome.problems += _look(person, project, wanted, command, outcome.conflicts)
    scaffold(project, "undo")
    if files_in(project) != before or git(project, "status", "--porcelain"):
        outcome.problems.append("undo did not bring all back")

    if plain:
        copy = folder / "plain"
        ref = VcsRef.CURRENT if command.kind != "update" else NOW
        start = time.perf_counter()
        plain_update(copy, after_given, ref)
        outcome.plain_seconds = time.perf_counter() - start
        conflicts = [path for path, text in texts(copy).items() if "\n<<<<<<< " in f"\n{text}"]
        outcome.plain_conflicts = conflicts
        other = Person(copy, chance, person.marks, person.deleted)
        outcome.plain_problems = _look(other, copy, wanted, command, conflicts)
    return outcome


def _edit(chance: random.Random, person: Person, command: Command) -> str:
    """Edit something, more often than not near what the command changes."""
    kind = chance.choice(["line", "comment", "statement", "delete"])
    paths = [path for path in person.files() if path.endswith(("model.py", "data.py", "sample.py"))]
    path = chance.choice(paths)
    names = [re.split(r"[:.]", word)[0] for word in command.words[1:]]
    lists = ["INPUTS", "OUTPUTS", "build_model", "read_examples", "Preprocessing"]
    near = chance.choice([names, lists])

    def fits(_: int, scope: str) -> bool:
        return any(re.search(rf"(^|[._]){name}($|[._])", scope, flags=re.I) for name in near)

    if chance.random() < 0.5 and person.edit_at(path, kind, fits):
        person.remember()
        return path
    return person.edit()


def _compare(outcome: Outcome, project: Path, base: Files, edited: Files, wanted: Files) -> None:
    """Whether edits and command touch the same lines, or the same function."""
    same = outcome.command.same
    there = {same(name): text for name, text in wanted.items()}
    for path, text in base.items():
        if edited[path] == text:
            continue
        now = (text, edited[path], there.get(same(path), ""))
        before, *after = (blob(project, each) for each in now)
        ours, theirs = (touched(project, before, each) for each in after)
        outcome.apart &= not meet(ours, theirs)
        outcome.near |= bool(_within(path, text, ours) & _within(path, text, theirs))


def _within(path: str, text: str, ranges: Touched) -> set[str]:
    """The functions that a change of a file touches."""
    at = scopes(path, text)
    return {at[line] for start, stop in ranges for line in range(start, max(stop, start + 1))} - {
        ""
    }


def _look(
    person: Person, project: Path, wanted: Files, command: Command, conflicts: list[str]
) -> list[str]:
    problems = person.look(wanted, command.same, frozenset(conflicts))
    try:
        check_parses({path: text for path, text in texts(project).items() if path not in conflicts})
    except (SyntaxError, ValueError) as error:
        problems.append(f"does not parse: {error}")
    return problems
