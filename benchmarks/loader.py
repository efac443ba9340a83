"""How fast the generated loader feeds a model beside the same arrays in memory.

    python benchmarks/loader.py

4,000 rows with a 64x64 JPEG, 20 numbers and a text, in a project that is generated for them: files on
disk (in the disk's cache) through `make_dataset`, against the model's tensors as arrays in memory.
Medians of five, runs alternating, on the processor. The ratio that counts is that of training a small
model, whose rate is printed too: with a larger one the loader matters less. Without a model, what is
left is the time to decode against the time to slice; both are printed to say where the time goes.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import csv
import importlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from keras_scaffold.render import render
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
    """Write pictures of soft colours, numbers and sentences, and their manifest."""
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


def rates(runs: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Examples a second of each, the median of five alternating runs after one to warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(RUNS + 1):
        for name, run in runs.items():
            before = time.perf_counter()
            run()
            if turn:
                seconds[name].append(time.perf_counter() - before)
    return {name: ROWS / statistics.median(taken) for name, taken in seconds.items()}


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

        examples = data.read_examples(write_data(Path(name, "data")))
        preprocessing = data.Preprocessing.learn(examples)
        files = data.make_dataset(examples, preprocessing, BATCH, shuffle=True)
        batches = list(data.make_dataset(examples, preprocessing, BATCH).as_numpy_iterator())
        tensors, targets = (
            {
                key: np.concatenate([batch[part][key] for batch in batches])
                for key in batches[0][part]
            }
            for part in (0, 1)
        )
        arrays = tf.data.Dataset.from_tensor_slices((tensors, targets))
        arrays = arrays.shuffle(ROWS).batch(BATCH).prefetch(tf.data.AUTOTUNE)

        picture_paths = tf.data.Dataset.from_tensor_slices(examples.values["picture"].astype(str))
        decode = picture_paths.map(data.load_picture, num_parallel_calls=tf.data.AUTOTUNE)
        read = picture_paths.map(tf.io.read_file, num_parallel_calls=tf.data.AUTOTUNE)

        model = build_model()
        compile_model(model, preprocessing)
        rate = rates(
            {
                "training from files": lambda: model.fit(files, shuffle=False, verbose=0),
                "training from arrays": lambda: model.fit(
                    tensors, targets, batch_size=BATCH, verbose=0
                ),
                "training from arrays through tf.data": lambda: model.fit(
                    arrays, shuffle=False, verbose=0
                ),
                "batches from files, no model": lambda: consume(files),
                "batches from arrays, no model": lambda: consume(arrays),
                "files read, no more": lambda: consume(read.batch(BATCH)),
                "files read and decoded, no more": lambda: consume(decode.batch(BATCH)),
            }
        )
    for what, each_second in rate.items():
        print(f"{what:40}{each_second:10,.0f} examples/s")
    ours = rate["training from files"]
    theirs = max(rate["training from arrays"], rate["training from arrays through tf.data"])
    print(f"training, files / the faster of the arrays: {ours / theirs:.2f} (at least {LEAST})")
    alone = rate["batches from files, no model"] / rate["batches from arrays, no model"]
    print(f"batches, no model, files / arrays: {alone:.2f}")
    return 0 if ours / theirs >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
