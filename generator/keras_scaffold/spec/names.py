"""Names: of the project, its package and its distribution, of inputs and outputs."""

from __future__ import annotations

import keyword
import re
from functools import cache
from typing import Any

import yaml

from keras_scaffold.catalog import template_root
from keras_scaffold.spec.errors import fail, shown

NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
LONGEST_PROJECT_NAME = 60
LONGEST_SLUG = 40  # imports of the package then fit on one line


@cache
def _shared(name: str) -> Any:
    path = template_root() / "template" / "shared" / name
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@cache
def _plain_letters() -> dict[int, str]:
    groups = _shared("latin_letters.yml")
    return {ord(letter): plain for plain, marked in groups.items() for letter in marked}


def project_slug(project_name: str) -> str:
    """`Stock Direction` -> `stock-direction`; `project` where no Latin letter or digit is left."""
    name = re.sub("[\u0300-\u036f]", "", project_name.lower())  # marks that follow their letter
    slug = re.sub(r"[^a-z0-9]+", "-", name.translate(_plain_letters())).strip("-")
    if not slug:
        return "project"
    slug = slug if slug[0].isalpha() else f"project-{slug}"
    slug = slug[:LONGEST_SLUG].strip("-")
    return f"{slug}-model" if is_taken(slug.replace("-", "_")) else slug


def is_taken(package: str) -> bool:
    """Whether a package of this name could not be imported, or would hide another one."""
    return package in _shared("taken_packages.yml")


def package_name(project_name: str) -> str:
    """`Stock Direction` -> `stock_direction`; never a name that would hide another package."""
    return project_slug(project_name).replace("-", "_")


def default_project_name(folder: str) -> str:
    """`stock-direction` -> `Stock Direction`, from the name of the destination folder."""
    words = [word for word in re.split(r"[\W_]+", folder) if word]
    name = " ".join(word[:1].upper() + word[1:] for word in words)
    return name[:LONGEST_PROJECT_NAME].strip() or "My Project"


def check_project_name(value: object) -> str:
    """Free text on one line, at most 60 characters."""
    place = "project_name"
    if not isinstance(value, str):
        fail(place, f"is {shown(value)}, not text; write it in quotes")
    if not value.strip():
        fail(place, "is empty; give the project a name")
    if len(value) > LONGEST_PROJECT_NAME:
        fail(place, f"is {len(value)} characters long; {LONGEST_PROJECT_NAME} are the most")
    if not value.isprintable() or value != value.strip():
        fail(place, "must be one line of printable text without spaces around it")
    return value


def name_schema() -> dict[str, Any]:
    """The JSON Schema of a name of an input or an output."""
    keywords = sorted(word for word in keyword.kwlist if word.islower())
    return {
        "type": "string",
        "pattern": f"^{NAME.pattern}$",
        "maxLength": 32,
        "not": {"enum": keywords},
    }


def check_name(value: object, place: str) -> str:
    """A name of an input or an output: [a-z][a-z0-9_]{0,31}, no Python keyword."""
    if isinstance(value, bool):
        word = "yes, on or true" if value else "no, off or false"
        fail(place, f"YAML reads a bare {word} as a truth value; write the name in quotes")
    if not isinstance(value, str):
        fail(place, f"is {shown(value)}, not a name; a name is a word such as chart_2")
    if not NAME.fullmatch(value):
        suggestion = re.sub(r"[^a-z0-9_]+", "_", value.lower()).strip("_")[:32].rstrip("_")
        hint = f"; for example {suggestion}" if NAME.fullmatch(suggestion) else ""
        rule = "a name is lower-case letters, digits and _, begins with a letter, at most 32 long"
        fail(place, f"{shown(value)} is no name: {rule}{hint}")
    if keyword.iskeyword(value):
        fail(place, f"'{value}' is a Python keyword; for example {value}_input")
    return value
