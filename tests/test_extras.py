"""What a missing package's message tells people to install does bring that package."""

import ast
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import genprm
from genprm.errors import MissingExtra
from genprm.extras import require

SOURCE = Path(genprm.__file__).parent


def brought(extra: str) -> set[str]:
    """Distributions that `pip install 'genprm[extra]'` asks for, and genprm's own."""
    wanted = map(Requirement, metadata.requires("genprm") or [])
    return {
        one.name.lower().replace("_", "-")
        for one in wanted
        if one.marker is None or one.marker.evaluate({"extra": extra})
    }


def hints() -> list[tuple[str, str, str]]:
    """(place, package, extra) of every hint in the source whose words are literal."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id not in ("MissingExtra", "require"):
                continue
            extra = next((k.value for k in node.keywords if k.arg == "extra"), None)
            if not isinstance(extra, ast.Constant):
                continue
            for word in node.args:
                name = word.values[-1] if isinstance(word, ast.BoolOp) else word
                if isinstance(name, ast.Constant):
                    place = f"{path.relative_to(SOURCE)}:{node.lineno}"
                    found.append((place, str(name.value), str(extra.value)))
    return found


@pytest.mark.parametrize(("place", "package", "extra"), hints())
def test_hints_are_true(place: str, package: str, extra: str) -> None:
    assert package.lower().replace("_", "-") in brought(extra), place


def test_a_missing_package_is_named_before_work_begins() -> None:
    with pytest.raises(MissingExtra, match=r"no_such_module.*genprm\[curate\]"):
        require("json", "no_such_module", extra="curate")
