"""The public face: names that load on demand, and a blocking call that works anywhere."""

import asyncio
import subprocess
import sys

import genprm
from genprm import judge

STEPS = (
    'This equation can be written as "A * B", where A = (2 + 3) and B = (4 - 1).',
    "Let's calculate A = (2 + 3) = 6.",
)


def test_importing_genprm_imports_nothing_heavy() -> None:
    program = (
        "import sys, genprm\n"
        "print([name for name in ('numpy', 'pydantic', 'openvino', 'torch', 'typer', 'sympy')"
        " if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_every_public_name_loads() -> None:
    assert all(getattr(genprm, name) is not None for name in genprm.__all__)
    assert set(genprm._HOME) | {"__version__"} == set(genprm.__all__)


def test_the_blocking_call_works_where_a_loop_already_runs() -> None:
    async def cell_of_a_notebook() -> int | None:
        return judge("((2 + 3) * (4 - 1)) =", STEPS).first_error

    assert asyncio.run(cell_of_a_notebook()) == 1
