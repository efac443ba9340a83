"""What the commands do, behind the command line that `main` declares."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_scaffold.catalog import load_catalog, template_root
from keras_scaffold.console import bold, catalog_tables, code, echo, file_tree, in_terminal, tables
from keras_scaffold.spec import (
    CommandLineError,
    Given,
    Spec,
    SpecError,
    check_given,
    check_project_name,
    complete_inputs,
    default_project_name,
    nearest,
    parse_spec,
    read_spec,
    validate,
)
from keras_scaffold.spec.notation import (
    INPUT_FORM,
    OUTPUT_FORM,
    command_line,
    feature_options,
    merge_text,
    parse_feature,
    parse_input,
    parse_merge,
    parse_output,
)
from keras_scaffold.spec.presets import find_weights

if TYPE_CHECKING:
    from keras_scaffold.infer import Inspection
    from keras_scaffold.wizard.flow import Answers, Data


# What is asked for


def _given(
    spec_file: Path | None, inputs: Sequence[str], merge: str | None, outputs: Sequence[str]
) -> Given:
    """The sparse spec that a file or the flags give, checked as far as it goes."""
    if spec_file is not None:
        if inputs or merge or outputs:
            raise CommandLineError("--spec has the inputs, merge and outputs; remove -i, -m and -o")
        given = read_spec(spec_file)
        try:
            return find_weights(check_given(given), spec_file.parent)
        except SpecError as error:
            raise SpecError(f"{spec_file}: {error}") from None
    given = {}
    try:
        if inputs:
            given["inputs"] = [parse_input(text) for text in inputs]
        if merge is not None:
            given["merge"] = parse_merge(merge)
        if outputs:
            given["outputs"] = [parse_output(text) for text in outputs]
        return check_given(given)
    except SpecError as error:
        raise CommandLineError(str(error)) from None


def _defaults() -> Given:
    """The answers that copier.yml proposes."""
    questions = parse_spec((template_root() / "copier.yml").read_text(encoding="utf-8"))
    values = {key: questions[key]["default"] for key in ("inputs", "outputs")}
    return {key: parse_spec(f"{key}:\n{text}")[key] for key, text in values.items()}


def _missing(given: Given) -> str:
    flags = {"inputs": f"-i {INPUT_FORM}", "outputs": f"-o {OUTPUT_FORM}"}
    missing = {key: flag for key, flag in flags.items() if key not in given}
    if not missing:
        return ""
    flags_text = " and ".join(missing.values())
    return f"no {' and no '.join(missing)} given; use {flags_text}, or --yes for the defaults"


# new


@dataclass(frozen=True)
class FeatureOptions:
    """Which features a project gets: those of its spec or the defaults, with additions and omissions."""

    added: Sequence[str]
    omitted: Sequence[str]
    minimal: bool

    def apply(self, given: Given) -> Given:
        """The spec with its features; unchanged where no option is given."""
        if not (self.added or self.omitted or self.minimal):
            return given
        try:
            for option, names in (("--feature", self.added), ("--no-feature", self.omitted)):
                for name in names:
                    parse_feature(name, option)
        except SpecError as error:
            raise CommandLineError(str(error)) from None
        for name in self.added:
            if name in self.omitted:
                raise CommandLineError(
                    f"--feature {name} and --no-feature {name}: give one of them"
                )
        features = given.get("features", load_catalog().default_features)
        features = [*([] if self.minimal else features), *self.added]
        kept = [name for name in dict.fromkeys(features) if name not in self.omitted]
        return {**given, "features": kept}

    def with_reader(self, given: Given, data: Path) -> Given:
        """The spec with the feature that reads such data, where one is needed."""
        known = load_catalog()
        features = given.get("features", known.default_features)
        readers = {each.reads: name for name, each in known.features.items() if each.reads}
        name = readers.get(data.suffix.lower())
        if name is None or name in features:
            return given
        if name in self.omitted:
            raise CommandLineError(f"--no-feature {name}: it reads {data}; leave it in")
        return {**given, "features": [*features, name]}


@dataclass(frozen=True)
class NewOptions:
    """The arguments of `scaffold new`; `overrides` are the fields of infer.Overrides."""

    destination: Path
    spec_file: Path | None
    inputs: Sequence[str]
    merge: str | None
    outputs: Sequence[str]
    name: str | None
    features: FeatureOptions
    data: Path | None
    overrides: dict[str, Any]
    yes: bool
    dry_run: bool
    force: bool
    git: bool
    template: str | None
    resume: bool = False

    @property
    def described(self) -> bool:
        """Whether a spec or flags describe what data would: the inputs and outputs."""
        return bool(self.spec_file or self.inputs or self.outputs)

    @property
    def usual_name(self) -> str:
        """The project's name where none is given."""
        return default_project_name(self.destination.resolve().name)


