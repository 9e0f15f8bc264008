"""Write the generated pages of the reference, or check that they are fresh.

python -m docs.tools.references            # write them
python -m docs.tools.references --check    # exit with 1 if one is stale
"""

import os
import sys
from pathlib import Path

FOLDER = Path("docs/reference")
NOTE = "<!-- Written by docs/tools/references.py from the code: do not edit. -->\n\n"


def pages() -> dict[Path, str]:
    """{file: content} of every generated page."""
    from docs.tools import api_reference, cli_reference, recipe_reference, row_reference

    made = {
        "cli.md": cli_reference.page(),
        "api.md": api_reference.page(),
        "rows.md": row_reference.page(),
        "recipes.md": recipe_reference.page(),
        "errors.md": _errors(),
    }
    return {FOLDER / name: NOTE + content.rstrip() + "\n" for name, content in made.items()}


def _errors() -> str:
    """The texts of `genprm explain`, on one page."""
    from genprm.cli.commands.explain import explanations

    parts = [
        "# Error messages\n",
        "Every message says what happened, where, and after `fix:` what to do. Those that need "
        "more explanation end with `more: genprm explain TOPIC`. The command prints the same "
        "texts as this page. [Troubleshooting](../troubleshooting.md) starts from symptoms.\n",
    ]
    parts += [f"## {topic}\n\n{text}\n" for topic, text in explanations().items()]
    return "\n".join(parts)


def stale() -> list[Path]:
    """The generated pages that are not what the code says."""
    return [
        path
        for path, content in pages().items()
        if not path.is_file() or path.read_text("utf-8") != content
    ]


def main() -> None:
    """Write the pages, or say which are stale."""
    for name in ("OPENAI_API_KEY", "GENPRM_API_KEYS"):
        os.environ.pop(name, None)  # no page may show what happens to be set here
    if "--check" not in sys.argv:
        for path, content in pages().items():
            path.write_text(content, "utf-8")
    elif old := stale():
        names = ", ".join(map(str, old))
        sys.exit(f"{names}: stale; fix: python -m docs.tools.references")


if __name__ == "__main__":
    main()
