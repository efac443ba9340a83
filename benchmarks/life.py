"""What becomes of a person's edits: random pairs of an edit and a command, beside plain copier's update.

    python benchmarks/life.py [--pairs 200] [--seed 0] [--plain 80] [--jobs 2] [--minutes 60] [--no-speed]

Each pair is a random project, an edit in a random place, more often than not near what the command
changes, and a random command. Without the edit the files must be what the template renders for the
new spec, byte for byte; the edit must stand where it stood. Pairs are counted until so many touch
different lines; the first of them (`--plain`) are tried with plain copier, too. `near` are those that touch the same function, `same lines` those that touch a line
in common, where a conflict is right.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from keras_scaffold.evolve.project import read_answers
from pairs import Outcome, try_pair
from past import NOBODY, at_work, git, tool_with_past
from walks import begin, quick_rendering

BIN = Path(sys.executable).parent
SPEC = {
    "project_name": "Stock Direction",
    "inputs": [
        {"name": "indicators", "type": "numeric", "shape": [20]},
        {"name": "chart", "type": "image", "shape": [100, 100, 3]},
        {"name": "headline", "type": "text"},
    ],
    "outputs": [{"name": "direction", "task": "binary"}],
}
RUNS = 5

_tool = Path()


def start(folder: str) -> None:
    """Make this process the tool with a past."""
    global _tool
    os.environ.update(NOBODY)
    _tool = Path(tempfile.mkdtemp(dir=folder), "tool")
    tool_with_past(_tool)


def one(seed: int, plain: bool) -> Outcome | str:
    """Try a pair; what went wrong with the trial itself as text."""
    folder = Path(tempfile.mkdtemp(dir=_tool.parent))
    try:
        with at_work(_tool), quick_rendering():
            return try_pair(seed, folder, plain=plain)
    except Exception as error:
        return f"pair {seed}: {type(error).__name__}: {error}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def count(outcomes: list[Outcome], *, plain: bool) -> str:
    """A line of the table."""
    clashes = [o for o in outcomes if (o.plain_conflicts if plain else o.conflicts)]
    problems = [o.plain_problems if plain else o.problems for o in outcomes]
    lost = sum(any(it.startswith(("lost", "gone")) for it in each) for each in problems)
    moved = sum(any(it.startswith(("moved", "doubled")) for it in each) for each in problems)
    other = sum(bool(each) for each in problems) - sum(
        any(it.startswith(("lost", "gone", "moved", "doubled")) for it in each) for each in problems
    )
    return f"{len(outcomes):6} {len(clashes):10} {lost:6} {moved:6} {other:6}"


def table(name: str, outcomes: list[Outcome]) -> None:
    """Print what became of the pairs."""
    apart = [o for o in outcomes if o.apart]
    groups = {
        "different lines": apart,
        "  of them in the same function": [o for o in apart if o.near],
        "the same lines": [o for o in outcomes if not o.apart],
    }
    for kind in sorted({o.command.kind for o in outcomes}):
        groups[f"  {kind}, different lines"] = [o for o in apart if o.command.kind == kind]
    print(f"\n{name:34} {'pairs':>6} {'conflicts':>10} {'lost':>6} {'moved':>6} {'other':>6}")
    for title, group in groups.items():
        print(f"{title:34} {count(group, plain=name == 'copier')}")


def pairs(wanted: int, seed: int, jobs: int, plain: int, minutes: float) -> bool:
    """Try pairs until so many touch different lines; whether no edit of those was harmed."""
    outcomes: list[Outcome] = []
    good = True
    end = time.monotonic() + 60 * minutes
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(jobs, initializer=start, initargs=(folder,)) as pool,
    ):
        while sum(o.apart for o in outcomes) < wanted and time.monotonic() < end:
            left = wanted - sum(o.apart for o in outcomes)
            seeds = range(seed, seed + min(left, 4 * jobs))
            seed = seeds.stop
            beside = [len(outcomes) + place < plain for place in range(len(seeds))]
            for found in pool.map(one, seeds, beside):
                if isinstance(found, str):
                    print(found)
                    good = False
                    continue
                outcomes.append(found)
                if found.problems or (found.apart and found.conflicts):
                    good = False
                    print(
                        f"pair {found.seed}: {found.command.words}: {found.conflicts} {found.problems}"
                    )
                for problem in found.plain_problems[:1]:
                    print(f"pair {found.seed}: {found.command.words}: copier: {problem}")
            print(f"{len(outcomes)} pairs", file=sys.stderr, flush=True)
    table("scaffold", outcomes)
    if beside := outcomes[:plain]:
        table("scaffold, the first of them", beside)
        table("copier", beside)
    return good


def seconds(command: list[str], project: Path) -> tuple[float, float]:
    """How long a process takes, and how long it keeps a core busy; the project is then as before."""
    before, busy = time.perf_counter(), _busy()
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    taken = time.perf_counter() - before, _busy() - busy
    assert done.returncode == 0, done
    git(project, "reset", "-q", "--hard")
    git(project, "clean", "-q", "-f", "-d")
    return taken


def _busy() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def speed() -> bool:
    """Compare `add input` with copier's update to the same spec, and time `update --check`."""
    os.environ.update(NOBODY)
    with tempfile.TemporaryDirectory() as name:
        tool = tool_with_past(Path(name, "tool"))
        with at_work(tool):
            project = begin(SPEC, Path(name, "project"))
        os.environ["PYTHONPATH"] = str(tool / "generator")
        ours = [str(BIN / "scaffold"), "add", "input", "pulse:timeseries", "--yes"]
        subprocess.run(ours, cwd=project, check=True, capture_output=True)
        data = Path(name, "data.yml")
        data.write_text(yaml.safe_dump(read_answers(project)[0]))
        git(project, "reset", "-q", "--hard")
        theirs = [
            str(BIN / "copier"),
            "update",
            "--defaults",
            "--data-file",
            str(data),
            "--vcs-ref",
            ":current:",
        ]
        check = [str(BIN / "scaffold"), "update", "--check"]
        times: tuple[list[tuple[float, float]], ...] = ([], [], [])
        for run in range(RUNS + 1):
            for kept, command in zip(times, (ours, theirs, check), strict=True):
                taken = seconds(command, project)
                if run:  # the first fills the disk's cache
                    kept.append(taken)
    medians = [[statistics.median(one) for one in zip(*kept, strict=True)] for kept in times]
    print()
    for place, what in enumerate(("by the clock", "of a core")):
        us, them, checked = (each[place] for each in medians)
        print(
            f"{what}: add input {us:.2f} s, the same by copier update {them:.2f} s,"
            f" ratio {us / them:.2f} (at most 1.3); update --check {checked:.2f} s (at most 0.3)"
        )
    (us, _), (them, _), (checked, _) = medians
    return us / them <= 1.3 and checked <= 0.3


def main() -> int:
    """Run both; 1 where something is not as promised."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--plain", type=int, default=80)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--no-speed", action="store_true")
    given = parser.parse_args()
    good = not given.pairs or pairs(given.pairs, given.seed, given.jobs, given.plain, given.minutes)
    if not given.no_speed:
        good &= speed()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
