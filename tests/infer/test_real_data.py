"""Data as people have them: holes, invalid rows, odd files, splits that must not leak."""

from __future__ import annotations

import io
import json

import pytest
from keras_scaffold.spec import validate
from projects import assert_finite, project, small_input, small_output, spec_of

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_xla")]

INPUTS = ("numeric", "image", "timeseries", "text", "categorical", "binary")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project in which every input may be missing."""
    inputs = [small_input(f"{kind}_in", kind, optional=True) for kind in INPUTS]
    outputs = [small_output("label", "binary"), small_output("amount", "regression")]
    spec = spec_of(inputs, outputs=outputs)
    with project(spec, tmp_path_factory.mktemp("optional")) as one:
        yield one


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A project with a number, a picture and a class, none of which may be missing."""
    inputs = [
        {"name": "size", "type": "numeric", "columns": ["width", "height"]},
        {"name": "photo", "type": "image", "shape": [16, 24, 3], "filters": [4], "exif": True},
    ]
    spec = spec_of(inputs, outputs=[{"name": "kind", "task": "multiclass", "classes": 3}])
    with project(spec, tmp_path_factory.mktemp("strict")) as one:
        yield one


def table_of(manifest):
    import pandas as pd

    return pd.read_csv(manifest, dtype=str, keep_default_na=False)


# Missing values


def test_an_optional_input_may_be_missing_and_the_model_does_without(made):
    import numpy as np

    manifest = made.sample()
    table = table_of(manifest)
    assert (table == "").any(axis=None)  # the sample shows how
    table.iloc[0, :-2] = ""  # a row with nothing but the target
    table.to_csv(manifest, index=False)
    run = made.train(manifest)
    assert_finite(run)
    done = made.main("evaluate", "--run", run, "--data", manifest, "--split", "all", "--json")
    result = json.loads(done.out)
    assert list(result["without"]) == [f"{kind}_in" for kind in INPUTS]
    for outputs in (result["outputs"], *result["without"].values()):
        assert np.isfinite(
            [value for scores in outputs.values() for value in scores.values()]
        ).all()

    # Without an input the prediction is another, and the same whatever its values were.
    data, evaluation = made.module("data"), made.module("evaluate")
    model, preprocessing, _ = evaluation.open_run(run)
    examples = data.open_examples(manifest).take(np.arange(1, 33))
    for name in data.INPUTS:
        turned = examples.take(np.arange(32)[::-1])
        whole = {**examples.values, name: turned.values[name]}
        other = type(examples)(examples.source, examples.frame, whole)
        bare, turned_bare, full = (
            evaluation.predict_batches(model, preprocessing, rows, 32)["amount"]
            for rows in (
                evaluation.without(examples, name),
                evaluation.without(other, name),
                examples,
            )
        )
        np.testing.assert_allclose(bare, turned_bare, rtol=1e-4)
        assert not np.allclose(full, bare, rtol=1e-4), name


def test_a_saved_model_takes_what_is_missing(made):
    import numpy as np
    import tensorflow as tf

    run = made.folder / "runs" / "one"
    if not run.exists():
        made.train(made.sample())
    made.ok("export", "--run", run)
    serve = tf.saved_model.load(str(run / "saved_model")).signatures["serve"]
    blanks = {tf.string: "", tf.float32: float("nan")}
    raw = {}
    for name, spec in serve.structured_input_signature[1].items():
        shape = [2, *[3 if size is None else size for size in spec.shape[1:]]]
        raw[name] = tf.fill(shape, blanks[spec.dtype])
    for values in serve(**raw).values():
        assert np.isfinite(values.numpy()).all()


def test_layers_for_what_is_missing_do_what_they_say(made):
    import numpy as np

    layers = made.module("layers")
    fill = layers.FillMissing(rate=0.5)
    numbers = np.array([[1.0, np.nan], [2.0, 3.0]], dtype="float32")
    np.testing.assert_array_equal(fill(numbers), [[1, 0, 0, 1], [2, 3, 0, 0]])
    hidden = np.asarray(fill(np.ones((4000, 2), "float32"), training=True))
    assert 0.45 < hidden[:, 2].mean() < 0.55
    np.testing.assert_array_equal(hidden[:, 2], hidden[:, 3])  # all of a row's numbers or none

    absent = layers.OrAbsent([0, 1], rate=0.5)
    branch = np.full((3, 4), 7.0, dtype="float32")
    tokens = np.array([[1, 0, 0], [0, 0, 0], [1, 5, 0]])
    np.testing.assert_array_equal(absent(branch, tokens)[:, 0], [0, 0, 7])
    many = np.asarray(absent(np.ones((4000, 4), "float32"), np.full((4000, 3), 9), training=True))
    assert 0.45 < many.mean() < 0.55


