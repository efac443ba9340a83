"""From columns to a spec: which columns make an input together, of which sizes, and why."""

from __future__ import annotations

import keyword
import math
import re
import shlex
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from keras_scaffold.catalog import load_catalog
from keras_scaffold.infer import dates
from keras_scaffold.infer.cells import Column, parse_number
from keras_scaffold.infer.checks import FILES, aside_lines
from keras_scaffold.infer.column_types import (
    FEW,
    MANY,
    Progress,
    is_allowed_name,
    look,
    no_progress,
)
from keras_scaffold.infer.decimals import find_number_notation
from keras_scaffold.infer.groups import Group, find_groups
from keras_scaffold.infer.leakage import Leak, find_leaks, find_mean, find_sum
from keras_scaffold.infer.missing_codes import code_warnings, find_missing_codes
from keras_scaffold.infer.overrides import (
    WEIGHTS,
    Overrides,
    stated_codes,
    stated_notation,
    stated_types,
    typed_column,
)
from keras_scaffold.infer.pretrained import find_folders, with_weights
from keras_scaffold.infer.tables import DataError, Table, open_table
from keras_scaffold.infer.targets import (
    Chosen,
    Target,
    find_target,
    known_column,
    parse_target,
    spelling_warnings,
)
from keras_scaffold.infer.units import find_units
from keras_scaffold.spec import (
    Given,
    Spec,
    SpecError,
    check_name,
    default_project_name,
    one_line,
    validate,
)

FLAGS = 4  # at most so many yes-or-no columns are inputs of their own
FAMILIES = 3  # at most so many families of number columns are inputs of their own
FAMILY = 4  # columns that differ by a number (sensor_1, sensor_2 ...) make one
LONGEST_TEXT = 512
# benchmarks/accuracy/texts.py: by n-grams, names and lines of 4,000 Debian packages gain 10 points of accuracy
# and more; titles of films and tweets gain nothing, and names in a table of 1,000 rows lose.
SHORT_TEXT = 16  # words
MANY_TEXTS = 2000  # rows
CHARACTERS = 8  # of a word, with the space behind it
MOST = {"texts": 20, "dates": 20, "tags": 20}  # columns that are inputs of their own
SMALL = 100  # rows


@dataclass(frozen=True)
class ProposedInput:
    """A proposed input as a spec has it, its columns, and the reason."""

    given: Given
    columns: tuple[str, ...]
    why: str


@dataclass
class Inspection:
    """What was found in a table, and the spec that follows; None without a target."""

    table: Table
    columns: list[Column]
    targets: list[Target]
    inputs: list[ProposedInput]
    spec: Spec | None
    warnings: list[str] = field(default_factory=list)
    overrides: Overrides = field(default_factory=Overrides)
    group: str = ""  # the column for train --group

    @property
    def checks(self) -> list[str]:
        """What a person should look at, a line each: files, columns that are no input, warnings."""
        lines = [*aside_lines(self.columns, self.warnings), *self.warnings]
        files = {column.name for column in self.columns if column.what in FILES}
        return sorted(lines, key=lambda line: line.partition(": ")[0] not in files)

    @property
    def given(self) -> Given:
        """The spec as it would be written; empty without a target."""
        return self.spec.given if self.spec else {}

    @property
    def has_invalid_rows(self) -> bool:
        """Whether cells were seen that the project will refuse, such as broken files."""
        used = [column for column in self.columns if column.type]
        return any("stray" in column.facts or column.facts.get("broken") for column in used)

    def input_of(self, column: str) -> ProposedInput | None:
        """The input that a column is in."""
        return next((each for each in self.inputs if column in each.columns), None)


