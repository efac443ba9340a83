"""What can be wrong with a project and its repository: a change is made all the same, or one line says why not."""

import os
import re
import shutil
import subprocess

import pytest
from helpers import Done, assert_one_error, files_in, unwritable
from past import NOBODY, commit_all, git
from walks import begin, quick_rendering, scaffold

GIVEN = {
    "project_name": "Faulty",
    "inputs": [{"name": "numbers", "type": "numeric"}, {"name": "flag", "type": "binary"}],
    "outputs": [{"name": "label", "task": "binary"}],
}
ADD = ("add", "input", "pulse:numeric:3")
MODEL = "src/faulty/model.py"
ANSWERS = ".copier-answers.yml"


@pytest.fixture(autouse=True)
def nobody(monkeypatch, tmp_path):
    for name, value in NOBODY.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    with quick_rendering():
        yield begin(GIVEN, tmp_path_factory.mktemp("kept") / "project")


@pytest.fixture
def project(kept, tmp_path):
    return shutil.copytree(kept, tmp_path / "project")


def adds_and_takes_back(project, *flags):
    """Adding works, and undo brings back every byte."""
    before, status = files_in(project), git(project, "status", "--porcelain")
    done = scaffold(project, *ADD, *flags)
    assert done.code == 0, done
    assert b"def encode_pulse" in (project / MODEL).read_bytes()
    undone = scaffold(project, "undo")
    assert undone.code == 0, undone
    assert files_in(project) == before
    assert git(project, "status", "--porcelain") == status


def refuses(project, *told, words=ADD, shown=False):
    """One line says why not, and nothing is written; `shown`: after what would have changed."""
    before = files_in(project)
    done = scaffold(project, *words)
    assert_one_error(Done(done.code, "" if shown else done.out, done.err), 1, *told)
    assert files_in(project) == before


def rewrite(path, change):
    path.write_bytes(change(path.read_bytes()))


# The answers file


def test_an_answers_file_in_other_words(project):
    """Comments, another order, flow style, a byte order mark: no edits that a change could lose."""
    path = project / ANSWERS
    lines = path.read_text().splitlines()
    text = "\ufeff# mine\n" + "\n".join(lines[1:]) + "\n"
    path.write_text(text.replace("- name: flag\n    type: binary", "- {name: flag, type: binary}"))
    commit_all(project)
    adds_and_takes_back(project)


def test_an_answers_file_whose_spec_was_edited_by_hand(project):
    """The code does not have what the answers say; the difference to come is the change alone."""
    rewrite(project / ANSWERS, lambda text: text.replace(b"type: binary", b"type: text", 1))
    commit_all(project)
    before = files_in(project)
    done = scaffold(project, *ADD)
    assert done.code in (0, 1), done
    assert done.err.count("\n") <= 1
    scaffold(project, "undo")
    assert files_in(project) == before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: b"", "adopt"),
        (lambda text: b"\xff\xfe\x00", "UTF-8"),
        (lambda text: b"inputs: [", "adopt"),
        (lambda text: b"<<<<<<< a\n" + text + b"=======\n>>>>>>> b\n", "conflict markers"),
        (lambda text: text.replace(b"inputs:", b"imputs:"), "no inputs"),
        (lambda text: text.replace(b"type: binary", b"type: binnary"), "binnary"),
        (lambda text: text + b"inputs: []\n", "adopt"),
        (lambda text: re.sub(rb"_src_path: .*\n", b"", text), "_src_path"),
        (lambda text: re.sub(rb"_src_path: .*\n", b"_src_path: [1]\n", text), "_src_path"),
        (lambda text: re.sub(rb"_commit: .*\n", b"_commit: v99.0.0\n", text), "v99.0.0"),
        (lambda text: re.sub(rb"_commit: .*\n", b"_commit: --upload-pack=x\n", text), "_commit"),
        (lambda text: re.sub(rb"_commit: .*\n", b"_commit: '$(touch x)'\n", text), "_commit"),
    ],
)
def test_a_damaged_answers_file(project, change, told):
    rewrite(project / ANSWERS, change)
    commit_all(project)
    refuses(project, told)


def test_no_answers_file(project):
    git(project, "rm", "-q", ANSWERS)
    commit_all(project)
    refuses(project, ANSWERS, "adopt")