def test_bins_tell_how_far_a_number_has_come(strict):
    import numpy as np

    piecewise = strict.module("layers").PiecewiseLinear(1, 3)
    piecewise.build((None, 1))
    piecewise.set_weights([np.array([[0.0, 1.0, 1.0, 3.0]], "float32")])
    seen = np.asarray(piecewise(np.array([[-1.0], [0.5], [2.0], [9.0]], "float32")))
    np.testing.assert_allclose(seen[:, 1:], [[0, 0, 0], [0.5, 0, 0], [1, 0, 0.5], [1, 0, 1]])
    assert abs(seen[3, 0]) < 3  # an outlier is held back


def test_marks_are_tokens_of_their_own(made):
    import tensorflow as tf

    given = tf.constant(["“ÉCOLE”, don't!", "#now €5 हिन्दी", ""])
    apart = [text.decode().split() for text in made.module("data").words_and_marks(given).numpy()]
    assert apart[0] == ["“", "école", "”", ",", "don", "'", "t", "!"]
    assert apart[1:] == [["#", "now", "€", "5", "हिन्दी"], []]


# Invalid rows


def spoilt(strict):
    """A sample with four invalid rows and an unlabeled one."""
    manifest = strict.sample()
    table = table_of(manifest)
    table.loc[1, "width"] = "wide"
    table.loc[3, "height"] = ""
    table.loc[3, "photo"] = "nowhere.jpg"
    table.loc[5, "kind"] = "NA"
    table.loc[8, "photo"] = "../elsewhere.jpg"
    (manifest.parent / table.loc[9, "photo"]).write_bytes(b"\xff\xd8\xff\xe0 cut off")
    table.to_csv(manifest, index=False)
    return manifest


def test_all_invalid_rows_are_named_and_none_is_trained_on(strict):
    manifest, run = spoilt(strict), strict.folder / "runs" / "bad"
    done = strict.main("train", "--data", manifest, "--run", run, "--epochs", 1)
    assert done.code == 1
    *listed, last = done.err.strip().splitlines()
    assert [line.split(":")[0] for line in listed] == ["row 2", "row 4", "row 4", "row 9", "row 10"]
    assert "row 2: width is 'wide', not a number" in last
    assert "4 invalid rows" in last and "--drop-invalid-rows" in last
    assert not (run / "model.keras").exists()


def test_dropped_rows_are_counted_and_listed(strict):
    import pandas as pd

    manifest = spoilt(strict)
    run = strict.train(manifest, "--drop-invalid-rows")
    listed = pd.read_csv(run / "invalid_rows.csv")
    assert sorted(set(listed["row"])) == [2, 4, 6, 9, 10]
    assert "kind is missing" in set(listed["problem"])
    rows = json.loads((run / "run.json").read_text())["rows"]
    assert sum(rows.values()) == len(table_of(manifest)) - 5
    done = strict.main("evaluate", "--run", run, "--data", manifest, "--drop-invalid-rows")
    assert done.code == 0 and "Dropped 5 of 48 rows" in done.err


def test_an_unlabeled_row_is_dropped_and_listed(strict):
    manifest = strict.sample()
    table = table_of(manifest)
    table.loc[5, "kind"] = ""
    table.to_csv(manifest, index=False)
    run = strict.folder / "runs" / "one"
    done = strict.main("train", "--data", manifest, "--run", run, "--epochs", 1, "--members", 1)
    assert done.code == 0
    assert "Dropped 1 of 48 rows" in done.err
    assert (run / "invalid_rows.csv").read_text().splitlines()[1:] == ["6,kind is missing"]


