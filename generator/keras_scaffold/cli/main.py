"""The command line `scaffold`.

This module is imported at every Tab and every --help: it declares the commands and imports
nothing but Typer. `commands` and `project_commands` implement them.
"""

import os
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from importlib import import_module
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

from keras_scaffold import interrupts
from keras_scaffold.cli import completion as complete

if TYPE_CHECKING:
    from keras_scaffold.cli import commands, project_commands
else:

    class _Lazy:
        """A module of this package, imported when a command runs."""

        def __init__(self, name: str) -> None:
            self._name = f"keras_scaffold.cli.{name}"

        def __getattr__(self, key: str) -> Any:
            return getattr(import_module(self._name), key)

    commands, project_commands = _Lazy("commands"), _Lazy("project_commands")

app = typer.Typer(
    name="scaffold",
    help="Start multi-input Keras projects, and keep them current.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from keras_scaffold import __version__

        print(f"keras-scaffold {__version__}")
        raise typer.Exit


def _complete_input(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    return complete.complete_input(incomplete, ctx.params.get("inputs") or [])


def _complete_new_input(incomplete: str) -> list[tuple[str, str]]:
    return complete.complete_input(
        incomplete, [name for name, _ in complete.complete_own_input("")]
    )


def _complete_merge(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    return complete.complete_merge(incomplete, ctx.params.get("inputs") or [])


def _complete_set(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    return complete.complete_set(list(ctx.params.get("words") or []), incomplete)


Inputs = Annotated[
    list[str] | None,
    typer.Option(
        "-i",
        "--input",
        metavar="NAME:TYPE[:SHAPE][:ENCODER]",
        help="An input, such as chart:image:64x64x3:cnn, or photo:like:chart; repeatable.",
        autocompletion=_complete_input,
    ),
]
Merge = Annotated[
    str | None,
    typer.Option(
        "-m",
        "--merge",
        metavar="MERGE",
        help='A method, or a tree such as "concatenate(multiply(a, b), c)".',
        autocompletion=_complete_merge,
    ),
]
Features = Annotated[
    list[str] | None,
    typer.Option(
        "--feature",
        metavar="NAME",
        help="A feature to add to the default ones; repeatable.",
        autocompletion=complete.complete_feature,
    ),
]
NoFeatures = Annotated[
    list[str] | None,
    typer.Option(
        "--no-feature",
        metavar="NAME",
        help="A feature to leave out; repeatable.",
        autocompletion=complete.complete_feature,
    ),
]
Minimal = Annotated[bool, typer.Option("--minimal", help="No features but those of --feature.")]
Outputs = Annotated[
    list[str] | None,
    typer.Option(
        "-o",
        "--output",
        metavar="NAME:TASK[:CLASSES]",
        help="An output, such as genre:multiclass:4 or mood:multiclass:good,bad; repeatable.",
        autocompletion=complete.complete_output,
    ),
]


Targets = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        metavar="COLUMN[:TASK[:CLASSES]]",
        help="The column to predict, such as price, price:regression or size:ordinal:s,m,l; repeatable.",
    ),
]
Drop = Annotated[
    list[str] | None,
    typer.Option("--drop", metavar="COLUMN", help="Exclude a column; repeatable."),
]
Keep = Annotated[
    list[str] | None,
    typer.Option(
        "--keep", metavar="COLUMN", help="Include a column that would be excluded; repeatable."
    ),
]
As = Annotated[
    list[str] | None,
    typer.Option(
        "--as",
        metavar="COLUMN:TYPE",
        help="The type of a column, such as zip:categorical or due:datetime:day-first; repeatable.",
    ),
]
Decimal = Annotated[
    str | None,
    typer.Option(
        "--decimal", metavar="CHARACTER", help="The decimal mark, . or , [default: found]."
    ),
]
Thousands = Annotated[
    str | None,
    typer.Option(
        "--thousands",
        metavar="CHARACTER",
        help='The mark between thousands; "" for none [default: found].',
    ),
]
Missing = Annotated[
    list[str] | None,
    typer.Option(
        "--missing",
        metavar="COLUMN:CODE",
        help="A code that means missing, such as age:-1, or age:none for no code; repeatable.",
    ),
]
IgnoreCase = Annotated[
    list[str] | None,
    typer.Option(
        "--ignore-case",
        metavar="COLUMN",
        help="A target whose labels yes, Yes and YES are one; repeatable.",
    ),
]
TextWeights = Annotated[
    str | None,
    typer.Option(
        "--text-weights",
        metavar="DIR",
        help="Encode texts with the language model in a folder; none forgets it [default: remembered].",
    ),
]
ImageWeights = Annotated[
    str | None,
    typer.Option(
        "--image-weights",
        metavar="DIR",
        help="Encode pictures with the vision model in a folder; none forgets it [default: remembered].",
    ),
]
Outside = Annotated[
    bool,
    typer.Option("--outside", help="Follow paths in the table that leave the table's folder."),
]


AskNothing = Annotated[
    bool, typer.Option("--yes", "-y", help="Ask nothing; use defaults for what is not given.")
]
ShowFiles = Annotated[bool, typer.Option("--dry-run", help="Show the files; write nothing.")]
WriteAnyway = Annotated[
    bool, typer.Option("--force", help="Write into a folder that is not empty; keeps backups.")
]
SpecFile = Annotated[
    Path | None, typer.Option("--spec", metavar="FILE", help="A spec in YAML or JSON.")
]
Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="MANIFEST", help="A table, or a folder per class."),
]
ProjectName = Annotated[
    str | None,
    typer.Option("--name", metavar="TEXT", help="The project's name [default: the folder's]."),
]
Template = Annotated[
    str | None,
    typer.Option("--template", metavar="URL", help="Another copier template, such as a fork."),
]


