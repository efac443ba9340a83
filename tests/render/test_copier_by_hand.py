"""Plain copier, its questions answered by hand in a terminal: no scaffold in sight."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
from keras_scaffold.catalog import template_root

ENTER, END_OF_TEXT = "\r", "\x1b\r"  # several lines of YAML end with Esc, Enter


def test_answers_by_hand_give_a_project(tmp_path):
    template = tmp_path / "template"
    template.mkdir()
    shutil.copy(template_root() / "copier.yml", template)
    shutil.copytree(template_root() / "template", template / "template")
    child = pexpect.spawn(
        str(Path(sys.executable).with_name("copier")),
        ["copy", str(template), str(tmp_path / "made")],
        dimensions=(40, 100),
        encoding="utf-8",
        timeout=60,
        env={**os.environ, "TERM": "xterm"},
    )
    child.expect("What is the project called")
    child.send("By Hand\x1b[D\x1b[C" + ENTER)
    child.expect("The inputs: a list")
    child.send(END_OF_TEXT)
    child.expect("How the branches merge")
    child.send(ENTER)
    child.expect("The outputs: a list")
    child.send(END_OF_TEXT)
    child.expect("How the table is written")
    child.send(ENTER)
    child.expect("The optional parts")
    child.send(ENTER)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    # copier offers the default in the line, so that what is typed follows it.
    (package,) = (tmp_path / "made" / "src").iterdir()
    assert package.name.endswith("by_hand")
    model = (package / "model.py").read_text(encoding="utf-8")
    assert "def encode_numbers(" in model
    assert "def encode_picture(" in model
    for arguments in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *arguments, str(tmp_path / "made")]
        subprocess.run(ruff, check=True, capture_output=True)
