"""Which version of the template a project is from, and that version's files, with real git."""

import os
import re
import shutil
import subprocess
import sys
import time

import pytest
from helpers import ROOT, files_in
from keras_scaffold import source
from keras_scaffold.render import history
from keras_scaffold.render.history import (
    SOURCE,
    HistoryError,
    Recorded,
    current,
    is_behind,
    latest,
    offline,
    template_at,
    versions,
)
from repositories import WHO, commit, git, small_history


@pytest.fixture
def clean(tmp_path, monkeypatch):
    """No settings of the person who runs the tests, and no network."""
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    history._repository.cache_clear()
    yield
    history._repository.cache_clear()


@pytest.fixture
def past(clean, tmp_path):
    return small_history(tmp_path / "past")


@pytest.fixture
def checkout(past, monkeypatch):
    """The tool as it runs in a checkout."""
    monkeypatch.setattr(history, "template_root", lambda: past)
    return past


@pytest.fixture
def packaged(past, tmp_path, monkeypatch):
    """The tool as it is installed, from the commit that is tagged v0.2.0."""
    package = tmp_path / "package"
    (package / "_template").mkdir(parents=True)
    git(past, "bundle", "create", str(package / source.BUNDLE), "HEAD", "--all")
    shutil.copy(past / "copier.yml", package / "_template")
    shutil.copytree(past / "template", package / "_template" / "template")
    (package / "_template" / "template" / "version").write_text("2")
    (package / source.COMMIT_FILE).write_text("v0.2.0\n")
    monkeypatch.setattr(history, "template_root", lambda: package / "_template")
    return package


def _at(source, name):
    """The one file of the template at a version."""
    with template_at(Recorded(str(source), name)) as root:
        assert sorted(path.name for path in root.iterdir()) == ["copier.yml", "template"]
        return (root / "template" / "version").read_text()


def _refused(call, *arguments):
    """The one line with which something is refused."""
    with pytest.raises(HistoryError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# What is recorded now


def test_what_a_package_records(packaged):
    assert current() == Recorded(SOURCE, "v0.2.0")


def test_what_a_checkout_records(checkout):
    assert current() == Recorded(str(checkout), git(checkout, "describe", "--tags"))
    assert re.fullmatch(r"v0\.2\.0-1-g[0-9a-f]+", current().commit)
    git(checkout, "checkout", "--quiet", "v0.1.0")
    assert current().commit == "v0.1.0"


def test_what_is_recorded_where_nobody_knows(packaged, past, monkeypatch):
    (packaged / source.COMMIT_FILE).unlink()
    assert current() == Recorded(SOURCE, "")
    shutil.rmtree(past / ".git")
    monkeypatch.setattr(history, "template_root", lambda: past)
    assert current() == Recorded(str(past), "")


def test_an_archive_of_the_repository_says_what_it_is_of(clean, tmp_path):
    repository, archive = tmp_path / "repository", tmp_path / "archive"
    archive.mkdir()
    small_history(repository)
    for name in (".gitattributes", ".git_archival.txt"):
        shutil.copy(ROOT / name, repository)
    commit(repository, "say what archives are of", "v0.3.0")
    git(repository, "archive", "--output", str(tmp_path / "a.tar"), "v0.3.0")
    subprocess.run(["tar", "xf", tmp_path / "a.tar", "-C", archive], check=True)
    assert source.commit(archive) == "v0.3.0"
    shutil.copy(ROOT / ".git_archival.txt", archive)  # as in a copy of the files
    assert source.commit(archive) == ""


@pytest.mark.parametrize(
    ("described", "version"),
    [
        ("v0.1.0", "0.1.0"),
        ("v0.2.0rc1", "0.2.0rc1"),
        ("v1.2.3-14-gabc1234", "1.2.3.post14+gabc1234"),
        ("abc1234", "0.0.0+gabc1234"),
        ("", "0.0.0"),
        ("nightly-3-gabc1234", "0.0.0"),
    ],
)
def test_the_version_follows_from_git(described, version):
    assert source.version_of(described) == version


def test_a_checkout_says_its_version(clean, tmp_path):
    """Also after a new tag, with nothing installed again."""
    repository = tmp_path / "repository"
    shutil.copytree(ROOT / "generator" / "keras_scaffold", repository / "generator/keras_scaffold")
    git(repository, "init", "--quiet")
    command = [sys.executable, "-m", "keras_scaffold", "--version"]
    env = {**os.environ, "PYTHONPATH": str(repository / "generator")}
    for tag in ("v0.1.0", "v0.2.0"):
        commit(repository, tag, tag)
        done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True)
        assert done.stdout == f"keras-scaffold {tag[1:]}\n", done


# A version's files


@pytest.mark.parametrize("tool", ["packaged", "checkout"])
def test_each_version_of_our_own(tool, past, request):
    request.getfixturevalue(tool)
    first = git(past, "rev-parse", "--short", "v0.1.0~1")
    names = {"v0.1.0": "1", "v0.2.0rc1": "rc", "v0.2.0": "2", first: "none"}
    names[f"v0.1.0-1-g{git(past, 'rev-parse', '--short', 'v0.2.0rc1^{commit}')}"] = "rc"
    for name, text in names.items():
        for address in (SOURCE, f"{SOURCE}.git", "gh:keras-scaffold/keras-scaffold", "/gone/away"):
            assert _at(address, name) == text, (name, address)


