"""Releases: earlier versions' projects update, and one command makes the next."""

import datetime
import re
import sys
import tarfile
import zipfile

import pytest
from helpers import ROOT, files_in
from keras_scaffold.source import BUNDLE
from repositories import README, WHO, commit, git, small_history, whole_history

sys.path.insert(0, str(ROOT / "scripts"))

import prove_updates
import release as releasing

NEXT = "## 0.3.0, not released yet"


@pytest.fixture(autouse=True)
def _somebody(monkeypatch):
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def repository(tmp_path):
    """Two versions that are made up, and what will be the third."""
    folder = whole_history(tmp_path / "repository", examples=["seed-multiply"])
    text = (folder / "CHANGELOG.md").read_text(encoding="utf-8")
    text = re.sub(r"^## .*$", NEXT, text, count=1, flags=re.MULTILINE)
    (folder / "CHANGELOG.md").write_text(text, encoding="utf-8")
    commit(folder, "Say what is new")
    return folder


@pytest.fixture
def small(tmp_path):
    folder = small_history(tmp_path / "small")
    (folder / "CHANGELOG.md").write_text(
        f"# Changelog\n\n{NEXT}\n\n- New.\n\n## 0.2.0, 2020-01-01\n"
    )
    commit(folder, "say what is new")
    return folder


def _state(repository):
    """All that a release may change where it works, and may not where it does not."""
    refs = git(repository, "for-each-ref"), git(repository, "rev-parse", "HEAD")
    return refs, files_in(repository)


@pytest.mark.slow
def test_a_release_is_made(repository, tmp_path):
    before = git(repository, "rev-parse", "HEAD")
    built = releasing.release("0.3.0", repository)
    assert git(repository, "describe", "HEAD") == "v0.3.0"
    assert git(repository, "rev-parse", "HEAD~1") == before
    assert git(repository, "status", "--porcelain") == ""
    today = datetime.datetime.now(datetime.UTC).date()
    assert f"## 0.3.0, {today}\n" in (repository / "CHANGELOG.md").read_text(encoding="utf-8")
    assert git(repository, "diff", "--stat", "HEAD~1").startswith("CHANGELOG.md | 2 +-")
    names = ["keras_scaffold-0.3.0.tar.gz", "keras_scaffold-0.3.0-py3-none-any.whl"]
    assert [path.name for path in built] == names
    assert all(path.parent == repository / "dist" for path in built)
    with tarfile.open(built[0]) as archive:
        inside = f"keras_scaffold-0.3.0/generator/keras_scaffold/{BUNDLE}"
        assert inside in archive.getnames()
    with zipfile.ZipFile(built[1]) as archive:
        archive.extract(f"keras_scaffold/{BUNDLE}", tmp_path)
    told = git(tmp_path, "ls-remote", "--tags", str(tmp_path / "keras_scaffold" / BUNDLE))
    assert "refs/tags/v0.3.0" in told


@pytest.mark.slow
def test_a_template_that_earlier_projects_cannot_take_is_not_released(repository):
    """Here an answer of theirs is refused, and a file appears in no project from the tags."""
    questions = repository / "copier.yml"
    text = questions.read_text(encoding="utf-8")
    refuse = 'project_name | length > 60 or "Multiply" in project_name'
    assert "project_name | length > 60" in text
    questions.write_text(text.replace("project_name | length > 60", refuse), encoding="utf-8")
    commit(repository, "Refuse a name that was good")
    before = _state(repository)
    with pytest.raises(releasing.Refused) as caught:
        releasing.release("0.3.0", repository)
    lines = str(caught.value).splitlines()
    assert lines[0] == "projects of earlier versions do not update:"
    assert [line.split(":")[0] for line in lines[1:]] == [
        "v0.1.0, seed-multiply",
        "v0.2.0, seed-multiply",
    ]
    assert _state(repository) == before


@pytest.mark.slow
def test_what_an_update_leaves_undone_is_found(repository, tmp_path, monkeypatch):
    """The proof sees a conflict, and a file that did not follow."""
    spoil = "import pathlib; pathlib.Path('README.md').write_text('<<<<<<< before updating\\n')"
    ways = {"nothing": [sys.executable, "-c", ""], "spoilt": [sys.executable, "-c", spoil]}
    monkeypatch.setattr(prove_updates, "WAYS", ways)
    wrong = prove_updates.prove(repository)
    for tag in ("v0.1.0", "v0.2.0"):
        for way in ways:
            said = f"{tag}, seed-multiply, {way}: README.md is not as it is generated now"
            assert said in wrong
    assert "v0.1.0, seed-multiply, nothing: OLD is not as it is generated now" in wrong


def _refused(version, repository):
    before = _state(repository)
    with pytest.raises(releasing.Refused) as caught:
        releasing.release(version, repository)
    assert _state(repository) == before
    return str(caught.value)


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("next", "is no version"),
        ("v0.3.0", "say 0.3.0"),
        ("0.3.0.post1", "say 0.3.0"),
        ("0.3.0+local", "say 0.3.0"),
        ("0.2.0", "does not come after v0.2.0"),
        ("0.2.0rc2", "does not come after v0.2.0"),
        ("0.4.0", "no section '## 0.4.0, not released yet'"),
    ],
)
def test_no_release_of_a_version_that_does_not_follow(version, words, small):
    assert words in _refused(version, small)


def test_no_release_of_what_is_not_committed(small):
    (small / "new").write_text("x")
    assert "not committed" in _refused("0.3.0", small)


def test_no_release_from_a_shallow_clone(small, tmp_path):
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{small}", "shallow")
    assert "shallow" in _refused("0.3.0", tmp_path / "shallow")


def test_the_changelog_is_ready_for_the_next_release():
    """Its first section is of a version, released or not: `scripts/release` looks for it."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    first = re.search(r"^## (.*)$", text, flags=re.MULTILINE)
    assert first
    assert re.fullmatch(r"\d+\.\d+\.\d+\w*, (not released yet|\d{4}-\d\d-\d\d)", first[1])
    assert (ROOT / README).is_file()