def new(options: NewOptions) -> None:
    """Render a project into the destination, asking for what is not given."""
    from keras_scaffold.render.project import check_destination, render, render_to_memory

    may_ask = not options.yes and sys.stdin.isatty() and in_terminal()
    if options.resume and not may_ask:
        raise CommandLineError(
            "--resume continues the questions; it needs a terminal, and no --yes"
        )
    _check_data_flags(options, may_ask)
    given = _given(options.spec_file, options.inputs, options.merge, options.outputs)
    given = options.features.apply(given)
    if options.name is not None:
        given["project_name"] = _checked_name(options.name)
    destination, template = options.destination, options.template
    check_destination(destination, force=options.force or options.dry_run)
    completed = _complete(options, given, may_ask)
    if completed is None:
        echo("Nothing was written.")
        return
    given, found, asked = completed
    given.setdefault("project_name", options.usual_name)
    if found:
        given = options.features.with_reader(given, found.table.path)
    spec = _checked(given, options.spec_file)
    if options.dry_run:
        echo(file_tree(render_to_memory(spec, template), str(destination)))
        return
    if destination.is_symlink():
        echo(f"Note: {destination} is a link; the project goes to {destination.resolve()}.")
    manifest = _write_manifest(found) if found else None
    try:
        done = render(spec, destination, template=template, force=options.force, git=options.git)
    except BaseException:  # also Ctrl-C
        if manifest:
            manifest.unlink()
        raise
    if found:
        _remember(options.overrides)
    if found and manifest:
        echo(f"Wrote {manifest}, {found.table.rows:,} rows with the split of each.")
    for path, backup in done.replaced.items():
        print(f"replaced {path}; the backup is {backup}", file=sys.stderr)
    data_flags = _data_flags(found, destination, given) if found else ""
    _print_next_steps(spec, destination, len(done.files), done.note, data_flags)
    if asked:
        _print_repeat(given, destination, found)


def _checked_name(name: str) -> str:
    try:
        return check_project_name(name)
    except SpecError as error:
        raise CommandLineError(f"--name: {str(error).partition(': ')[2]}") from None


def _complete(
    options: NewOptions, given: Given, may_ask: bool
) -> tuple[Given, Inspection | None, bool] | None:
    """A whole spec from data, the wizard or defaults; what data held, whether the wizard asked.

    None where the person cancels.
    """
    data, overrides, found = options.data, options.overrides, None
    if data is not None and (overrides.get("targets") or data.is_dir()):
        found = _found(data, overrides, given.get("merge"), model=not may_ask)
        given = {**found.given, "project_name": options.usual_name, **given}
    missing = _missing(given)
    if may_ask and (missing or data):
        from keras_scaffold.wizard.flow import Data

        asked = options.described or (options.merge and data is None)
        begin = None if asked or found else Data(data, overrides)
        answers = _ask(given, options, begin)
        return (answers.given, answers.found or found, True) if answers else None
    if missing and not options.yes:
        raise CommandLineError(missing)
    return ({**_defaults(), **given} if missing else given), found, False


def _ask(given: Given, options: NewOptions, begin: Data | None) -> Answers | None:
    from keras_scaffold.render.project import render_to_memory
    from keras_scaffold.wizard.flow import ask

    def tree(spec: Spec) -> str:
        return file_tree(render_to_memory(spec, options.template), str(options.destination))

    return ask(given, options.destination, tree, begin, resume=options.resume)


def _checked(given: Given, spec_file: Path | None) -> Spec:
    try:
        return validate(given)
    except SpecError as error:
        if spec_file is None:
            raise CommandLineError(str(error)) from None
        raise SpecError(f"{spec_file}: {error}") from None


def _print_next_steps(
    spec: Spec, destination: Path, files: int, note: str, data_flags: str = ""
) -> None:
    echo(f"{bold(spec.project_name)} is in {destination} ({files} files).")
    if note:
        echo(f"Note: {note}.")
    echo("Next:")
    if destination.resolve() != Path.cwd():
        echo(f"  cd {shlex.quote(str(destination))}")
    echo("  python -m venv .venv && . .venv/bin/activate")
    echo("  pip install -e '.[dev]'")
    echo(f"  python -m {spec.package_name} train{data_flags}")
    echo("  pytest")


def _print_repeat(given: Given, destination: Path, found: Inspection | None) -> None:
    line = _data_line(found, destination, given) if found else None
    line = line or command_line(given, destination)
    if line is None:
        answers = destination / ".copier-answers.yml"
        echo(f"To repeat: save the spec in {answers}, then run scaffold new DEST --spec FILE")
    else:
        echo(f"To repeat:\n  {line}")


