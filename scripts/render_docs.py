"""Write the parts of README.md that are made: between `<!-- NAME -->` and `<!-- /NAME -->`.

    python scripts/render_docs.py

The tables come from the catalog, the picture and the code from what an example renders.
"""

import ast
import re
from pathlib import Path

from keras_scaffold.catalog import load_catalog
from keras_scaffold.console import Table, catalog_tables
from keras_scaffold.render.diagram import draw
from keras_scaffold.render.project import render_to_memory
from keras_scaffold.spec import read_spec, validate

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
EXAMPLE = ROOT / "examples" / "stock-story" / "spec.yml"
EXCERPT = ("encode_chart", "build_model")


def rendered(text: str) -> str:
    """The text with all its generated parts rendered again."""
    for name, part in parts().items():
        block = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->\n)"
        text, times = re.subn(
            block, lambda found, part=part: found[1] + part + found[2], text, flags=re.S
        )
        if times != 1:
            raise ValueError(f"README.md: the part {name} stands there {times} times, not once")
    return text


def parts() -> dict[str, str]:
    """The made parts by name, in Markdown."""
    tables = catalog_tables(load_catalog())
    spec = validate(read_spec(EXAMPLE))
    files = render_to_memory(spec)
    model = files[Path("src", spec.package_name, "model.py")]
    return {
        "spec": fenced("yaml", EXAMPLE.read_text(encoding="utf-8")),
        "diagram": fenced("text", draw(spec)),
        "tree": fenced("text", tree(files, spec.project_slug)),
        "model": fenced("python", excerpt(model)),
        **{name: table(one) for name, one in tables.items()},
    }


def fenced(language: str, text: str) -> str:
    """A block of code."""
    return f"```{language}\n{text.rstrip()}\n```\n"


def table(one: Table) -> str:
    """A table of the catalog in Markdown."""
    _, header, rows = one
    lines = [header, tuple("---" for _ in header)]
    lines += [(f"`{name}`", *cells) for name, *cells in rows]
    return "".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines
    )


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
    """The functions of a module that README shows."""
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
    """Render the generated parts of README.md again."""
    text = README.read_text(encoding="utf-8")
    README.write_text(rendered(text), encoding="utf-8", newline="\n")
    print("README.md")


if __name__ == "__main__":
    main()
