"""Write the generated parts of README.md and docs/: between `<!-- NAME -->` and `<!-- /NAME -->`.

    python scripts/render_docs.py

Tables come from the catalog, the schema and the command line; the diagram and the code from what
an example renders.
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer
from keras_scaffold.catalog import Field, load_catalog
from keras_scaffold.cli.main import app
from keras_scaffold.console import Table, catalog_tables
from keras_scaffold.render.diagram import draw
from keras_scaffold.render.project import render_to_memory
from keras_scaffold.spec import read_spec, validate
from keras_scaffold.spec.schema import spec_schema

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
EXAMPLE = ROOT / "examples" / "stock-story" / "spec.yml"
EXCERPT = ("encode_chart", "build_model")
MARK = re.compile(r"<!-- (/?)([\w ]+) -->\n")


def pages() -> list[Path]:
    """The pages that may have generated parts."""
    return [README, *sorted(DOCS.rglob("*.md"))]


def rendered_pages() -> dict[Path, str]:
    """Every page with its generated parts up to date; each part is in one page at least."""
    made = parts()
    texts = {page: page.read_text(encoding="utf-8") for page in pages()}
    used = {name for text in texts.values() for _, name in MARK.findall(text)}
    if used != set(made):
        raise ValueError(f"no page has the part, or no such part: {sorted(used ^ set(made))}")
    return {page: rendered(text, made) for page, text in texts.items()}


def rendered(text: str, made: Mapping[str, str]) -> str:
    """The text with its generated parts up to date."""
    marks = MARK.findall(text)
    if [(slash, name) for slash, name in marks[::2]] != [("", name) for _, name in marks[1::2]]:
        raise ValueError(f"a part does not begin and end: {marks}")
    for name in {name for _, name in marks}:
        block = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->\n)"
        text = re.sub(
            block, lambda found, part=made[name]: found[1] + part + found[2], text, flags=re.S
        )
    return text


def parts() -> dict[str, str]:
    """The generated parts by name, in Markdown."""
    catalog = load_catalog()
    spec = validate(read_spec(EXAMPLE))
    files = render_to_memory(spec)
    model = files[Path("src", spec.package_name, "model.py")]
    return {
        "spec": fenced("yaml", EXAMPLE.read_text(encoding="utf-8")),
        "diagram": fenced("text", draw(spec)),
        "tree": fenced("text", tree(files, spec.project_slug)),
        "model": fenced("python", excerpt(model)),
        **{name: catalog_table(one) for name, one in catalog_tables(catalog).items()},
        "input fields": "\n".join(input_sections()),
        "merge fields": "\n".join(merge_sections()),
        "output fields": "\n".join(output_sections()),
        "spec keys": spec_keys(spec_schema()),
        "table fields": field_table(catalog.table),
        "commands": "\n".join(command_sections(typer.main.get_command(app), "scaffold")),
    }


# The catalog


def input_sections() -> Iterator[str]:
    """A section for each type of input: its fields, then each encoder's."""
    for kind in load_catalog().inputs.values():
        yield f"## {kind.name}\n\n{sentence(kind.help)}\n\n{field_table(kind.fields)}"
        for encoder in kind.encoders.values():
            default = "The default. " if encoder is kind.default_encoder else ""
            about = f"{default}{sentence(encoder.help)}"
            yield f"### {kind.name} encoder: {encoder.name}\n\n{about}\n"
            if encoder.fields:
                yield field_table(encoder.fields)


def merge_sections() -> Iterator[str]:
    """A section for each merge with fields of its own."""
    for method in load_catalog().merges.values():
        if method.fields.keys() - {"width"}:
            yield f"### {method.name}\n\n{field_table(method.fields)}"


def output_sections() -> Iterator[str]:
    """A section for each task: its loss, its metrics, its fields."""
    for task in load_catalog().outputs.values():
        about = f"Loss `{task.loss}`, metrics {', '.join(f'`{name}`' for name in task.metrics)}."
        yield f"## {task.name}\n\n{sentence(task.help)} {about}\n\n{field_table(task.fields)}"


