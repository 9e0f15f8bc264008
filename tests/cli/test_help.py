"""`genprm --help`: quick, and true to the commands it lists."""

import subprocess
import sys

import pytest

from genprm.cli.command_group import SECTIONS, Commands

SUMMARIES = {name: line for section in SECTIONS.values() for name, line in section.items()}


def test_the_help_imports_no_command_and_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from genprm.cli.main import app\n"
        "app(['--help'], standalone_mode=False)\n"
        "heavy = {'numpy', 'pydantic', 'openvino', 'torch', 'sympy', 'rich', 'asyncio'}\n"
        "print(sorted(heavy & set(sys.modules)),\n"
        "      [name for name in sys.modules if name.startswith('genprm.cli.commands')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[] []"
    assert all(f"  {name} " in done.stdout for name in SUMMARIES)


@pytest.mark.parametrize("name", SUMMARIES)
def test_the_line_of_a_command_is_the_first_sentence_of_its_help(name: str) -> None:
    help_ = " ".join((Commands()[name].help or "").split())
    assert help_.startswith(SUMMARIES[name])
