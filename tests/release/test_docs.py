"""What README.md shows is what the catalog says and the template renders."""

import re
import sys

from helpers import ROOT
from keras_scaffold.catalog import load_catalog

sys.path.insert(0, str(ROOT / "scripts"))

import render_docs


def test_the_made_parts_of_the_readme_are_current():
    text = render_docs.README.read_text(encoding="utf-8")
    assert text == render_docs.rendered(text), "python scripts/render_docs.py renders them again"


def test_the_readme_names_all_there_is():
    text, known = render_docs.README.read_text(encoding="utf-8"), load_catalog()
    for name in [*known.inputs, *known.merges, *known.outputs]:
        assert f"| `{name}` |" in text


def test_links_lead_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "adr").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if not link.startswith("https://"):
                assert (page.parent / link).exists(), f"{page.name}: {link}"