def inspect(path: Path, overrides: Overrides, progress: Progress = no_progress) -> Inspection:
    """Look at a table and propose a spec; DataError where that cannot be done."""
    table = open_table(path)
    if table.rows < 2:
        raise DataError(f"{path}: has one row; a model needs more")
    chosen = _chosen_targets(table, overrides)
    names = [each.column for each in chosen]
    types = stated_types(overrides, table, names)
    find_units(table, types)
    warnings = find_number_notation(table, names, stated_notation(overrides), overrides.drop)
    codes = stated_codes(overrides, table)
    doubtful = find_missing_codes(table, codes)
    folders = find_folders(overrides.weights)
    columns = look(
        table,
        types,
        keep=overrides.keep,
        outside=overrides.outside,
        targets=names,
        fewest_names=0 if load_catalog().type_for("texts") in folders else MANY_TEXTS,
        progress=progress,
    )
    by_name = {column.name: column for column in columns}
    targets = _targets(table, by_name, chosen, overrides)
    warnings += [warning for target in targets for warning in target.warnings]
    columns = [column for column in columns if column.name not in names]
    columns = _corrected(columns, overrides, table, names)
    columns, groups = _without_groups(table, columns, targets, overrides)
    columns, more = _without_leaks(table, columns, targets, overrides, groups)
    numbers = {c.name for c in columns if c.type and c.kind in ("numbers", "dates")}
    numbers |= {target.column for target in targets if target.numbers}
    warnings += (
        more + _doubts(table, columns, targets) + code_warnings(table, numbers, codes, doubtful)
    )
    units = {name: words for name, words in table.written.units.items() if name in numbers}
    table.written = replace(table.written, units=units, ids=_ids(table, columns, overrides))
    columns = _few_flags(columns)
    taken: set[str] = set()
    outputs = [_output(target, table, taken, len(targets) > 1) for target in targets]
    inputs, columns = _inputs(table, columns, taken, overrides.keep)
    inputs = [_with_encoder(each, folders, table, overrides) for each in inputs]
    overrides = _with_remembered(overrides, folders, inputs)
    group = _group(columns, groups, overrides)
    if is_allowed_name(group):
        table.written = replace(table.written, group=group)
    spec = _spec(table, inputs, outputs)
    return Inspection(table, columns, targets, inputs, spec, warnings, overrides, group)


def _group(columns: list[Column], groups: Sequence[Group], overrides: Overrides) -> str:
    """The column whose rows belong together: found by its values, or the only id that repeats."""
    if groups:
        return groups[0].column
    ids = [c.name for c in columns if c.facts.get("repeats") and c.aside and c.what == "id"]
    repeated = [name for name in ids if name not in overrides.drop]
    return repeated[0] if len(repeated) == 1 else ""


# Overrides


def _chosen_targets(table: Table, overrides: Overrides) -> list[Chosen]:
    """The targets as a person names them, each with its task or none; a folder has its classes."""
    chosen = [parse_target(text, table) for text in overrides.targets]
    names = [each.column for each in chosen]
    if len(set(names)) < len(names):
        raise DataError(f"--target {max(names, key=names.count)}: is given twice; use it once")
    return chosen or ([Chosen("label")] if table.path.is_dir() else [])


def _targets(
    table: Table, columns: Mapping[str, Column], chosen: Sequence[Chosen], overrides: Overrides
) -> list[Target]:
    alike = {known_column(name, table, "--ignore-case") for name in overrides.ignore_case}
    if odd := sorted(alike.difference(each.column for each in chosen)):
        raise DataError(f"--ignore-case {odd[0]}: is not a target; use it with --target {odd[0]}")
    return [
        find_target(table, columns[name], task, size, ignore_case=name in alike)
        for name, task, size in chosen
    ]


def _corrected(
    columns: list[Column], overrides: Overrides, table: Table, targets: Sequence[str]
) -> list[Column]:
    for flag, names in (("--drop", overrides.drop), ("--keep", overrides.keep)):
        for name in names:
            if known_column(name, table, flag) in targets:
                raise DataError(f"{flag} {name}: it is the target; choose another column")
    both = set(overrides.drop) & set(overrides.keep)
    if both:
        raise DataError(f"--drop and --keep both name {min(both)}; use one of them")
    done = []
    for column in columns:
        if column.name in overrides.drop:
            column = column.set_aside("as you chose")
        elif column.name in overrides.keep and column.aside:
            other = f"use --as {column.name}:TYPE"
            raise DataError(f"--keep {column.name}: {column.aside}; or {other}")
        done.append(column)
    return done


