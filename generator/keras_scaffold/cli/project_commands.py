"""What the commands do that change a project, behind the command line that `main` declares."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_scaffold.catalog import load_catalog
from keras_scaffold.console import bold, echo, in_terminal, tables, use_color, verdict
from keras_scaffold.evolve import edits
from keras_scaffold.evolve.edits import UnclearMerge
from keras_scaffold.evolve.project import find_root, open_project
from keras_scaffold.evolve.versions import compare, find_projects
from keras_scaffold.render.history import ANSWERS_FILE
from keras_scaffold.spec import CommandLineError, Given, SpecError, read_spec, validate
from keras_scaffold.spec.fields import parse_field
from keras_scaffold.spec.notation import (
    INPUT_FORM,
    OUTPUT_FORM,
    input_text,
    output_text,
    parse_feature,
    parse_input,
    parse_merge,
    parse_output,
)
from keras_scaffold.spec.presets import find_weights, find_weights_of

if TYPE_CHECKING:
    from keras_scaffold.evolve.apply import Edit, PlannedChange
    from keras_scaffold.evolve.doctor import Finding
    from keras_scaffold.evolve.repository import Repository
    from keras_scaffold.evolve.three_way import Merged
    from keras_scaffold.render.history import Recorded


MENTIONS = 20  # of a renamed input or output, that are listed


class Unresolved(SpecError):
    """The change is made, but lines are left that a person has to choose between."""


@dataclass(frozen=True)
class How:
    """How a change is made, from the flags."""

    project: Path
    yes: bool = False
    dry_run: bool = False
    force: bool = False
    rejects: bool = False
    commit: bool = False

    @property
    def may_ask(self) -> bool:
        """Whether there is somebody to be asked."""
        return not self.yes and sys.stdin.isatty() and in_terminal()


# Changing the spec


def add_input(text: str | None, merge: str | None, how: How) -> None:
    """Add an input behind the others; asked for where it is not given."""
    entry = _entry(text, how, "input", parse_input, INPUT_FORM)

    def edit(given: Given, tree: str | None) -> Given:
        return edits.add_input(given, entry, tree)

    _change_inputs(f"add input {input_text(entry)}", edit, merge, how)


def _entry(
    text: str | None, how: How, what: str, parse: Callable[[str], Given], form: str
) -> Given:
    if text is not None:
        parsed: Given = _typed(parse, text)
        return parsed
    if not how.may_ask:
        raise CommandLineError(f"no {what} given; use {form}")
    from keras_scaffold.wizard import flow

    given = open_project(find_root(how.project)).given
    return flow.ask_input(given) if what == "input" else flow.ask_output(given)


def remove_input(name: str, merge: str | None, how: How) -> None:
    """Remove an input."""
    _change_inputs(
        f"remove input {name}",
        lambda given, tree: edits.remove_input(given, name, tree),
        merge,
        how,
    )


def _change_inputs(
    title: str,
    change: Callable[[Given, str | None], Given],
    merge: str | None,
    how: How,
) -> None:
    """Change the inputs, and ask for the merge where it does not follow by itself."""

    def edit(given: Given, _: object) -> Given:
        if merge is not None:
            _typed(parse_merge, merge)
        try:
            return change(given, merge)
        except UnclearMerge as unclear:
            if not how.may_ask:
                raise
            return change(given, _ask_merge(unclear, lambda text: change(given, text)))

    _change(title, edit, how)


def _ask_merge(unclear: UnclearMerge, check: Callable[[str], object]) -> str:
    from keras_scaffold.wizard.questions import Text, this_terminal

    def problem(text: str) -> None:
        validate(check(text))

    question = Text(
        "How do all the inputs merge?",
        unclear.proposal,
        problem,
        help=f"{str(unclear).partition(';')[0]}.",
        live=False,
    )
    return this_terminal().ask(question, can_go_back=False)


def add_output(text: str | None, how: How) -> None:
    """Add an output behind the others; asked for where it is not given."""
    entry = _entry(text, how, "output", parse_output, OUTPUT_FORM)
    title = f"add output {output_text(entry)}"
    _change(title, lambda given, _: edits.add_output(given, entry), how)


def remove_output(name: str, how: How) -> None:
    """Remove an output."""
    _change(f"remove output {name}", lambda given, _: edits.remove_output(given, name), how)


def add_feature(name: str, how: How) -> None:
    """Add an optional part."""
    _typed(lambda text: parse_feature(text, "add feature"), name)
    _change(f"add feature {name}", lambda given, _: edits.add_feature(given, name), how)


def remove_feature(name: str, how: How) -> None:
    """Remove an optional part."""
    _change(f"remove feature {name}", lambda given, _: edits.remove_feature(given, name), how)


def rename(section: str, old: str, new: str, how: How) -> None:
    """Give an input or an output another name."""
    title = f"rename {section[:-1]} {old} {new}"
    _change(title, lambda given, _: edits.rename(given, section, old, new), how, renamed=(old, new))


def rename_project(name: str, how: How) -> None:
    """Give the project, and so its package, another name."""
    _change(
        f"rename project {shlex.quote(name)}",
        lambda given, _: edits.rename_project(given, name),
        how,
    )


SET_FORM = (
    "set merge METHOD, set encoder INPUT ENCODER, set NAME.FIELD VALUE or set table.FIELD VALUE"
)


def set_values(words: list[str], how: How) -> None:
    """Set the merge, an encoder, a field of an input or an output, or one of the table."""
    title = f"set {shlex.join(words)}"
    if len(words) == 2 and words[0] == "merge":
        _typed(parse_merge, words[1])
        _change(title, lambda given, _: edits.set_merge(given, words[1]), how)
    elif len(words) == 3 and words[0] == "encoder":
        _change(
            title,
            lambda given, earlier: edits.set_field(given, words[1], "encoder", words[2], earlier),
            how,
        )
    elif len(words) == 2 and words[0].count(".") == 1:
        name, field = words[0].split(".")
        _change(title, lambda given, _: _set_field(given, name, field, words[1]), how)
    else:
        raise CommandLineError(f"expected {SET_FORM}; scaffold set --help has examples")


def _set_field(given: Given, name: str, field: str, text: str) -> Given:
    """Set a field of an input or an output; of the table, unless one of them is called table."""
    entries = {entry.name: entry.known_fields for entry in validate(given).entries}
    known = entries.get(name, load_catalog().table)
    value = parse_field(known[field], text) if field in known else text
    if name == "table" and name not in entries:
        return edits.set_table(given, field, value)
    changed = edits.set_field(given, name, field, value)
    if field in known and known[field].kind == "preset":
        inputs = changed["inputs"]
        changed["inputs"] = [find_weights_of(it) if it["name"] == name else it for it in inputs]
    return changed


def _typed(parse: Callable[[str], Any], text: str) -> Any:
    try:
        return parse(text)
    except SpecError as error:
        text = re.sub(r"^-[iom] ", "", str(error))  # the flags of scaffold new
        raise CommandLineError(text) from None


# Making a change


def _change(title: str, edit: Edit, how: How, renamed: tuple[str, str] | None = None) -> None:
    from keras_scaffold.evolve.apply import locked_repository

    root = find_root(how.project)
    _may_write(how)
    with locked_repository(root) as repository:
        _make(repository, title, how, edit=edit, renamed=renamed)


def _may_write(how: How) -> None:
    if not (how.yes or how.dry_run or how.may_ask):
        raise CommandLineError(
            "no terminal to ask in; use --yes to write, or --dry-run to see what would change"
        )


def _make(
    repository: Repository,
    title: str,
    how: How,
    *,
    edit: Edit | None = None,
    to: Recorded | None = None,
    renamed: tuple[str, str] | None = None,
) -> None:
    """Work a change out, show it, ask, and make it."""
    from keras_scaffold.evolve.apply import plan_change

    with plan_change(
        repository,
        title,
        edit,
        to=to,
        renamed=renamed,
        force=how.force,
        dry_run=how.dry_run,
        rejects=how.rejects,
    ) as planned:
        if planned.change.nothing:
            echo("Nothing changes: the project is like that already.")
            return
        show(planned, whole=how.dry_run or how.may_ask)
        if how.dry_run or (how.may_ask and not _agreed("Make this change?")):
            echo("Nothing was written.")
            return
        planned.apply()
        finish(planned, how)


def show(planned: PlannedChange, *, whole: bool) -> None:
    """Show what a change does: the whole difference, or how much in which file."""
    color = f"--color={'always' if use_color() else 'never'}"
    if whole:
        echo(planned.diff(color).rstrip())
        echo()
    echo(planned.diff(color, "--stat=80").rstrip("\n"))


def _agreed(message: str) -> bool:
    from keras_scaffold.wizard.questions import Option, Select, this_terminal

    options = (Option("yes", "Yes, write it"), Option("no", "No, leave all as it is"))
    return this_terminal().ask(Select(message, options, "yes"), can_go_back=False) == "yes"


def finish(planned: PlannedChange, how: How) -> None:
    """Print what to do with a change that is made; Unresolved where conflicts are left."""
    change, merged = planned.change, planned.change.merged
    if planned.note:
        echo(planned.note)
    for word, sign in (("new", "+"), ("gone", "-")):
        for path, names in planned.named(sign).items():
            echo(f"{word} in {path}: {', '.join(names)}")
    if columns := planned.new_columns():
        echo(f"the manifest needs: {', '.join(columns)}")
    for mention in planned.mentions[:MENTIONS]:
        echo(f"look at: {mention}")
    if (rest := len(planned.mentions) - MENTIONS) > 0:
        echo(f"look at: {rest} more")
    if merged.deleted:
        echo(f"skipped, as you deleted it: {', '.join(merged.deleted)}")
    if merged.conflicts:
        raise Unresolved(_choose(merged, rejects=how.rejects))
    look = "git diff"
    if how.commit:
        planned.commit()
        look = "git show"
    echo(f"{bold('Done')}: {change.title}. Review it: {look}. Undo it: scaffold undo.")


def _choose(merged: Merged, *, rejects: bool) -> str:
    """What there is to choose, and how."""
    problems = []
    if merged.edited:
        problems.append(
            f"{', '.join(merged.edited)}: would be deleted, but you edited it: git rm it, or git add"
            " it to keep it"
        )
    if both := [path for path in merged.conflicts if path not in merged.edited]:
        how = "choose between the <<<<<<< and >>>>>>> marks, then git add"
        if rejects:
            how = "the rejected lines are in FILE.rej: apply them, delete the .rej, git add"
        problems.append(f"{', '.join(both)}: you changed the same lines; {how}")
    return f"{'; '.join(problems)}; then git commit, or undo all with scaffold undo"


# Updating the template


def update(how: How, *, check: bool, to: str | None) -> bool:
    """Bring a project to this tool's template, or print whether it is behind; True if it is."""
    root = find_root(how.project)
    state = compare(root, to)
    if check:
        echo(f"{state.line}." if not state.behind else f"{state.line}; run scaffold update.")
        return state.behind
    if not state.behind:
        echo(f"Nothing changes: {state.line}.")
        return False
    _may_write(how)
    from keras_scaffold.evolve.apply import locked_repository

    with locked_repository(root) as repository:
        _make(repository, f"update the template to {state.goal.commit}", how, to=state.goal)
    return False


