"""Render examples/NAME/project from examples/NAME/spec.yml, for every example, and the docs' generated parts.

    python scripts/render_examples.py

Run it after a change to the template: the difference is what the change does to real output.
"""

import re
import shutil
from pathlib import Path

import render_docs
from keras_scaffold.render.history import SOURCE
from keras_scaffold.render.project import ANSWERS_FILE, render_to_memory
from keras_scaffold.spec import read_spec, validate

EXAMPLES = Path(__file__).parents[1] / "examples"


def example_files(folder: Path) -> dict[str, str]:
    """What the example's spec renders, as from the public source and no commit of it."""
    files = render_to_memory(validate(read_spec(folder / "spec.yml")))
    answers = re.sub(r"^_commit: .*\n", "", files[Path(ANSWERS_FILE)], flags=re.M)
    answers = re.sub(r"^_src_path: .*$", f"_src_path: {SOURCE}", answers, flags=re.M)
    files[Path(ANSWERS_FILE)] = answers
    return {path.as_posix(): text for path, text in files.items()}


def main() -> None:
    """Render every example's project again; files that its spec no longer renders are deleted."""
    for spec in sorted(EXAMPLES.glob("*/spec.yml")):
        project = spec.parent / "project"
        files = example_files(spec.parent)
        shutil.rmtree(project, ignore_errors=True)
        for name, text in files.items():
            path = project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        print(f"{spec.parent.name}: {len(files)} files")
    render_docs.main()


if __name__ == "__main__":
    main()
