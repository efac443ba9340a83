"""What is imported when, and that dependencies point one way."""

import ast
import json
import subprocess
import sys

import pytest
from helpers import BIN, ROOT

PACKAGE = ROOT / "generator" / "keras_scaffold"
FRAMEWORKS = {"tensorflow", "keras", "torch", "jax"}
HEAVY = FRAMEWORKS | {"numpy", "pandas", "polars", "PIL"}  # only where data is looked at
SLOW = HEAVY | {"copier", "questionary", "prompt_toolkit", "jinja2", "plumbum", "rich"}

# From the entry point down to what knows of nothing else. A module imports from rows below alone.
LAYERS = [
    {"__main__"},
    {"cli"},
    {"cli.main"},
    {"cli.project_commands"},
    {"cli.commands"},
    {"wizard.flow", "spec.schema"},
    {"wizard.from_data"},
    {"infer.report"},
    {"infer"},
    {"infer.propose"},
    {"infer.overrides"},
    {"infer.column_types", "infer.groups", "infer.leakage", "infer.missing_codes"},
    {"infer.targets", "infer.decimals"},
    {"infer.checks", "infer.dates", "infer.files", "infer.identifiers"},
    {"infer.cells"},
    {"infer.paths", "infer.tags", "infer.units", "infer.pretrained"},
    {"infer.tables"},
    {"evolve.apply", "evolve.doctor", "evolve.adopt"},
    {"evolve.change", "evolve.answers"},
    {"evolve.three_way"},
    {"evolve.repository", "evolve.versions"},
    {"cli.completion"},
    {"evolve.edits", "evolve.project", "evolve.renames"},
    {"evolve"},
    {"wizard.navigation", "wizard.kept", "render.project", "console"},
    {"wizard.questions"},
    {"wizard"},
    {"render.diagram", "render.history"},
    {"render"},
    {"spec"},
    {"spec.notation", "spec.spec"},
    {"spec.merge"},
    {"spec.entries"},
    {"spec.fields"},
    {"spec.names"},
    {"spec.presets"},
    {"spec.reading"},
    {"spec.errors"},
    {"catalog", "interrupts", "locks", "state"},
    {"source"},
    {"git"},
]

RUN = """
import json, sys
from keras_scaffold import cli
code = cli.run(sys.argv[1:])
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def _modules(*arguments, cwd, env=None):
    """The packages that a command imports."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("arguments", "more"),
    [
        (["--help"], {"pydantic"}),
        (["--version"], {"pydantic"}),
        (["new", "--help"], set()),  # Typer reads a command's options with pydantic
        (["nonsense"], set()),
    ],
)
def test_help_imports_next_to_nothing(arguments, more, tmp_path):
    assert not _modules(*arguments, cwd=tmp_path) & (SLOW | {"yaml"} | more)


@pytest.mark.parametrize(
    "arguments",
    [["catalog"], ["catalog", "--json"], ["schema"], ["new", "x", "-i", "a:imge"]],
    ids=" ".join,
)
def test_light_commands_import_no_engine(arguments, tmp_path):
    assert not _modules(*arguments, cwd=tmp_path) & SLOW


def test_rendering_imports_no_framework(tmp_path):
    modules = _modules("new", "out", "-i", "a:text", "-o", "y:binary", cwd=tmp_path)
    assert "copier" in modules
    assert not modules & HEAVY


@pytest.mark.parametrize("words", ["catalog m", "new out -i a : im", "new out -m con", "ne"])
def test_completion_imports_no_engine(words, tmp_path):
    words = ["scaffold", *words.split()]
    done = subprocess.run(
        [sys.executable, "-X", "importtime", BIN / "scaffold"],
        cwd=tmp_path,
        env={
            "_SCAFFOLD_COMPLETE": "complete_bash",
            "COMP_WORDS": "\n".join(words),
            "COMP_CWORD": str(len(words) - 1),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip()
    imported = {line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "typer" in imported
    assert not imported & SLOW


def _modules_of_ours():
    """Each module's name, with a dot where it is in a package, and its file."""
    for path in PACKAGE.rglob("*.py"):
        place = path.relative_to(PACKAGE)
        name = ".".join(place.with_suffix("").parts).removesuffix("__init__").rstrip(".")
        if name and "_template" not in place.parts:
            yield name, path


def _imported(path, modules):
    """The modules of ours that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("keras_scaffold"):
            inside = str(node.module).removeprefix("keras_scaffold").lstrip(".")
            names = [f"{inside}.{alias.name}".lstrip(".") for alias in node.names]
            names = [name if name in modules else inside for name in names]
        elif isinstance(node, ast.Import):
            names = [
                alias.name.removeprefix("keras_scaffold.")
                for alias in node.names
                if alias.name.startswith("keras_scaffold.")
            ]
        yield from filter(None, names)


def test_dependencies_point_one_way():
    layer = {name: depth for depth, names in enumerate(LAYERS) for name in names}
    modules = dict(_modules_of_ours())
    assert set(modules) == set(layer)
    found = 0
    for name, path in modules.items():
        for other in _imported(path, modules):
            found += 1
            assert layer[other] > layer[name], (name, other)
    assert found > 30


def test_nothing_of_ours_names_a_framework():
    """And what is heavy besides is for looking at data alone."""
    for name, path in _modules_of_ours():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            refused = FRAMEWORKS if name.startswith("infer") else HEAVY
            assert not {word.split(".")[0] for word in names} & refused, path