# Doubts


def _without_groups(
    table: Table, columns: list[Column], targets: list[Target], overrides: Overrides
) -> tuple[list[Column], list[Group]]:
    """Set aside the columns that say which rows belong together."""
    spared = {*overrides.keep, *overrides.drop}
    spared |= {typed_column(text)[0] for text in overrides.types}
    groups = find_groups(table, columns, targets, spared)
    why = {group.column: group.why for group in groups}
    done = [
        replace(column, what="group", sure=0.9).set_aside(
            f"{why[column.name]}; train --group {shlex.quote(column.name)} keeps them in one split"
        )
        if column.name in why
        else column
        for column in columns
    ]
    return done, groups


def _without_leaks(
    table: Table,
    columns: list[Column],
    targets: list[Target],
    overrides: Overrides,
    groups: Sequence[Group] = (),
) -> tuple[list[Column], list[str]]:
    """Set aside the columns with target leakage, unless nothing would be left."""
    warnings: list[str] = []
    leaks: dict[str, Leak] = {}
    for target in targets:
        for leak in find_leaks(table, columns, target, groups[0].column if groups else ""):
            if leak.sure:
                leaks[leak.column] = leak
            else:
                warnings.append(
                    f"{leak.column}: predicts {leak.target} suspiciously well ({leak.how}); if it is not"
                    f" known before {leak.target} is: --drop {leak.column!r}"
                )
    spared = set(overrides.keep) | {typed_column(text)[0] for text in overrides.types}
    used = {column.name for column in columns if column.type}
    all_of_them = used <= set(leaks)
    done = []
    for column in columns:
        known = leaks.get(column.name)
        if known is None or column.name in spared or all_of_them:
            done.append(column)
            if known is not None:
                warnings.append(
                    f"{known.column}: likely target leakage for {known.target} ({known.how}); kept, as"
                    f" {'nothing else is left' if column.name not in spared else 'you chose it'}"
                )
            continue
        warnings.append(
            f"{known.column}: likely target leakage for {known.target} ({known.how}); set aside. If it is known"
            f" before {known.target} is: --keep {known.column!r}"
        )
        done.append(column.set_aside(f"likely leakage of {known.target}: {known.how}"))
    for target in targets:
        if target.numbers:
            warnings += _leaks_together(table, done, target)
    return done, warnings


def _leaks_together(table: Table, columns: list[Column], target: Target) -> list[str]:
    """Warnings of columns that leak a number together, though none does alone."""

    def drop(names: list[str]) -> str:
        flags = " ".join(f"--drop {name!r}" for name in names)
        return f"if they are not known before {target.column} is: {flags}"

    warnings = []
    if summands := find_sum(table, columns, target):
        warnings.append(
            f"{' and '.join(summands)}: together they give {target.column} exactly, as a sum;"
            f" {drop(summands)}"
        )
    votes, share = find_mean(table, columns, target)
    if votes:
        warnings.append(
            f"{votes[0]}, {votes[1]}, …, {votes[-1]}: were they votes for the numbers in their names,"
            f" the mean vote would predict {share:.0%} of {target.column}; {drop(votes)}"
        )
    return warnings


