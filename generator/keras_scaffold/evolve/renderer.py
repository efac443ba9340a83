"""Rendering many specs with one version of the template, in memory and quickly.

Copier takes half a second for one project, most of it around the rendering. Where hundreds of specs
are tried to find the one that a project is nearest to, its template, which is Jinja and nothing else,
is rendered as copier does it; tests/evolve/test_adopt.py holds the two equal, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import FileSystemLoader, Template
from jinja2.exceptions import TemplateError
from jinja2.sandbox import SandboxedEnvironment

from keras_scaffold.render.project import RenderError
from keras_scaffold.spec import one_line

ENDING = ".jinja"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
FILTERS = "jinja2_ansible_filters.AnsibleCoreFiltersExtension"  # those that copier brings


class Renderer:
    """A version of the template that lies in a folder, read once."""

    def __init__(self, root: Path) -> None:
        self.questions: dict[str, Any] = yaml.safe_load((root / "copier.yml").read_text("utf-8"))
        options = self.questions.get("_envops", {})
        self.jinja = SandboxedEnvironment(
            loader=FileSystemLoader(root), extensions=[FILTERS], **options
        )
        self.jinja.filters["from_yaml"] = self._from_yaml
        self._parsed: dict[str, Any] = {}
        self._compiled: dict[str, Template] = {}
        place = root / self.questions.get("_subdirectory", ".")
        # The answers file is copier's own to write.
        self._templates = {
            path.relative_to(place).as_posix().removesuffix(ENDING): path.relative_to(root)
            for path in sorted(place.rglob(f"*{ENDING}"))
            if "_copier_conf" not in path.name
        }
        self._verbatim = {
            path.relative_to(place).as_posix(): path.read_text("utf-8")
            for path in sorted(place.rglob("*"))
            if path.is_file() and path.suffix != ENDING
        }

    def render(self, given: Mapping[str, Any], only: Iterable[str] = ()) -> dict[str, str]:
        """The project's files, but for the answers file; `only` those whose path ends in one.

        RenderError where the template cannot be rendered with a spec.
        """
        try:
            answers = self._complete(given)
            wanted = {}
            for name, template in self._templates.items():
                path = self._text(name).render(answers) if "{" in name else name
                if all(path.split("/")) and (not only or path.endswith(tuple(only))):
                    source = self.jinja.get_template(template.as_posix())
                    wanted[path] = source.render(answers)
        except (TemplateError, yaml.YAMLError, ArithmeticError, LookupError, TypeError) as error:
            raise RenderError(f"the template cannot be rendered: {one_line(str(error))}") from None
        plain = {path: text for path, text in self._verbatim.items() if not only}
        return {**wanted, **plain}

    def _complete(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The answers with those that follow from others, in the order of the questions."""
        answers: dict[str, Any] = {}
        for key, question in self.questions.items():
            if key.startswith("_"):
                continue
            if key in given:
                answers[key] = given[key]
                continue
            text = self._text(str(question["default"])).render(answers)
            answers[key] = yaml.load(text, LOADER) if question["type"] == "yaml" else text
        return answers

    def _text(self, text: str) -> Template:
        if text not in self._compiled:
            self._compiled[text] = self.jinja.from_string(text)
        return self._compiled[text]

    def _from_yaml(self, text: object) -> Any:
        """As the filter, which is slow, does; the template's own files are read again and again."""
        key = str(text)
        if key not in self._parsed:
            self._parsed[key] = yaml.load(key, LOADER)
        return self._parsed[key]
