"""Train generated projects on real tables with their defaults, and compare them with the baselines.

    python benchmarks/accuracy/run.py TABLES --only hmda           # one table
    python benchmarks/accuracy/run.py TABLES --inferred            # let the tool look at the columns

For each table a project is rendered from specs/NAME.yml, trained by `train --data MANIFEST` with nothing
else said, once for each seed, and scored by `evaluate --json` on the rows that the baselines are scored
on. The scores are added to results.csv beside this file, and the table of README.md is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
from baselines import RESULTS, rounded, save

SPECS = Path(__file__).with_name("specs")
RIVALS = ("hgb", "ludwig", "ludwig_helped")
TOLERANCE = {"accuracy": 0.02, "mae": 0.03}  # points of accuracy; a share of the error


def call(command: list[str], where: Path, source: Path | None = None) -> str:
    """Run a command, and show all that it said if it fails."""
    environment = dict(os.environ, KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3")
    if source:
        environment["PYTHONPATH"] = str(source)
    done = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True)
    if done.returncode:
        said = (done.stdout[-1500:] + done.stderr[-1500:]).strip()
        raise RuntimeError(f"{' '.join(command)}: {said}")
    return done.stdout


def render(project: Path, name: str, manifest: Path, facts: dict[str, Any], inferred: bool) -> str:
    """Render a table's project; give its package's name."""
    given = ["--data", str(manifest), "--target", facts["target"]]
    # What is known only with the answer is dropped, as a person would; the baselines are spared it too.
    for column, kind in facts["types"].items():
        given += ["--drop", column] if kind == "leak" else []
    if not inferred:
        given = ["--spec", str(SPECS / f"{name}.yml")]
    command = ["scaffold", "new", str(project), *given, "--no-git", "--yes"]
    call([sys.executable, "-m", "keras_scaffold", *command[1:]], project.parent)
    packages = [path.parent.name for path in (project / "src").glob("*/model.py")]
    return packages[0]


def train(
    project: Path, package: str, manifest: Path, facts: dict[str, Any], seed: int, more: list[str]
) -> dict[str, float]:
    """Train and score one project with one seed."""
    run = project / "runs" / str(seed)
    command = [sys.executable, "-m", package]
    given = ["--data", str(manifest)]
    start = time.perf_counter()
    said = ["--run", str(run), "--seed", str(seed), *more]
    call([*command, "train", *given, *said], project, project / "src")
    seconds = time.perf_counter() - start
    answer = call(
        [*command, "evaluate", *given, "--run", str(run), "--split", "test", "--json"],
        project,
        project / "src",
    )
    measured = next(iter(json.loads(answer[answer.index("{") :])["outputs"].values()))
    names = {facts["metric"]: "score", "auc": "auc", "root_mean_squared_error": "rmse"}
    found = {ours: measured[theirs] for theirs, ours in names.items() if theirs in measured}
    return found | {"seconds": seconds}


def compare(results: Path = RESULTS) -> str:
    """Write the Markdown table: each method's mean over its seeds, and who wins."""
    table = pd.read_csv(results)
    scores = table.groupby(["table", "metric", "method"])["score"]
    means, spread = scores.mean().unstack(), (scores.max() - scores.min()).unstack() / 2
    order = ["constant", "hgb", "hgb_codes", "hgb_mae", "ludwig", "ludwig_helped"]
    ours = [m for m in sorted(means, reverse=True) if m.startswith("generated")]  # generated last
    methods = [m for m in order if m in means] + ours
    lines = [
        "| table | metric | " + " | ".join(methods) + (" | against the best |" if ours else " |")
    ]
    lines.append("|---" * (2 + len(methods) + bool(ours)) + "|")
    verdicts = []
    for (name, metric), row in means.iterrows():
        cells = ["" if pd.isna(row[m]) else f"{row[m]:.4g}" for m in methods]
        if ours:
            known = row[[name for name in RIVALS if name in row]]
            best = known.max() if metric == "accuracy" else known.min()
            cells[-1] += f" ± {spread.loc[(name, metric), ours[-1]]:.2g}" if cells[-1] else ""
            verdicts.append(verdict(metric, row[ours[-1]], best))
            cells.append(verdicts[-1])
        lines.append(f"| {name} | {metric} | " + " | ".join(cells) + " |")
    scored = [word for word in verdicts if word]
    lines += [f"\nwins: {scored.count('wins')} of {len(scored)}, near: {scored.count('near')}"]
    return "\n".join(lines)


def verdict(metric: str, ours: float, theirs: float) -> str:
    """Say whether a score wins, is near, or is behind by more than may be."""
    if pd.isna(ours):
        return ""
    behind = theirs - ours if metric == "accuracy" else ours / theirs - 1
    if behind <= 0:
        return "wins"
    return "near" if behind <= TOLERANCE[metric] else f"behind by {behind:.3f}"


def main() -> None:
    """Train on the tables that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("tables", type=Path, help="the folder that gather.py wrote")
    parser.add_argument("--only", nargs="*", help="only these tables")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--inferred", action="store_true", help="--data and --target, no spec")
    parser.add_argument("--method", help="the name in results.csv")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--work", type=Path, help="where projects are kept; default: thrown away")
    parser.add_argument("--train", nargs=argparse.REMAINDER, default=[], help="more for train")
    options = parser.parse_args()
    method = options.method or ("generated" if options.inferred else "generated_by_hand")
    facts_by_name = json.loads((options.tables / "tables.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["XDG_STATE_HOME"] = scratch  # no weights that a person has remembered
        work = (options.work or Path(scratch)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        for name in options.only or facts_by_name:
            facts = facts_by_name[name]
            folder = (options.tables / name).resolve()
            project = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=work)) / "project"
            try:
                # The tool looks at the table as people have it, without the split.
                package = render(project, name, folder / "manifest.csv", facts, options.inferred)
                for seed in options.seeds:
                    manifest = folder / "manifest_split.csv"
                    scores = train(project, package, manifest, facts, seed, options.train)
                    line = {"table": name, "method": method, "seed": seed}
                    save(line | {"metric": facts["metric"]} | rounded(scores), options.results)
                    print(name, method, seed, rounded(scores), flush=True)
            except RuntimeError as error:
                print(f"{name}: FAILED {error}", flush=True)
    print(compare(options.results))


if __name__ == "__main__":
    main()
