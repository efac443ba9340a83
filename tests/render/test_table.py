"""How a table is written reaches the template, completed: the hidden question `notation`."""

import json
import shutil
from dataclasses import asdict

import pytest
import yaml
from keras_scaffold.catalog import template_root
from keras_scaffold.spec import validate

SPEC = {
    "project_name": "P",
    "inputs": [{"name": "a", "type": "numeric", "columns": ["co"]}],
    "outputs": [{"name": "y", "task": "binary"}],
}
TABLES = [
    {},
    {"delimiter": "\t", "encoding": "cp1252", "missing": {"co": [-200, 9.5, "k. A."]}},
    {"delimiter": ";", "decimal": ",", "thousands": ".", "skip_rows": 2},
    {"thousands": "\u202f", "ids": ["patient"], "group": "ward"},
    {"thousands": " ", "delimiter": "|"},
]


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """The template with one more file: the notation that the others can read."""
    root = tmp_path_factory.mktemp("template")
    shutil.copy(template_root() / "copier.yml", root)
    shutil.copytree(template_root() / "template", root / "template")
    shutil.rmtree(root / "template" / "project")
    project = root / "template" / "project"
    project.mkdir()
    (project / "notation.json.jinja").write_text("{{ notation | to_json }}")
    answers = "{{_copier_conf.answers_file}}.jinja"
    shutil.copy(template_root() / "template" / "project" / answers, project)
    return root


def copied(template, destination, data):
    import copier

    return copier.run_copy(str(template), destination, data=data, defaults=True, quiet=True)


@pytest.mark.parametrize("table", TABLES)
def test_copier_completes_a_table_as_validate_does(table, template, tmp_path):
    copied(template, tmp_path, {**SPEC, "table": table})
    notation = json.loads((tmp_path / "notation.json").read_text())
    assert notation == asdict(validate({**SPEC, "table": table}).table)
    answers = yaml.safe_load((tmp_path / ".copier-answers.yml").read_text())
    assert answers["table"] == table


def test_answers_without_a_table_have_the_usual_one(template, tmp_path):
    copied(template, tmp_path, SPEC)
    notation = json.loads((tmp_path / "notation.json").read_text())
    assert notation == asdict(validate(SPEC).table)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ([1], "give a mapping"),
        ({"delim": ";"}, "unknown key 'delim'"),
        ({"delimiter": ";;"}, "table.delimiter: give one character"),
        ({"delimiter": ""}, "table.delimiter: give one character"),
        ({"decimal": "comma"}, 'table.decimal: choose one of ".", ","'),
        ({"encoding": 8}, "table.encoding: give a codec"),
        ({"missing": [1]}, "table.missing: give lists of codes"),
    ],
)
def test_plain_copier_refuses_a_wrong_table_in_one_line(table, words, template, tmp_path):
    with pytest.raises(ValueError, match="question 'table'") as error:
        copied(template, tmp_path / "made", {**SPEC, "table": table})
    assert words in str(error.value)
    assert "\n" not in str(error.value)
