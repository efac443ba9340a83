"""Changes of a spec: each takes a spec as it was given, and gives the changed one.

What is left unsaid stays unsaid, so that a change and its opposite end where they began.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from keras_scaffold.catalog import Encoder, load_catalog
from keras_scaffold.spec import (
    Given,
    Input,
    Output,
    SpecError,
    check_field,
    check_name,
    check_project_name,
    complete_input,
    complete_output,
    complete_table,
    nearest,
    validate,
)
from keras_scaffold.spec.errors import known_word
from keras_scaffold.spec.notation import merge_text, parse_merge


class UnclearMerge(SpecError):
    """Where an input goes in the merge, or what is left of it, only a person can say.

    `proposal` is a merge that would do.
    """

    def __init__(self, message: str, proposal: str) -> None:
        self.proposal = proposal
        super().__init__(f"{message}; give the merge of all, such as --merge '{proposal}'")


# Adding


def add_input(given: Given, entry: Given, merge: str | None = None) -> Given:
    """Append an input, and into the merge where its place is plain."""
    changed = copy.deepcopy(given)
    _check_free(given, entry["name"])
    changed["inputs"].append(copy.deepcopy(entry))
    if merge is not None:
        changed["merge"] = parse_merge(merge)
        return changed
    tree = given.get("merge", "concatenate")
    names = [each["name"] for each in given["inputs"]]
    if not _takes(tree, len(names) + 1):
        proposal = _with_operand(tree, names, entry["name"])
        raise UnclearMerge(
            f"the merge is {_spelled(tree, names)}, so the place of '{entry['name']}' is not plain",
            proposal,
        )
    if isinstance(tree, Mapping) and "of" in tree:
        changed["merge"]["of"].append(entry["name"])
    return changed


def _takes(tree: str | Mapping[str, Any], operands: int) -> bool:
    """Whether a merge is flat, with room for so many operands."""
    if not isinstance(tree, str) and not all(isinstance(it, str) for it in tree.get("of", [])):
        return False
    most = load_catalog().merges[_method(tree)].most
    return most is None or operands <= most


def _with_operand(tree: str | Mapping[str, Any], names: list[str], name: str) -> str:
    """A merge that takes one more: in its outermost method where that has room."""
    most = load_catalog().merges[_method(tree)].most
    if isinstance(tree, Mapping) and (most is None or len(tree.get("of", names)) < most):
        return merge_text({**tree, "of": [*tree.get("of", names), name]})
    return f"concatenate({_spelled(tree, names)}, {name})"


def _method(tree: str | Mapping[str, Any]) -> str:
    return tree if isinstance(tree, str) else str(tree["method"])


def _spelled(tree: str | Mapping[str, Any], names: list[str]) -> str:
    """The merge as `parse_merge` reads it, with its operands."""
    if isinstance(tree, str):
        return f"{tree}({', '.join(names)})"
    return merge_text({**tree, "of": tree.get("of", names)})


def add_output(given: Given, entry: Given) -> Given:
    """Append an output."""
    changed = copy.deepcopy(given)
    _check_free(given, entry["name"])
    changed["outputs"].append(copy.deepcopy(entry))
    return changed


def _check_free(given: Given, name: str) -> None:
    for key in ("inputs", "outputs"):
        if any(each["name"] == name for each in given[key]):
            raise SpecError(f"'{name}' is already the name of an {key[:-1]}; choose another")


# Features


def add_feature(given: Given, name: str) -> Given:
    """Add a feature in its place in the catalog, where one that was removed had been."""
    features = _features(given)
    if name in features:
        raise SpecError(f"the project already has the feature '{name}'")
    order = list(load_catalog().features)
    later = [order.index(each) > order.index(name) for each in features]
    place = later.index(True) if True in later else len(features)
    return {**copy.deepcopy(given), "features": [*features[:place], name, *features[place:]]}


def remove_feature(given: Given, name: str) -> Given:
    """Take a feature away."""
    features = _features(given)
    if not features:
        raise SpecError(f"no feature '{name}' in the project; it has no features")
    if name not in features:
        raise SpecError(f"no feature '{name}' in the project; {nearest(name, features)}")
    return {**copy.deepcopy(given), "features": [each for each in features if each != name]}


def _features(given: Given) -> list[str]:
    features: list[str] = given.get("features", load_catalog().default_features)
    return features


# Removing


def remove_input(given: Given, name: str, merge: str | None = None) -> Given:
    """Take an input away, also from the merge where what is left is plain."""
    index = _index(given, "inputs", name)
    if len(given["inputs"]) == 1:
        raise SpecError(f"'{name}' is the only input; add another one first")
    if alike := [entry["name"] for entry in given["inputs"] if entry.get("like") == name]:
        hint = f"""remove that one first, or scaffold set {alike[0]}.like \"\""""
        raise SpecError(f"'{alike[0]}' shares the encoder of '{name}'; {hint}")
    changed = copy.deepcopy(given)
    del changed["inputs"][index]
    if merge is not None:
        changed["merge"] = parse_merge(merge)
        return changed
    names = [each["name"] for each in changed["inputs"]]
    tree = given.get("merge", "concatenate")
    least = load_catalog().merges[_method(tree)].least
    if isinstance(tree, Mapping) and "of" in tree:
        operands = _without(tree, name)
        left = operands[0] if len(operands) == 1 and isinstance(operands[0], Mapping) else None
        changed["merge"] = left or {**tree, "of": operands}
        if not _all_clear(changed["merge"]):
            raise _unclear_rest(tree, name, names)
    elif len(names) < least:
        raise _unclear_rest(tree, name, names)
    return changed