def _doubts(table: Table, columns: list[Column], targets: list[Target]) -> list[str]:
    """What a person should know beyond each column's own line."""
    warnings = list(table.notes)
    if table.rows < SMALL:
        warnings.append(f"{table.rows} rows are few for a neural network")
    for target in targets:
        if target.missing:
            several = len(targets) > 1
            kept = "they count for the other targets only" if several else "training drops them"
            warnings.append(
                f"{target.column}: {target.missing:,} of {table.rows:,} rows are unlabeled; {kept}"
            )
    for column in columns:
        if column.kind == "labels" and column.distinct <= MANY and column.name not in table.arrays:
            warnings += spelling_warnings(column.name, _labels_in_sample(table, column))
        absent = column.facts.get("absent", 0)
        broken = column.facts.get("broken", 0)
        if column.type and "stray" in column.facts:
            warnings.append(
                f"{column.name}: {column.facts['stray']}; empty them, or train with"
                " --drop-invalid-rows"
            )
        if column.type and column.facts.get("doubtful"):
            first = "day" if column.facts["format"].startswith("%d") else "month"
            warnings.append(
                f"{column.name}: no date shows whether day or month is first; read with the {first}"
                f" first. If that is wrong: {_as_dates(column, first)}"
            )
        if (
            column.type
            and column.sure < 0.9
            and column.facts.get("format", "") in dates.UNIX_DIGITS
        ):
            warnings.append(
                f"{column.name}: numbers read as Unix times, {column.view[1]}; if they are none:"
                f" --as {shlex.quote(f'{column.name}:numeric')}"
            )
        if column.type and absent:
            warnings.append(
                f"{column.name}: {absent:.0%} of the files looked at are not there, such as"
                f" {column.facts['absent_file']}; they count as missing"
            )
        if column.type and broken:
            warnings.append(f"{column.name}: {broken:.0%} of the files looked at cannot be read")
    return warnings


def _labels_in_sample(table: Table, column: Column) -> list[str]:
    return (
        table.sample[column.name].drop_nulls().unique().str.strip_chars().unique().sort().to_list()
    )


def _as_dates(column: Column, first: str) -> str:
    """The option that reads a column of dates in the other order."""
    other = "month" if first == "day" else "day"
    return f"--as {shlex.quote(f'{column.name}:{column.type}:{other}-first')}"


def _ids(table: Table, columns: list[Column], overrides: Overrides) -> list[str]:
    """The columns that identify a row or its subject: a prediction is matched to its row by them."""
    return [
        column.name
        for column in columns
        if column.aside
        and (column.what == "id" or "repeats" in column.facts)
        and column.name not in (*table.arrays, *overrides.drop)
        and is_allowed_name(column.name)
    ]


def _few_flags(columns: list[Column]) -> list[Column]:
    """Many yes-or-no columns are no inputs of their own: they join the numbers or categories."""
    flags = [column for column in columns if column.kind == "flags"]
    if len(flags) <= FLAGS:
        return columns
    joined = (
        replace(column, kind="numbers" if column.why == "0 and 1" else "labels")
        if column.kind == "flags"
        else column
        for column in columns
    )
    return [new if new.type else old for new, old in zip(joined, columns, strict=True)]


# Inputs


def _inputs(
    table: Table, columns: list[Column], taken: set[str], keep: Sequence[str]
) -> tuple[list[ProposedInput], list[Column]]:
    """The inputs in the order of their first columns, and the columns, some now set aside."""
    if table.arrays:
        return _array_inputs(table, columns, taken)
    groups: list[tuple[str, list[Column]]] = [
        *_number_groups([c for c in columns if c.kind == "numbers"]),
        *_category_groups([c for c in columns if c.kind == "labels"]),
    ]
    seen: Counter[str] = Counter()
    for place, column in enumerate(columns):
        if column.type and column.kind not in ("numbers", "labels"):
            seen[column.kind] += 1
            most = MOST.get(column.kind, len(columns))
            if seen[column.kind] > most and column.name not in keep:
                columns[place] = column.set_aside(f"over {most} columns of {column.what}s")
                continue
            groups.append((column.name, [column]))
    order = {column.name: place for place, column in enumerate(columns)}
    groups.sort(key=lambda group: order[group[1][0].name])
    made = []
    for base, group in groups:
        name = free_name(group[0].name if len(group) == 1 else base, taken, group[0].type or "")
        made.append(_input(name, group, table))
    return made, columns


