"""The JSON Schema of a spec, built from the catalog, so that editors complete and explain it.

What a schema cannot express (two names alike, an operand that is no input, conditions over several
fields) is left to `validate`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from keras_scaffold.catalog import (
    Catalog,
    Encoder,
    Feature,
    Field,
    InputType,
    MergeMethod,
    Task,
    load_catalog,
)
from keras_scaffold.spec.fields import Schema, field_schema
from keras_scaffold.spec.names import LONGEST_PROJECT_NAME, name_schema
from keras_scaffold.spec.spec import MOST_BRANCHES

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def spec_schema() -> Schema:
    """The schema of a whole spec."""
    catalog = load_catalog()
    definitions: Schema = {
        "name": _name(),
        "input": _input(catalog.inputs),
        "input_like": _input_like(catalog.inputs),
        "output": _output(catalog.outputs),
        "merge": _merge(catalog.merges),
        "nested_merge": {"$ref": "#/$defs/merge", "required": ["of"]},
    }
    for kind in catalog.inputs.values():
        for encoder in kind.encoders.values():
            definitions[f"input_{kind.name}_{encoder.name}"] = _encoded_input(kind, encoder)
    for method in catalog.merges.values():
        definitions[f"merge_{method.name}"] = _method(method)
    for task in catalog.outputs.values():
        definitions[f"output_{task.name}"] = _task_output(task)
    return {
        "$schema": DIALECT,
        "title": "A spec of keras-scaffold",
        "description": "A multi-input Keras project: its inputs, how they merge, what it predicts.",
        "type": "object",
        "required": ["project_name", "inputs", "outputs"],
        "additionalProperties": False,
        "properties": {
            "project_name": {
                "title": "project name",
                "description": "Free text; the folder's and the package's names derive from it.",
                "type": "string",
                "minLength": 1,
                "maxLength": LONGEST_PROJECT_NAME,
                "pattern": r"^\S(.*\S)?$",
            },
            "inputs": _list("input", "What goes in, one entry for each branch of the model."),
            "merge": {
                "title": "merge",
                "description": "How the branches come together: a method, or a tree of them.",
                "default": next(iter(catalog.merges)),
                "anyOf": [_choice("method", catalog.merges), {"$ref": "#/$defs/merge"}],
            },
            "outputs": _list("output", "What is predicted, one entry for each head of the model."),
            "table": _table(catalog),
            "features": _features(catalog),
        },
        "$defs": definitions,
    }


def _table(catalog: Catalog) -> Schema:
    return {
        "title": "table",
        "description": "How the table is written, where that differs from the defaults.",
        "type": "object",
        "additionalProperties": False,
        "properties": _properties(catalog.table.values()),
        "default": {},
    }


def _features(catalog: Catalog) -> Schema:
    return {
        "title": "features",
        "description": "The optional parts of the project; [] for none.",
        "type": "array",
        "items": _choice("feature", catalog.features),
        "uniqueItems": True,
        "default": catalog.default_features,
    }


def _list(definition: str, description: str) -> Schema:
    return {
        "title": f"{definition}s",
        "description": description,
        "type": "array",
        "minItems": 1,
        "maxItems": MOST_BRANCHES,
        "items": {"$ref": f"#/$defs/{definition}"},
    }


def _name() -> Schema:
    return {
        "title": "name",
        "description": "Lower-case letters, digits and _; layers, files and keys are called by it.",
        **name_schema(),
    }


def _choice(
    title: str,
    entries: Mapping[str, InputType | Encoder | Task | MergeMethod | Feature],
    **more: Any,
) -> Schema:
    """One of the catalog's words, each with its help."""
    options = [{"const": name, "description": entry.help} for name, entry in entries.items()]
    return {"title": title, **more, "type": "string", "oneOf": options}