def _unclear_rest(tree: str | Mapping[str, Any], name: str, names: list[str]) -> UnclearMerge:
    before = _spelled(tree, [*names, name])
    message = f"the merge is {before}, and what it is without '{name}' is not plain"
    return UnclearMerge(message, f"concatenate({', '.join(names)})")


def _without(tree: Mapping[str, Any], name: str) -> list[Any]:
    """The operands without an input; a merge inside of which one operand is left is that operand."""
    operands: list[Any] = []
    for operand in tree["of"]:
        if isinstance(operand, Mapping):
            left = _without(operand, name)
            same = left == operand["of"]
            operands += [{**operand, "of": left}] if same or len(left) > 1 else left
        elif operand != name:
            operands.append(operand)
    return operands


def _all_clear(tree: Mapping[str, Any]) -> bool:
    """Whether each node still has enough operands, no two of them the same."""
    texts = [merge_text(operand) for operand in tree["of"]]
    return (
        len(texts) >= load_catalog().merges[tree["method"]].least
        and len(set(texts)) == len(texts)
        and all(_all_clear(operand) for operand in tree["of"] if isinstance(operand, Mapping))
    )


def remove_output(given: Given, name: str) -> Given:
    """Take an output away."""
    index = _index(given, "outputs", name)
    if len(given["outputs"]) == 1:
        raise SpecError(f"'{name}' is the only output; add another one first")
    changed = copy.deepcopy(given)
    del changed["outputs"][index]
    return changed


# Renaming


def rename(given: Given, section: str, old: str, new: str) -> Given:
    """Give an input or an output another name; its columns in the manifest stay what they are."""
    index = _index(given, section, old)
    check_name(new, "the new name")
    if new == old:
        raise SpecError(f"'{old}' is its name already")
    _check_free(given, new)
    changed = copy.deepcopy(given)
    entry = changed[section][index]
    fields = _complete(given, section, entry).fields
    entry["name"] = new
    for key in ("column", "columns"):
        if key in fields:
            _put(given, section, entry, key, fields[key])
    for other in changed["inputs"] if section == "inputs" else []:
        if other.get("like") == old:
            other["like"] = new
    if section == "inputs" and isinstance(given.get("merge"), Mapping):
        changed["merge"] = _renamed(given["merge"], old, new)
    return changed


def _renamed(tree: Mapping[str, Any], old: str, new: str) -> Given:
    operands = [
        _renamed(operand, old, new)
        if isinstance(operand, Mapping)
        else (new if operand == old else operand)
        for operand in tree.get("of", [])
    ]
    return {**tree, "of": operands} if operands else dict(tree)


def rename_project(given: Given, name: str) -> Given:
    """Give the project another name, from which its package's derives."""
    return {**copy.deepcopy(given), "project_name": check_project_name(name)}


# Setting


def set_merge(given: Given, text: str) -> Given:
    """Merge in another way."""
    return {**copy.deepcopy(given), "merge": parse_merge(text)}


def set_field(
    given: Given, name: str, field: str, value: Any, earlier: Sequence[Given] = ()
) -> Given:
    """Give a field of an input or an output a value; its default is the same as unsaid.

    An encoder comes back with the fields that it had in an `earlier` spec, the last first.
    """
    section = _section(given, name)
    changed = copy.deepcopy(given)
    entry = changed[section][_index(given, section, name)]
    if section == "inputs" and field == "like":
        return _set_like(changed, entry, value)
    if like := entry.get("like"):
        fields = list(_complete(given, section, entry).known_fields)
        if field not in (*fields, "name", "type"):
            raise SpecError(f"{name}.{field}: '{name}' is like '{like}'; set {like}.{field}")
    else:
        fields = _fields(section, entry)
    if field in ("name", "type", "task"):
        hint = "rename it" if field == "name" else "remove it and add it again"
        raise SpecError(f"{name}.{field}: cannot be set; {hint}")
    if field not in fields:
        raise SpecError(f"{name}: no field '{field}'; {nearest(field, fields)}")
    if field == "encoder":
        return _set_encoder(changed, entry, value, earlier)
    _put(given, section, entry, field, value)
    if section == "inputs" and not like and _encoder(entry).weights_field == field:
        entry.pop(_encoder(entry).size_field, None)  # others give vectors of another size
    if field == "columns" and "shape" in entry and isinstance(value, list):
        entry["shape"] = [len(value)]
    return changed