def _array_inputs(
    table: Table, columns: list[Column], taken: set[str]
) -> tuple[list[ProposedInput], list[Column]]:
    """One array is one input, of its name."""
    made, done = [], []
    for column in columns:
        if column.kind == "dates":
            shape = "(rows, 2): days since 1970, seconds of the day"
            column = column.set_aside(f"a date; an array of dates has the shape {shape}")
        if column.type:
            try:
                check_name(column.name, "name")
            except SpecError:
                column = column.set_aside("its name is no name of an input; rename the array")
        done.append(column)
        if column.type:
            taken.add(column.name)
            made.append(_input(column.name, [column], table))
    return made, done


def _number_groups(columns: list[Column]) -> list[tuple[str, list[Column]]]:
    """One group, but for large families (sensor_1, sensor_2 ...)."""
    families: dict[str, list[Column]] = {}
    for column in columns:
        families.setdefault(_family(column.name), []).append(column)
    large = [base for base, members in families.items() if base and len(members) >= FAMILY]
    large = sorted(large, key=lambda base: -len(families[base]))[:FAMILIES]
    groups = [(base, families[base]) for base in large]
    rest = [column for column in columns if _family(column.name) not in large]
    groups += [("numbers", rest)] if rest else []
    return [
        (base, group[start : start + 4096])
        for base, group in groups
        for start in range(0, len(group), 4096)
    ]


def _family(name: str) -> str:
    match = re.fullmatch(r"(.*[^\W\d_]{3})[\W_]*\d+", name)
    return match[1] if match else ""


def _category_groups(columns: list[Column]) -> list[tuple[str, list[Column]]]:
    """One table each for the small ones, for the large ones, and for those too many to list."""
    small = [column for column in columns if column.distinct <= FEW]
    large = [column for column in columns if FEW < column.distinct <= MANY]
    huge = [column for column in columns if column.distinct > MANY]
    return [
        (base, group[start : start + 512])
        for base, group in (("categories", small), ("codes", large), ("hashed", huge))
        for start in range(0, len(group), 512)
    ]


def free_name(column: str, taken: set[str], kind: str = "") -> str:
    """A name for an input or output after a column's, that no other has; it is then taken."""
    plain = (
        unicodedata.normalize("NFKD", column.replace("ß", "ss")).encode("ascii", "ignore").decode()
    )
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", plain).lower()
    slug = re.sub(r"[^a-z0-9]+", "_", spaced).strip("_")[:32].rstrip("_")
    if slug and not slug[0].isalpha():
        slug = f"{kind or 'column'}_{slug}"[:32].rstrip("_")
    slug = slug or kind or "column"
    if keyword.iskeyword(slug):
        slug += "_input"
    free, number = slug, 1
    while free in taken:
        number += 1
        free = f"{slug[: 31 - len(str(number))]}_{number}"
    taken.add(free)
    return free


def _input(name: str, group: list[Column], table: Table) -> ProposedInput:
    kind = group[0].type
    assert kind is not None
    entry: Given = {"name": name, "type": kind}
    whys: list[str] = []
    make = {
        "numbers": _numbers,
        "labels": _labels,
        "texts": _text,
        "tags": _tags,
        "pictures": _files,
        "albums": _files,
        "series": _files,
        "dates": _date,
    }.get(group[0].kind)
    if "columns" in load_catalog().inputs[kind].fields:
        if not table.arrays:
            entry["columns"] = [column.name for column in group]
    elif group[0].name != name:
        entry["column"] = group[0].name
    if make is not None:
        make(entry, group, table, whys)
    known = load_catalog().inputs[kind]
    empty = 0 if known.may_be_empty else max(column.missing for column in group) / table.rows
    holes = empty + max(column.facts.get("absent", 0) for column in group)
    if holes and "optional" in known.fields:
        entry["optional"] = True
        whys.append(
            f"up to {_percent(holes)} missing" if len(group) > 1 else f"{_percent(holes)} missing"
        )
    count = f"{len(group)} columns" if len(group) > 1 else group[0].why
    return ProposedInput(entry, tuple(column.name for column in group), "; ".join([count, *whys]))


