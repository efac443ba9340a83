"""The commands, their exit codes and what they print."""

import json
import os
import re
import signal
import subprocess
import sys

import pexpect
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
)
from keras_scaffold import __version__
from keras_scaffold.catalog import load_catalog
from keras_scaffold.cli import commands
from keras_scaffold.cli.main import app
from keras_scaffold.spec import validate

FLAGS = ["-i", "numbers:numeric", "-i", "picture:image", "-o", "label:binary"]


@pytest.fixture(autouse=True)
def _no_git(monkeypatch):
    monkeypatch.setattr("keras_scaffold.render.project.shutil.which", lambda _: None)


def _answers(project):
    return yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))


# new


def test_flags_and_spec_say_the_same(tmp_path):
    (tmp_path / "spec.yml").write_text(yaml.safe_dump(NUMBERS_AND_PICTURE))
    name = NUMBERS_AND_PICTURE["project_name"]
    assert run_scaffold("new", "one", *FLAGS, "--name", name, cwd=tmp_path).code == 0
    assert run_scaffold("new", "two", "--spec", "spec.yml", cwd=tmp_path).code == 0
    assert files_in(tmp_path / "one") == files_in(tmp_path / "two")


def test_what_is_printed_is_what_to_run_next(tmp_path):
    done = run_scaffold("new", "stock-direction", *FLAGS, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Stock Direction is in stock-direction (")
    for line in [
        "cd stock-direction",
        "pip install -e '.[dev]'",
        "python -m stock_direction train",
    ]:
        assert f"  {line}\n" in done.out
    assert done.out.endswith("  pytest\n")


def test_a_spec_may_leave_the_name_to_the_folder(tmp_path):
    spec = {key: NUMBERS_AND_PICTURE[key] for key in ("inputs", "outputs")}
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    assert run_scaffold("new", "my-model", "--spec", "spec.json", cwd=tmp_path).code == 0
    assert _answers(tmp_path / "my-model")["project_name"] == "My Model"
    arguments = ["new", "other", "--spec", "spec.json", "--name", "Not That"]
    assert run_scaffold(*arguments, cwd=tmp_path).code == 0
    assert _answers(tmp_path / "other")["project_name"] == "Not That"


@pytest.mark.parametrize(
    "said", [[], ["-i", "a:text"], ["-o", "y:regression"], ["-m", "multiply"]], ids=" ".join
)
def test_yes_takes_the_defaults_of_copier_yml(said, tmp_path):
    assert run_scaffold("new", "out", "--yes", *said, cwd=tmp_path).code == 0
    questions = yaml.safe_load((ROOT / "copier.yml").read_text())
    answers = _answers(tmp_path / "out")
    for key, flag in [("inputs", "-i"), ("outputs", "-o")]:
        if flag not in said:
            assert answers[key] == yaml.safe_load(questions[key]["default"])
    assert answers["merge"] == ("multiply" if "-m" in said else "concatenate")
    assert answers["project_name"] == "Out"


def test_dry_run_writes_nothing(tmp_path):
    done = run_scaffold("new", "out", *FLAGS, "--dry-run", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert list(tmp_path.iterdir()) == []
    assert done.out.startswith("out/\n")
    assert run_scaffold("new", "out", *FLAGS, cwd=tmp_path).code == 0
    names = {path.split("/")[-1] for path in files_in(tmp_path / "out")}
    shown = {line.split("─ ")[-1].split()[0].rstrip("/") for line in done.out.splitlines()[1:]}
    assert names <= shown
    assert run_scaffold("new", "out", *FLAGS, "--dry-run", cwd=tmp_path).code == 0


@pytest.mark.parametrize(
    "name",
    ['It\'s "quoted"', "{{ 7 * 7 }}{% raw %}", "R&D <b>", "株価の方向", "$(touch x) `y`", "\\n"],
)
def test_names_show_verbatim(name, tmp_path):
    done = run_scaffold("new", "out", *FLAGS, "--name", name, cwd=tmp_path)
    assert done.code == 0
    assert done.out.startswith(f"{name} is in out")
    assert _answers(tmp_path / "out")["project_name"] == name
    assert name in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("name", ["layers", "inputs", "model", "x", "np"])
def test_names_of_code(name, tmp_path):
    arguments = ["-i", f"{name}:text", "-i", "keras:image", "-o", "self:binary"]
    assert run_scaffold("new", "out", *arguments, cwd=tmp_path).code == 0


def test_a_destination_with_a_space_is_quoted(tmp_path):
    done = run_scaffold("new", "my model", *FLAGS, cwd=tmp_path)
    assert "  cd 'my model'\n" in done.out


def test_a_link_is_said_to_lead_elsewhere(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    done = run_scaffold("new", "link", *FLAGS, "--yes", cwd=tmp_path)
    assert done.code == 0, done
    assert f"Note: link is a link; the project goes to {tmp_path / 'real'}." in done.out
    assert (tmp_path / "real" / "pyproject.toml").is_file()


def test_in_a_larger_repository_it_says_where_workflows_are_read(tmp_path):
    (tmp_path / ".git").mkdir()
    done = run_scaffold("new", "models/one", *FLAGS, "--yes", cwd=tmp_path)
    assert f"GitHub runs the workflows of {tmp_path / '.github/workflows'} only" in done.out
    assert not (tmp_path / "models" / "one" / ".git").exists()
    alone = run_scaffold("new", "two", *FLAGS, "--yes", cwd=tmp_path.parent)
    assert "Note:" not in alone.out


# In a terminal


def _terminal(*arguments, cwd):
    env = {**os.environ, "TERM": "xterm", "NO_COLOR": ""}
    return pexpect.spawn(
        str(BIN / "scaffold"),
        list(arguments),
        cwd=str(cwd),
        env=env,
        encoding="utf-8",
        timeout=30,
        dimensions=(40, 120),
    )


def test_a_terminal_is_asked_for_what_is_missing_and_ctrl_c_leaves_nothing(tmp_path):
    child = _terminal("new", "out", "-o", "label:binary", cwd=tmp_path)
    child.expect("called")
    child.sendcontrol("c")
    child.expect_exact("error: interrupted, nothing was written")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert list(tmp_path.iterdir()) == []


def test_a_terminal_is_not_asked_for_what_is_said(tmp_path):
    child = _terminal("new", "out", *FLAGS, "--no-git", cwd=tmp_path)
    child.expect_exact("Next:")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


@pytest.mark.parametrize("command", [["catalog"], ["new", "out", *FLAGS]])
def test_colours_are_for_terminals_that_want_them(command, tmp_path):
    def shown(**env):
        child = pexpect.spawn(
            str(BIN / "scaffold"),
            command,
            cwd=str(tmp_path),
            env={**os.environ, "TERM": "xterm", **env},
            encoding="utf-8",
            timeout=30,
        )
        text = child.read()
        child.close()
        assert child.exitstatus in (0, 1)
        return text

    assert "\x1b[1m" in shown(NO_COLOR="")
    assert not re.search(r"\x1b\[[34][0-9]", shown(NO_COLOR="1"))
    done = scaffold_process(*command, cwd=tmp_path)
    assert "\x1b" not in done.stdout + done.stderr


# preview, catalog, demo


def test_preview_shows_all_and_writes_nothing(tmp_path):
    (tmp_path / "spec.yml").write_text(yaml.safe_dump(NUMBERS_AND_PICTURE))
    for arguments in (["spec.yml"], FLAGS, []):
        done = run_scaffold("preview", *arguments, cwd=tmp_path)
        assert (done.code, done.err) == (0, "")
        assert "README.md" in done.out
        assert "concatenate" in done.out
    assert [path.name for path in tmp_path.iterdir()] == ["spec.yml"]


def test_preview_shows_the_code(tmp_path):
    assert run_scaffold("new", "out", *FLAGS, cwd=tmp_path).code == 0
    model = tmp_path / "out" / "src" / "out" / "model.py"
    done = run_scaffold("preview", *FLAGS, cwd=tmp_path)
    code = model.read_text().replace('name="out"', 'name="my_project"')
    assert done.out.rstrip().endswith(code.rstrip()[-2000:])


@pytest.mark.parametrize("section", [None, "inputs", "merges", "outputs", "features"])
def test_catalog(section, tmp_path):
    known = load_catalog()
    done = run_scaffold("catalog", *([section] if section else []), cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    for name in ("inputs", "merges", "outputs", "features"):
        for entry in getattr(known, name).values():
            assert (entry.help in done.out) == (section in (None, name))
    full = run_scaffold("catalog", *([section] if section else []), "--json", cwd=tmp_path)
    data = json.loads(full.out)
    data = {section: data} if section else data
    if "inputs" in data:
        assert data["inputs"]["image"]["encoders"]["vit"]["fields"]["grid"]["least"] == 2
    if "outputs" in data:
        assert list(data["outputs"]) == list(known.outputs)
    if "features" in data:
        defaults = [name for name, entry in data["features"].items() if entry["default"]]
        assert defaults == known.default_features


def test_catalog_of_nothing(tmp_path):
    assert_one_error(run_scaffold("catalog", "mergers", cwd=tmp_path), 2, "'merges'")


@pytest.fixture
def light_demo(monkeypatch, tmp_path):
    """A flagship of which only the command line is on trial here."""
    monkeypatch.setattr(commands, "_flagship", lambda: dict(NUMBERS_AND_PICTURE))
    return tmp_path


def test_demo_says_what_to_install(light_demo, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    done = run_scaffold("demo", cwd=light_demo)
    assert (done.code, done.err) == (0, "")
    assert (light_demo / "numbers-and-picture" / "README.md").is_file()
    assert "pip install -e ." in done.out
    assert_one_error(run_scaffold("demo", cwd=light_demo), 1, "not empty")


@pytest.mark.parametrize("code", [0, 3])
def test_demo_trains(light_demo, monkeypatch, code):
    """The project's own command is run; here a stand-in, so that nothing trains for long."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object())
    stand_in = f"import sys, pathlib; pathlib.Path('ran').write_text(' '.join(sys.argv[1:])); sys.exit({code})"
    stand_in_path = light_demo / "modules" / "numbers_and_picture.py"
    stand_in_path.parent.mkdir()
    stand_in_path.write_text(stand_in)
    monkeypatch.setenv("PYTHONPATH", str(stand_in_path.parent))
    real = subprocess.run

    def run(command, **options):
        # The template's package would come first; take it away, so that the stand-in is found.
        options["env"]["PYTHONPATH"] = options["env"]["PYTHONPATH"].removeprefix(f"src{os.pathsep}")
        return real(command, **options)

    monkeypatch.setattr(subprocess, "run", run)
    done = run_scaffold("demo", "here", cwd=light_demo)
    assert (
        light_demo / "here" / "ran"
    ).read_text() == "train --epochs 5 --members 1 --run runs/demo"
    if code:
        assert (done.code, done.err.count("\n")) == (1, 1)
        assert "exit code 3" in done.err
    else:
        assert done.code == 0
        for path in ("report.html", "model.py", "README.md"):
            assert path in done.out


# The frame


def test_version_and_help(tmp_path):
    assert run_scaffold("--version", cwd=tmp_path).out == f"keras-scaffold {__version__}\n"
    told = run_scaffold("--help", cwd=tmp_path)
    assert told.code == 0
    for command in ("new", "preview", "catalog", "schema", "demo"):
        assert f"\n  {command} " in told.out
    assert run_scaffold(cwd=tmp_path).out == told.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nwe"], "'new'"),
        (["new"], "DEST"),
        (["new", "a", "b"], "b"),
        (["new", "a", "--forse"], "--force"),
        (["new", "a", "-i"], "-i"),
        (["catalog", "--jsn"], "--json"),
    ],
    ids=str,
)
def test_wrong_command_lines(arguments, words, tmp_path):
    assert_one_error(run_scaffold(*arguments, cwd=tmp_path), 2, words)


def test_what_nobody_thought_of_is_one_line_too(tmp_path, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("by\nzero")

    monkeypatch.setattr(commands, "catalog", fail)
    assert_one_error(run_scaffold("catalog", cwd=tmp_path), 1, "ZeroDivisionError: by zero")


def test_a_reader_that_leaves_early(tmp_path):
    line = f"{BIN / 'scaffold'} schema | head -n 1"
    done = subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_output_that_has_no_such_characters(tmp_path):
    env = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    spec = yaml.safe_dump({**NUMBERS_AND_PICTURE, "project_name": "株価 é"}, allow_unicode=True)
    (tmp_path / "spec.yml").write_text(spec, encoding="utf-8")
    done = scaffold_process("new", "out", "--spec", "spec.yml", cwd=tmp_path, env=env)
    text = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "株価 é" in text
    assert (done.returncode, done.stderr) == (0, "")
    done = scaffold_process("new", "two", *FLAGS, "--dry-run", cwd=tmp_path, env=env)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [["catalog"], ["schema"], ["preview"], ["--help"]])
def test_a_reader_may_leave_a_pipe(arguments, unbuffered):
    with subprocess.Popen(
        [BIN / "python", "-m", "keras_scaffold", *arguments],
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (1, "")


def test_interrupted_before_anything_is_asked(tmp_path):
    code = (
        "import os, signal\n"
        "from keras_scaffold import cli\n"
        "from keras_scaffold.cli import commands\n"
        f"commands.schema = lambda: os.kill(os.getpid(), {int(signal.SIGINT)})\n"
        "import sys; sys.argv[1:] = ['schema']\n"
        "cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "error: interrupted, nothing was written\n"


def test_the_defaults_are_a_spec():
    defaults = commands._defaults()
    validate({"project_name": "P", **defaults})
    validate(commands._flagship())
    assert app.info.name == "scaffold"