def field_table(fields: Mapping[str, Field]) -> str:
    """The fields with what they take and their defaults."""
    header = ("field", "what it is", "takes", "default")
    rows = [(f"`{f.name}`", f.help, takes(f), default(f.default)) for f in fields.values()]
    return markdown(header, rows)


def takes(field: Field) -> str:
    """What a field takes, with its limits."""
    if field.choices:
        choices = [f"`{choice}`" for choice in field.choices]
        return ", ".join(["a strptime format"] * (field.kind == "date_format") + choices)
    axes = f" ({', '.join(field.axes)})" if field.axes else ""
    limits = ""
    if field.least is not None:
        low, high = (
            " x ".join(map(str, b)) if isinstance(b, list | tuple) else b
            for b in (field.least, field.most)
        )
        limits = f", {low} to {high}"
    return f"{field.kind}{axes}{limits}"


def default(value: Any) -> str:
    """A default as one writes it in a spec."""
    return "" if value is None else f"`{json.dumps(value)}`"


def sentence(text: str) -> str:
    """The text as a sentence."""
    return f"{text[0].upper()}{text[1:]}."


# The spec and the command line


def spec_keys(schema: Mapping[str, Any]) -> str:
    """The keys of a spec."""
    rows = [
        (
            f"`{name}`",
            str(entry.get("description", "")),
            "required" if name in schema["required"] else default(entry.get("default")),
        )
        for name, entry in schema["properties"].items()
    ]
    return markdown(("key", "what it is", "default"), rows)


def command_sections(command: Any, name: str) -> Iterator[str]:
    """A section for each command: its arguments and its options."""
    inner = getattr(command, "commands", {})
    if not inner:
        yield f"## {name}\n\n{about(command)}\n"
        rows = [parameter_row(each) for each in command.params]
        if rows:
            yield markdown(("argument or option", "what it is"), rows)
    for each in inner:
        yield from command_sections(inner[each], f"{name} {each}")


def about(command: Any) -> str:
    """A command's help, its examples as code."""
    paragraphs = str(command.help).split("\n\n")
    return "\n\n".join(f"`{p}`" if p.startswith("scaffold ") else p for p in paragraphs)


def parameter_row(parameter: Any) -> tuple[str, str]:
    """An argument or an option, and its help."""
    value = parameter.metavar
    if parameter.param_type_name == "argument":
        written = value
    else:
        written = ", ".join(parameter.opts) + (f" {value}" if value else "")
    return f"`{written}`", parameter.help or ""


def markdown(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [header, tuple("---" for _ in header), *rows]
    return "".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines
    )


def catalog_table(one: Table) -> str:
    """A table of the catalog in Markdown."""
    _, header, rows = one
    return markdown(header, [(f"`{name}`", *cells) for name, *cells in rows])


# What an example renders


def fenced(language: str, text: str) -> str:
    """A block of code."""
    return f"```{language}\n{text.rstrip()}\n```\n"


def tree(files: dict[Path, str], root: str) -> str:
    """The project's files, each module with the first line of its docstring."""
    rows = []
    for path, text in files.items():
        about = ""
        if path.suffix == ".py" and path.stem != "__init__":
            about = (ast.get_docstring(ast.parse(text)) or "").split("\n")[0].rstrip(".")
        rows.append((path.as_posix(), about))
    width = max(len(path) for path, _ in rows)
    lines = [f"  {path.ljust(width)}  {about}".rstrip() for path, about in rows]
    return "\n".join([f"{root}/", *lines])


def excerpt(module: str) -> str:
    """The functions of a module that the docs show."""
    wanted = [
        node
        for node in ast.parse(module).body
        if isinstance(node, ast.FunctionDef) and node.name in EXCERPT
    ]
    if [node.name for node in wanted] != list(EXCERPT):
        raise ValueError(f"model.py of the example has not the functions {EXCERPT}")
    lines = module.splitlines()
    return "\n\n\n".join("\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in wanted)


def main() -> None:
    """Write the pages whose generated parts changed."""
    for page, text in rendered_pages().items():
        if text != page.read_text(encoding="utf-8"):
            page.write_text(text, encoding="utf-8", newline="\n")
            print(page.relative_to(ROOT))


if __name__ == "__main__":
    main()
