"""`llms.txt`: the list of pages for language models, in the order of the site's navigation."""

import re
from pathlib import Path

HEAD = """# genprm

> A generative process reward model: it judges every step of a solution with an analysis, code that
> is run in a sandbox, and votes. Command line, Python library, HTTP service. Linux, Python 3.11+.
"""


def llms_text(folder: Path, nav: list[object]) -> str:
    """The file's content; `nav` is the navigation of mkdocs.yml."""
    return HEAD + "".join(_entries(folder, nav))


def _entries(folder: Path, nav: list[object]) -> list[str]:
    lines: list[str] = []
    loose = [one for one in nav if isinstance(one, str)]
    lines.append("\n## Pages\n\n" + "".join(_line(folder, page) for page in loose))
    for group in nav:
        if isinstance(group, dict):
            for title, pages in group.items():
                lines.append(f"\n## {title}\n\n" + "".join(_line(folder, page) for page in pages))
    return lines


def _line(folder: Path, page: str) -> str:
    text = (folder / page).read_text("utf-8")
    text = re.sub(r"<!--.*?-->|^```.*?^```$", "", text, flags=re.S | re.M)
    title = re.search(r"^# (.+)$", text, flags=re.M)
    plain = re.search(r"^(?![#>|`!\s<*-])[^\n]+", text, flags=re.M)
    about = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", plain[0] if plain else "")
    first = re.match(r".*?[.:](?=\s|$)", about)
    told = (first[0] if first else about).rstrip(":")
    return f"- [{title[1] if title else page}]({page.removesuffix('.md')}.html): {told}\n"
