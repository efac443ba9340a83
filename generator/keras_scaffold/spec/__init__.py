"""Specs: reading and checking them, their short forms on a command line, their JSON Schema."""

from keras_scaffold.spec.entries import (
    Input,
    Output,
    TableNotation,
    complete_input,
    complete_inputs,
    complete_output,
    complete_table,
)
from keras_scaffold.spec.errors import CommandLineError, SpecError, nearest, one_line
from keras_scaffold.spec.fields import check_field
from keras_scaffold.spec.merge import Merge, complete_merge
from keras_scaffold.spec.names import (
    check_name,
    check_project_name,
    default_project_name,
    is_taken,
)
from keras_scaffold.spec.reading import KEYS, Given, parse_spec, read_spec
from keras_scaffold.spec.spec import Spec, check_given, validate, without_unread_codes

__all__ = [
    "KEYS",
    "CommandLineError",
    "Given",
    "Input",
    "Merge",
    "Output",
    "Spec",
    "SpecError",
    "TableNotation",
    "check_field",
    "check_given",
    "check_name",
    "check_project_name",
    "complete_input",
    "complete_inputs",
    "complete_merge",
    "complete_output",
    "complete_table",
    "default_project_name",
    "is_taken",
    "nearest",
    "one_line",
    "parse_spec",
    "read_spec",
    "validate",
    "without_unread_codes",
]
