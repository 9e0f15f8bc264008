"""Write the tree of the package into CONTRIBUTING.md: every module with its first line.

python docs/draw_tree.py            # write it
python docs/draw_tree.py --check    # exit with 1 if it is stale
"""

import ast
import sys
from pathlib import Path

ROOT = Path("src/genprm")
PAGE = Path("CONTRIBUTING.md")
START, END = "<!-- tree: written by docs/draw_tree.py -->\n", "<!-- end of tree -->\n"


def phrase(module: Path) -> str:
    """The first line of the docstring, without its full stop."""
    text = ast.get_docstring(ast.parse(module.read_text("utf-8"))) or ""
    return text.split("\n")[0].rstrip(".")


def tree() -> str:
    """Every folder with its modules, the package itself first."""
    lines = []
    folders = [ROOT, *sorted(path for path in ROOT.rglob("*") if path.is_dir())]
    for folder in folders:
        modules = [(module.name, phrase(module)) for module in sorted(folder.glob("*.py"))]
        if told := [(name, text) for name, text in modules if text]:
            lines.append(f"{folder}/")
            lines += [f"  {name:24} {text}" for name, text in told]
    return "```\n" + "\n".join(lines) + "\n```\n"


def main() -> None:
    """Write the tree, or say that it is stale."""
    page = PAGE.read_text("utf-8")
    before, rest = page.split(START)
    after = rest.split(END)[1]
    fresh = before + START + tree() + END + after
    if "--check" not in sys.argv:
        PAGE.write_text(fresh, "utf-8")
    elif fresh != page:
        sys.exit(f"{PAGE}: the tree is stale; fix: python docs/draw_tree.py")


if __name__ == "__main__":
    main()
