"""The program that renders foreign chat templates for `template_process`, in bounded memory."""

import json
import resource
import sys

from genprm.models.template_program import EndlessTemplate, TemplateFault, render

_MEMORY_BYTES = 1 << 30  # of address space; Python and Jinja take a tenth


def main() -> None:
    """Serve until standard input ends."""
    for limit, most in (
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))
    print("{}", flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        answer: dict[str, str | bool]
        try:
            answer = {"text": render(**request)}
        except TemplateFault as fault:
            answer = {"fault": str(fault), "endless": isinstance(fault, EndlessTemplate)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
