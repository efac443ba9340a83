"""The shell's Tab: the protocol of each shell, and a real Bash."""

import os
import shutil
import sys

import pexpect
import pytest
from helpers import BIN, run_scaffold, scaffold_process
from keras_scaffold.catalog import load_catalog
from keras_scaffold.cli.completion import complete_input, complete_merge, join_at_colons

CATALOG = load_catalog()


def _bash(*words, cwd, cursor=None):
    """What Bash gets for these words, cut at colons as it cuts them."""
    env = {
        "_SCAFFOLD_COMPLETE": "complete_bash",
        "COMP_WORDS": "\n".join(["scaffold", *words]),
        "COMP_CWORD": str(len(words) if cursor is None else cursor),
    }
    done = scaffold_process(cwd=cwd, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


def test_a_project_offers_its_own_words(tmp_path):
    project = tmp_path / "made"
    flags = ["-i", "chart:image", "-i", "note:text", "-o", "label:binary"]
    assert run_scaffold("new", str(project), *flags, "--no-git", cwd=tmp_path).code == 0

    def offered(*words):
        return _bash(*words, cwd=project)

    assert offered("remove", "input", "") == ["chart", "note"]
    assert offered("rename", "output", "") == ["label"]
    assert offered("set", "chart.enc") == []
    assert offered("set", "chart.sh") == ["chart.shape"]
    assert offered("set", "table.de") == ["table.delimiter", "table.decimal"]
    fields = {f"note.{field}" for field in CATALOG.inputs["text"].fields}
    assert {"merge", "encoder", *fields} <= set(offered("set", ""))
    assert offered("set", "chart.optional", "") == ["true", "false"]
    assert offered("set", "note.tokens", "w") == ["words"]
    assert offered("set", "table.decimal", "") == [".", ","]
    assert offered("set", "label.units", "") == []
    assert offered("set", "encoder", "") == ["chart", "note"]
    assert offered("set", "encoder", "chart", "") == list(CATALOG.inputs["image"].encoders)
    assert offered("set", "merge", "concatenate(ch") == ["concatenate(chart"]
    assert offered("add", "input", "z", ":", "im") == ["image", "images"]
    assert _bash("remove", "input", "", cwd=tmp_path) == []
    known, own = list(CATALOG.features), CATALOG.default_features
    assert offered("remove", "feature", "") == own
    assert offered("add", "feature", "") == [name for name in known if name not in own]
    assert _bash("remove", "feature", "", cwd=tmp_path) == []
    assert _bash("add", "feature", "", cwd=tmp_path) == known


def _other(shell, line, cwd):
    env = {
        "_SCAFFOLD_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    done = scaffold_process(cwd=cwd, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["new", "out", "-i", "a", ":"], list(CATALOG.inputs)),
        (["new", "out", "-i", "a", ":", "im"], ["image", "images"]),
        (["new", "out", "-i", "'a:im"], ["a:image", "a:images"]),
        (
            ["new", "out", "-i", "a", ":", "image", ":"],
            ["64x64x3", *CATALOG.inputs["image"].encoders],
        ),
        (["new", "out", "-i", "a", ":", "image", ":", "c"], ["cnn"]),
        (["new", "out", "-i", "a", ":", "image", ":", "9x9x3", ":", "v"], ["vit"]),
        (["new", "out", "-i", "a", ":", "image", ":", "cnn", ":"], []),
        (["new", "out", "-i", "a", ":", "imge", ":"], []),
        (["preview", "-i", "a", ":", "te"], ["text"]),
        (
            ["new", "out", "-i", "a", ":", "text", "-o", "y", ":", "multi"],
            ["multiclass", "multilabel"],
        ),
        (["new", "out", "-o", "y", ":", "multiclass", ":"], ["3"]),
        (["new", "out", "-o", "y", ":", "binary", ":"], []),
        (["new", "out", "-m", "con"], ["concatenate"]),
        (["new", "out", "-m", ""], list(CATALOG.merges)),
        (["new", "out", "-i", "a", ":", "text", "-m", '"add(mul'], ["add(multiply("]),
        (["new", "out", "-i", "abc", ":", "text", "-m", '"add(ab'], ["add(abc"]),
        (["new", "out", "--feature", ""], list(CATALOG.features)),
        (["new", "out", "--no-feature", "rep"], ["report"]),
        (["preview", "--feature", "on"], ["onnx"]),
        (["catalog", "f"], ["features"]),
        (["catalog", "m"], ["merges"]),
        (["catalog", ""], ["inputs", "merges", "outputs", "features"]),
        (["sch"], ["schema"]),
        (["new", "--dry"], ["--dry-run"]),
    ],
    ids=" ".join,
)
def test_bash(words, offered, tmp_path):
    assert _bash(*words, cwd=tmp_path) == offered