def update_all(folder: Path, how: How, *, check: bool, to: str | None) -> bool:
    """Bring all projects under a folder to this tool's template; whether some are behind (`check`).

    A project that cannot be updated stops no other; Unresolved at the end, where there was one.
    """
    roots = find_projects(folder)
    if not roots:
        raise SpecError(f"{folder}: there is no project in it; name the folder that they are in")
    if not (check or how.dry_run):
        _may_write(how)
        if how.may_ask and not _agreed(f"Update the {len(roots)} projects in {folder}?"):
            echo("Nothing was written.")
            return False
    rows = []
    for root in roots:
        name = str(root.relative_to(folder)) if root != folder else root.name
        echo(f"{name} ...")
        rows.append((name, *_update_one(root, how, check=check, to=to)))
    echo()
    header = ("project", "from", "to", "result")
    tables([("", header, [row[:4] for row in rows])])
    fates = [row[4] for row in rows]
    if "failed" in fates:
        count = fates.count("failed")
        raise Unresolved(f"{count} of {len(rows)} projects need you; see the table above")
    return "behind" in fates


def _update_one(root: Path, how: How, *, check: bool, to: str | None) -> tuple[str, str, str, str]:
    """From which version to which, its result, and current, behind, done or failed."""
    before = goal = ""
    try:
        state = compare(root, to)
        before, goal = state.recorded.commit, state.goal.commit
        if not state.behind:
            return before, goal, "is current", "current"
        if check:
            return before, goal, "is behind", "behind"
        from keras_scaffold.evolve.apply import locked_repository, plan_change

        with (
            locked_repository(root) as repository,
            plan_change(
                repository,
                f"update the template to {goal}",
                to=state.goal,
                force=how.force,
                dry_run=how.dry_run,
                rejects=how.rejects,
            ) as planned,
        ):
            change, conflicts = planned.change, planned.change.merged.conflicts
            count = f"{len(change.files)} files"
            if how.dry_run:
                clash = f", conflicts in {len(conflicts)}" if conflicts else ""
                return before, goal, f"would change {count}{clash}", "done"
            planned.apply()
            if conflicts:
                return before, goal, f"conflicts in {', '.join(conflicts)}", "failed"
            if how.commit:
                planned.commit()
            stash = ", what was not committed is in git stash" if planned.note else ""
            return before, goal, f"updated, {count}{stash}", "done"
    except SpecError as error:
        text = str(error).removeprefix(f"{root}: ").replace(f"{root}{os.sep}", "")
        return before, goal, text, "failed"


