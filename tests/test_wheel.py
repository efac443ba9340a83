"""The wheel, installed in a clean environment with no checkout near."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from importlib.metadata import PackageNotFoundError, files, requires
from pathlib import Path

import pytest
import yaml
from helpers import ROOT
from keras_scaffold import __version__
from keras_scaffold.render import SOURCE
from packaging.requirements import Requirement

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy, so that no build folder is left in the checkout."""
    source = tmp_path_factory.mktemp("source")
    for name in ("generator", "template"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("copier.yml", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist"]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (built,) = (source / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """A virtual environment that has the wheel and what it needs, and nothing else of ours.

    Its dependencies come from this environment's files, so that the test needs no network.
    """
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    site = Path(_run(python, "-c", "import site; print(site.getsitepackages()[0])").strip())
    for package in _needed(wheel):
        for path in _files(package):
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(sysconfig.get_path("purelib"), path), site / path)
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--quiet", wheel], check=True, capture_output=True)
    return folder


def _needed(wheel):
    """The distributions that the wheel's plain install asks for, and those that they ask for."""

    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("METADATA")]
        lines = archive.read(name).decode().splitlines()
    todo = [line.partition(": ")[2] for line in lines if line.startswith("Requires-Dist")]
    found = set()
    while todo:
        need = Requirement(todo.pop())
        if need.name.lower() in found or (need.marker and not need.marker.evaluate({"extra": ""})):
            continue
        try:
            todo += requires(need.name) or []
        except PackageNotFoundError:
            continue
        found.add(need.name.lower())
    return sorted(found)


def _files(package):
    return [str(path) for path in files(package) or [] if ".." not in path.parts]


def _run(*command, cwd=None):
    env = {"PATH": os.environ["PATH"], "HOME": str(cwd), "LANG": "C.UTF-8"}
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done
    return done.stdout


def test_a_plain_install_is_light(wheel):
    needed = _needed(wheel)
    assert "copier" in needed
    assert not {"tensorflow", "keras", "pandas", "pyarrow"} & set(needed)


def test_it_works_with_no_checkout_near(environment, tmp_path):
    scaffold = environment / "bin" / "scaffold"
    assert _run(scaffold, "--version", cwd=tmp_path) == f"keras-scaffold {__version__}\n"
    _run(scaffold, "new", "out", "-i", "a:numeric", "-i", "b:image", "-o", "y:binary", cwd=tmp_path)
    assert (tmp_path / "out" / "README.md").is_file()
    answers = yaml.safe_load((tmp_path / "out" / ".copier-answers.yml").read_text())
    assert (answers["_src_path"], answers["_commit"]) == (SOURCE, f"v{__version__}")
    for command in ("preview", "catalog", "schema"):
        assert _run(scaffold, command, cwd=tmp_path)
    (tmp_path / "table.csv").write_text("a,y\n" + "1.5,no\n2.5,yes\n7.5,no\n" * 5)
    assert "binary" in _run(scaffold, "inspect", "table.csv", "--target", "y", cwd=tmp_path)


def test_nothing_in_it_knows_the_checkout(environment, tmp_path):
    scaffold = environment / "bin" / "scaffold"
    _run(scaffold, "new", "out", "-i", "a:text", "-o", "y:binary", cwd=tmp_path)
    python = environment / "bin" / "python"
    package = _run(python, "-c", "import keras_scaffold as k; print(k.__path__[0])", cwd=tmp_path)
    assert package.startswith(str(environment))
    for folder in (tmp_path / "out", environment):
        for path in folder.rglob("*"):
            if path.is_file() and path.suffix in {".py", ".yml", ".md", ".toml", ".jinja", ".pth"}:
                assert str(ROOT) not in path.read_text(encoding="utf-8", errors="replace"), path


def test_it_carries_the_whole_template(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for path in [ROOT / "copier.yml", *(ROOT / "template").rglob("*")]:
        if path.is_file():
            assert f"keras_scaffold/_template/{path.relative_to(ROOT)}" in names, path
