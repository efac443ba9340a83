"""The wheel, installed in a clean environment with no checkout near."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from importlib.metadata import PackageNotFoundError, files, requires
from pathlib import Path

import pytest
import yaml
from helpers import NUMBERS_AND_PICTURE, ROOT
from keras_scaffold.render.history import SOURCE
from keras_scaffold.source import BUNDLE, COMMIT_FILE
from packaging.requirements import Requirement
from repositories import README, WHO, commit, git, whole_history

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """The files as they are, after two made-up versions, and released as v0.3.0."""
    folder = whole_history(tmp_path_factory.mktemp("source") / "repository")
    git(folder, "tag", "v0.3.0")
    return folder


@pytest.fixture(scope="module")
def sdist(repository, tmp_path_factory):
    return _build(repository, tmp_path_factory.mktemp("sdist"), "--sdist")


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    """Built from the sdist, as an index's users get it."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (unpacked,) = folder.iterdir()
    return _build(unpacked, tmp_path_factory.mktemp("wheel"))


def _build(folder, out, kind="--wheel", said=""):
    """Build a distribution, for real; what it is said to lack is said."""
    command = [sys.executable, "-m", "build", kind, "--no-isolation", "--outdir", out, folder]
    env = {**os.environ, **WHO}
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done
    told = done.stdout + done.stderr
    assert ("built without the template's history" in told) is bool(said), told
    assert said in told
    (built,) = out.iterdir()
    return built


def _contents(wheel):
    """A wheel's files, but for the list of them, whose order is that of the folders."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/RECORD")]
        return {name: archive.read(name) for name in names}


def _carried(wheel):
    """The commit that a wheel says it is from, and whether it has the history."""
    with zipfile.ZipFile(wheel) as archive:
        commit = archive.read(f"keras_scaffold/{COMMIT_FILE}").decode().strip()
        return commit, f"keras_scaffold/{BUNDLE}" in archive.namelist()


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


def _run(*command, cwd=None, env=None):
    env = {"PATH": os.environ["PATH"], "HOME": str(cwd), "LANG": "C.UTF-8", **WHO, **(env or {})}
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done
    return done.stdout


def test_a_plain_install_is_light(wheel):
    needed = _needed(wheel)
    assert "copier" in needed
    assert not {"tensorflow", "keras", "pandas", "pyarrow"} & set(needed)


def test_it_works_with_no_checkout_near(environment, tmp_path):
    scaffold = environment / "bin" / "scaffold"
    assert _run(scaffold, "--version", cwd=tmp_path) == "keras-scaffold 0.3.0\n"
    _run(scaffold, "new", "out", "-i", "a:numeric", "-i", "b:image", "-o", "y:binary", cwd=tmp_path)
    assert (tmp_path / "out" / "README.md").is_file()
    answers = yaml.safe_load((tmp_path / "out" / ".copier-answers.yml").read_text())
    assert (answers["_src_path"], answers["_commit"]) == (SOURCE, "v0.3.0")
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


def test_it_is_typed(wheel):
    with zipfile.ZipFile(wheel) as archive:
        assert "keras_scaffold/py.typed" in archive.namelist()


# The history


def test_wheels_from_git_and_from_the_sdist_are_the_same(repository, wheel, tmp_path):
    direct = _build(repository, tmp_path)
    assert direct.name == wheel.name == "keras_scaffold-0.3.0-py3-none-any.whl"
    assert _carried(direct) == _carried(wheel) == ("v0.3.0", True)
    assert _contents(direct) == _contents(wheel)
    assert git(repository, "status", "--porcelain") == ""


def test_plain_copier_updates_without_network(environment, repository, tmp_path):
    """From the recorded public address, which git finds in the history that is installed."""
    answers = tmp_path / "answers.yml"
    answers.write_text(yaml.safe_dump(NUMBERS_AND_PICTURE))
    python, copier = environment / "bin" / "python", [sys.executable, "-m", "copier"]
    say = "import json; from keras_scaffold.render.history import offline; print(json.dumps(offline()))"
    env = json.loads(_run(python, "-c", say, cwd=tmp_path))
    assert str(environment) in str(env)
    env = {**env, "GIT_ALLOW_PROTOCOL": "file", "HOME": str(tmp_path)}
    copy = [*copier, "copy", "--defaults", "--data-file", answers, "--vcs-ref", "v0.1.0"]
    _run(*copy, SOURCE, "project", cwd=tmp_path, env=env)
    project = tmp_path / "project"
    assert (project / "OLD").is_file()
    assert "This stood here once." in (project / "README.md").read_text()
    git(project, "init", "--quiet")
    (project / "README.md").write_text("Mine.\n" + (project / "README.md").read_text())
    commit(project, "as it was made")
    _run(*copier, "update", "--defaults", cwd=project, env=env)
    said = yaml.safe_load((project / ".copier-answers.yml").read_text())
    assert (said["_src_path"], said["_commit"]) == (SOURCE, "v0.3.0")
    text = (project / "README.md").read_text()
    assert text.startswith("Mine.\n")
    assert "Once" not in text
    assert not (project / "OLD").exists()


def test_the_tool_finds_earlier_versions_without_network(environment, tmp_path):
    python = environment / "bin" / "python"
    say = """
