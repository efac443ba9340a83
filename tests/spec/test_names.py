"""Names that derive from the project's: the same in Python and in the template, always importable."""

from __future__ import annotations

import keyword
import sys

import pytest
from helpers import ROOT
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, FileSystemLoader
from keras_scaffold.spec.names import package_name, project_slug

LATIN = st.characters(min_codepoint=32, max_codepoint=0x24F)


def rendered_slug(name):
    """The slug as copier computes it."""
    environment = Environment(
        loader=FileSystemLoader(ROOT),
        extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("template/shared/slug.jinja").render(project_name=name)


@given(st.text(LATIN | st.characters(), min_size=1, max_size=60))
def test_the_template_derives_the_same_slug(name):
    assert rendered_slug(name) == project_slug(name)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Stock Direction", "stock-direction"),
        ("Été 2", "ete-2"),
        ("E\u0301te\u0301 2", "ete-2"),
        ("Straßenverkehr in Łódź", "strassenverkehr-in-lodz"),
        ("Đà Nẵng", "da-nang"),
        ("3 views", "project-3-views"),
        ("日本", "project"),
        ("Class", "class-model"),
    ],
)
def test_letters_with_marks_are_written_without(name, slug):
    assert project_slug(name) == slug


def test_no_package_hides_a_module_or_is_a_keyword():
    """Nor a name that Windows keeps for devices."""
    modules = [name for name in sys.stdlib_module_names if not name.startswith("_")]
    for name in [*keyword.kwlist, *modules, "test", "sklearn", "src", "con", "nul"]:
        assert package_name(name) == f"{name.lower()}_model"
        assert package_name(f"my {name}") == f"my_{name.lower()}"