# Taking it back


def undo(project: Path, *, yes: bool) -> None:
    """Take the last change back; in a terminal after a question."""
    from keras_scaffold.evolve import change
    from keras_scaffold.evolve.apply import locked_repository

    with locked_repository(find_root(project)) as repository:
        title = change.interrupted(repository) or change.last_title(repository)
        if title and How(project, yes=yes).may_ask and not _agreed(f"Undo '{title}'?"):
            echo("Nothing was written.")
            return
        title, files = change.undo(repository)
    if not files:
        echo(f"Nothing of '{title}' was left in the project.")
    else:
        echo(f"Undone: {title} ({len(files)} file{'s' if len(files) > 1 else ''}).")


# Doctor and adopt


def doctor(project: Path, *, fix: bool, yes: bool) -> bool:
    """Check a project and fix what can be fixed; whether something is still wrong."""
    from keras_scaffold.evolve.doctor import examine, find_project

    root = find_project(project)
    may_ask = not yes and sys.stdin.isatty() and in_terminal()
    if fix and not (yes or may_ask):
        raise CommandLineError("no terminal to ask in; use --fix --yes")
    echo(bold(str(root)))
    findings = []
    for finding in examine(root):
        findings.append(finding)
        echo(f"{verdict(finding.state)}  {finding.text}")
    if fix:
        findings = _fix(root, findings, may_ask=may_ask)
    problems = sum(it.state == "wrong" for it in findings)
    fixable = sum(it.fix is not None for it in findings)
    echo()
    echo("1 problem found." if problems == 1 else f"{problems or 'No'} problems found.")
    if fixable and not fix:
        echo(f"{bold('scaffold doctor --fix')} fixes {fixable} of these.")
    return bool(problems)