def _set_encoder(changed: Given, entry: Given, value: str, earlier: Sequence[Given]) -> Given:
    """Give an input another encoder; fields that mean something else to it, or nothing, go.

    Those come back that the input had when it last had this encoder.
    """
    kind = load_catalog().inputs[entry["type"]]
    before = {name: field.help for name, field in kind.fields_with(_encoder(entry).name).items()}
    _put(changed, "inputs", entry, "encoder", value)
    after = {name: field.help for name, field in kind.fields_with(_encoder(entry).name).items()}
    other = {name for name in (*before, *after) if before.get(name) != after.get(name)}
    for key in other & entry.keys():
        del entry[key]
    entry |= {key: old for key, old in _entry_before(entry, earlier).items() if key in other}
    return changed


def _set_like(changed: Given, entry: Given, like: str) -> Given:
    """Let an input share the encoder of another one; without one, have the same of its own."""
    before = entry.pop("like", "")
    columns = {key: entry[key] for key in ("column", "columns") if key in entry}
    if like:
        kept = {key: entry[key] for key in ("name", "type") if key in entry} | {"like": like}
    elif before:
        other = changed["inputs"][_index(changed, "inputs", before)]
        kept = {**copy.deepcopy(other), "name": entry["name"]}
        if "columns" in other:
            kept["shape"] = [len(other["columns"])]
        kept = {key: kept[key] for key in kept if key not in ("column", "columns")}
    else:
        return changed
    entry.clear()
    entry |= kept | columns
    return changed


def set_table(given: Given, field: str, value: Any) -> Given:
    """Set a field of the table; one with its default is left out."""
    table = complete_table(given.get("table", {}))
    if field not in load_catalog().table:
        raise SpecError(f"table: no field '{field}'; {nearest(field, load_catalog().table)}")
    check_field(load_catalog().table[field], value, f"table.{field}")
    changed = {**copy.deepcopy(given), "table": replace(table, **{field: value}).given}
    validate(changed)  # else codes of a wrong column would be dropped as those of one that is gone
    return changed


def _entry_before(entry: Given, earlier: Sequence[Given]) -> Given:
    """An input as it was when it last had its encoder; empty where it never had."""
    encoder = _encoder(entry)
    default = load_catalog().inputs[entry["type"]].default_encoder.name
    for spec in earlier:
        for old in spec["inputs"]:
            same = old["name"] == entry["name"] and old.get("type") == entry["type"]
            if same and old.get("encoder", default) == encoder.name:
                return dict(old)
    return {}


def _fields(section: str, entry: Given) -> list[str]:
    catalog = load_catalog()
    if section == "outputs":
        return list(catalog.outputs[entry["task"]].fields)
    return ["encoder", *catalog.inputs[entry["type"]].fields_with(_encoder(entry).name)]


def _encoder(entry: Given) -> Encoder:
    kind = load_catalog().inputs[entry["type"]]
    if "encoder" not in entry:
        return kind.default_encoder
    return kind.encoders[known_word(entry, "encoder", kind.encoders, entry["name"])]


def _put(given: Given, section: str, entry: Given, key: str, value: Any) -> None:
    """Set a value, or remove it where that means the same."""
    unsaid = {each: entry[each] for each in entry if each != key}
    try:
        is_default = _complete(given, section, unsaid).complete[key] == value
    except (SpecError, KeyError):
        is_default = False
    if is_default:
        entry.pop(key, None)
    else:
        entry[key] = value


def _complete(given: Given, section: str, entry: Given) -> Input | Output:
    if section == "outputs":
        return complete_output(entry)
    return complete_input(entry, among=given["inputs"])


# Finding


def _section(given: Given, name: str) -> str:
    for section in ("inputs", "outputs"):
        if any(entry["name"] == name for entry in given[section]):
            return section
    names = [entry["name"] for key in ("inputs", "outputs") for entry in given[key]]
    raise SpecError(f"no input or output '{name}'; {nearest(name, names)}")


def _index(given: Given, section: str, name: str) -> int:
    names = [entry["name"] for entry in given[section]]
    if name not in names:
        raise SpecError(f"no {section[:-1]} '{name}'; {nearest(name, names)}")
    return names.index(name)


def _same(one: Given, two: Given) -> bool:
    """Whether two specs give the same project."""
    try:
        first, second = validate(one), validate(two)
    except SpecError:
        return False
    return replace(first, given={}) == replace(second, given={})


def as_before(given: Given, earlier: Sequence[Given]) -> Given:
    """A spec in the words of an earlier one that means the same, where there was one."""
    return next((spec for spec in earlier if _same(spec, given)), given)