def _help_without_command(ctx: typer.Context) -> None:
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())


@app.callback(invoke_without_command=True)
def _scaffold(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    _help_without_command(ctx)


def _sharing(name: str, build: Callable[..., Any]) -> Callable[..., Callable[..., None]]:
    """Give commands the options of `build` in the place of their parameter `name`, which it makes.

    Typer reads a command's options from its signature.
    """
    shared = signature(build).parameters

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def with_options(**arguments: Any) -> None:
            given = {key: arguments.pop(key) for key in shared}
            command(**arguments, **{name: build(**given)})

        parameters: list[Parameter] = []
        for each in signature(command).parameters.values():
            parameters += shared.values() if each.name == name else [each]
        vars(with_options)["__signature__"] = Signature(parameters)
        return with_options

    return decorate


def _overrides(
    targets: Targets = None,
    drop: Drop = None,
    keep: Keep = None,
    types: As = None,
    decimal: Decimal = None,
    thousands: Thousands = None,
    missing: Missing = None,
    ignore_case: IgnoreCase = None,
    text_weights: TextWeights = None,
    image_weights: ImageWeights = None,
    outside: Outside = False,
) -> dict[str, Any]:
    """The fields of infer.Overrides that are given; lists become tuples, which are hashable."""
    given = dict(locals())
    return {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in given.items()
        if value is not None
    }


@app.command()
@_sharing("overrides", _overrides)
def new(
    destination: Annotated[Path, typer.Argument(metavar="DEST", help="The project's folder.")],
    spec: SpecFile = None,
    data: Data = None,
    overrides: Any = None,
    inputs: Inputs = None,
    merge: Merge = None,
    outputs: Outputs = None,
    name: ProjectName = None,
    features: Features = None,
    no_features: NoFeatures = None,
    minimal: Minimal = False,
    yes: AskNothing = False,
    dry_run: ShowFiles = False,
    force: WriteAnyway = False,
    no_git: Annotated[bool, typer.Option("--no-git", help="Create no git repository.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the questions that Ctrl-C stopped.")
    ] = False,
    template: Template = None,
) -> None:
    """Start a project: the model, its data loaders, training and tests."""
    commands.new(
        commands.NewOptions(
            destination=destination,
            spec_file=spec,
            inputs=inputs or [],
            merge=merge,
            outputs=outputs or [],
            name=name,
            features=commands.FeatureOptions(features or (), no_features or (), minimal),
            data=data,
            overrides=overrides,
            yes=yes,
            dry_run=dry_run,
            force=force,
            git=not no_git,
            template=template,
            resume=resume,
        )
    )


@app.command()
@_sharing("overrides", _overrides)
def inspect(
    manifest: Annotated[
        Path, typer.Argument(metavar="MANIFEST", help="A table, or a folder per class.")
    ],
    overrides: Any = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="SPEC", help="Write the proposed spec.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing spec.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Inspect a table: the type of each column, and a proposed spec."""
    commands.inspect(manifest, overrides, out, force=force, as_json=as_json)


@app.command()
def preview(
    spec: Annotated[
        Path | None,
        typer.Argument(metavar="[SPEC]", help="A spec [default: the flagship example]."),
    ] = None,
    inputs: Inputs = None,
    merge: Merge = None,
    outputs: Outputs = None,
    features: Features = None,
    no_features: NoFeatures = None,
    minimal: Minimal = False,
) -> None:
    """Show the files, the model's diagram and its code."""
    chosen = commands.FeatureOptions(features or (), no_features or (), minimal)
    commands.preview(spec, inputs or [], merge, outputs or [], chosen)


@app.command()
def catalog(
    section: Annotated[
        str | None,
        typer.Argument(
            metavar="[inputs|merges|outputs|features]",
            help="One section [default: all].",
            autocompletion=complete.complete_section,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, with all fields and limits.")
    ] = False,
) -> None:
    """Show the types of input, the merges, the tasks and the features."""
    commands.catalog(section, as_json)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a spec, for editors."""
    commands.schema()


@app.command()
def demo(
    destination: Annotated[
        Path | None, typer.Argument(metavar="[DEST]", help="The project's folder.")
    ] = None,
) -> None:
    """Generate the flagship example, train it, and show where to look."""
    commands.demo(destination)


# In a project

add = typer.Typer(help="Add an input, an output or a feature.", rich_markup_mode=None)
remove = typer.Typer(help="Remove an input, an output or a feature.", rich_markup_mode=None)
rename = typer.Typer(help="Rename an input, an output or the project.", rich_markup_mode=None)
for name, group in (("add", add), ("remove", remove), ("rename", rename)):
    app.add_typer(group, name=name)
    group.callback(invoke_without_command=True)(_help_without_command)

InputName = Annotated[
    str,
    typer.Argument(metavar="NAME", help="Its name.", autocompletion=complete.complete_own_input),
]
OutputName = Annotated[
    str,
    typer.Argument(metavar="NAME", help="Its name.", autocompletion=complete.complete_own_output),
]
FeatureName = Annotated[
    str,
    typer.Argument(metavar="NAME", help="Its name.", autocompletion=complete.complete_own_feature),
]
NewFeature = Annotated[
    str,
    typer.Argument(metavar="NAME", help="Its name.", autocompletion=complete.complete_new_feature),
]
New = Annotated[str, typer.Argument(metavar="NEW", help="Its new name.")]
NewMerge = Annotated[
    str | None,
    typer.Option(
        "--merge",
        "-m",
        metavar="MERGE",
        help="The merge afterwards, where it is ambiguous.",
    ),
]
Project = Annotated[
    Path,
    typer.Option("--project", metavar="DIR", help="The project [default: the current folder's]."),
]
HERE = Path()
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what changes; write nothing.")]
Force = Annotated[
    bool,
    typer.Option("--force", help="Continue with uncommitted changes; git stash keeps them."),
]


Conflicts = Annotated[
    Literal["inline", "rej"],
    typer.Option(
        "--conflict",
        metavar="inline|rej",
        help="Lines that you changed too: marked as git does, or left out into FILE.rej.",
    ),
]

Commit = Annotated[bool, typer.Option("--commit", help="Commit it, where there was no conflict.")]


def _how(
    yes: Yes = False,
    dry_run: DryRun = False,
    force: Force = False,
    conflict: Conflicts = "inline",
    commit: Commit = False,
    project: Project = HERE,
) -> Any:
    return project_commands.How(project, yes, dry_run, force, conflict == "rej", commit)


_makes_a_change = _sharing("how", _how)


@add.command("input")
@_makes_a_change
def add_input(
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME:TYPE[:SHAPE][:ENCODER]]",
            help="Such as pulse:timeseries:200x1:lstm; asked for if missing.",
            autocompletion=_complete_new_input,
        ),
    ] = None,
    merge: NewMerge = None,
    *,
    how: Any,
) -> None:
    """Add an input: its branch, its loader, its sample data, its place in the merge."""
    project_commands.add_input(text, merge, how)


@add.command("output")
@_makes_a_change
def add_output(
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME:TASK[:CLASSES]]",
            help="Such as genre:multiclass:4; asked for if missing.",
            autocompletion=complete.complete_output,
        ),
    ] = None,
    *,
    how: Any,
) -> None:
    """Add an output: its head, its loss, its metrics."""
    project_commands.add_output(text, how)


@add.command("feature")
@_makes_a_change
def add_feature(name: NewFeature, *, how: Any) -> None:
    """Add an optional part: its modules, its options, its tests."""
    project_commands.add_feature(name, how)


@remove.command("feature")
@_makes_a_change
def remove_feature(name: FeatureName, *, how: Any) -> None:
    """Remove an optional part, with its modules, options and tests."""
    project_commands.remove_feature(name, how)


@remove.command("input")
@_makes_a_change
def remove_input(name: InputName, merge: NewMerge = None, *, how: Any) -> None:
    """Remove an input, with its branch and its loader."""
    project_commands.remove_input(name, merge, how)


@remove.command("output")
@_makes_a_change
def remove_output(name: OutputName, *, how: Any) -> None:
    """Remove an output, with its head."""
    project_commands.remove_output(name, how)


@rename.command("input")
@_makes_a_change
def rename_input(old: InputName, new_name: New, *, how: Any) -> None:
    """Rename an input in the code; its columns in data stay."""
    project_commands.rename("inputs", old, new_name, how)


@rename.command("output")
@_makes_a_change
def rename_output(old: OutputName, new_name: New, *, how: Any) -> None:
    """Rename an output in the code; its column in data stays."""
    project_commands.rename("outputs", old, new_name, how)


@rename.command("project")
@_makes_a_change
def rename_project(
    new_name: Annotated[str, typer.Argument(metavar="TEXT", help="The project's new name.")],
    *,
    how: Any,
) -> None:
    """Rename the project, and its package with it."""
    project_commands.rename_project(new_name, how)


@app.command("set")
@_makes_a_change
def set_values(
    words: Annotated[
        list[str],
        typer.Argument(metavar="WHAT VALUE", help="See above.", autocompletion=_complete_set),
    ],
    *,
    how: Any,
) -> None:
    """Change the merge, an encoder, a field, or how the table is written.

    scaffold set merge "concatenate(multiply(a, b), c)"

    scaffold set encoder chart resnet

    scaffold set chart.shape 128x128x3

    scaffold set table.decimal ,
    """
    project_commands.set_values(words, how)


BEHIND = 3  # the exit code of update --check


@app.command()
@_makes_a_change
def update(
    check: Annotated[
        bool,
        typer.Option("--check", help="Only check whether it is out of date; exit 3 if so. For CI."),
    ] = False,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="VERSION", help="A version [default: this tool's]."),
    ] = None,
    every: Annotated[
        Path | None, typer.Option("--all", metavar="DIR", help="All the projects in a folder.")
    ] = None,
    *,
    how: Any,
) -> None:
    """Bring a project to this tool's version of the template, around what you changed."""
    if every is not None:
        behind = project_commands.update_all(every, how, check=check, to=to)
    else:
        behind = project_commands.update(how, check=check, to=to)
    if behind:
        raise typer.Exit(BEHIND)


@app.command()
def undo(yes: Yes = False, project: Project = HERE) -> None:
    """Take the last change back that scaffold made in a project."""
    project_commands.undo(project, yes=yes)


@app.command()
def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="Fix what can be fixed.")] = False,
    yes: Yes = False,
    project: Project = HERE,
) -> None:
    """Check a project and fix what can be fixed; exit 1 if a problem is left."""
    if project_commands.doctor(project, fix=fix, yes=yes):
        raise typer.Exit(1)