# inspect, and new from data

WIDE = 500  # columns whose inspection takes seconds


def inspect(
    manifest: Path, overrides: dict[str, Any], out: Path | None, *, force: bool, as_json: bool
) -> None:
    """Print what a table holds, and write the proposed spec."""
    from keras_scaffold import infer
    from keras_scaffold.infer import report
    from keras_scaffold.infer.tables import OF_SPLITS

    if out is not None and not overrides.get("targets") and not manifest.is_dir():
        raise CommandLineError("--out needs --target, the column to predict")
    if out is not None and out.exists() and not force:
        raise SpecError(f"{out}: already exists; choose another name, or use --force")
    found = infer.inspect(manifest, infer.Overrides(**overrides), _show_progress)
    if as_json:
        print(report.as_json(found))
    else:
        report.show(found)
    _remember(overrides)
    if out is not None:
        _write(out, report.as_spec(found))
        if not as_json:
            # A project reads the table of a folder of splits, which `new --data` writes.
            if found.table.kind == OF_SPLITS:
                echo(f"\nThe spec is in {out}; it needs a table of the files, which")
                command = f"scaffold new DEST --data {shlex.quote(str(manifest))}"
                echo(f"{command} writes, with a spec of its own.")
            else:
                echo(
                    f"\nThe spec is in {out}. Next: scaffold new DEST --spec {shlex.quote(str(out))}"
                )
    elif not as_json and found.spec is None:
        echo("\nNo target, so no spec: use --target COLUMN")
    elif not as_json:
        echo(
            "\nNext: scaffold new DEST --data with the same flags, or --out SPEC to edit the spec first"
        )
    if not as_json and found.spec is not None and found.group:
        echo(f"Then: python -m PACKAGE train{_data_flags(found, Path(), found.given)}")


def _remember(overrides: dict[str, Any]) -> None:
    """Remember the folders with weights that were given, once they have served."""
    from keras_scaffold import infer
    from keras_scaffold.infer.pretrained import remember_folders

    remember_folders(infer.Overrides(**overrides).weights)


def _show_progress(done: int, columns: int) -> None:
    """Show how far the inspection of a wide table is, where a person watches."""
    if columns >= WIDE and done % 50 == 0 and sys.stderr.isatty():
        line = f"Inspecting columns: {done:,} of {columns:,}"
        last = done + 50 >= columns
        print(
            "\r" + " " * len(line) if last else f"\r{line}", end="\r", file=sys.stderr, flush=True
        )


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise SpecError(f"{path}: cannot be written: {error.strerror}") from None


def _check_data_flags(options: NewOptions, may_ask: bool) -> None:
    data, overrides = options.data, options.overrides
    if data is None:
        for key, value in overrides.items():
            if value or value == "":
                flag = {"types": "as", "targets": "target"}.get(key, key.replace("_", "-"))
                raise CommandLineError(f"--{flag} needs a table; use --data MANIFEST too")
    elif options.described:
        raise CommandLineError("--data gives the inputs and outputs; remove --spec, -i and -o")
    elif not overrides.get("targets") and not data.is_dir() and not may_ask:
        raise CommandLineError("--data needs --target COLUMN, what to predict")


def _found(
    data: Path, overrides: dict[str, Any], merge: str | Given | None, *, model: bool
) -> Inspection:
    """Look at a table, and show what it holds; with the merge, where one is given."""
    from keras_scaffold import infer
    from keras_scaffold.infer import report

    found = infer.inspect(data, infer.Overrides(**overrides), _show_progress)
    if merge is not None and found.spec:
        found.spec = _checked({**found.given, "merge": merge}, None)
    report.show(found, model=model)
    echo()
    return found


def _write_manifest(found: Inspection) -> Path | None:
    """Write the table of a folder of splits, since projects read tables; it is the data from here on."""
    from keras_scaffold.infer.tables import OF_SPLITS, write_manifest

    if found.table.kind != OF_SPLITS:
        return None
    found.table.path = write_manifest(found.table)
    targets = found.overrides.targets or ("label",)
    found.overrides = replace(found.overrides, targets=targets)
    return found.table.path


def _data_flags(found: Inspection, destination: Path, given: Given) -> str:
    """How `train`, run in the project, is to find the data."""
    data = found.table.path
    path = data if data.is_absolute() else os.path.relpath(data.absolute(), destination.resolve())
    files = any(entry.type.reads_files for entry in complete_inputs(given["inputs"]))
    outside = " --outside" if found.overrides.outside and files else ""
    features = given.get("features", load_catalog().default_features)
    grouped = found.group and "split-by" in features
    group = f" --group {shlex.quote(found.group)}" if grouped else ""
    invalid = " --drop-invalid-rows" if found.has_invalid_rows else ""
    return f" --data {shlex.quote(str(path))}{outside}{group}{invalid}"


