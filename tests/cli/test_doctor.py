"""`genprm doctor`: every extra is listed, from the metadata."""

import tomllib
from pathlib import Path

from genprm.cli.commands.doctor import packages_of_extras


def test_all_extras_are_listed_with_their_packages() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    declared = set(project["optional-dependencies"]) - {"dev"}
    found = packages_of_extras()
    assert set(found) <= declared  # an installation may be older than the file
    assert {"train", "serve", "gguf", "transformers"} <= set(found)
    assert "xllamacpp" in found["gguf"]
    assert all(found.values())
