"""The docs show what the catalog and the command line have; links and commands in them exist."""

import re
import shlex
import sys
from itertools import takewhile
from pathlib import Path

import pytest
import typer
from helpers import ROOT
from keras_scaffold.catalog import load_catalog
from keras_scaffold.cli.main import app

sys.path.insert(0, str(ROOT / "scripts"))

import render_docs

HERE = "https://github.com/keras-scaffold/keras-scaffold/"
PAGES = [
    *render_docs.pages(),
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "adr").glob("*.md")),
    *sorted((ROOT / "benchmarks").rglob("*.md")),
]


def names(pages):
    return [page.relative_to(ROOT).as_posix() for page in pages]


# Generated parts


def test_generated_parts_are_current():
    again = "python scripts/render_docs.py"
    for page, text in render_docs.rendered_pages().items():
        assert page.read_text(encoding="utf-8") == text, f"{page.name}: run {again}"


def test_generated_parts_can_be_out_of_date():
    """A part that is changed by hand is found, and so is one that does not end."""
    text = render_docs.README.read_text(encoding="utf-8")
    made = render_docs.parts()
    assert render_docs.rendered(text.replace("indicators", "indicator"), made) != text.replace(
        "indicators", "indicator"
    )
    with pytest.raises(ValueError, match="does not begin and end"):
        render_docs.rendered(text.replace("<!-- /spec -->\n", ""), made)


def test_the_reference_names_everything():
    catalog, reference = load_catalog(), ROOT / "docs" / "reference"
    for page in ("inputs", "merges", "outputs"):
        text = (reference / f"{page}.md").read_text(encoding="utf-8")
        for name in getattr(catalog, page):
            assert f"| `{name}` |" in text
    text = (reference / "command-line.md").read_text(encoding="utf-8")
    for command in commands(typer.main.get_command(app), "scaffold"):
        assert f"## {command}\n" in text


def commands(command, name):
    inner = getattr(command, "commands", {})
    if not inner:
        return [name]
    return [each for word in inner for each in commands(inner[word], f"{name} {word}")]


def test_the_readme_is_one_page():
    assert len(render_docs.README.read_text(encoding="utf-8").splitlines()) <= 110


# Links


def prose(text):
    """The text without its blocks of code."""
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.M | re.S)


def anchors(text):
    """The anchors of a page's headings, as GitHub and MkDocs make them."""
    headings = re.findall(r"^#+ +(.*)$", prose(text), flags=re.M)
    return {
        re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    }


def broken_links(page, text):
    """The links of a page that lead nowhere in this repository."""
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(text)):
        path, _, anchor = link.partition("#")
        if path.startswith(HERE):
            inside = re.match(r"(?:blob|tree)/main/(.*)", path.removeprefix(HERE))
            if not inside:
                continue
            target = ROOT / inside[1]
        elif path.startswith(("https://", "mailto:")):
            continue
        else:
            target = page.parent / path if path else page
        found = target.exists()
        if found and anchor:
            found = anchor in anchors(target.read_text(encoding="utf-8"))
        if not found:
            yield link


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_links_resolve(page):
    assert not list(broken_links(page, page.read_text(encoding="utf-8")))


def test_broken_links_are_found():
    text = (
        "[a](docs/index.md#reference) [b](docs/index.md#nothing) [c](nothing.md) [d](#nothing)\n"
        f"[e]({HERE}blob/main/LICENSE) [f]({HERE}blob/main/nothing) [g](https://example.com/h)\n"
    )
    broken = ["docs/index.md#nothing", "nothing.md", "#nothing", f"{HERE}blob/main/nothing"]
    assert list(broken_links(ROOT / "README.md", text)) == broken


def test_every_page_is_in_the_navigation():
    navigation = re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    docs = ROOT / "docs"
    assert sorted(navigation) == sorted(p.relative_to(docs).as_posix() for p in docs.rglob("*.md"))


# Commands


def shown_commands(text):
    """Each command line of `scaffold` in a page's blocks of shell code, as words."""
    for block in re.findall(r"^ *```sh\n(.*?)^ *```$", text, flags=re.M | re.S):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["scaffold"]:
                yield list(takewhile(lambda word: word not in {">", "|", "&&"}, words[1:]))


def problem(words):
    """What of a command line does not exist; nothing is run."""
    command = typer.main.get_command(app)
    rest = list(words)
    while rest and rest[0] in getattr(command, "commands", {}):
        command = command.commands[rest.pop(0)]
    if getattr(command, "commands", {}) and rest[:1] and not rest[0].startswith("-"):
        return f"no command {rest[0]}"
    known = {option: each for each in command.params for option in (*each.opts, "--help")}
    places = sum(each.param_type_name == "argument" for each in command.params)
    many = any(each.nargs == -1 for each in command.params)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            places -= 1
        elif word not in known:
            return f"no option {word}"
        elif not getattr(known[word], "is_flag", False) and word != "--help":
            if not rest:
                return f"{word} without a value"
            rest.pop(0)
    return "an argument too many" if places < 0 and not many else ""


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_commands_exist(page):
    for words in shown_commands(page.read_text(encoding="utf-8")):
        assert not problem(words), f"scaffold {shlex.join(words)}"


def test_commands_that_do_not_exist_are_found():
    assert problem(["nwe", "mine"]) == "no command nwe"
    assert problem(["new", "mine", "--spek", "a.yml"]) == "no option --spek"
    assert problem(["new", "mine", "yours"]) == "an argument too many"
    assert problem(["new", "mine", "--spec"]) == "--spec without a value"
    assert problem(["new", "mine", "--spec", "a.yml", "--yes"]) == ""
    assert shown_commands("```sh\nscaffold new a \\\n  --yes  # b\n```\n").__next__() == [
        "new",
        "a",
        "--yes",
    ]


# Nothing of one machine


@pytest.mark.parametrize("page", [*PAGES, ROOT / "constraints.txt"], ids=lambda page: page.name)
def test_no_address_of_a_package_index(page):
    """Pinned versions come from whatever index the reader uses."""
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"--(extra-)?index-url|--find-links|file://|/simple/", text)
    if page.suffix == ".txt":
        pins = [line for line in text.splitlines() if not line.startswith("#")]
        assert all(re.fullmatch(r"[\w.-]+==[\w.+]+", line) for line in pins)


def test_the_constraints_pin_what_development_needs():
    from importlib.metadata import requires

    from packaging.requirements import Requirement

    pinned = re.findall(r"^([\w.-]+)==(.*)$", Path(ROOT, "constraints.txt").read_text(), re.M)
    versions = {name.lower().replace("_", "-"): version for name, version in pinned}
    for line in requires("keras-scaffold") or []:
        need = Requirement(line)
        assert need.specifier.contains(versions[need.name.lower().replace("_", "-")]), line
