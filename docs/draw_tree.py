"""Print the README's tree: every module of the package with the first line of its docstring.

python docs/draw_tree.py
"""

import ast
from pathlib import Path

ROOT = Path("src/genprm")
ORDER = (
    "",
    "verify",
    "curate",
    "train",
    "scale",
    "evaluate",
    "evaluate/baselines",
    "arithmetic",
    "models",
    "sandboxes",
    "sandboxes/host",
    "sandboxes/guest",
    "sandboxes/kernel",
    "cli",
    "server",
    "report",
    "rewards",
)


def phrase(module: Path) -> str:
    """The first line of the docstring, without its full stop."""
    text = ast.get_docstring(ast.parse(module.read_text())) or ""
    return text.split("\n")[0].rstrip(".")


for folder in ORDER:
    modules = sorted((ROOT / folder).glob("*.py"))
    print(f"src/genprm/{folder}{'/' if folder else ''}")
    for module in modules:
        if told := phrase(module):
            print(f"  {module.name:24} {told}")