def test_the_version_that_a_tool_carries_takes_no_git(packaged, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with template_at(current()) as root:
        assert root == packaged / "_template"
    assert not is_behind(current())
    assert is_behind(Recorded(SOURCE, "v0.1.0"))
    assert "git cannot be run" in _refused(_at, SOURCE, "v0.1.0")


def test_nothing_is_left_behind_nor_changed(checkout, tmp_path):
    (checkout / "template" / "version").write_text("dirty")
    git(checkout, "add", "--all")
    before = files_in(tmp_path), git(checkout, "status", "--porcelain"), (checkout / ".git/index")
    index = before[2].read_bytes()
    assert _at(SOURCE, "v0.1.0") == "1"
    assert files_in(tmp_path) == before[0]
    assert before[2].read_bytes() == index
    assert git(checkout, "status", "--porcelain") == before[1]


def test_a_clone_is_gone_when_the_process_ends(packaged, tmp_path):
    script = """
from pathlib import Path
import sys
from keras_scaffold.render import history
history.template_root = lambda: Path(sys.argv[1])
with history.template_at(history.Recorded(history.SOURCE, "v0.1.0")) as root:
    print(root)
"""
    folder = tmp_path / "temporary"
    folder.mkdir()
    command = [sys.executable, "-c", script, packaged / "_template"]
    env = {**os.environ, "TMPDIR": str(folder)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(str(folder))
    assert list(folder.iterdir()) == []


def test_a_fork_by_its_path(packaged, past, tmp_path):
    fork = tmp_path / "fork"
    git(tmp_path, "clone", "--quiet", str(past), str(fork))
    (fork / "template" / "version").write_text("fork")
    ours = commit(fork, "our own", "v0.3.0")
    assert (_at(fork, "v0.3.0"), _at(fork, ours), _at(fork, "v0.1.0")) == ("fork", "fork", "1")
    assert _at(f"file://{fork}", "v0.3.0") == "fork"
    assert versions(str(fork)) == ["v0.1.0", "v0.2.0rc1", "v0.2.0", "v0.3.0"]
    assert latest(str(fork)) == Recorded(str(fork), "v0.3.0")
    assert is_behind(Recorded(str(fork), "v0.2.0"))
    assert not is_behind(Recorded(str(fork), ours))
    assert not is_behind(Recorded(str(fork), "v0.4.0"))  # of a fork we need not know all
    commit(fork, "not quite there", "v0.4.0rc1")
    assert latest(str(fork)) == Recorded(str(fork), "v0.3.0")


def test_a_fork_without_tags(packaged, past, tmp_path):
    fork = tmp_path / "fork"
    git(tmp_path, "clone", "--quiet", "--no-tags", str(past), str(fork))
    head = git(fork, "rev-parse", "HEAD")
    assert (versions(str(fork)), latest(str(fork))) == ([], Recorded(str(fork), head))
    assert not is_behind(Recorded(str(fork), head[:8]))
    assert is_behind(Recorded(str(fork), git(fork, "rev-parse", "--short", "HEAD~2")))


def test_a_worktree_is_a_checkout_too(past, tmp_path, monkeypatch):
    git(past, "worktree", "add", "--quiet", str(tmp_path / "beside"))
    monkeypatch.setattr(history, "template_root", lambda: tmp_path / "beside")
    assert current().commit == git(past, "describe", "--tags")
    assert _at(tmp_path / "beside", "v0.1.0") == "1"


def test_variables_of_hooks_do_not_lead_elsewhere(checkout, tmp_path, monkeypatch):
    git(tmp_path, "init", "--quiet", "elsewhere")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere" / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "elsewhere" / "index"))
    assert _at(SOURCE, "v0.1.0") == "1"
    assert current().commit.startswith("v0.2.0-1-g")
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == [".git"]


def test_a_hook_of_the_repository_does_not_run(checkout, tmp_path):
    hook = checkout / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    assert _at(SOURCE, "v0.1.0") == "1"
    assert not (tmp_path / "ran").exists()


# What is refused


@pytest.mark.parametrize(
    "name",
    ["--help", "-n", "--upload-pack=x", "v1 v2", "a..b", "HEAD^{/x}", "a:b", "@{-1}", "v0.1.0\n"],
)
def test_odd_text_never_becomes_an_option(name, packaged, monkeypatch):
    monkeypatch.setattr(subprocess, "run", None)  # git is not even asked
    assert "_commit" in _refused(_at, SOURCE, name)
    assert "_commit" in _refused(is_behind, Recorded(SOURCE, name))


@pytest.mark.parametrize("source", ["--upload-pack=touch x", "-x", "ext::sh -c touch% x"])
def test_odd_sources_are_no_options(source, packaged, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert _at(source, "v0.1.0") == "1"  # a path that is gone
    (tmp_path / source).write_text("")
    assert f"{source} cannot be read" in _refused(_at, source, "v0.1.0")
    (tmp_path / source).unlink()
    (tmp_path / source).mkdir()
    assert source in _refused(_at, source, "v0.1.0")
    assert source in _refused(versions, source)
    assert not (tmp_path / "x").exists()


def test_no_version_is_recorded(packaged):
    assert "does not say which version" in _refused(_at, SOURCE, "")
    assert "does not say which version" in _refused(is_behind, Recorded(SOURCE, ""))


def test_a_version_that_nobody_knows(packaged, past, tmp_path):
    said = _refused(_at, SOURCE, "v9.0.0")
    assert str(packaged / source.BUNDLE) in said
    assert SOURCE in said
    assert "pip install --upgrade" in said
    assert "v9.0.0" in _refused(_at, past, "v9.0.0")
    assert "v9.0.0" in _refused(_at, "/gone/away", "v9.0.0")
    assert "cannot be reached" in _refused(versions, "https://example.invalid/fork")


def test_a_folder_in_another_repository_is_no_source(packaged, past):
    assert "cannot be read" in _refused(_at, past / "template", "v0.1.0")


def test_a_repository_of_something_else(packaged, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    (other / "file").write_text("x")
    name = commit(other, "x")
    assert "is it a fork" in _refused(_at, other, name)


def test_a_package_without_history_says_so(packaged):
    (packaged / source.BUNDLE).unlink()
    assert _at(SOURCE, "v0.2.0") == "2"
    assert is_behind(Recorded(SOURCE, "v0.1.0"))
    assert "carries no history" in _refused(_at, SOURCE, "v0.1.0")
    for call in (versions, offline):
        assert "carries no history" in _refused(call, SOURCE)


def test_a_damaged_history_is_one_line(packaged):
    (packaged / source.BUNDLE).write_bytes(b"rubbish")
    assert "cannot be read" in _refused(_at, SOURCE, "v0.1.0")


# The order


def test_versions_are_in_order(packaged, past):
    for tag in ("v0.10.0", "v0.9.0"):
        git(past, "tag", tag)
    assert versions(SOURCE) == ["v0.1.0", "v0.2.0rc1", "v0.2.0"]  # those that are carried
    assert versions(str(past)) == ["v0.1.0", "v0.2.0rc1", "v0.2.0", "v0.9.0", "v0.10.0"]


def test_what_is_behind_a_package(packaged, past):
    first = git(past, "rev-parse", "--short", "v0.1.0~1")
    for older in ("v0.1.0", "v0.1.0-3-gabc1234", "v0.2.0rc1", first):
        assert is_behind(Recorded(SOURCE, older)), older
    assert not is_behind(Recorded(SOURCE, "v0.2.0"))
    assert not is_behind(Recorded(SOURCE, git(past, "rev-parse", "v0.2.0^{commit}")))
    for newer in ("v0.3.0", "v0.2.0-1-gabc1234", "v0.10.0rc1", git(past, "rev-parse", "HEAD")):
        said = _refused(is_behind, Recorded(SOURCE, newer))
        assert "is newer than this tool's, v0.2.0; upgrade the tool" in said, newer


def test_a_package_tells_within_a_blink(packaged):
    is_behind(Recorded(SOURCE, "v0.1.0"))  # `packaging` is imported once
    before = time.perf_counter()
    assert is_behind(Recorded(SOURCE, "v0.1.0"))
    assert time.perf_counter() - before < 0.05


def test_what_is_behind_a_checkout(checkout):
    for address in (SOURCE, str(checkout)):
        assert is_behind(Recorded(address, "v0.2.0"))
        assert not is_behind(Recorded(address, current().commit))
    # The public address stays, whoever updates.
    assert latest(SOURCE) == Recorded(SOURCE, current().commit)
    assert latest(str(checkout)) == latest("/gone/away") == current()


def test_a_branch_beside_ours_is_behind(checkout):
    git(checkout, "checkout", "--quiet", "-b", "beside", "v0.2.0")
    (checkout / "template" / "version").write_text("beside")
    beside = commit(checkout, "beside")
    git(checkout, "checkout", "--quiet", "main")
    assert is_behind(Recorded(SOURCE, f"v0.2.0-1-g{beside}"))


def test_a_tool_that_does_not_know_itself(packaged):
    (packaged / source.COMMIT_FILE).write_text("")
    assert "does not know" in _refused(is_behind, Recorded(SOURCE, "v0.1.0"))


# Without network


@pytest.mark.parametrize("tool", ["packaged", "checkout"])
@pytest.mark.parametrize("ending", ["", ".git"])
def test_git_finds_the_public_address_in_our_history(tool, ending, request, tmp_path, monkeypatch):
    request.getfixturevalue(tool)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.name")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "Kept")
    for address in (SOURCE, "gh:keras-scaffold/keras-scaffold"):
        for name, value in offline(address).items():
            monkeypatch.setenv(name, value)
        assert "refs/tags/v0.1.0" in git(tmp_path, "ls-remote", SOURCE + ending)
        assert git(tmp_path, "config", "user.name") == "Kept"