@app.command()
def adopt(
    project: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="The project [default: the current folder's].")
    ] = HERE,
    spec: Annotated[
        Path | None,
        typer.Option("--spec", metavar="FILE", help="The project's spec [default: git's history]."),
    ] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace a valid file; accept a spec of another name."),
    ] = False,
) -> None:
    """Restore a lost .copier-answers.yml, from git's history or from a spec."""
    project_commands.adopt(project, spec, yes=yes, dry_run=dry_run, force=force)


# Running it


def run(arguments: Sequence[str]) -> int:
    """Run a command line; its exit code. Every error is one line on stderr."""
    try:
        if complete.VARIABLE in os.environ:
            complete.answer(lambda: _call(arguments))
            return 0
        code = _call(arguments)
        # Typer makes an exit code of an interrupt; before commands it is one still.
        return _fail(interrupts.message(), code) if code == interrupts.EXIT_CODE else code
    except KeyboardInterrupt:
        return _fail(interrupts.message(), interrupts.EXIT_CODE)
    except typer.TyperException as error:
        return _fail(_usage(error), error.exit_code)
    except Exception as error:
        if interrupts.seen:  # in the midst of an import, it can come out as another error
            return _fail(interrupts.message(), interrupts.EXIT_CODE)
        return _unexpected(error)


