"""The page's built files: small, whole, made from the source that is beside them, and checked."""

import gzip
import re
import shutil
import subprocess
from filecmp import dircmp
from pathlib import Path

import pytest

pytest.importorskip("starlette")
from genprm.viewer.app import STATIC, page_files
from genprm.viewer.guard import POLICY

WEB = Path(__file__).parents[2] / "web"
installed = pytest.mark.skipif(
    not (WEB / "node_modules/vite").exists() or shutil.which("node") is None,
    reason="the page's packages are not installed; fix: cd web && npm ci",
)


def test_the_page_is_less_than_a_megabyte() -> None:
    packed = sum(len(gzip.compress(file.read_bytes())) for file in files(STATIC))
    print(f"{packed:,} bytes gzipped")
    assert packed < 1_000_000


def test_the_page_has_no_inline_script_or_style() -> None:
    page = (STATIC / "index.html").read_text("utf-8")
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", page) == []
    for allowance in ("unsafe-inline", "unsafe-eval", "http:", "https:", "*", "data:"):
        assert allowance not in POLICY
    assert {"/", "/index.html", "/app.js", "/app.css"} < page_files()


@installed
def test_the_built_page_is_what_its_source_gives(tmp_path: Path) -> None:
    in_web(
        "node_modules/.bin/vite", "build", "--outDir", str(tmp_path / "static"), "--logLevel=error"
    )
    compared = dircmp(tmp_path / "static", STATIC)
    assert not compared.left_only + compared.right_only + compared.diff_files, "fix: make web"
    assert (tmp_path / "static/app.js").read_bytes() == (STATIC / "app.js").read_bytes()


@installed
def test_the_source_passes_its_own_checks() -> None:
    in_web("node_modules/.bin/tsc", "--noEmit")
    in_web("node_modules/.bin/vitest", "run")


@installed
def test_model_text_never_becomes_html() -> None:
    source = "".join(file.read_text("utf-8") for file in (WEB / "src").glob("*.ts*"))
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert way not in source


def in_web(*command: str) -> None:
    done = subprocess.run(
        command, cwd=WEB, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr


def files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]
