"""How long the command line takes beside copier's own: medians of five, runs alternating.

    python benchmarks/cli.py [SPEC]

`copier copy` renders from a plain folder, as `scaffold new` does from the installed package.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
RUNS = 5
SPEC = """\
project_name: Stock Direction
inputs:
- {name: indicators, type: numeric, shape: [20]}
- {name: chart, type: image, shape: [100, 100, 3]}
- {name: headline, type: text}
outputs:
- {name: direction, task: binary}
"""


def tool(name: str) -> str:
    """The command of the environment that runs this file."""
    return str(Path(sys.executable).parent / name)


def seconds(command: list[str], folder: Path) -> float:
    """How long one run takes; what it wrote is taken away again."""
    before = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    taken = time.perf_counter() - before
    shutil.rmtree(folder / "out", ignore_errors=True)
    return taken


def compare(title: str, ours: list[str], theirs: list[str], most: float, folder: Path) -> bool:
    """Print both medians and their ratio; whether the ratio is within the limit."""
    times: tuple[list[float], list[float]] = ([], [])
    for run in range(RUNS + 1):
        for kept, command in zip(times, (ours, theirs), strict=True):
            taken = seconds(command, folder)
            if run:  # the first fills the disk's cache
                kept.append(taken)
    us, them = (statistics.median(kept) for kept in times)
    print(f"{title}: {us:.3f} s against {them:.3f} s, ratio {us / them:.2f} (at most {most})")
    return us / them <= most


def main() -> int:
    """Run the comparisons; 1 where a ratio is too high."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "source"
        shutil.copytree(ROOT / "template", source / "template")
        shutil.copy(ROOT / "copier.yml", source)
        spec = folder / "spec.yml"
        spec.write_text(Path(sys.argv[1]).read_text() if len(sys.argv) > 1 else SPEC)
        copy = [tool("copier"), "copy", "--quiet", "--defaults", "--data-file", str(spec)]
        copy += [str(source), "out"]
        scaffold, version = tool("scaffold"), [tool("copier"), "--version"]
        new = [scaffold, "new", "out", "--spec", str(spec)]
        good = [
            compare(
                "scaffold --help / copier --version", [scaffold, "--help"], version, 0.4, folder
            ),
            compare("scaffold new / copier copy", new, copy, 1.0, folder),
            compare("scaffold new --no-git / copier copy", [*new, "--no-git"], copy, 1.0, folder),
        ]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
