"""The files in deploy/: what can be said of them without a cluster."""

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


# The fields of resources that Kubernetes itself does not know, as their Go types name them:
# ray-project/kuberay, ray-operator/apis/ray/v1 (rayjob_types.go, raycluster_types.go), and
# kubernetes-sigs/agent-sandbox, api/v1beta1/sandbox_types.go. Only those that we use.
FIELDS = {
    ("ray.io/v1", "RayJob"): {
        "entrypoint",
        "shutdownAfterJobFinishes",
        "ttlSecondsAfterFinished",
        "backoffLimit",
        "rayClusterSpec",
        "rayClusterSpec.rayVersion",
        "rayClusterSpec.headGroupSpec",
        "rayClusterSpec.headGroupSpec.rayStartParams",
        "rayClusterSpec.headGroupSpec.template",
        "rayClusterSpec.workerGroupSpecs",
        "rayClusterSpec.workerGroupSpecs.groupName",
        "rayClusterSpec.workerGroupSpecs.replicas",
        "rayClusterSpec.workerGroupSpecs.minReplicas",
        "rayClusterSpec.workerGroupSpecs.maxReplicas",
        "rayClusterSpec.workerGroupSpecs.rayStartParams",
        "rayClusterSpec.workerGroupSpecs.template",
    },
    ("agents.x-k8s.io/v1beta1", "Sandbox"): {"service", "podTemplate"},
}
PODS = ("template", "podTemplate")  # a pod's template, which Kubernetes knows
FREE = ("rayStartParams",)  # any words that `ray start` takes


def _fields(value: object, name: str = "") -> Iterator[str]:
    """The names of all fields, but not of those within pods."""
    if isinstance(value, list):
        for item in value:
            yield from _fields(item, name)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{name}.{key}".lstrip(".")
            if key not in (*PODS, *FREE):
                yield from _fields(inner, f"{name}.{key}")


def _pods(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for item in value:
            yield from _pods(item)
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in PODS:
                metadata = {"name": "pod", **inner.get("metadata", {})}
                pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}
                yield {**pod, "spec": inner["spec"]}
            else:
                yield from _pods(inner)


@pytest.mark.parametrize(("file", "document"), DOCUMENTS)
def test_a_resource_has_fields_that_its_controller_knows(
    file: str, document: dict[str, Any]
) -> None:
    known = FIELDS.get((document["apiVersion"], document["kind"]))
    if known is not None:
        assert set(_fields(document["spec"])) <= known


@pytest.mark.parametrize(("file", "document"), DOCUMENTS)
def test_a_resource_fits_the_schema_of_kubernetes(file: str, document: dict[str, Any]) -> None:
    kubernetes = pytest.importorskip("kubernetes_validate", reason="make test-deploy has it")
    own = (document["apiVersion"], document["kind"]) in FIELDS
    for resource in _pods(document["spec"]) if own else [document]:
        kubernetes.validate(resource, "1.33", strict=True)


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
