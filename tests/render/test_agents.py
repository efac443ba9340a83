"""AGENTS.md of a generated project: short, and every path, function and command in it exists."""

from __future__ import annotations

import importlib
import re
import shlex
import sys
import tomllib
from itertools import takewhile

import pytest
import typer
from keras_scaffold.catalog import load_catalog
from keras_scaffold.cli.main import app
from keras_scaffold.render.project import render
from keras_scaffold.spec import validate

SPEC = {
    "project_name": "Told Agents",
    "inputs": [{"name": "numbers", "type": "numeric"}, {"name": "note", "type": "text"}],
    "outputs": [{"name": "label", "task": "binary"}, {"name": "price", "task": "regression"}],
}
PROJECTS = {
    "default": SPEC,
    "minimal": {**SPEC, "features": []},
    "all": {**SPEC, "merge": "custom", "features": list(load_catalog().features)},
    "plain": {
        **SPEC,
        "features": [],
        "inputs": [{"name": "numbers", "type": "numeric", "encoder": "residual"}],
    },
}


@pytest.fixture(params=PROJECTS, scope="module")
def made(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("agents") / request.param
    render(validate(PROJECTS[request.param]), folder, git=False)
    return folder


def text_of(made):
    return (made / "AGENTS.md").read_text(encoding="utf-8")


def commands_of(made):
    """The words of each command in the blocks of code, without comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text_of(made), flags=re.M | re.S)
    lines = [line.partition("   #")[0] for block in blocks for line in block.splitlines()]
    return [shlex.split(part) for line in lines for part in line.split("&&")]


def test_it_is_short(made):
    assert len(text_of(made).splitlines()) <= 40


def test_its_paths_and_functions_exist(made):
    package = made / "src" / "told_agents"
    for path in re.findall(r"[\w./-]+/[\w.-]+\.(?:py|md|yml)", text_of(made)):
        assert (made / path).is_file(), path
    prose = re.sub(r"^```.*?^```", "", text_of(made), flags=re.M | re.S)
    code = "\n".join(path.read_text(encoding="utf-8") for path in package.glob("*.py"))
    seen = 0
    for name in re.findall(r"`([^`]+)`", prose):
        if re.search(r"\.(py|md|yml)$", name):
            assert (made / name).exists() or (package / name).exists(), name
        elif name.startswith("--"):
            assert f'"{name}"' in code, name
        elif re.fullmatch(r"[A-Za-z_]+", name) and name != "scaffold":
            assert re.search(rf"^(def|class) {name}\b", code, flags=re.M), name
        elif re.fullmatch(r"\w+\.\w+", name):
            assert f'name="{name}"' in code, name
        else:
            assert name in ("scaffold", "ruff format"), name
            continue
        seen += 1
    assert seen > 12


def test_its_commands_exist(made, monkeypatch):
    tools = tomllib.loads((made / "pyproject.toml").read_text(encoding="utf-8"))
    installed = [
        re.split("[<>=]", each)[0] for each in tools["project"]["optional-dependencies"]["dev"]
    ]
    monkeypatch.syspath_prepend(str(made / "src"))
    for words in commands_of(made):
        if words[:2] == ["python", "-m"]:
            for module in [name for name in sys.modules if name.startswith(words[2])]:
                monkeypatch.delitem(sys.modules, module)
            parser = importlib.import_module(f"{words[2]}.__main__").make_parser()
            assert parser.parse_args(words[3:]).command == words[3]
        elif words[0] == "scaffold":
            command = typer.main.get_command(app)
            for word in takewhile(str.islower, words[1:]):
                if hasattr(command, "commands"):
                    command = command.commands[word]
        else:
            assert words[0] in [*installed, "pip"], words
            assert all((made / word).exists() for word in words if word.endswith(".py")), words