def rare(strict):
    """A sample with given splits, and two labels that stand in no training row; one invalid row."""
    manifest = strict.sample()
    table = table_of(manifest)
    table["split"] = ["train", "train", "validation", "test"] * (len(table) // 4)
    table.loc[1, "width"] = "wide"
    table.loc[6, "kind"] = "rare"
    table.loc[[7, 11], "kind"] = "rarer"
    table.to_csv(manifest, index=False)
    return manifest


UNKNOWN = {
    7: "kind is 'rare', which no training row has",
    8: "kind is 'rarer', which no training row has",
    12: "kind is 'rarer', which no training row has",
}


def test_a_label_that_no_training_row_has_makes_a_row_invalid(strict):
    manifest, run = rare(strict), strict.folder / "runs" / "rare"
    table = table_of(manifest)
    table.loc[1, "width"] = "2"
    table.to_csv(manifest, index=False)
    done = strict.main("train", "--data", manifest, "--run", run, "--epochs", 1)
    assert done.code == 1
    *listed, last = done.err.strip().splitlines()
    assert listed == [f"row {row}: {text}" for row, text in UNKNOWN.items()]
    assert last.startswith(f"error: {manifest}: row 7: {UNKNOWN[7]}; 3 invalid rows")
    assert "--drop-invalid-rows" in last
    assert sorted(path.name for path in run.iterdir()) == ["invalid_rows.csv"]


def test_rows_of_labels_that_no_training_row_has_are_dropped_and_listed(strict):
    import pandas as pd

    manifest = rare(strict)
    run = strict.train(manifest, "--drop-invalid-rows")
    listed = pd.read_csv(run / "invalid_rows.csv").set_index("row")["problem"]
    assert listed.to_dict() == {2: "width is 'wide', not a number", **UNKNOWN}
    kept = pd.read_csv(run / "splits.csv").set_index("row")["split"]
    assert sorted({*range(1, 49)} - set(kept.index)) == [2, *UNKNOWN]
    assert kept.to_dict() == {row: table_of(manifest)["split"][row - 1] for row in kept.index}
    assert sum(json.loads((run / "run.json").read_text())["rows"].values()) == 44

    # In evaluation too, where they come in: in a split of the run they do not.
    evaluate = ("evaluate", "--run", run, "--data", manifest)
    done = strict.main(*evaluate, "--drop-invalid-rows", "--json")
    assert json.loads(done.out)["rows"] == 10 and "Dropped 1 of 48 rows" in done.err
    done = strict.main(*evaluate, "--drop-invalid-rows", "--json", "--split", "all")
    assert json.loads(done.out)["rows"] == 44 and "Dropped 3 of 47 rows" in done.err
    table = table_of(manifest)
    table.loc[1, "width"] = "2"
    table.to_csv(manifest, index=False)
    done = strict.main(*evaluate)
    assert done.code == 1
    *listed, last = done.err.strip().splitlines()
    assert listed == [f"row {row}: {text}" for row, text in UNKNOWN.items()]  # now another table
    assert f"row 7: {UNKNOWN[7]}; 3 invalid rows" in last


def test_labels_of_every_output_must_stand_in_a_training_row(tmp_path):
    inputs = [{"name": "size", "type": "numeric", "columns": ["width"]}]
    outputs = [
        {"name": "kind", "task": "multiclass", "classes": 3},
        {"name": "other", "task": "binary", "column": "The other"},
        {"name": "marks", "task": "multilabel"},
    ]
    with project(spec_of(inputs, outputs=outputs), tmp_path) as one:
        manifest = one.sample()
        table = table_of(manifest)
        table["day"] = [f"2020-02-{1 + row // 2:02}" for row in range(len(table))]
        table.loc[45, "The other"] = "perhaps"
        table.loc[47, "kind"] = "new"
        table.loc[47, "marks"] += "|new"
        table.to_csv(manifest, index=False)
        command = ("train", "--data", manifest, "--time", "day", "--epochs", 1)
        done = one.main(*command, "--run", tmp_path / "run")
        assert done.code == 1
        assert done.err.strip().splitlines()[:3] == [
            "row 46: The other is 'perhaps', which no training row has",
            "row 48: kind is 'new', which no training row has",
            f"row 48: marks is {table.loc[47, 'marks']!r}, which no training row has",
        ]
        run = one.train(manifest, "--time", "day", "--drop-invalid-rows")
        assert_finite(run)
        left = (run / "invalid_rows.csv").read_text().splitlines()[1:]
        assert [line.partition(",")[0] for line in left] == ["46", "48", "48"]


def test_a_path_outside_is_followed_only_when_asked(strict):
    manifest = strict.sample()
    table = table_of(manifest)
    outside = manifest.parent.parent / "outside.jpg"
    outside.write_bytes((manifest.parent / table.loc[0, "photo"]).read_bytes())
    for path in ("../outside.jpg", str(outside)):
        table.loc[0, "photo"] = path
        table.to_csv(manifest, index=False)
        data = strict.module("data")
        problems = data.open_examples(manifest).problems
        ((row, problem, _),) = problems
        assert row == 1 and "--outside" in problem
        assert not data.open_examples(manifest, outside=True).problems


# Pictures


def picture(mode="RGB", size=(60, 40), kind="PNG", **more):
    """A picture, white in its upper left corner."""
    import numpy as np
    from PIL import Image

    image = Image.new("L", size, 0)
    image.paste(255, (0, 0, 20, 10))
    file = io.BytesIO()
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image).astype("uint16") * 257)
    else:
        image = image.convert(mode)
    image.save(file, kind, **more)
    return file.getvalue()


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("RGB", "PNG"), ("L", "PNG"), ("RGBA", "PNG"), ("LA", "PNG"), ("P", "PNG"), ("1", "PNG"),
        ("I;16", "PNG"), ("RGB", "JPEG"), ("L", "JPEG"), ("CMYK", "JPEG"), ("P", "GIF"),
        ("RGB", "BMP"), ("RGB", "WEBP"),
    ],
)  # fmt: skip
def test_pictures_of_every_kind_look_alike(strict, mode, kind):
    import numpy as np

    seen = strict.module("data").decode_photo(picture(mode, kind=kind)).numpy()
    assert seen.shape == (16, 24, 3)
    assert seen[:3, :6].mean() > 200 and np.delete(seen, range(6), axis=0).mean() < 20


