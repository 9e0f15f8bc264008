"""The program that compares formulas for `worker`: one JSON object on each line, both ways.

SymPy evaluates text that a model wrote. So before the first request this process confines itself
like a sandbox session: no network, no new processes, no files except Python's own, and limited
memory. If the kernel lacks a layer, the others are used; the first line of output names them.
"""

import json
import logging
import sys

from genprm.answer.algebra import compare_texts
from genprm.sandboxes.kernel.lockdown import confine_self

_MEMORY_BYTES = 2 << 30


def main() -> None:
    """Answer requests until standard input ends."""
    logging.disable(logging.CRITICAL)
    compare_texts("1+x", "x+1")  # import and warm up before the clock runs
    layers = confine_self([path for path in sys.path if path], memory=_MEMORY_BYTES)
    print(json.dumps({"layers": sorted(layers)}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        outcome = compare_texts(request["gold"], request["answer"])
        print(json.dumps(outcome._asdict()), flush=True)


if __name__ == "__main__":
    main()
