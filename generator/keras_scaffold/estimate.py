"""How many weights the model will have, counted from the catalog, before Keras is there to ask."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any

from keras_scaffold.catalog import Encoder, load_catalog
from keras_scaffold.spec import Merge, Spec, branch_width, expression, merge_width

BYTES_PER_WEIGHT = 4  # float32


def parameters(spec: Spec) -> int:
    """What `model.count_params()` will say of the spec's model.

    But for three numbers of each regression, which are measured and not learnt: its scale.
    """
    widths = {entry["name"]: branch_width(entry) for entry in spec.inputs}
    raw = {entry["name"] for entry in spec.inputs if _encoder(entry).raw}
    branches = sum(branch_parameters(entry) for entry in spec.inputs)
    merged = merge_parameters(spec.merge, widths, raw)
    width, _ = merge_width(spec.merge, widths)
    return branches + merged + sum(head_parameters(entry, width) for entry in spec.outputs)


def branch_parameters(entry: Mapping[str, Any]) -> int:
    """The weights of a completed input's branch."""
    absent, seen = 0, entry["shape"][0]
    if entry["optional"]:
        if load_catalog().inputs[entry["type"]].absent_layer == "FillMissing":
            absent, seen = seen, 2 * seen  # a value for each number, and a sign besides
        else:
            absent = branch_width(entry)
    return absent + int(expression(_encoder(entry).parameters)(**entry, **COUNTS, seen=seen))


def _encoder(entry: Mapping[str, Any]) -> Encoder:
    return load_catalog().inputs[entry["type"]].encoders[entry["encoder"]]


def merge_parameters(
    tree: Merge, widths: Mapping[str, int], raw: Collection[str] = frozenset()
) -> int:
    """The weights of a merge tree: its projections, and what the methods learn themselves.

    Where operands need one width, those of another are projected, and always those in `raw`.
    """
    method = load_catalog().merges[tree.method]
    _, common = merge_width(tree, widths)
    total = int(expression(method.parameters)(operands=len(tree.of), common=common))
    for operand in tree.of:
        if isinstance(operand, Merge):
            total += merge_parameters(operand, widths, raw)
            width, bare = merge_width(operand, widths)[0], False
        else:
            width, bare = widths[operand], operand in raw and len(tree.of) > 1
        if common and (width != common or bare):
            total += dense([width, common])
    return total


def head_parameters(entry: Mapping[str, Any], width: int) -> int:
    """The weights of a completed output's dense layers over a merge of this width."""
    size = load_catalog().outputs[entry["task"]].size
    last = entry[size] if isinstance(size, str) else size
    return dense([width, *entry["units"], last])


def parameters_text(count: int) -> str:
    """`1.2 million weights (4.8 MB)`, with the size that they take as float32."""
    if count < 1_000_000:
        number = f"{count:,}"
    elif count < 999_950_000:
        number = f"{count / 1e6:.1f} million"
    else:
        number = f"{count / 1e9:,.1f} billion"
    return f"{number} {'weight' if count == 1 else 'weights'} ({_size(count * BYTES_PER_WEIGHT)})"


def _size(count: int) -> str:
    for power, unit in ((4, "TB"), (3, "GB"), (2, "MB"), (1, "kB")):
        size = count / 1000**power
        if size >= 0.99995:
            return f"{size:,.0f} {unit}" if size >= 99.95 else f"{size:.1f} {unit}"
    return f"{count} bytes"


# The layers that the catalog's expressions name


def dense(sizes: Sequence[int]) -> int:
    """Dense layers between consecutive sizes."""
    return conv(1, sizes)


def conv(window: int, channels: Sequence[int]) -> int:
    """Convolutions between consecutive channels; `window` is the positions that each sees."""
    return sum(window * before * after + after for before, after in pairwise(channels))


def resnet(channels: int, filters: Sequence[int], blocks: int) -> int:
    """A 3x3 stem, then stages of blocks of two 3x3 convolutions; no biases, all batch-normalised."""

    def convolution(window: int, before: int, after: int) -> int:
        return window * before * after + 4 * after  # scale, offset, moving mean and variance

    total = convolution(9, channels, filters[0])
    width = filters[0]
    for stage, after in enumerate(filters):
        for block in range(blocks):
            total += convolution(9, width, after) + convolution(9, after, after)
            strides = stage > 0 and block == 0
            if strides or width != after:
                total += convolution(1, width, after)
            width = after
    return total


def lstm(sizes: Sequence[int]) -> int:
    """LSTM layers between consecutive sizes: four gates."""
    return sum(4 * ((before + units) * units + units) for before, units in pairwise(sizes))


def gru(sizes: Sequence[int]) -> int:
    """GRU layers between consecutive sizes: three gates with two biases (`reset_after`)."""
    return sum(3 * ((before + units) * units + 2 * units) for before, units in pairwise(sizes))


def bilstm(values: int, units: Sequence[int]) -> int:
    """Bidirectional LSTM layers: each hands on twice its units."""
    total = 0
    for width in units:
        total += 2 * lstm([values, width])
        values = 2 * width
    return total


def transformer(width: int, blocks: int) -> int:
    """Blocks of attention and two dense layers, with a layer normalisation before either."""
    attention = 4 * dense([width, width])  # query, key, value, output
    return blocks * (2 * 2 * width + attention + dense([width, 2 * width, width]))


def patches(size: int, grid: int) -> int:
    """The patches along a side that is cut into at most `grid` of one size, the last one padded."""
    patch = -(-size // grid)
    return -(-size // patch)


def trimmed(size: int, padding: str, kernel_size: int, filters: Sequence[int]) -> int:
    """A side of a picture after the convolutions: `valid` ones trim the rim."""
    return size - (kernel_size - 1) * len(filters) if padding == "valid" else size


COUNTS: dict[str, Callable[..., int]] = {
    function.__name__: function
    for function in (dense, conv, resnet, lstm, gru, bilstm, transformer, patches, trimmed)
}
