"""The count of weights, by hand; that Keras agrees is proved where projects are built."""

import pytest
from keras_scaffold.catalog import load_catalog
from keras_scaffold.render import estimate
from keras_scaffold.spec import complete_input, validate

ENCODERS = [
    (kind.name, encoder) for kind in load_catalog().inputs.values() for encoder in kind.encoders
]


def spec(inputs, merge="concatenate", outputs=None):
    outputs = outputs or [{"name": "label", "task": "binary", "units": []}]
    return validate({"project_name": "Test", "inputs": inputs, "merge": merge, "outputs": outputs})


def numbers(name, width):
    return {"name": name, "type": "numeric", "shape": [width], "encoder": "passthrough"}


@pytest.mark.parametrize(("kind", "encoder"), ENCODERS)
def test_every_encoder_of_the_catalog_can_be_counted(kind, encoder):
    entry = complete_input({"name": "it", "type": kind, "encoder": encoder})
    count = estimate.branch_parameters(entry)
    assert count == 0 if encoder == "passthrough" else count > 0


@pytest.mark.parametrize(
    ("entry", "count"),
    [
        ({"type": "numeric", "shape": [20]}, 20 * 17 + (20 + 20 * 16) * 256 + 256),
        (
            {"type": "numeric", "shape": [20], "bins": 0, "units": [64, 32]},
            20 * 64 + 64 + 64 * 32 + 32,
        ),
        # A value for each number, and a sign besides.
        (
            {"type": "numeric", "shape": [5], "bins": 4, "units": [8], "optional": True},
            5 + 5 * 5 + (2 * 5 + 5 * 4) * 8 + 8,
        ),
        ({"type": "binary", "optional": True}, 1),
        # A vector in the place of the branch.
        (
            {"type": "image", "filters": [8], "shape": [8, 8, 3], "optional": True},
            9 * 3 * 8 + 8 + 8,
        ),
        ({"type": "image", "filters": [8], "shape": [8, 8, 3]}, 9 * 3 * 8 + 8),
        ({"type": "timeseries", "shape": [10, 5], "units": [32]}, 4 * (5 + 32 + 1) * 32),
        (
            {"type": "timeseries", "shape": [10, 5], "encoder": "gru", "units": [32]},
            3 * (5 + 32 + 2) * 32,
        ),
        (
            {"type": "timeseries", "shape": [9, 5], "encoder": "bilstm", "units": [8, 4]},
            2 * 4 * ((5 + 8 + 1) * 8 + (16 + 4 + 1) * 4),
        ),
        ({"type": "binary"}, 0),
    ],
)
def test_a_branch_is_counted_as_by_hand(entry, count):
    assert estimate.branch_parameters(complete_input({"name": "it", **entry})) == count


def test_a_resnet_projects_its_skip_where_channels_change():
    entry = {"name": "it", "type": "image", "encoder": "resnet", "filters": [4, 8], "blocks": 2}
    stem = 9 * 3 * 4 + 4 * 4
    first = 2 * 2 * (9 * 4 * 4 + 4 * 4)
    second = (9 * 4 * 8 + 9 * 8 * 8 + 4 * 8 + 3 * 4 * 8) + 2 * (9 * 8 * 8 + 4 * 8)
    assert estimate.branch_parameters(complete_input(entry)) == stem + first + second


def test_a_head_is_its_units_and_its_classes():
    output = {"name": "y", "task": "multiclass", "classes": 4, "units": [16]}
    given = spec([numbers("a", 3), numbers("b", 2)], outputs=[output])
    assert estimate.parameters(given) == (5 * 16 + 16) + (16 * 4 + 4)


@pytest.mark.parametrize(
    ("merge", "projections", "width"),
    [
        ("concatenate", 0, 8),
        # Raw numbers are always projected, or a product of two could not tell much.
        ("add", (3 * 5 + 5) + (5 * 5 + 5), 5),
        ({"method": "add", "of": ["a", "b"], "width": 4}, (3 * 4 + 4) + (5 * 4 + 4), 4),
        ("dot", (3 * 5 + 5) + (5 * 5 + 5), 1),
        ("custom", (3 * 5 + 5) + (5 * 5 + 5) + 2, 5),
        # Two steps project for themselves.
        (
            {
                "method": "concatenate",
                "of": [{"method": "add", "of": ["a", "b"]}, {"method": "dot", "of": ["a", "b"]}],
            },
            2 * ((3 * 5 + 5) + (5 * 5 + 5)),
            6,
        ),
        # A merge's result is an operand like another, and raw no more.
        (
            {"method": "add", "of": [{"method": "concatenate", "of": ["a", "b"]}, "b"]},
            5 * 8 + 8,
            8,
        ),
    ],
)
def test_a_merge_projects_what_differs_in_width(merge, projections, width):
    given = spec([numbers("a", 3), numbers("b", 5)], merge)
    assert estimate.parameters(given) == projections + width + 1


def test_what_has_learnt_nothing_yet_is_projected_where_widths_must_be_equal():
    raw = {"name": "b", "type": "numeric", "shape": [3], "encoder": "passthrough"}
    learnt = {"name": "a", "type": "numeric", "shape": [1], "bins": 0, "units": [3]}
    assert estimate.parameters(spec([learnt, raw], "add")) == (3 + 3) + (9 + 3) + 4
    assert estimate.parameters(spec([learnt, raw])) == (3 + 3) + 7
    assert estimate.parameters(spec([raw], "add")) == 4


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 weights (0 bytes)"),
        (1, "1 weight (4 bytes)"),
        (45_313, "45,313 weights (181 kB)"),
        (1_200_000, "1.2 million weights (4.8 MB)"),
        (999_949_999, "999.9 million weights (4.0 GB)"),
        (999_950_000, "1.0 billion weights (4.0 GB)"),
        (5 * 10**12, "5,000.0 billion weights (20.0 TB)"),
    ],
)
def test_a_count_reads_as_text(count, text):
    assert estimate.parameters_text(count) == text