def test_an_answers_file_that_is_a_link(project):
    """It is written in its place; where it led stays as it is."""
    kept = project.parent / "kept.yml"
    (project / ANSWERS).rename(kept)
    (project / ANSWERS).symlink_to(kept)
    commit_all(project)
    text = kept.read_bytes()
    before = files_in(project)
    assert scaffold(project, *ADD).code == 0
    assert kept.read_bytes() == text
    assert scaffold(project, "undo").code == 0
    assert files_in(project) == before
    assert (project / ANSWERS).is_symlink()


# The repository


def test_no_repository(project):
    shutil.rmtree(project / ".git")
    refuses(project, "git init")


def test_nothing_committed(project):
    shutil.rmtree(project / ".git")
    git(project, "init", "-q")
    refuses(project, "nothing is committed")


def test_a_project_that_git_does_not_know(project, tmp_path):
    """In a repository that has other things committed."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "notes").write_text("x")
    commit_all(home)
    shutil.rmtree(project / ".git")
    shutil.move(project, home / "inside")
    refuses(home / "inside", "committed")


def test_a_folder_that_git_ignores(project, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitignore").write_text("inside\n")
    commit_all(home)
    shutil.rmtree(project / ".git")
    shutil.move(project, home / "inside")
    refuses(home / "inside", "committed")


def test_files_that_are_not_committed(project):
    rewrite(project / MODEL, lambda text: text + b"\nMINE = 1\n")
    refuses(project, MODEL, "--force")
    git(project, "add", "-A")
    refuses(project, MODEL, "--force")
    before = files_in(project)
    done = scaffold(project, *ADD, "--force")
    assert done.code == 0, done
    assert "git stash" in done.out
    assert b"MINE = 1" in (project / MODEL).read_bytes()
    assert scaffold(project, "undo").code == 0
    assert files_in(project) == before
    git(project, "checkout", "-q", "-f", "HEAD", "--", ".")
    git(project, "stash", "pop")
    assert files_in(project) == before


def test_a_file_that_git_knows_of_but_has_not(project):
    """`git add -N`: a stash does not take it."""
    (project / "mine.py").write_text("MINE = 1\n")
    git(project, "add", "-N", "mine.py")
    before = files_in(project)
    done = scaffold(project, *ADD, "--force")
    assert done.code in (0, 1), done
    assert done.err.count("\n") <= 1
    assert (project / "mine.py").read_text() == "MINE = 1\n"
    if done.code == 0:
        scaffold(project, "undo")
    assert files_in(project) == before


def test_a_detached_head(project):
    git(project, "checkout", "-q", "--detach")
    adds_and_takes_back(project)


def test_in_the_midst_of_a_merge(project):
    git(project, "checkout", "-q", "-b", "other")
    rewrite(project / MODEL, lambda text: b"# other\n" + text)
    commit_all(project)
    git(project, "checkout", "-q", "main")
    rewrite(project / MODEL, lambda text: b"# main\n" + text)
    commit_all(project)
    subprocess.run(["git", "merge", "-q", "other"], cwd=project, capture_output=True)
    refuses(project, MODEL, "conflicts")


def test_a_linked_work_tree(project, tmp_path):
    """Each work tree has its own changes to take back."""
    git(project, "worktree", "add", "-q", str(tmp_path / "linked"))
    assert scaffold(project, "set", "merge", "add").code == 0
    adds_and_takes_back(tmp_path / "linked")
    assert "set merge" in scaffold(project, "undo").out
    refuses(tmp_path / "linked", "no change", words=("undo",))


def test_a_submodule(project, tmp_path):
    """The project is one, or has one."""
    home = tmp_path / "home"
    home.mkdir()
    git(home, "init", "-q")
    git(home, "submodule", "add", "-q", str(project), "inside")
    commit_all(home)
    adds_and_takes_back(home / "inside")
    git(project, "submodule", "add", "-q", str(home), "vendor")
    commit_all(project)
    adds_and_takes_back(project)
    assert git(project, "submodule", "status").startswith(" ")


def test_two_projects_in_one_repository(project, tmp_path):
    home = tmp_path / "home"
    for name in ("one", "two"):
        shutil.copytree(project, home / "apps" / name, ignore=shutil.ignore_patterns(".git"))
    commit_all(home)
    one, two = home / "apps" / "one", home / "apps" / "two"
    rewrite(two / MODEL, lambda text: text + b"\nMINE = 1\n")  # no matter of the other's
    before = files_in(two)
    adds_and_takes_back(one)
    assert scaffold(one, *ADD).code == 0
    assert files_in(two) == before
    refuses(two, "not committed")
    refuses(two, "no change", words=("undo",))
    git(home, "commit", "-q", "-a", "-m", "Both")
    adds_and_takes_back(two)


def test_a_conflict_in_a_project_below_the_top(project, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(project, home / "apps" / "one", ignore=shutil.ignore_patterns(".git"))
    one = home / "apps" / "one"
    rewrite(one / MODEL, lambda text: text.replace(b"merged = layers", b"merged = mine = layers"))
    commit_all(home)
    before = files_in(home)
    done = scaffold(one, "set", "merge", "add")
    assert done.code == 1
    assert git(home, "ls-files", "-u").count(f"apps/one/{MODEL}") == 3
    assert scaffold(one, "undo").code == 0
    assert files_in(home) == before
    assert not git(home, "status", "--porcelain")


def test_a_project_whose_folder_is_called_kept(project, tmp_path):
    """Our own temporary folders have such a name."""
    for name in ("kept", "files"):
        shutil.copytree(project, tmp_path / "home" / name, ignore=shutil.ignore_patterns(".git"))
    commit_all(tmp_path / "home")
    for name in ("kept", "files"):
        adds_and_takes_back(tmp_path / "home" / name)


def test_a_project_that_has_moved(project, tmp_path):
    assert scaffold(project, *ADD).code == 0
    project.rename(tmp_path / "elsewhere")
    assert scaffold(tmp_path / "elsewhere", "undo").code == 0
    adds_and_takes_back(tmp_path / "elsewhere")


def test_a_shallow_clone(project, tmp_path):
    commit_all(project, "Again")
    git(tmp_path, "clone", "-q", "--depth", "1", project.as_uri(), "shallow")
    adds_and_takes_back(tmp_path / "shallow")


def test_a_sparse_checkout(project):
    git(project, "sparse-checkout", "set", "src")
    before = files_in(project)
    done = scaffold(project, *ADD)
    assert done.code in (0, 1), done
    assert done.err.count("\n") <= 1
    if done.code == 0:
        assert scaffold(project, "undo").code == 0
    assert files_in(project) == before


def test_settings_of_the_person(project, tmp_path, monkeypatch):
    """Hooks, signing, conflict styles, a diff tool, renames off, safe line ends: none gets in the way."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("pre-commit", "post-checkout", "post-index-change", "reference-transaction"):
        (hooks / name).write_text(f"#!/bin/sh\necho {name} >> {tmp_path}/ran\nexit 1\n")
        (hooks / name).chmod(0o755)
    settings = tmp_path / "gitconfig"
    settings.write_text(
        f"[core]\nhooksPath = {hooks}\nfsmonitor = true\nquotePath = true\nabbrev = 4\n"
        "untrackedCache = true\n[commit]\ngpgSign = true\ntemplate = /nowhere\n[tag]\ngpgSign = true\n"
        "[merge]\nconflictStyle = diff3\nrenames = false\nff = only\n[diff]\nexternal = false\n"
        "noprefix = true\nmnemonicPrefix = true\nrenames = false\nalgorithm = patience\ncontext = 0\n"
        "interHunkContext = 9\n[color]\nui = always\ndiff = always\n[status]\nshort = true\n"
        "showUntrackedFiles = no\nrelativePaths = false\n[stash]\nshowPatch = true\n"
        "[apply]\nwhitespace = fix\n[rerere]\nenabled = true\n[index]\nversion = 4\n"
        "[feature]\nmanyFiles = true\n[log]\nshowSignature = true\nshowRoot = false\n[format]\npretty = oneline\n"
        "[fetch]\nprune = true\npruneTags = true\n[transfer]\nfsckObjects = true\n"
        "[gc]\nauto = 1\n[protocol]\nfile = never\n[init]\ntemplateDir = /nowhere\n"
        "[fetch]\nwriteCommitGraph = true\nrecurseSubmodules = true\n[user]\nuseConfigOnly = true\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.delenv("GIT_ALLOW_PROTOCOL")
    before = files_in(project)
    done = scaffold(project, *ADD)
    assert done.code == 0, done
    assert "\x1b" not in done.out
    assert scaffold(project, "undo").code == 0
    rewrite(
        project / MODEL, lambda text: text.replace(b"merged = layers", b"merged = mine = layers")
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    commit_all(project)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    edited = files_in(project)
    done = scaffold(project, "set", "merge", "add")
    assert done.code == 1, done
    assert b"|||||||" not in (project / MODEL).read_bytes()
    assert scaffold(project, "undo").code == 0
    assert files_in(project) == edited != before
    assert not (tmp_path / "ran").exists()


def test_variables_that_lead_git_elsewhere(project, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    (other / "x").write_text("x")
    commit_all(other)
    before = files_in(project)
    for name, value in {
        "GIT_DIR": other / ".git",
        "GIT_WORK_TREE": other,
        "GIT_INDEX_FILE": other / ".git" / "index",
        "GIT_PREFIX": "x/",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_EXTERNAL_DIFF": "false",
        "GIT_PAGER": "false",
        "GIT_TRACE": "1",
        "GIT_OPTIONAL_LOCKS": "0",
    }.items():
        monkeypatch.setenv(name, str(value))
    done = scaffold(project, *ADD)
    assert done.code == 0, done
    assert scaffold(project, "undo").code == 0
    assert files_in(project) == before
    assert sorted(files_in(other)) == ["x"]


@pytest.mark.parametrize(
    "attributes",
    [
        "*.py merge=mine",
        "* text eol=crlf",
        "*.py -diff",
        "*.py binary",
        "* -text",
        "*.py ident",
        "*.md working-tree-encoding=ISO-8859-1",
    ],
)
def test_attributes_of_the_person(project, attributes):
    (project / ".gitattributes").write_text(f"{attributes}\n")
    git(project, "config", "merge.mine.driver", "false")
    commit_all(project)
    git(project, "rm", "-q", "--cached", "-r", ".")
    git(project, "reset", "-q", "--hard")
    before = files_in(project)
    done = scaffold(project, *ADD)
    assert done.code == 0, done
    assert not [
        line for line in git(project, "status", "--porcelain").splitlines() if line[1] not in "M "
    ]
    if "crlf" in attributes:
        text = (project / MODEL).read_bytes()
        assert text.count(b"\r\n") == text.count(b"\n")
    assert scaffold(project, "undo").code == 0
    assert files_in(project) == before
    assert not git(project, "status", "--porcelain")


def test_a_filter_of_the_person(project):
    """As of Git LFS or git-crypt."""
    (project / ".gitattributes").write_text("*.md filter=secret\n")
    git(project, "config", "filter.secret.clean", "tr a-zA-Z n-za-mN-ZA-M")
    git(project, "config", "filter.secret.smudge", "tr a-zA-Z n-za-mN-ZA-M")
    commit_all(project)
    git(project, "rm", "-q", "--cached", "-r", ".")
    git(project, "reset", "-q", "--hard")
    before = files_in(project)
    done = scaffold(project, *ADD)
    assert done.code in (0, 1), done
    assert scaffold(project, "undo").code == 0
    assert files_in(project) == before


# Files


def _crlf(project):
    for path in project.rglob("*.py"):
        rewrite(path, lambda text: text.replace(b"\n", b"\r\n"))


def test_line_ends_of_windows(project):
    """In the repository as well."""
    _crlf(project)
    commit_all(project)
    adds_and_takes_back(project)
    scaffold(project, *ADD)
    text = (project / MODEL).read_bytes()
    assert text.count(b"\r\n") == text.count(b"\n") > 10


def test_line_ends_that_git_turns(project):
    git(project, "config", "core.autocrlf", "true")
    git(project, "rm", "-q", "--cached", "-r", ".")
    git(project, "reset", "-q", "--hard")
    assert b"\r\n" in (project / MODEL).read_bytes()
    adds_and_takes_back(project)
    scaffold(project, *ADD)
    text = (project / MODEL).read_bytes()
    assert text.count(b"\r\n") == text.count(b"\n") > 10


def test_a_renamed_package(project):
    """Folder and imports; new files go into it as well."""
    git(project, "mv", "src/faulty", "src/better")
    for path in [*project.rglob("*.py"), project / "pyproject.toml"]:
        rewrite(path, lambda text: re.sub(rb"\bfaulty\b", b"better", text))
    commit_all(project)
    before = files_in(project)
    done = scaffold(project, "add", "input", "pulse:timeseries")
    assert done.code == 0, done
    assert not (project / "src" / "faulty").exists()
    assert b"def encode_pulse" in (project / "src/better/model.py").read_bytes()
    assert scaffold(project, "undo").code == 0
    assert files_in(project) == before


def test_files_that_are_links(project, tmp_path):
    """What a link leads to is nobody's business."""
    (tmp_path / "outside.py").write_bytes((project / MODEL).read_bytes())
    (project / MODEL).unlink()
    (project / MODEL).symlink_to(tmp_path / "outside.py")
    commit_all(project)
    before = files_in(project)
    done = scaffold(project, *ADD)
    assert done.code == 1, done
    assert done.err.count("\n") == 1
    assert (tmp_path / "outside.py").read_bytes() == before[MODEL]
    scaffold(project, "undo")
    assert (project / MODEL).is_symlink()
    assert files_in(project) == before


def test_odd_names_of_files(project):
    names = [
        "with space.py",
        "Ümläut.py",
        "-dash.py",
        "new\nline.py",
        ":(top)x.py",
        "[a-z]*.py",
        'quo"te.py',
    ]
    for name in names:
        (project / "src" / name).write_text("MINE = 1\n")
    commit_all(project)
    adds_and_takes_back(project)
    scaffold(project, *ADD, "--commit")
    assert not git(project, "status", "--porcelain")


def test_a_name_that_is_no_text(project):
    try:
        (project / os.fsdecode(b"\xff\xfe.py")).write_text("MINE = 1\n")
    except OSError:
        pytest.skip("the file system takes no such names")
    commit_all(project)
    adds_and_takes_back(project)


@pytest.mark.parametrize("ignored", [False, True])
def test_a_file_in_the_way_that_git_does_not_know(project, ignored):
    """Adding this input brings the file layers.py."""
    (project / "src/faulty/layers.py").unlink()
    commit_all(project)
    assert scaffold(project, "set", "numbers.bins", "0", "--commit").code == 0
    (project / "src/faulty/layers.py").write_text("MINE = 1\n")
    if ignored:
        (project / ".git/info/exclude").write_text("layers.py\n")
    refuses(project, "layers.py", "unknown to git", words=("set", "numbers.bins", "16"), shown=True)


def test_a_folder_in_the_way(project):
    assert scaffold(project, "set", "numbers.bins", "0", "--commit").code == 0
    (project / "src/faulty/layers.py").mkdir(parents=True)
    (project / "src/faulty/layers.py/mine").write_text("x")
    refuses(project, "layers.py", words=("set", "numbers.bins", "16"), shown=True)


def test_files_and_folders_that_must_not_be_written(project):
    (project / MODEL).chmod(0o444)
    refuses(project, MODEL, "read-only", shown=True)
    (project / MODEL).chmod(0o644)
    adds_and_takes_back(project)


def test_a_folder_that_must_not_be_written(project):
    with unwritable(project / "src/faulty"):
        refuses(project, "not writable", shown=True)


def test_a_mode_that_was_changed(project):
    (project / "src/faulty/sample.py").chmod(0o755)
    commit_all(project)
    scaffold(project, *ADD)
    assert (project / "src/faulty/sample.py").stat().st_mode & 0o111


def test_a_deleted_module(project):
    """It stays so, and the person hears of it."""
    git(project, "rm", "-q", MODEL)
    commit_all(project)
    before = files_in(project)
    done = scaffold(project, *ADD)
    assert done.code == 0, done
    assert MODEL in done.out
    assert not (project / MODEL).exists()
    assert scaffold(project, "undo").code == 0
    assert files_in(project) == before


def test_an_edit_that_is_no_text(project):
    rewrite(project / MODEL, lambda text: text + b"# \xe9t\xe9\n")
    commit_all(project)
    before = files_in(project)
    done = scaffold(project, *ADD)
    assert done.code in (0, 1), done
    assert done.err.count("\n") <= 1
    assert b"\xe9t\xe9" in (project / MODEL).read_bytes()
    assert scaffold(project, "undo").code == 0
    assert files_in(project) == before


def test_the_oldest_git(project, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").write_text("#!/bin/sh\necho git version 2.17.1\n")
    (tmp_path / "bin" / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    refuses(project, "2.17.1", "too old")


def test_no_git(project, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    refuses(project, "git is not installed")
