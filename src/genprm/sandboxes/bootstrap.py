"""What the sandbox's interpreter starts with: `python -I -S -B bootstrap.py CONFIG FD FD`.

It makes `genprm.sandboxes` importable without running `genprm/__init__`, and gives every module
loaded that way a private copy of the builtins, so that no snippet can patch what the runner calls.
"""

import builtins
import os
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import ModuleType

_PRIVATE_BUILTINS = dict(vars(builtins))


class PrivateLoader(SourceFileLoader):
    """Runs a module on builtins that no snippet can reach by name."""

    def exec_module(self, module: ModuleType) -> None:  # noqa: D102
        vars(module)["__builtins__"] = _PRIVATE_BUILTINS
        super().exec_module(module)


class SandboxFinder:
    """Finds `genprm.sandboxes.NAME` beside this file."""

    @staticmethod
    def find_spec(name: str, *_: object) -> ModuleSpec | None:  # noqa: D102
        here = os.path.dirname(os.path.abspath(__file__))
        if name in ("genprm", "genprm.sandboxes"):
            return ModuleSpec(name, None, is_package=True)
        if name.startswith("genprm.sandboxes."):
            source = os.path.join(here, name.rpartition(".")[2] + ".py")
            return ModuleSpec(name, PrivateLoader(name, source), origin=source)
        return None


if __name__ == "__main__":
    sys.meta_path.insert(0, SandboxFinder)
    from genprm.sandboxes.supervisor import main

    main(*sys.argv[1:])
