"""What `scaffold inspect` takes for a million rows of thirty columns: seconds and peak memory.

    python benchmarks/inspect_data.py [ROWS]

The table has numbers, categories, texts, dates, flags and ids, with holes, and is written as CSV,
Parquet and JSON Lines. Each runs in a process of its own, start of Python included.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

RUNS = 3
MOST_SECONDS = 5.0
MOST_BYTES = 1e9
WORDS = np.array(["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "again"])


def table(rows: int) -> pl.DataFrame:
    """A table of thirty columns of all kinds."""
    rng = np.random.default_rng(0)
    columns = {"row_id": pl.Series(np.arange(rows))}
    for place in range(16):
        numbers = pl.Series(rng.normal(size=rows).round(4))
        columns[f"sensor_{place}"] = numbers.set(pl.Series(rng.random(rows) < 0.01), None)
    for place in range(5):
        columns[f"count_{place}"] = pl.Series(rng.integers(0, 1000, rows))
    groups = np.array([f"group {place}" for place in range(30)])
    for place in range(4):
        columns[f"kind_{place}"] = pl.Series(groups[rng.integers(0, 30, rows)])
    columns["flag"] = pl.Series(np.array(["yes", "no"])[rng.integers(0, 2, rows)])
    words = pl.DataFrame(WORDS[rng.integers(0, len(WORDS), (rows, 6))])
    columns["note"] = words.select(pl.concat_str(pl.all(), separator=" ")).to_series()
    days = pl.Series(np.datetime64("2024-01-01") + rng.integers(0, 366, rows)).cast(pl.String)
    columns["day"] = days
    truth = columns["sensor_0"].fill_null(0).to_numpy() + rng.normal(size=rows) > 0
    columns["target"] = pl.Series(truth.astype(int))
    return pl.DataFrame(columns)


def run(path: Path) -> tuple[float, float, int]:
    """Seconds, processor seconds and peak bytes of one inspection."""
    command = [sys.executable, "-m", "keras_scaffold", "inspect", str(path)]
    begin = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--target", "target", "--json"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    told = json.loads(process.stdout.read())
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    assert status == 0
    assert told["targets"][0]["task"] == "binary"
    names = {entry["name"] for entry in told["spec"]["inputs"]}
    assert names == {"sensor", "count", "categories", "flag", "note", "day"}
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def main() -> int:
    """Inspect the table in each form; 1 where it takes too much."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    good = True
    with tempfile.TemporaryDirectory() as name:
        frame = table(rows)
        writers = {
            "csv": frame.write_csv,
            "parquet": frame.write_parquet,
            "jsonl": frame.write_ndjson,
        }
        for suffix, write in writers.items():
            path = Path(name, f"table.{suffix}")
            write(path)
            runs = [run(path) for _ in range(RUNS)]
            seconds, processor = (statistics.median(it) for it in list(zip(*runs, strict=True))[:2])
            peak = max(used for *_, used in runs)
            size = path.stat().st_size / 1e6
            path.unlink()
            print(
                f"{suffix}, {rows:,} x {frame.width}, {size:.0f} MB: {seconds:.2f} s"
                f" (at most {MOST_SECONDS}; {processor:.2f} of processors), {peak / 1e6:.0f} MB (at most {MOST_BYTES / 1e6:.0f})"
            )
            good &= seconds <= MOST_SECONDS and peak <= MOST_BYTES
    return not good


if __name__ == "__main__":
    sys.exit(main())