@pytest.mark.parametrize("shell", ["zsh", "fish"])
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("scaffold new out -i a:im", ["a:image", "a:images"]),
        ("scaffold new out -i a:image:c", ["a:image:cnn"]),
        ("scaffold new out -o y:mul", ["y:multiclass", "y:multilabel"]),
        ("scaffold new out -m con", ["concatenate"]),
        ("scaffold catalog m", ["merges"]),
    ],
)
def test_other_shells(shell, line, words, tmp_path):
    told = _other(shell, line, tmp_path).replace("\\\\:", ":")
    for word in words:
        assert word in told
    assert "numeric" not in told


def test_words_are_explained_where_the_shell_shows_it(tmp_path):
    told = _other("fish", "scaffold new out -i a:", tmp_path)
    for kind in CATALOG.inputs.values():
        assert f"a:{kind.name}\t{kind.help}" in told


@pytest.mark.parametrize(
    ("words", "cursor", "joined", "place"),
    [
        (["s", "-i", "a", ":", "b"], 4, ["s", "-i", "a:b"], 2),
        (["s", "-i", "a", ":"], 3, ["s", "-i", "a:"], 2),
        (["s", "-i", "a", ":", "b", "-o", "c"], 6, ["s", "-i", "a:b", "-o", "c"], 4),
        (["s", "-i", "a", ":", "b", ""], 5, ["s", "-i", "a:b", ""], 3),
        (["s", "a", "::", "b", ":", "c"], 1, ["s", "a::b:c"], 1),
    ],
)
def test_joining(words, cursor, joined, place):
    assert join_at_colons(words, cursor) == (joined, place)


def test_what_is_offered_is_valid():
    from keras_scaffold.spec.notation import parse_input, parse_merge

    for kind in CATALOG.inputs:
        for word, help in complete_input(f"a:{kind}:"):
            parse_input(word)
            assert help
    for word, _ in complete_merge("", []):
        parse_merge(word)


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash")
def test_a_real_bash(tmp_path):
    script = scaffold_process(
        "--show-completion",
        "bash",
        cwd=tmp_path,
        env={"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
    )
    assert script.returncode == 0, script
    (tmp_path / "rc").write_text(
        f"{script.stdout}\nPS1='$ '\nbind 'set enable-bracketed-paste off'\n"
        "bind 'set bell-style none'\nscaffold() { command scaffold \"$@\"; }\n"
    )
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "TERM": "dumb"}
    bash = pexpect.spawn(
        "bash",
        ["--noprofile", "--rcfile", str(tmp_path / "rc"), "-i"],
        env=env,
        cwd=str(tmp_path),
        encoding="utf-8",
        timeout=20,
        dimensions=(40, 200),
    )
    try:
        bash.expect_exact("$ ")
        for typed, line in [
            ("new out -i a:num", "new out -i a:numeric "),
            ("new out -i a:image:vi", "new out -i a:image:vit "),
            ("new out -i a:image:64x64x3:res", "new out -i a:image:64x64x3:resnet "),
            ("new out -o y:reg", "new out -o y:regression "),
            ("new out -m con", "new out -m concatenate "),
            ("cat", "catalog "),
        ]:
            bash.send(f"scaffold {typed}\t")
            bash.expect_exact(f"scaffold {line}")
            bash.sendcontrol("u")
            bash.send("\n")
            bash.expect_exact("$ ")
    finally:
        bash.close(force=True)


@pytest.mark.skipif(sys.platform == "win32", reason="shells of Unix")
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_can_be_shown(shell, tmp_path):
    env = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    done = scaffold_process("--show-completion", shell, cwd=tmp_path, env=env)
    assert done.returncode == 0
    assert f"complete_{shell}" in done.stdout