def _when(key: str, word: str, then: str, absent: bool = False) -> Schema:
    """`then` holds where `key` is `word`, or where it is absent and that means the same."""
    condition: Schema = {"properties": {key: {"const": word}}}
    if not absent:
        condition["required"] = [key]
    return {"if": condition, "then": {"$ref": f"#/$defs/{then}"}}


def _input(types: Mapping[str, InputType]) -> Schema:
    return {
        "title": "input",
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"$ref": "#/$defs/name"}, "type": _choice("type", types)},
        "if": {"required": ["like"], "properties": {"like": {"not": {"const": ""}}}},
        "then": {"$ref": "#/$defs/input_like"},
        "else": {"required": ["type"], "allOf": _by_type(types)},
    }


def _input_like(types: Mapping[str, InputType]) -> Schema:
    own = {key: field for kind in types.values() for key, field in kind.own_fields.items()}
    return {
        "title": "input like another",
        "description": "An input with the type, the encoder and the weights of another one.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "name": {"$ref": "#/$defs/name"},
            "type": _choice("type", types),
            **_properties(own.values()),
        },
    }


def _by_type(types: Mapping[str, InputType]) -> list[Schema]:
    return [
        {
            "if": {"required": ["type"], "properties": {"type": {"const": kind.name}}},
            "then": {
                "properties": {
                    "encoder": _choice("encoder", kind.encoders, default=kind.default_encoder.name)
                },
                "allOf": [
                    _when(
                        "encoder",
                        encoder.name,
                        f"input_{kind.name}_{encoder.name}",
                        absent=encoder is kind.default_encoder,
                    )
                    for encoder in kind.encoders.values()
                ],
            },
        }
        for kind in types.values()
    ]


def _encoded_input(kind: InputType, encoder: Encoder) -> Schema:
    own = {"name": {"$ref": "#/$defs/name"}, "type": {"const": kind.name}}
    own["encoder"] = {"const": encoder.name}
    return {
        "title": f"{kind.title}, {encoder.name}",
        "description": f"{kind.help}. {encoder.name}: {encoder.help}.",
        "type": "object",
        "additionalProperties": False,
        "properties": {**own, **_properties(kind.fields_with(encoder.name).values())},
    }


def _output(tasks: Mapping[str, Task]) -> Schema:
    return {
        "title": "output",
        "type": "object",
        "required": ["name", "task"],
        "properties": {"name": {"$ref": "#/$defs/name"}, "task": _choice("task", tasks)},
        "allOf": [_when("task", task, f"output_{task}") for task in tasks],
    }


def _task_output(task: Task) -> Schema:
    own = {"name": {"$ref": "#/$defs/name"}, "task": {"const": task.name}}
    return {
        "title": task.title,
        "description": f"{task.help}. The column holds {task.column}.",
        "type": "object",
        "required": [field.name for field in task.fields.values() if field.required],
        "additionalProperties": False,
        "properties": {**own, **_properties(task.fields.values())},
    }


def _merge(methods: Mapping[str, MergeMethod]) -> Schema:
    return {
        "title": "merge",
        "description": "A merge of inputs and further merges.",
        "type": "object",
        "required": ["method"],
        "properties": {"method": _choice("method", methods)},
        "allOf": [_when("method", method, f"merge_{method}") for method in methods],
    }


def _method(method: MergeMethod) -> Schema:
    operands: Schema = {
        "title": "of",
        "description": "What is merged: names of inputs, and merges; by default all inputs.",
        "type": "array",
        "minItems": method.least,
        "items": {"anyOf": [{"$ref": "#/$defs/name"}, {"$ref": "#/$defs/nested_merge"}]},
    }
    if method.most is not None:
        operands["maxItems"] = method.most
    own: Schema = {"method": {"const": method.name}, "of": operands}
    return {
        "title": method.name,
        "description": f"{method.help}.",
        "type": "object",
        "additionalProperties": False,
        "properties": {**own, **_properties(method.fields.values())},
    }


def _properties(fields: Iterable[Field]) -> Schema:
    return {field.name: field_schema(field) for field in fields}
