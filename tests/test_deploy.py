"""The files in deploy/: what can be said of them without a cluster."""

import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from genprm.cli.main import app

DEPLOY = Path(__file__).parents[1] / "deploy"
DOCUMENTS = [
    (file.name, document)
    for file in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for document in yaml.safe_load_all(file.read_text())
]


@pytest.mark.parametrize(("file", "document"), DOCUMENTS)
def test_a_manifest_names_its_kind_and_itself(file: str, document: dict[str, object]) -> None:
    assert {"apiVersion", "kind", "metadata"} <= document.keys()
    assert isinstance(document["metadata"], dict)
    assert document["metadata"]["name"]


def _commands() -> list[list[str]]:
    """Every command of genprm that the files run."""
    found: list[list[str]] = []
    for _, document in DOCUMENTS:
        if document["kind"] == "RayJob":
            found.append(shlex.split(document["spec"]["entrypoint"]))
        if document["kind"] == "Sandbox":
            (container,) = document["spec"]["podTemplate"]["spec"]["containers"]
            found.append([str(word) for word in container["command"]])
    script = (DEPLOY / "slurm" / "genprm.sbatch").read_text().replace("\\\n", " ")
    lines = [line for line in script.splitlines() if " genprm verify " in line]
    found += [shlex.split(line[line.index("genprm verify") :]) for line in lines]
    return found


@pytest.mark.parametrize("words", _commands(), ids=" ".join)
def test_a_command_has_the_options_that_it_is_given(words: list[str]) -> None:
    command = get_command(app)
    assert words[0] == "genprm"
    names = words[1:]
    while hasattr(command, "commands") and names:
        command = command.commands[names.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in names if word.startswith("-")} <= known


def test_the_slurm_script_is_a_script() -> None:
    subprocess.run(["bash", "-n", DEPLOY / "slurm" / "genprm.sbatch"], check=True)
