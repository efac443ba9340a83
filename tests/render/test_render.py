"""A project appears whole or not at all, and what a person has survives."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from helpers import (
    BIN,
    NUMBERS_AND_PICTURE,
    ROOT,
    assert_one_error,
    files_in,
    run_scaffold,
    scaffold_process,
    unwritable,
)
from keras_scaffold import __version__
from keras_scaffold.render import history
from keras_scaffold.render import project as rendering
from keras_scaffold.render.project import RenderError, render, render_to_memory
from keras_scaffold.spec import validate

SPEC = validate(NUMBERS_AND_PICTURE)
AWKWARD = """It's "{{ 7 * 7 }}" & <b> {% x %} \\n 株"""

SPECS = {
    "two inputs": NUMBERS_AND_PICTURE,
    "a tree": {
        "project_name": "Tree",
        "inputs": [
            {"name": "layers", "type": "numeric", "columns": ["a 'b'", "{{ c }}"], "shape": [2]},
            {"name": "np", "type": "image", "encoder": "vit"},
            {"name": "x", "type": "text", "encoder": "conv"},
        ],
        "merge": {"method": "concatenate", "of": [{"method": "dot", "of": ["np", "x"]}, "layers"]},
        "outputs": [
            {"name": "model", "task": "multiclass", "classes": 4},
            {"name": "y", "task": "regression", "units": []},
        ],
    },
    "chosen features": {**NUMBERS_AND_PICTURE, "features": ["onnx", "warm-start", "report"]},
    "no features": {**NUMBERS_AND_PICTURE, "features": []},
    "a name that is awkward": {**NUMBERS_AND_PICTURE, "project_name": AWKWARD},
    "no latin letter": {**NUMBERS_AND_PICTURE, "project_name": "株価の方向"},
}


