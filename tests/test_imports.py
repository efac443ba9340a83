"""What is imported when, and that dependencies point one way."""

import ast
import json
import subprocess
import sys

import pytest
from helpers import BIN, ROOT

PACKAGE = ROOT / "generator" / "keras_scaffold"
HEAVY = {"tensorflow", "keras", "torch", "jax", "numpy", "pandas"}
SLOW = HEAVY | {"copier", "questionary", "prompt_toolkit", "jinja2", "plumbum", "rich"}

# From the entry point down to what knows of nothing else. A module imports from rows below alone.
LAYERS = [
    {"__main__"},
    {"cli"},
    {"commands", "completion"},
    {"wizard", "schema"},
    {"questions", "render", "show", "estimate"},
    {"diagram"},
    {"notation"},
    {"spec"},
    {"catalog", "interrupts"},
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


def _imported(path):
    """The modules of ours that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "keras_scaffold":
            yield from (alias.name for alias in node.names if not alias.name.startswith("__"))
        elif isinstance(node, ast.ImportFrom) and str(node.module).startswith("keras_scaffold."):
            yield node.module.split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (
                alias.name.split(".")[1]
                for alias in node.names
                if alias.name.startswith("keras_scaffold.")
            )


def test_dependencies_point_one_way():
    layer = {name: depth for depth, names in enumerate(LAYERS) for name in names}
    modules = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    assert modules == set(layer)
    found = 0
    for name in modules:
        for other in _imported(PACKAGE / f"{name}.py"):
            found += 1
            assert layer[other] > layer[name], (name, other)
    assert found > 20


def test_nothing_of_ours_names_a_framework():
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & HEAVY, path