@pytest.mark.parametrize(
    ("orientation", "corner"), [(1, (0, 0)), (3, (1, 1)), (6, (0, 1)), (8, (1, 0))]
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_photo_is_turned_upright(strict, orientation, corner, order):
    from PIL import Image

    exif = Image.Exif()
    exif.endian = order
    exif[0x0112] = orientation
    seen = strict.module("data").decode_photo(picture(kind="JPEG", exif=exif)).numpy()
    quarters = (
        seen[:8, :12].mean(),
        seen[:8, 12:].mean(),
        seen[8:, :12].mean(),
        seen[8:, 12:].mean(),
    )
    brightest = max(range(4), key=quarters.__getitem__)
    assert (brightest // 2, brightest % 2) == corner


def test_a_picture_that_would_fill_the_memory_is_refused_by_its_header(strict):
    from PIL import Image

    manifest = strict.sample()
    huge = Image.new("1", (20_000, 20_000))
    huge.save(manifest.parent / "huge.png")
    table = table_of(manifest)
    table.loc[2, "photo"] = "huge.png"
    table.to_csv(manifest, index=False)
    data = strict.module("data")
    examples = data.open_examples(manifest)
    ((row, problem, _),) = examples.problems
    assert row == 3 and "huge.png" in problem


# Tables as they are written


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_table_is_read_as_the_spec_states(tmp_path, encoding, delimiter):
    """Delimiter, encoding, decimal mark, thousands and codes for missing values; no guess."""
    inputs = [
        {"name": "a", "type": "numeric", "columns": ["x", "z"], "optional": True},
        {"name": "note", "type": "text"},
    ]
    spec = spec_of(inputs, outputs=[{"name": "y", "task": "regression"}])
    table = {"delimiter": delimiter, "encoding": encoding, "decimal": ",", "thousands": "."}
    table["missing"] = {"z": [-200]}
    with project(validate({**spec.given, "table": table}), tmp_path) as one:
        path = tmp_path / "manifest.csv"
        lines = [["x", "z", "note", "y"], ['"3,5"', "7", '"two\nlines"', '"1.000,25"']]
        lines += [['"-0,125"', "-200", "café", "2"]]
        path.write_bytes("\r\n".join(map(delimiter.join, lines)).encode(encoding))
        values = one.module("data").open_examples(path).values
        assert str(values["a"].tolist()) == "[[3.5, 7.0], [-0.125, nan]]"
        assert values["note"].tolist() == ["two\nlines", "café"]
        assert values["y"].tolist() == [[1000.25], [2]]
        if encoding == "cp1252" and delimiter == ";":
            assert_finite(one.train(one.sample()))


def test_units_and_separators_are_read_as_the_spec_states(tmp_path):
    """A unit is removed from its own column alone; labels are split at their own mark."""
    inputs = [{"name": "a", "type": "numeric", "columns": ["x", "z"], "optional": True}]
    outputs = [
        {"name": "y", "task": "regression"},
        {"name": "genres", "task": "multilabel", "separator": ","},
        {"name": "tags", "task": "multilabel"},
    ]
    table = {"thousands": ",", "units": {"x": ["$"], "y": ["kg"]}, "missing": {"x": [-9]}}
    spec = spec_of(inputs, outputs=outputs)
    with project(validate({**spec.given, "table": table}), tmp_path) as one:
        path = tmp_path / "manifest.csv"
        lines = ["x,z,y,genres,tags", '"$1,459.00",1,5 kg,"a, b","a, b|c"', "-$9,2,6kg,a,c"]
        path.write_text("\n".join([*lines, "-$8.5,$3,7,,"]))
        data = one.module("data")
        examples = data.open_examples(path)
        assert str(examples.values["a"].tolist()) == "[[1459.0, 1.0], [nan, 2.0], [-8.5, nan]]"
        assert examples.values["y"].tolist() == [[5], [6], [7]]
        assert [(row, problem) for row, problem, _ in examples.problems] == [
            (3, "z is '$3', not a number")
        ]
        state = data.adapt_genres(examples.values["genres"])
        assert state["labels"] == ["a", "b"]
        assert data.target_genres(examples.values["genres"], state).tolist() == [
            [1, 1, 0],
            [1, 0, 0],
            [0, 0, 0],
        ]
        assert data.adapt_tags(examples.values["tags"])["labels"] == ["a, b", "c"]
        run = one.train(one.sample())
        assert_finite(run)
        one.main("predict", "--run", run, "--data", one.sample(), "--out", tmp_path / "out.csv")
        assert "|" not in "".join(_column(tmp_path / "out.csv", "genres"))


def _column(path, name):
    import pandas as pd

    return pd.read_csv(path, keep_default_na=False)[name]


def test_a_byte_order_mark_is_no_part_of_a_name(strict, tmp_path):
    path = tmp_path / "manifest.csv"
    path.write_text("width,007\n1,007\n", encoding="utf-8-sig")
    frame = strict.module("manifest").open_manifest(path).frame
    assert frame.to_dict("list") == {"width": ["1"], "007": ["007"]}


def test_a_folder_for_each_class_is_a_manifest(tmp_path):
    inputs = [{"name": "photo", "type": "image", "shape": [8, 8, 3], "filters": [4]}]
    spec = spec_of(inputs, outputs=[{"name": "kind", "task": "multiclass"}])
    with project(spec, tmp_path / "made") as one:
        for kind in ("cat", "dog", "emu"):
            (tmp_path / "photos" / kind).mkdir(parents=True)
            for number in range(12):
                (tmp_path / "photos" / kind / f"{number}.png").write_bytes(picture())
        run = one.train(tmp_path / "photos")
        done = one.main("evaluate", "--run", run, "--data", tmp_path / "photos", "--json")
        assert json.loads(done.out)["rows"] == 4  # of 36


# Splits


def examples_of(strict, **columns):
    """Examples of a table that stands in no file."""
    import numpy as np
    import pandas as pd

    frame = pd.DataFrame(columns)
    frame.index += 1
    values = {"kind": frame["kind"].to_numpy(object)} if "kind" in frame else {}
    values.setdefault("kind", np.full(len(frame), "cat", dtype=object))
    return strict.module("manifest").Examples(strict.folder, frame, values)


@pytest.mark.parametrize("often", [1000, 40, 12])
def test_classes_have_their_share_in_every_split(strict, often):
    draw = strict.module("manifest").assign_splits
    labels = ["often"] * often + ["rare"] * 10 + ["once"]
    examples = examples_of(strict, kind=labels)
    for seed in range(5):
        shares = draw(examples, seed).groupby(labels).value_counts().unstack(fill_value=0)
        assert shares.loc["once"].to_dict() == {"test": 0, "train": 1, "validation": 0}
        for split in ("validation", "test"):
            assert shares.loc["often", split] == pytest.approx(often / 10, abs=1)
            assert shares.loc["rare", split] == pytest.approx(1, abs=1)
    assert not draw(examples, 1).equals(draw(examples, 2))


@pytest.mark.parametrize("rows", range(3, 13))
def test_few_rows_are_split_too(strict, rows):
    for kinds in (["cat", "dog"] * rows, [f"kind_{row}" for row in range(rows)]):
        splits = strict.module("manifest").assign_splits(examples_of(strict, kind=kinds[:rows]), 0)
        assert "train" in set(splits)


def test_validation_is_drawn_where_only_tests_are_given(strict):
    given = ["train"] * 90 + ["test"] * 10
    splits = strict.module("manifest").assign_splits(examples_of(strict, split=given), 0)
    assert (splits == "validation").sum() == 9
    assert (splits == "test").tolist() == [split == "test" for split in given]


def given_splits(strict, splits, column, values):
    """A manifest with given splits and a column to split by."""
    manifest = strict.sample(len(splits))
    table = table_of(manifest)
    table["split"], table[column] = splits, values
    table.to_csv(manifest, index=False)
    return manifest


def test_no_group_may_stand_in_two_given_splits(strict):
    splits = ["train"] * 40 + ["validation"] * 4 + ["test"] * 4
    patients = [f"p{row // 4}" for row in range(48)]
    manifest = given_splits(strict, splits, "patient", patients)
    run = strict.train(manifest, "--group", "patient")
    assert json.loads((run / "run.json").read_text())["rows"]["train"] == 40

    patients[46] = "p7"
    manifest = given_splits(strict, splits, "patient", patients)
    run = strict.folder / "runs" / "grouped"
    done = strict.main("train", "--data", manifest, "--run", run, "--group", "patient")
    assert done.code == 1 and done.err == (
        f"error: {manifest}: the rows of patient 'p7' are in several splits;"
        " fix the column split, or train without --group\n"
    )


def test_validation_drawn_beside_given_tests_keeps_groups_together(strict):
    import pandas as pd

    splits = ["train"] * 40 + ["test"] * 8
    manifest = given_splits(strict, splits, "patient", [f"p{row // 4}" for row in range(48)])
    run = strict.train(manifest, "--group", "patient")
    kept = pd.read_csv(run / "splits.csv")["split"]
    assert kept.groupby(table_of(manifest)["patient"]).nunique().max() == 1
    assert (kept == "validation").sum() == 4 and (kept[40:] == "test").all()


def test_given_splits_must_be_in_the_order_of_time(strict):
    import pandas as pd

    splits = ["train"] * 40 + ["test"] * 8
    days = [f"2020-01-{1 + row // 2:02}" for row in range(48)]
    run = strict.train(given_splits(strict, splits, "day", days), "--time", "day")
    kept = pd.read_csv(run / "splits.csv")["split"]
    assert kept.tolist() == ["train"] * 36 + ["validation"] * 4 + ["test"] * 8

    days[3] = "2021-01-01"
    manifest = given_splits(strict, splits, "day", days)
    run = strict.folder / "runs" / "timed"
    done = strict.main("train", "--data", manifest, "--run", run, "--time", "day")
    assert done.code == 1 and done.err == (
        f"error: {manifest}: by day, a split begins before the one ahead of it ends;"
        " fix the column split, or train without --time\n"
    )
    done = strict.main("train", "--data", manifest, "--time", "day", "--group", "kind")
    assert done.code == 1 and "--group or --time, not both" in done.err


@pytest.mark.parametrize(
    "dates",
    [
        ["2020-01-01", "2021-03-04T05:06:07Z", "2022-05-06 07:08"],
        ["1577836800", "1609459200", "1640995200"],
        ["-2.5", "7", "1e3"],
    ],
)
def test_times_are_put_in_order(strict, dates):
    examples = examples_of(strict, day=[dates[2], dates[0], dates[1]])
    order = strict.module("split_by").read_times(examples, "day").argsort()
    assert order.tolist() == [1, 2, 0]


def test_times_are_read_as_the_input_of_the_column_is(tmp_path):
    import pandas as pd

    inputs = [
        {"name": "built", "type": "datetime", "column": "Built", "format": "%d.%m.%Y"},
        {"name": "sold", "type": "datetime", "day_first": True},
    ]
    with project(spec_of(inputs), tmp_path) as one:
        dates = ["15.06.2022", "01.02.2020", "31.01.2021"]
        mixed = ["3/4/2020", "2020-03-05", "2/4/2020"]  # an ISO date has no day in front
        table = {"Built": dates, "sold": mixed, "other": dates, "label": ["a", "b", "a"]}
        pd.DataFrame(table).to_csv(tmp_path / "dates.csv", index=False)
        examples = one.module("data").open_examples(tmp_path / "dates.csv")
        for column in ("Built", "sold"):
            order = one.module("split_by").read_times(examples, column).argsort()
            assert order.tolist() == [1, 2, 0]
        with pytest.raises(
            one.module("manifest").DataError, match=r"row 1: other is '15\.06\.2022'"
        ):
            one.module("split_by").read_times(examples, "other")


def test_the_run_keeps_who_was_tested(strict):
    manifest = strict.sample()
    table = table_of(manifest)
    table["patient"] = [str(row // 3) for row in range(len(table))]
    table.to_csv(manifest, index=False)
    run = strict.train(manifest, "--group", "patient", "--seed", 4)
    import pandas as pd

    kept = pd.read_csv(run / "splits.csv")["split"]
    assert kept.groupby(table["patient"]).nunique().max() == 1
    done = strict.main("evaluate", "--run", run, "--data", manifest, "--json")
    assert json.loads(done.out)["rows"] == (kept == "test").sum()


# The ensemble, and what its probabilities mean


def test_members_are_averaged_in_one_model(strict):
    import numpy as np

    manifest = strict.sample()
    run = strict.train(manifest, "--members", 3)
    data, evaluation = strict.module("data"), strict.module("evaluate")
    model, preprocessing, options = evaluation.open_run(run)
    assert options["members"] == 3
    examples = data.open_examples(manifest)
    load = strict.module("model").load_model
    inputs, _ = next(iter(data.make_dataset(examples, preprocessing, len(examples))))
    members = [load(run / "members" / str(number) / "model.keras") for number in (1, 2, 3)]
    each = [member.predict_on_batch(inputs)["kind"] for member in members]
    assert not np.allclose(each[0], each[1])
    together = model.predict_on_batch(inputs)["kind"]
    # Calibration moves the average, but not to another order of the members' common opinion.
    agreed = np.all([one.argmax(1) == each[0].argmax(1) for one in each], axis=0)
    assert (together.argmax(1) == each[0].argmax(1))[agreed].all()
    np.testing.assert_allclose(together.sum(1), 1, rtol=1e-5)


def test_a_temperature_makes_sure_predictions_as_sure_as_they_may_be(strict):
    import numpy as np

    calibration = strict.module("calibration")
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 3))
    honest = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    truth = np.array([rng.choice(3, p=chance) for chance in honest])
    boastful = calibration.temper(honest, 0.4)
    assert 2.2 < calibration.best_temperature(boastful[None], truth) < 2.9
    assert 0.9 < calibration.best_temperature(honest[None], truth) < 1.12
    np.testing.assert_allclose(calibration.temper(boastful, 2.5), honest, atol=1e-6)


def test_a_threshold_moves_only_where_many_rows_say_so(made):
    import numpy as np

    best = made.module("calibration").best_threshold
    metrics = made.module("calibration").THRESHOLD_METRICS
    rng = np.random.default_rng(0)
    probability = rng.uniform(size=4000) ** 3
    yes = rng.uniform(size=4000) < probability
    assert abs(best(yes, probability, metrics["accuracy"]) - 0.5) < 0.1
    assert best(yes, probability, metrics["f1"]) < 0.45
    few = slice(0, 10)
    assert abs(best(yes[few], probability[few], metrics["accuracy"]) - 0.5) < 0.2


def test_metrics_are_those_of_the_textbook(made):
    import numpy as np

    yes = np.array([True, True, True, False, False, False, False, False])
    score = np.array([0.9, 0.8, 0.3, 0.4, 0.3, 0.2, 0.1, 0.05])
    state = {"thresholds": [0.5]}
    metrics = made.module("evaluate").binary_metrics(yes[:, None], score[:, None], state)
    assert metrics["auc"] == pytest.approx((5 + 5 + 3.5) / 15)
    assert metrics["balanced_accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    assert metrics["f1"] == pytest.approx(0.8)
