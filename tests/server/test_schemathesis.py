"""The OpenAPI document against the service, by schemathesis (`make test-trainers`; two minutes)."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("schemathesis")
from rewarding import verifier
from serving import running

from genprm.sandboxes.fork_server import ForkServer
from genprm.server.app import create_service
from genprm.server.limits import ServiceLimits

# 504 answers a request whose own `seconds` were too few.
CONFIGURATION = """
[checks]
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "504"]
"""
# That three lists are equally long cannot be said in a schema.
UNEQUAL = "/get_reward"


@pytest.fixture(scope="module")
def document() -> Iterator[str]:
    sandbox = ForkServer()
    with running(create_service(verifier(), sandbox=sandbox), ServiceLimits(), sandbox) as url:
        yield f"{url}/openapi.json"


@pytest.mark.parametrize(
    "part",
    [
        ("--exclude-path", UNEQUAL),
        ("--include-path", UNEQUAL, "--exclude-checks", "positive_data_acceptance"),
    ],
)
def test_the_service_does_what_its_document_says(
    document: str, part: tuple[str, ...], tmp_path: Path
) -> None:
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(CONFIGURATION)
    program = shutil.which("st", path=str(Path(sys.executable).parent)) or "st"
    options = ["--max-examples", "8", "--seed", "1", "--request-timeout", "20", "--no-color"]
    done = subprocess.run(
        [program, "--config-file", configuration, "run", document, *options, *part],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