def _numbers(entry: Given, group: list[Column], table: Table, whys: list[str]) -> None:
    if "shape" in group[0].facts:
        entry["shape"] = group[0].facts["shape"]
    elif table.arrays:
        entry["shape"] = [1]


def _labels(entry: Given, group: list[Column], table: Table, whys: list[str]) -> None:
    most = max(column.distinct for column in group)
    if table.arrays:
        entry["shape"] = [1]
    if most > MANY:
        entry["encoder"] = "hashing"
        entry["bins"] = min(65_536, _power(2 * most))
        whys.append(f"over {MANY} values, so hashed")
        return
    seen_all = table.sample.height == table.rows
    entry["categories"] = most + 1 if seen_all and most <= FEW else _power(most + 1)
    whys.append(f"a table of {entry['categories']}, one for the unknown")


def _text(entry: Given, group: list[Column], table: Table, whys: list[str]) -> None:
    facts = group[0].facts
    if table.arrays:
        entry.pop("column", None)
    if facts["tokens"] == "characters":
        entry["tokens"] = "characters"
        whys.append("a script without spaces")
    entry["shape"] = [min(LONGEST_TEXT, max(8, _power(facts["length"])))]
    growth = 1.5 if table.rows > facts["texts"] else 1.1
    entry["vocabulary"] = min(20_000, _round_up(max(100, growth * facts["vocabulary"])))
    whys.append(
        f"about {facts['vocabulary']} different {facts['tokens']} in {facts['texts']} texts"
    )


def _with_encoder(
    proposed: ProposedInput, folders: Mapping[str, str], table: Table, overrides: Overrides
) -> ProposedInput:
    """The input with pretrained weights, where a folder has some; a short text else with n-grams."""
    given = proposed.given
    kind, folder = load_catalog().inputs[given["type"]], folders.get(given["type"])
    encoder, characters = kind.pretrained, given.get("tokens") == "characters"
    if folder and characters and kind.name not in overrides.weights:
        folder = None  # remembered for another table, perhaps of another script
    if folder and encoder and not (table.arrays and "shape" in encoder.fields):
        fields = with_weights(given, encoder, kind.fields_with(encoder.name), folder)
        why = f"{proposed.why}; pretrained weights in {folder}"
        return replace(proposed, given=fields, why=why)
    short = kind.found_in == "texts" and not characters and given["shape"][0] <= SHORT_TEXT
    if not short or table.rows < MANY_TEXTS:
        return proposed
    fields = {key: value for key, value in given.items() if key != "vocabulary"}
    fields |= {"encoder": "ngrams", "shape": [CHARACTERS * given["shape"][0]]}
    why = f"{proposed.why}; short, where character n-grams fit better than words"
    return replace(proposed, given=fields, why=why)


def _with_remembered(
    overrides: Overrides, folders: Mapping[str, str], inputs: Sequence[ProposedInput]
) -> Overrides:
    """The overrides with the remembered folders that the spec uses, so that it can be repeated."""
    used = {each.given["type"] for each in inputs if "weights" in each.given}
    remembered = {kind: folder for kind, folder in folders.items() if kind in used}
    weights = {f"{kind}{WEIGHTS}": it for kind, it in (remembered | overrides.weights).items()}
    fields: dict[str, Any] = weights
    return replace(overrides, **fields)


def _tags(entry: Given, group: list[Column], table: Table, whys: list[str]) -> None:
    facts = group[0].facts
    entry["shape"] = [min(MANY, facts["tags"] + 1)]
    if facts["mark"] != load_catalog().inputs[entry["type"]].fields["delimiter"].default:
        entry["delimiter"] = facts["mark"]
    whys.append("one place for the unknown")