from keras_scaffold.render.history import SOURCE, Recorded, is_behind, template_at, versions
old = Recorded(SOURCE, "v0.1.0")
with template_at(old) as root:
    print(versions(SOURCE), is_behind(old), (root / "template/project/OLD").read_text())
"""
    told = _run(python, "-c", say, cwd=tmp_path, env={"GIT_ALLOW_PROTOCOL": "file"})
    assert told == "['v0.1.0', 'v0.2.0', 'v0.3.0'] True gone since\n\n"


def test_what_is_not_committed_is_packaged_as_a_commit(repository, tmp_path):
    """And the checkout, its .git included, stays as it is."""
    folder = tmp_path / "dirty"
    git(tmp_path, "clone", "--quiet", str(repository), str(folder))
    (folder / README).write_text("dirty\n")
    git(folder, "add", "--all")
    (folder / "template" / "project" / "UNTRACKED").write_text("new\n")
    (folder / "CHANGELOG.md").write_text("not the template's\n")
    before = files_with_git(folder)
    first, second = (_build(folder, tmp_path / name) for name in ("1", "2"))
    assert files_with_git(folder) == before
    assert first.read_bytes() == second.read_bytes()
    named, bundled = _carried(first)
    assert named.startswith("v0.3.0-1-g")
    assert first.name.startswith(f"keras_scaffold-0.3.0.post1+{named.rpartition('-')[2]}-")
    assert bundled
    with zipfile.ZipFile(first) as archive:
        archive.extract(f"keras_scaffold/{BUNDLE}", tmp_path)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(tmp_path / "keras_scaffold" / BUNDLE), str(clone))
    git(clone, "checkout", "--quiet", named)
    assert (clone / README).read_text() == "dirty\n"
    assert (clone / "template" / "project" / "UNTRACKED").read_text() == "new\n"
    assert (clone / "CHANGELOG.md").read_text() != "not the template's\n"
    assert git(clone, "describe", "--tags", "HEAD~1") == "v0.3.0"


def files_with_git(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_branch_that_is_not_packaged_stays_out(repository, tmp_path):
    folder = tmp_path / "branches"
    git(tmp_path, "clone", "--quiet", str(repository), str(folder))
    git(folder, "checkout", "--quiet", "-b", "secret")
    commit(folder, "secret")
    git(folder, "checkout", "--quiet", "--detach", "v0.2.0")
    wheel = _build(folder, tmp_path / "out")
    assert _carried(wheel) == ("v0.2.0", True)
    with zipfile.ZipFile(wheel) as archive:
        archive.extract(f"keras_scaffold/{BUNDLE}", tmp_path)
    told = git(tmp_path, "ls-remote", str(tmp_path / "keras_scaffold" / BUNDLE))
    names = {line.split("\t")[1] for line in told.splitlines()}
    tags = {f"refs/tags/{tag}" for tag in ("v0.1.0", "v0.2.0", "v0.3.0")}
    assert names - {f"{tag}^{{}}" for tag in tags} == {"HEAD", "refs/heads/main", *tags}


def test_a_source_archive_lacks_the_history_and_says_so(repository, tmp_path):
    """As the archives that are offered for download: no .git, but git says what they are of."""
    folder = tmp_path / "archive"
    folder.mkdir()
    git(repository, "archive", "--output", str(tmp_path / "a.tar"), "v0.3.0")
    with tarfile.open(tmp_path / "a.tar") as archive:
        archive.extractall(folder, filter="data")
    wheel = _build(folder, tmp_path / "out", said="no git repository here")
    assert wheel.name == "keras_scaffold-0.3.0-py3-none-any.whl"
    assert _carried(wheel) == ("v0.3.0", False)


def test_a_copy_of_the_files_knows_nothing_and_says_so(repository, tmp_path):
    """Nor does it take the history of a repository that it lies in."""
    folder = tmp_path / "outer" / "copy"
    shutil.copytree(repository, folder, ignore=shutil.ignore_patterns(".git"))
    git(folder.parent, "init", "--quiet")
    commit(folder.parent, "of somebody else", "v9.0.0")
    wheel = _build(folder, tmp_path / "out", said="no git repository here")
    assert wheel.name == "keras_scaffold-0.0.0-py3-none-any.whl"
    assert _carried(wheel) == ("", False)


def test_a_shallow_clone_lacks_the_history_and_says_so(repository, tmp_path):
    folder = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{repository}", str(folder))
    wheel = _build(folder, tmp_path / "out", said="git fetch --unshallow --tags")
    assert _carried(wheel)[1] is False


def test_pip_installs_from_a_checkout_with_its_history(repository, tmp_path):
    target = tmp_path / "target"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--no-build-isolation",
        "--no-deps",
        "--no-index",
    ]
    subprocess.run([*pip, "--quiet", "--target", target, repository], check=True)
    assert (target / "keras_scaffold" / COMMIT_FILE).read_text() == "v0.3.0\n"
    assert (target / "keras_scaffold" / BUNDLE).is_file()
    assert git(repository, "status", "--porcelain") == ""
