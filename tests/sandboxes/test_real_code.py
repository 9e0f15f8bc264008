"""Code as models really write it, held against `exec` in this process; and no code at all."""

import asyncio
import importlib.util
import os
import random
import re
import sys
from pathlib import Path

import pytest

from genprm.sandbox import RunStatus
from genprm.sandboxes.fork_server import ForkServer
from genprm.sandboxes.host.tiers import TIERS
from genprm.sandboxes.inprocess import InProcess

pytestmark = pytest.mark.skipif(
    bool(TIERS["bare"].missing()), reason=", ".join(TIERS["bare"].missing())
)

SHARED = Path(os.environ.get("GENPRM_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
FENCE = re.compile(r"```python\n(.*?)\n```", re.DOTALL)

SIDE_EFFECTS = {"antigravity", "this"}  # the first would open a browser
IMPORT_ALL = """
import importlib
for name in {names}:
    try: importlib.import_module(name)
    except ImportError: print(name)
"""

SOLUTIONS = [
    'def solution():\n    """Eggs."""\n    eggs = 9\n    return eggs * 2\nprint(solution())',
    "from datetime import date, timedelta\nprint(date(2024, 2, 28) + timedelta(days=2))",
    "from fractions import Fraction as F\nprint(F(1, 3) + F(1, 6))",
    "from decimal import Decimal, getcontext\ngetcontext().prec = 30\nprint(Decimal(2).sqrt())",
    "from collections import Counter\nprint(Counter('mississippi').most_common(2))",
    "from itertools import permutations as p\nprint(sum(1 for q in p(range(6)) if q[0] < q[5]))",
    "import calendar\nprint(calendar.monthrange(2023, 2), calendar.month_name[3])",
    "import statistics as s\nprint(s.mean([1, 2, 4]), s.median([1, 9, 3]), s.pstdev([1, 2, 3, 4]))",
    "import sympy as sp\nx = sp.symbols('x')\nprint(sp.solve(sp.Eq(x**2 - 5*x + 6, 0), x))",
    "from sympy import *\nx, y = symbols('x y')\nprint(solve([x + y - 10, x - y - 2], (x, y)))",
    "import numpy as np\nprint(np.linalg.solve([[2.0, 1], [1, 3]], [3, 5]), np.arange(3).sum())",
    "import re\nprint(re.findall(r'\\d+', 'a1b22c333'))",
    "import math\nprint(math.comb(10, 3), math.gcd(84, 36), math.isclose(0.1 + 0.2, 0.3))",
    "total = 0\nfor i in range(1, 101):\n    total += i\nprint(f'{total=:,}')",
    "print('no newline', end='')\nimport sys\nsys.stdout.write('!')",
    "print(undefined_name)",
    "x = [1, 2]\nx[5]",
    "def f(:\n    pass",
    "raise ValueError('two\\nlines')",
    "assert 1 == 2, 'not equal'",
    "import no_such_module",
    "print(1)\nprint(int('x'))",
]


def test_solutions_print_what_they_print_anywhere() -> None:
    async def main() -> None:
        async with ForkServer() as box, InProcess() as plain:
            for code in SOLUTIONS:
                async with box.session() as session, plain.session() as reference:
                    result, expected = await session.run(code), await reference.run(code)
                assert (result.stdout, result.error) == (expected.stdout, expected.error), code
                assert result.status is expected.status

    asyncio.run(main())


def test_the_whole_standard_library_can_be_imported() -> None:
    names = sorted(sys.stdlib_module_names - SIDE_EFFECTS)
    here = [name for name in names if importlib.util.find_spec(name)]

    async def main() -> str:
        async with ForkServer(preload=()) as box, box.session() as session:
            return (await session.run(IMPORT_ALL.format(names=here), timeout=60)).text

    assert asyncio.run(main()) == ""


def test_real_verifications_run_as_they_did() -> None:
    """The code that GenPRM-7B wrote in the authors' demo, in order, in one namespace."""
    sources = [path for path in (SHARED / "genprm_demo").rglob("*") if path.is_file()]
    texts = [path.read_text(errors="replace") for path in sources]
    texts += [text.replace("\\n", "\n").replace('\\"', '"') for text in texts]  # out of JSON
    codes = list(dict.fromkeys(code for text in texts for code in FENCE.findall(text)))
    if not codes:
        pytest.skip("shared data is absent")

    async def main() -> None:
        async with ForkServer() as box, InProcess() as plain:
            session, reference = box.session(), plain.session()
            for code in codes:
                result, expected = await session.run(code), await reference.run(code)
                assert result.text == expected.text, code

    asyncio.run(main())


def test_ten_thousand_random_byte_strings() -> None:
    draw = random.Random(20251121)

    async def feed(box: ForkServer, count: int) -> None:
        async with box.session() as session:
            for _ in range(count):
                code = draw.randbytes(draw.randrange(1, 60))
                text = code.decode(draw.choice(("latin-1", "ascii")), "surrogateescape")
                result = await session.run(text, timeout=2.0)
                assert result.status in (RunStatus.OK, RunStatus.ERROR), (code, result)
            await session.run("alive = True")
            assert (await session.run("print(alive)")).stdout == "True\n"

    async def main() -> None:
        async with ForkServer(preload=()) as box:
            await asyncio.gather(*(feed(box, 1250) for _ in range(8)))

    asyncio.run(main())