def _files(entry: Given, group: list[Column], table: Table, whys: list[str]) -> None:
    shape = list(group[0].facts["shape"])
    field = load_catalog().inputs[entry["type"]].fields["shape"]
    if group[0].facts.get("file", True):
        shape = [
            min(most, max(least, n))
            for n, least, most in zip(shape, field.least, field.most, strict=True)
        ]
    entry["shape"] = shape
    if group[0].facts.get("exif"):
        entry["exif"] = True
    if group[0].facts.get("mark", "|") not in ("", "|"):
        entry["delimiter"] = group[0].facts["mark"]
    if group[0].kind == "series":
        # benchmarks/accuracy: 0.93 against an LSTM's 0.53 on a table of 400 rows, and much faster.
        entry["encoder"] = "conv"
        whys.append("convolutions learn the most from few rows")


def _date(entry: Given, group: list[Column], table: Table, whys: list[str]) -> None:
    if form := group[0].facts["format"]:
        entry["format"] = form
        whys.append("each date parsed by itself" if form == "mixed" else f"written as {form}")
    if group[0].facts.get("day_first"):
        entry["day_first"] = True
        whys.append("the day first")


def _power(number: float) -> int:
    return 1 << max(1, math.ceil(math.log2(max(2, number))))


def _round_up(number: float) -> int:
    """1, 2 or 5 with zeros behind."""
    scale = 10 ** math.floor(math.log10(number))
    return next(int(step * scale) for step in (1, 2, 5, 10) if step * scale >= number)


def _percent(share: float) -> str:
    return "under 0.1%" if share < 0.001 else f"{share:.1%}" if share < 0.1 else f"{share:.0%}"


# Outputs, and the whole


def _output(target: Target, table: Table, taken: set[str], several: bool) -> Given:
    if table.arrays:
        try:
            name = check_name(target.column, "name")
        except SpecError:
            raise DataError(
                f"--target {target.column}: is no name of an output; rename the array"
            ) from None
    else:  # `row` is the column with the row's number in predictions
        name = free_name(target.column, {*taken, "row"}, "target")
    taken.add(name)
    task = load_catalog().outputs[target.task]
    entry: Given = {"name": name, "task": target.task}
    if name != target.column:
        entry["column"] = target.column
    if target.stated:
        entry |= target.stated
    elif isinstance(task.size, str) and not task.numbers:
        ordered = task.fields[task.size].kind == "names"
        entry[task.size] = _in_order(target) if ordered else target.classes
    if several and target.missing:
        entry["optional"] = True
    if target.ignore_case:
        entry["ignore_case"] = True
    if target.separator not in ("", "|"):
        entry["separator"] = target.separator
    return entry


def _in_order(target: Target) -> list[str]:
    """The labels of a target in the order of the numbers that they are; DataError for words."""
    labels = [label for label, _ in target.counts]
    if None in map(parse_number, labels):
        add = f"add the classes from the lowest to the highest: {target.task}:low,mid,high"
        if any("," in label for label in labels):
            add = "take multiclass, and change the task and its classes in the spec"
        raise DataError(
            f"--target {one_line(target.column)}:{target.task}: the order of"
            f" {', '.join(map(one_line, labels[:3]))} is not in the data; {add}"
        )
    return sorted(labels, key=float)


def _spec(table: Table, inputs: list[ProposedInput], outputs: list[Given]) -> Spec | None:
    if not outputs:
        return None
    if not inputs:
        raise DataError(
            f"{table.path}: no column is left to be an input; the report without --target says why,"
            " --keep COLUMN and --as COLUMN:TYPE take one in"
        )
    given: Given = {
        "project_name": default_project_name(table.path.resolve().stem),
        "inputs": [each.given for each in inputs],
    }
    if len(inputs) > 1:
        given["merge"] = "concatenate"
    given["outputs"] = outputs
    if notation := table.written.given:
        given["table"] = notation
    return validate(given)