def _data_line(found: Inspection, destination: Path, given: Given) -> str | None:
    """The `scaffold new` line that finds the same again; None where more was changed."""
    choices = ("project_name", "merge", "features")
    chosen: Given = {key: given[key] for key in choices if key in given}
    if {**found.given, **chosen} != given:
        return None
    overrides = found.overrides
    words = ["scaffold", "new", str(destination), "--data", str(found.table.path)]
    flags = {
        "target": overrides.targets,
        "as": overrides.types,
        "drop": overrides.drop,
        "keep": overrides.keep,
        "decimal": () if overrides.decimal is None else (overrides.decimal,),
        "thousands": () if overrides.thousands is None else (overrides.thousands,),
        "missing": overrides.missing,
        "ignore-case": overrides.ignore_case,
        **{f"{kind}-weights": (folder,) for kind, folder in overrides.weights.items()},
    }
    words += [word for flag, values in flags.items() for it in values for word in (f"--{flag}", it)]
    words += ["--outside"] if overrides.outside else []
    if given.get("merge", "concatenate") != "concatenate":
        words += ["-m", merge_text(given["merge"])]
    words += feature_options(given)
    if given["project_name"] != default_project_name(destination.resolve().name):
        words += ["--name", given["project_name"]]
    return shlex.join(words)


# preview, catalog, schema, demo


def _flagship() -> Given:
    demo = template_root() / "template" / "demo.yml"
    if demo.is_file():
        return read_spec(demo)
    return {"project_name": default_project_name(""), **_defaults()}


def preview(
    spec_file: Path | None,
    inputs: Sequence[str],
    merge: str | None,
    outputs: Sequence[str],
    features: FeatureOptions,
) -> None:
    """Show what would be written: the tree, the model's diagram and its code."""
    from keras_scaffold.render.diagram import draw
    from keras_scaffold.render.project import render_to_memory

    given = _given(spec_file, inputs, merge, outputs)
    if not given:
        given = _flagship()
    elif spec_file is None:
        given = {**_defaults(), **given}
    given.setdefault("project_name", default_project_name(""))
    spec = _checked(features.apply(given), spec_file)
    files = render_to_memory(spec)
    echo(file_tree(files, spec.project_slug))
    echo(f"\n{draw(spec)}\n")
    model = Path("src", spec.package_name, "model.py")
    if model in files:
        echo(bold(str(model)))
        code(files[model])


def catalog(section: str | None, as_json: bool) -> None:
    """Show what there is to choose from."""
    known = load_catalog()
    sections = catalog_tables(known)
    if section is not None and section not in sections:
        raise CommandLineError(f"no section '{section}'; {nearest(section, sections)}")
    if as_json:
        data = asdict(known)
        print(json.dumps(data[section] if section else data, indent=2))
        return
    tables([table for name, table in sections.items() if section in (None, name)])
    echo("\nEvery field with its default and limits: scaffold catalog --json")


def schema() -> None:
    """Print the JSON Schema of a spec."""
    from keras_scaffold.spec.schema import spec_schema

    print(json.dumps(spec_schema(), indent=2))


def demo(destination: Path | None) -> None:
    """Generate the flagship example, train it where Keras is installed, and print where to look."""
    from importlib.util import find_spec

    from keras_scaffold.render.project import render

    spec = validate(_flagship())
    destination = destination or Path(spec.project_slug)
    files = render(spec, destination).files
    echo(f"{bold(spec.project_name)} is in {destination} ({len(files)} files).")
    needed = ("keras", "tensorflow", "numpy", "pandas", "matplotlib")
    missing = [package for package in needed if find_spec(package) is None]
    if missing:
        echo(f"To train it: cd {destination} && pip install -e . && {_train(spec)}")
        return
    echo(f"Training: {_train(spec)}")
    sys.stdout.flush()
    path = os.pathsep.join(filter(None, ["src", os.environ.get("PYTHONPATH")]))
    command = [sys.executable, *_train(spec).split()[1:]]
    done = subprocess.run(command, cwd=destination, env={**os.environ, "PYTHONPATH": path})
    if done.returncode:
        raise SpecError(f"the training stopped with exit code {done.returncode}; see above")
    echo("Look at:")
    for path in ("runs/demo/report.html", f"src/{spec.package_name}/model.py", "README.md"):
        echo(f"  {destination / path}")


def _train(spec: Spec) -> str:
    return f"python -m {spec.package_name} train --epochs 5 --members 1 --run runs/demo"
