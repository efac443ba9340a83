"""How fast the generated loader feeds a model beside the same arrays in memory.

    python benchmarks/loader.py

4,000 rows with a 64x64 JPEG, 20 numbers and a text, in a project that is generated for them. Files on
disk (in the disk's cache) through `make_dataset`, against the same values as arrays in memory through
the same `make_dataset`: the ratio that counts is that of training a small model, whose rate is printed
too, since with a larger one the loader matters less. Beside it stands training from arrays that were
preprocessed once and for all. Without a model, what is left is the time to decode against the time to
slice; that says where the time goes. Medians of five, runs alternating, on the processor. Processor
time is printed as well: it says the same where the machine has other work.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import csv
import dataclasses
import importlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from keras_scaffold.render.project import render
from keras_scaffold.spec import validate

ROWS, SIDE, NUMBERS, WORDS, BATCH, RUNS, LEAST = 4000, 64, 20, 12, 32, 5, 0.75
SPEC = {
    "project_name": "Loader",
    "inputs": [
        {"name": "numbers", "type": "numeric", "shape": [NUMBERS]},
        {
            "name": "picture",
            "type": "image",
            "shape": [SIDE, SIDE, 3],
            "filters": [8],
            "augment": "none",
        },
        {"name": "text", "type": "text", "shape": [16]},
    ],
    "outputs": [{"name": "label", "task": "binary"}],
}


def write_data(folder: Path) -> Path:
    """Write pictures of soft colors, numbers and sentences, and their manifest."""
    import tensorflow as tf

    rng = np.random.default_rng(0)
    words = [f"word{index}" for index in range(2000)]
    header = [f"numbers_{index}" for index in range(NUMBERS)]
    (folder / "pictures").mkdir(parents=True)
    manifest = folder / "manifest.csv"
    with manifest.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*header, "picture", "text", "label"])
        for row in range(ROWS):
            soft = tf.image.resize(rng.uniform(0, 255, (8, 8, 3)), (SIDE, SIDE), "bicubic")
            picture = np.clip(soft + rng.normal(0, 8, (SIDE, SIDE, 3)), 0, 255).astype("uint8")
            name = f"pictures/{row}.jpg"
            (folder / name).write_bytes(tf.io.encode_jpeg(picture, quality=90).numpy())
            numbers = rng.normal(size=NUMBERS).round(4)
            writer.writerow([*numbers, name, " ".join(rng.choice(words, WORDS)), row % 2])
    return manifest


def measure(runs: dict[str, Callable[[], Any]]) -> dict[str, tuple[float, float]]:
    """Examples a second and microseconds of processor time for each example.

    Medians of five alternating runs, after one to warm up.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    work: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(RUNS + 1):
        for name, run in runs.items():
            worked, before = time.process_time(), time.perf_counter()
            run()
            if turn:
                seconds[name].append(time.perf_counter() - before)
                work[name].append(time.process_time() - worked)
    median = statistics.median
    return {name: (ROWS / median(seconds[name]), median(work[name]) / ROWS * 1e6) for name in runs}


def consume(dataset: Any) -> None:
    """Take every batch and do nothing with it."""
    for _ in dataset:
        pass


def main() -> int:
    """Generate, measure, compare; 1 where the loader feeds too little."""
    with tempfile.TemporaryDirectory() as name:
        project = Path(name, "loader")
        render(validate(SPEC), project, git=False)
        sys.path.insert(0, str(project / "src"))
        import tensorflow as tf

        tf.config.set_visible_devices([], "GPU")
        data = importlib.import_module("loader.data")
        build_model = importlib.import_module("loader.model").build_model
        compile_model = importlib.import_module("loader.train").compile_model

        examples = data.open_examples(write_data(Path(name, "data")))
        preprocessing = data.Preprocessing.adapt(examples)
        files = data.make_dataset(examples, preprocessing, BATCH, shuffle=True)
        batches = list(data.make_dataset(examples, preprocessing, BATCH).as_numpy_iterator())
        tensors, targets = (
            {
                key: np.concatenate([batch[part][key] for batch in batches])
                for key in batches[0][part]
            }
            for part in (0, 1)
        )
        values = {**examples.values, "picture": tensors["picture"]}  # decoded, not preprocessed
        in_memory = dataclasses.replace(examples, values=values)
        arrays = data.make_dataset(in_memory, preprocessing, BATCH, shuffle=True)
        ready = tf.data.Dataset.from_tensor_slices((tensors, targets))
        ready = ready.shuffle(ROWS).batch(BATCH).prefetch(tf.data.AUTOTUNE)
        paths = tf.data.Dataset.from_tensor_slices(examples.values["picture"].astype(str))
        read = paths.map(tf.io.read_file, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH)
        decoded = paths.map(data.load_picture, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH)

        model = build_model()
        compile_model(model, preprocessing.state)

        def fit(dataset: Any) -> None:
            model.fit(dataset, shuffle=False, verbose=0)  # the dataset has shuffled

        measured = measure(
            {
                "training from files": lambda: fit(files),
                "training from arrays": lambda: fit(arrays),
                "training from preprocessed arrays": lambda: fit(ready),
                "batches from files, no model": lambda: consume(files),
                "batches from arrays, no model": lambda: consume(arrays),
                "files read": lambda: consume(read),
                "files read and decoded": lambda: consume(decoded),
            }
        )
    for what, (each_second, work) in measured.items():
        print(f"{what:36}{each_second:10,.0f} examples/s {work:8,.0f} us of processor each")
    rate = {what: each_second for what, (each_second, _) in measured.items()}
    ratio = rate["training from files"] / rate["training from arrays"]
    print(f"training, files / arrays: {ratio:.2f} (at least {LEAST})")
    preprocessed = rate["training from files"] / rate["training from preprocessed arrays"]
    print(f"training, files / preprocessed arrays: {preprocessed:.2f}")
    alone = rate["batches from files, no model"] / rate["batches from arrays, no model"]
    print(f"batches, no model, files / arrays: {alone:.2f}")
    return 0 if ratio >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
