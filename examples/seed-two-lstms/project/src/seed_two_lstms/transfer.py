"""A training that begins where an earlier run ended, as far as the model is still the same.

`train --from RUN`: an input or an output is taken over whole, or it is trained from scratch. It brings along
what it was fitted to RUN's training rows, as weights mean something only with the means, the
vocabulary or the labels that they were fitted with. Layers go by their names: what now means
something else under the same names, such as other columns, is taken for the same.
"""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import BadZipFile, ZipFile

import h5py
import keras
import numpy as np

from seed_two_lstms.data import INPUTS, OUTPUTS, State
from seed_two_lstms.manifest import DataError

Weights = dict[str, np.ndarray]  # of one layer, by their places in it

# Merges that do not ask which branch stands where.
IN_ANY_ORDER = {"Add", "Average", "Maximum", "Minimum", "Multiply"}


@dataclass
class Saved:
    """A saved model: the weights of each layer by its name, and what each step of the merge takes."""

    weights: dict[str, Weights]
    merge: dict[str, list[str]]

    def part(self, name: str) -> dict[str, Weights]:
        """Take the layers of an input or an output."""
        return {
            layer: weights for layer, weights in self.weights.items() if layer.split(".")[0] == name
        }


def check_earlier(earlier: Path, run: Path) -> None:
    """Fail where there is no run to begin from, or where the new one would overwrite it."""
    for name in ("members/1.keras", "preprocessing.json", "run.json", "splits.csv"):
        if not (earlier / name).is_file():
            raise DataError(f"{earlier}: no run to begin from, {name} is missing")
    if earlier.resolve() == run.resolve():
        raise DataError(f"{run}: would overwrite the run that it begins from; give another --run")


def what_fits(earlier: Path, model: keras.Model, state: State) -> tuple[list[str], State]:
    """Find the layers of an earlier run that fit the model, and what they were fitted with.

    Says which inputs and outputs these are, and why the others are trained from scratch.
    """
    then = read_saved(member_file(earlier, 1))
    with TemporaryDirectory() as folder:
        model.save(Path(folder) / "model.keras")
        now = read_saved(Path(folder) / "model.keras")
    state_then = json.loads((earlier / "preprocessing.json").read_text(encoding="utf-8"))
    layers: list[str] = []
    taken: list[str] = []
    scratch: list[str] = []
    for name in INPUTS + OUTPUTS:
        reason = why_scratch(name, then, now, state_then.get(name, {}), state.get(name, {}))
        if reason:
            scratch.append(f"{name} ({reason})")
        else:
            taken.append(name)
            layers += weighty(now.part(name))
    # What belongs to no input and no output is of the merge, and taken layer by layer.
    for layer, shapes in weighty(now.weights).items():
        of_the_merge = layer.split(".")[0] not in INPUTS + OUTPUTS
        if of_the_merge and then.merge == now.merge and weighty(then.weights).get(layer) == shapes:
            taken.append(layer)
            layers.append(layer)
    if not layers:
        raise DataError(f"{earlier}: nothing in it fits this model: {', '.join(scratch)}")
    print(f"Taken over from {earlier}: {', '.join(taken)}")
    if scratch:
        print(f"Trained from scratch: {', '.join(scratch)}")
    return layers, {name: state_then[name] for name in taken if name in state_then}


def why_scratch(name: str, then: Saved, now: Saved, state_then: State, state_now: State) -> str:
    """Say why an input or an output cannot be taken over; empty where it can."""
    if not then.part(name):
        return "new"
    if name in OUTPUTS and then.merge != now.merge:
        return "the merge has changed"
    if weighty(then.part(name)) != weighty(now.part(name)):
        return "its layers have changed"
    numbers = [np.shape(state.get("mean", [])) for state in (state_then, state_now)]
    if state_then.keys() != state_now.keys() or numbers[0] != numbers[1]:
        return "it is read in another way"
    if not set(state_now.get("labels", [])) <= set(state_then.get("labels", [])):
        return "its labels have changed"
    return ""


def weighty(layers: dict[str, Weights]) -> dict[str, dict[str, tuple[int, ...]]]:
    """Give the shapes of the weights of the layers that have any."""
    return {
        name: {place: array.shape for place, array in weights.items()}
        for name, weights in layers.items()
        if weights
    }


def take_over(model: keras.Model, earlier: Path, number: int, layers: list[str]) -> None:
    """Give layers of a member the weights that they have in a member of an earlier run."""
    then = read_saved(member_file(earlier, number))
    with TemporaryDirectory() as folder:
        # By way of a file: only there are the weights inside a layer told apart by their places.
        path = Path(folder) / "model.weights.h5"
        model.save_weights(path)
        with h5py.File(path, "r+") as file:
            for group in file["layers"].values():
                if layer_name(group) in layers:
                    for place, array in then.weights[layer_name(group)].items():
                        group[place][...] = array
        model.load_weights(path)


def member_file(run: Path, number: int) -> Path:
    """Find a member of a run, the members in turn where it has fewer."""
    files = sorted((run / "members").glob("*.keras"), key=lambda file: (len(file.stem), file.stem))
    return files[(number - 1) % len(files)]


def read_saved(path: Path) -> Saved:
    """Read a saved model without building it: it may have layers that the code no longer has."""
    try:
        with ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
            content = io.BytesIO(archive.read("model.weights.h5"))
        with h5py.File(content) as file:
            weights = {layer_name(group): weights_in(group) for group in file["layers"].values()}
    except (BadZipFile, OSError, KeyError, ValueError):
        raise DataError(f"{path}: cannot be read as a saved model") from None
    return Saved(weights, merge_of(config["config"]["layers"]))


def layer_name(group: h5py.Group) -> str:
    """Get the name of the layer whose weights a group of the file holds."""
    return str(group["vars"].attrs["name"])


def weights_in(group: h5py.Group) -> Weights:
    """Collect the weights of a layer, and of the layers inside it."""
    found: Weights = {}

    def collect(place: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found[place] = item[()]

    group.visititems(collect)
    return found


def merge_of(layers: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Tell what each step of the merge takes, in order where the order matters."""
    steps: dict[str, list[str]] = {}
    for layer in layers:
        if re.match(r"merged(_\d+)?\.", layer["name"]) and layer["class_name"] != "Dense":
            takes = re.findall(r'"keras_history": \["([^"]+)"', json.dumps(layer["inbound_nodes"]))
            owners = [name if name.startswith("merged") else name.split(".")[0] for name in takes]
            steps[layer["name"]] = [] if layer["class_name"] in IN_ANY_ORDER else owners
    return steps
