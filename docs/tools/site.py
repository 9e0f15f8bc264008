"""Build the site: `python -m docs.tools.site`. Warnings and dead links are errors.

The pages are the Markdown files of `docs/`, a few files of the root, and the sources of the
examples, gathered in `build/docs`. Links that lead out of `docs/` are turned to where their target
is on the site; one that has no place there fails the build.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

import yaml

from docs.tools.llms import llms_text
from docs.tools.numbers import faults

PAGES, SITE = Path("build/docs"), Path("build/site")
# Files outside docs/ that are pages of the site, by the names that they have there.
ROOT_PAGES = {
    "README.md": "index.md",
    "SECURITY.md": "security.md",
    "AGENTS.md": "agents.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
_LINK = re.compile(r"(?<=\]\()([^)\s#]+)(#[^)\s]*)?(?=\))")
_NOT_WORDS = {".py", ".ipynb", ".txt", ".jsonl"}


def gather() -> None:
    """Write every page to `build/docs`, with links as they are on the site."""
    shutil.rmtree(PAGES, ignore_errors=True)
    pages = {path: str(PurePosixPath(path).relative_to("docs")) for path in _tracked_pages()}
    pages |= ROOT_PAGES
    for source, name in pages.items():
        target = PAGES / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.endswith(".md"):
            text = Path(source).read_text("utf-8")
            target.write_text(_turned(text, source, name, pages), "utf-8")
        else:
            shutil.copyfile(source, target)
    (PAGES / "examples.md").write_text(_examples(), "utf-8")
    (PAGES / "llms.txt").write_text(llms_text(PAGES, _nav()), "utf-8")


def _tracked_pages() -> list[str]:
    return sorted(str(path) for path in Path("docs").rglob("*") if path.suffix in (".md", ".svg"))


def _turned(text: str, source: str, name: str, pages: dict[str, str]) -> str:
    """The page with its links turned; code is left alone."""
    parts = re.split(r"(^```.*?^```$)", text, flags=re.M | re.S)

    def turn(match: re.Match[str]) -> str:
        link, anchor = match[1], match[2] or ""
        if re.match(r"\w+:", link):
            return match[0]
        path = normpath(str(PurePosixPath(source).parent / link))
        if path in pages:
            return relpath(pages[path], str(PurePosixPath(name).parent)) + anchor
        if Path(path).suffix in _NOT_WORDS and path.startswith("examples/"):
            anchor = "#" + re.sub(r"[^\w-]", "", Path(path).name.lower())
            return relpath("examples.md", str(PurePosixPath(name).parent)) + anchor
        if path in ("recipes", "examples"):
            page = {"recipes": "reference/recipes.md", "examples": "examples.md"}[path]
            return relpath(page, str(PurePosixPath(name).parent))
        if path.startswith(("src/", "docs/tools/")) and Path(path).exists():
            page = relpath("contributing.md", str(PurePosixPath(name).parent))
            return f"{page}#every-module"
        return match[0]  # the builder says that it leads nowhere

    turned = [part if i % 2 else _LINK.sub(turn, part) for i, part in enumerate(parts)]
    return "".join(turned)


def _examples() -> str:
    """One page with the source of every example."""
    parts = ["# Examples\n", "Each file is in the folder `examples/` and is run by the tests.\n"]
    for path in sorted(Path("examples").iterdir()):
        if path.suffix == ".py":
            parts.append(f"## {path.name}\n\n```python\n{path.read_text('utf-8')}```\n")
        elif path.suffix in (".txt", ".jsonl"):
            parts.append(f"## {path.name}\n\n```text\n{path.read_text('utf-8')[:2000]}```\n")
        elif path.suffix == ".ipynb":
            parts.append(f"## {path.name}\n\nA notebook that works offline: open it in Jupyter.\n")
    return "\n".join(parts)


def _nav() -> list[object]:
    nav: list[object] = yaml.safe_load(Path("mkdocs.yml").read_text("utf-8"))["nav"]
    return nav


def external_assets() -> list[str]:
    """What the built pages would load from other hosts: scripts, styles, fonts, pictures."""
    found = []
    loading = re.compile(
        r"""<(?:script|img|iframe|source|video|audio)\b[^>]*\bsrc=["']?(?:https?:)?//[^"'\s>]*"""
        r"""|<link\b(?![^>]*\brel=["']?(?:canonical|alternate|prev|next))[^>]*"""
        r"""\bhref=["']?(?:https?:)?//[^"'\s>]*"""
        r"""|(?:@import\s+(?:url\()?|url\()["']?(?:https?:)?//[^)"'\s]*"""
    )
    for path in sorted(SITE.rglob("*")):
        if path.suffix in (".html", ".css"):
            text = path.read_text("utf-8", "replace")
            found += [f"{path}: {match[0]}" for match in loading.finditer(text)]
    return found


def main() -> None:
    """Build the site, or say what is wrong and exit with 1."""
    if wrong := faults():
        sys.exit("\n".join(wrong))
    gather()
    shutil.rmtree(SITE, ignore_errors=True)
    built = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--clean", "--strict"],
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode:
        told = (built.stdout + built.stderr).split("Traceback")[0]
        sys.exit(re.sub(r"\x1b\[[0-9;]*m", "", told))
    shutil.copyfile(PAGES / "llms.txt", SITE / "llms.txt")
    if loaded := external_assets():
        sys.exit("pages load from the network:\n" + "\n".join(loaded))
    print(f"{len(list(SITE.rglob('*.html')))} pages in {SITE}")


if __name__ == "__main__":
    main()