@pytest.fixture(autouse=True)
def _known_to_git(tmp_path, monkeypatch):
    config = tmp_path / "gitconfig"
    config.write_text("[user]\nname = A\nemail = a@example.org\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)


@pytest.fixture
def here(tmp_path):
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


def _git(folder, *arguments):
    command = ["git", "-C", folder, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _without_source(files):
    answers = files[".copier-answers.yml"].decode()
    kept = [
        line for line in answers.splitlines() if not line.startswith(("_commit:", "_src_path:"))
    ]
    return {**files, ".copier-answers.yml": "\n".join(kept)}


# The same as plain copier


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_plain_copier_gives_the_same_bytes(spec, here):
    source = here / "source"
    shutil.copytree(ROOT / "template", source / "template")
    shutil.copy(ROOT / "copier.yml", source)
    (here / "spec.yml").write_text(yaml.safe_dump(spec, allow_unicode=True), encoding="utf-8")
    copier = [BIN / "copier", "copy", "--quiet", "--defaults", "--data-file", "spec.yml"]
    subprocess.run([*copier, source, "theirs"], cwd=here, check=True)
    done = run_scaffold("new", "ours", "--spec", "spec.yml", cwd=here)
    assert done.code == 0, done
    assert _without_source(files_in(here / "ours")) == _without_source(files_in(here / "theirs"))


def test_the_answers_file_keeps_the_spec_as_it_was_given(here):
    spec = SPECS["a tree"]
    render(validate(spec), here / "out")
    answers = yaml.safe_load((here / "out" / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert {key: answers[key] for key in spec} == spec


def test_what_is_said_of_the_source(here):
    render(SPEC, here / "out")
    answers = yaml.safe_load((here / "out" / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert answers["_src_path"] == str(ROOT)
    if (ROOT / ".git").exists():
        assert str(answers["_commit"]) == _git(ROOT, "describe", "--tags", "--always")


def test_a_checkout_gives_its_work_tree_not_its_last_tag(here, monkeypatch):
    checkout = here / "checkout"
    shutil.copytree(ROOT / "template", checkout / "template")
    shutil.copy(ROOT / "copier.yml", checkout)
    _git(here, "init", "-q", "checkout")
    _git(checkout, "add", "-A")
    _git(checkout, "commit", "-q", "-m", "x")
    _git(checkout, "tag", "v1.0.0")
    (checkout / "template" / "project" / "new_file.txt").write_text("new")
    for module in (rendering, history):
        monkeypatch.setattr(module, "template_root", lambda: checkout)
    render(SPEC, here / "out")
    assert (here / "out" / "new_file.txt").read_text() == "new"
    answers = yaml.safe_load((here / "out" / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert (answers["_src_path"], answers["_commit"]) == (str(checkout), "v1.0.0")


def test_another_template(here):
    fork = here / "fork"
    shutil.copytree(ROOT / "template", fork / "template")
    shutil.copy(ROOT / "copier.yml", fork)
    (fork / "template" / "project" / "FORK").write_text("ours")
    flags = ["-i", "a:text", "-o", "y:binary", "--template"]
    assert run_scaffold("new", "out", *flags, "fork", cwd=here).code == 0
    assert (here / "out" / "FORK").is_file()
    answers = yaml.safe_load((here / "out" / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert answers["_src_path"] == str(fork)
    assert_one_error(run_scaffold("new", "no", *flags, "nowhere", cwd=here), 1, "template")
    (fork / "copier.yml").open("a").write("_tasks: [touch x]\n")
    assert_one_error(run_scaffold("new", "no", *flags, "fork", cwd=here), 1, "unsafe")
    (fork / "copier.yml").write_text("a: [")
    assert_one_error(run_scaffold("new", "no", *flags, "fork", cwd=here), 1, "template")
    assert not (here / "no").exists()


def test_memory_holds_what_would_be_written(here):
    text = render_to_memory(SPEC)
    render(SPEC, here / "out")
    written = files_in(here / "out")
    assert {str(path) for path in text} == set(written)
    answers = Path(".copier-answers.yml")
    assert all(text[Path(p)].encode() == data for p, data in written.items() if Path(p) != answers)


# The destination


def test_folders_above_are_made(here):
    render(SPEC, here / "a" / "b" / "out")
    assert (here / "a" / "b" / "out" / "README.md").is_file()
    assert [path.name for path in (here / "a" / "b").iterdir()] == ["out"]


def test_an_empty_folder_is_filled_and_stays_the_same_folder(here):
    before = here.stat().st_ino
    done = run_scaffold("new", ".", "-i", "a:text", "-o", "y:binary", cwd=here)
    assert done.code == 0, done
    assert here.stat().st_ino == before
    assert (here / "README.md").is_file()
    assert (here / ".git").is_dir()
    assert "cd " not in done.out


def test_a_link_to_a_folder_is_followed(here):
    (here / "real").mkdir()
    (here / "link").symlink_to("real")
    render(SPEC, here / "link")
    assert (here / "link").is_symlink()
    assert (here / "real" / "README.md").is_file()


def _refused(here, destination, *words, flags=()):
    before = files_in(here)
    arguments = ["new", destination, "-i", "a:text", "-o", "y:binary", *flags]
    assert_one_error(run_scaffold(*arguments, cwd=here), 1, *words)
    assert files_in(here) == before


def test_a_folder_with_something_in_it(here):
    (here / "out").mkdir()
    (here / "out" / "mine.txt").write_text("mine")
    _refused(here, "out", "out", "not empty", "--force")


def test_places_where_no_folder_can_be(here):
    (here / "file").write_text("mine")
    (here / "nowhere").symlink_to("missing")
    (here / "loop").symlink_to("loop")
    for flags in ([], ["--force"]):
        _refused(here, "file", "is a file", flags=flags)
        _refused(here, "file/below", "not a folder", flags=flags)
        _refused(here, "nowhere", "link to nowhere", flags=flags)
        _refused(here, "loop", "link to nowhere", flags=flags)
        _refused(here, "x" * 300, "too long", flags=flags)
        _refused(here, str(ROOT / "template" / "project" / "x"), "template itself", flags=flags)


def test_places_that_are_not_writable(here):
    (here / "closed").mkdir()
    with unwritable(here / "closed"):
        _refused(here, "closed", "not writable")
        _refused(here, "closed/below", "not writable")


def test_a_folder_that_the_system_keeps_closed(here):
    _refused(here, "/proc/here", "/proc/here")


# --force


def test_force_keeps_what_a_person_has(here):
    out = here / "out"
    (out / "src").mkdir(parents=True)
    (out / "mine.txt").write_text("mine")
    (out / "src" / "mine.py").write_text("mine")
    (out / "README.md").write_text("my readme")
    (out / "README.md.orig").write_text("older backup")
    (out / "link").symlink_to("nowhere")
    done = run_scaffold("new", "out", "-i", "a:text", "-o", "y:binary", "--force", cwd=here)
    assert done.code == 0
    assert done.err == "replaced README.md; the backup is README.md.orig.1\n"
    assert (out / "mine.txt").read_text() == "mine"
    assert (out / "src" / "mine.py").read_text() == "mine"
    assert (out / "README.md.orig").read_text() == "older backup"
    assert (out / "README.md.orig.1").read_text() == "my readme"
    assert (out / "link").is_symlink()
    fresh = here / "fresh" / "out"
    assert run_scaffold("new", str(fresh), "-i", "a:text", "-o", "y:binary", cwd=here).code == 0
    made = files_in(fresh)
    assert {path: data for path, data in files_in(out).items() if path in made} == made


def test_force_again_changes_nothing(here):
    arguments = ["new", "out", "-i", "a:text", "-o", "y:binary", "--force"]
    assert run_scaffold(*arguments, cwd=here).code == 0
    before = files_in(here / "out")
    done = run_scaffold(*arguments, cwd=here)
    assert (done.code, done.err) == (0, "")
    assert files_in(here / "out") == before


def test_force_follows_no_link_out_of_the_folder(here):
    out = here / "out"
    out.mkdir()
    (here / "outside.md").write_text("mine")
    (out / "README.md").symlink_to(here / "outside.md")
    render(SPEC, out, force=True)
    assert (here / "outside.md").read_text() == "mine"
    assert not (out / "README.md").is_symlink()
    assert (out / "README.md.orig").is_symlink()


def test_force_refuses_what_stands_in_the_way(here):
    (here / "out" / "README.md").mkdir(parents=True)
    _refused(here, "out", "README.md", "is a folder", flags=["--force"])


@pytest.fixture
def nested(here, monkeypatch):
    """A template with files in folders, whatever ours has today."""
    root = here.parent / "nested"
    shutil.copytree(ROOT / "template", root / "template")
    shutil.copy(ROOT / "copier.yml", root)
    for name in ("aa/one.txt", "aa/bb/two.txt", "zz.txt"):
        path = root / "template" / "project" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("ours")
    monkeypatch.setattr(rendering, "template_root", lambda: root)
    return root


def test_force_refuses_folders_that_are_none(here, nested):
    out = here / "out"
    out.mkdir()
    (out / "aa").write_text("mine")
    with pytest.raises(RenderError, match="is no folder"):
        render(SPEC, out, force=True)
    (out / "aa").unlink()
    (here / "elsewhere").mkdir()
    (out / "aa").symlink_to(here / "elsewhere")
    with pytest.raises(RenderError, match="is no folder"):
        render(SPEC, out, force=True)
    assert list((here / "elsewhere").iterdir()) == []
    assert [path.name for path in out.iterdir()] == ["aa"]


# Failures


@pytest.mark.parametrize("fails_at", range(1, 9))
def test_a_failing_move_is_undone(here, nested, monkeypatch, fails_at):
    out = here / "out"
    (out / "aa").mkdir(parents=True)
    (out / "aa" / "one.txt").write_text("mine")
    (out / "zz.txt").write_text("mine")
    before = files_in(here)
    rename, calls = Path.rename, []

    def failing(self, target):
        calls.append(self)
        if len(calls) == fails_at:
            raise OSError(28, "No space left on device", str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    try:
        render(SPEC, out, force=True)
    except RenderError as error:
        assert str(error) == f"{out}: cannot be written: No space left on device"
        assert files_in(here) == before
        assert not (out / "aa" / "bb").exists()
    else:
        assert len(calls) < fails_at
        assert (out / "zz.txt.orig").read_text() == "mine"
    assert not list(out.glob(".keras-scaffold*"))


def test_the_failing_moves_above_do_fail(here, nested, monkeypatch):
    rename, calls = Path.rename, []
    monkeypatch.setattr(Path, "rename", lambda self, to: calls.append(self) or rename(self, to))
    (here / "out").mkdir()
    (here / "out" / "zz.txt").write_text("mine")
    render(SPEC, here / "out", force=True)
    assert len(calls) >= 4


def test_a_failing_template_leaves_nothing(here, nested):
    (nested / "template" / "project" / "zzz.txt.jinja").write_text("{{ nothing.at.all }}")
    with pytest.raises(RenderError, match="the template cannot be rendered"):
        render(SPEC, here / "a" / "b" / "out")
    assert list(here.iterdir()) == []
    (here / "out").mkdir()
    with pytest.raises(RenderError):
        render(SPEC, here / "out")
    assert list((here / "out").iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("exists", [False, True])
def test_an_interrupt_leaves_nothing(here, number, exists):
    """Interrupted again and again, at ever later moments, until it is too late."""
    out = here / "a" / "out"
    if exists:
        out.mkdir(parents=True)
    command = [BIN / "scaffold", "new", out, "-i", "a:text", "-o", "y:binary"]
    for wait in range(60):
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        _wait_for_work(process, here, wait)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
        if process.returncode == 0 or b"the project is in" in err:
            break
        assert process.returncode == 130, (process.returncode, err)
        assert err == b"error: interrupted, nothing was written\n"
        assert list(here.rglob("*")) == ([out.parent, out] if exists else [])
    else:
        pytest.fail("it never came to its end")
    assert wait > 0
    assert (out / "README.md").is_file()
    assert not list(here.rglob(".keras-scaffold*"))


def _wait_for_work(process, folder, steps):
    """Until the temporary folder is there, and some milliseconds more, at last some seconds."""
    while process.poll() is None and not list(folder.rglob(".keras-scaffold*")):
        time.sleep(0.001)
    time.sleep(0.01 * (1.11**steps - 1))


# Git


def test_a_repository_with_one_commit(here):
    done = run_scaffold("new", "out", "-i", "a:text", "-o", "y:binary", "--name", "N", cwd=here)
    assert "Note" not in done.out
    out = here / "out"
    assert _git(out, "log", "--format=%s %an") == f"Start N with keras-scaffold {__version__} A"
    assert _git(out, "branch", "--show-current") == "main"
    assert _git(out, "status", "--porcelain") == ""


def test_without_a_name_the_files_are_staged(here, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    for key in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "EMAIL"):
        monkeypatch.delenv(key, raising=False)
    done = run_scaffold("new", "out", "-i", "a:text", "-o", "y:binary", cwd=here)
    assert done.code == 0
    assert "user.name" in done.out
    assert "A  README.md" in _git(here / "out", "status", "--porcelain")


def test_no_repository_where_none_belongs(here, monkeypatch):
    render(SPEC, here / "plain", git=False)
    assert not (here / "plain" / ".git").exists()
    _git(here, "init", "-q", "outer")
    render(SPEC, here / "outer" / "inner")
    assert not (here / "outer" / "inner" / ".git").exists()
    monkeypatch.setenv("PATH", str(here))
    render(SPEC, here / "without")
    assert (here / "without" / "README.md").is_file()
    assert not (here / "without" / ".git").exists()


def test_from_inside_a_git_hook(here, monkeypatch):
    _git(here, "init", "-q", "other")
    monkeypatch.setenv("GIT_DIR", str(here / "other" / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(here / "other" / ".git" / "index"))
    render(SPEC, here / "out")
    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert "README.md" in _git(here / "out", "ls-files")
    assert _git(here / "other", "ls-files") == ""


def test_a_process_of_its_own(here):
    done = scaffold_process("new", "out", "-i", "a:text", "-o", "y:binary", cwd=here)
    assert (done.returncode, done.stderr) == (0, "")
    assert (here / "out" / "README.md").is_file()
    assert "\x1b" not in done.stdout


def test_the_module_runs_too(here):
    command = [sys.executable, "-m", "keras_scaffold", "--version"]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, check=True)
    assert done.stdout == f"keras-scaffold {__version__}\n"