def _fix(root: Path, findings: list[Finding], *, may_ask: bool) -> list[Finding]:
    """Fix one finding after the other; the findings afterwards, as a fix can change others."""
    from keras_scaffold.evolve.doctor import examine

    seen: set[str] = set()
    while finding := next((it for it in findings if it.fix and it.text not in seen), None):
        seen.add(finding.text)
        assert finding.fix is not None  # it was chosen for it
        echo()
        if may_ask:
            echo(finding.text)
            if not _agreed(f"{finding.proposal[:1].upper()}{finding.proposal[1:]}?"):
                continue
        echo(f"{bold('Fixed')}: {finding.fix()}.")
        findings = list(examine(root))
        for other in findings:
            if other.state == "wrong" and not other.fix and other.text not in seen:
                seen.add(other.text)
                echo(f"{verdict(other.state)}  {other.text}")
    return findings


def adopt(project: Path, spec_file: Path | None, *, yes: bool, dry_run: bool, force: bool) -> None:
    """Write a lost answers file: the last valid one that git has, or the one of a spec."""
    from keras_scaffold.evolve import adopt as adoption
    from keras_scaffold.evolve.answers import replace_answers
    from keras_scaffold.evolve.doctor import find_project

    how = How(project, yes=yes, dry_run=dry_run)
    root = find_project(project)
    if not force:
        adoption.check_needed(root)
    _may_write(how)
    if spec_file is None:
        found = adoption.from_git(root)
    else:
        found = adoption.from_spec(root, _spec_in(spec_file), force=force)
    version = found.recorded.commit or "unknown"
    echo(f"{bold(f'{ANSWERS_FILE} from {found.source}')}, version of the template: {version}")
    echo()
    echo(found.text.rstrip())
    echo()
    if dry_run or (how.may_ask and not _agreed(f"Write {ANSWERS_FILE}?")):
        echo("Nothing was written.")
        return
    kept = replace_answers(root, found.text)
    echo(
        f"{bold('Done')}: wrote {ANSWERS_FILE}{f'; the replaced one is in {kept}' if kept else ''}."
    )
    echo("Check it and commit it: git add -A && git commit")


def _spec_in(path: Path) -> Given:
    given = read_spec(path)
    try:
        given = find_weights(given, path.parent)
        validate({"project_name": "P", **given})
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from None
    return given