def _call(arguments: Sequence[str]) -> int:
    try:
        code = app(list(arguments), prog_name="scaffold", standalone_mode=False)
    except SystemExit as done:
        code = done.code
    return code if isinstance(code, int) else 0


def _usage(error: typer.TyperException) -> str:
    return f"{error.format_message().rstrip('.')}; scaffold --help lists the commands"


def _unexpected(error: Exception) -> int:
    from keras_scaffold.spec import SpecError, one_line

    if isinstance(error, SpecError):
        return _fail(str(error), getattr(error, "exit_code", 1))
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return _fail(f"{place}{error.strerror or error}", 1)
    kind = type(error).__name__
    return _fail(f"{kind}: {one_line(str(error))}; a defect of keras-scaffold, please report it", 1)


def _fail(message: str, code: int) -> int:
    line = " ".join(message.split())
    print(f"error: {line}", file=sys.stderr)
    return code


def main() -> NoReturn:
    """Run the command line of this process."""
    import gc

    # A command lives for a second: collecting cycles would take a tenth of it.
    gc.disable()
    interrupts.install()
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed, as by >&-
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115
        getattr(sys, name).reconfigure(errors="backslashreplace")
    code = run(sys.argv[1:])
    interrupts.ignore()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = code or 1  # as Typer does where it notices first
    gc.freeze()
    sys.exit(code)
