"""The script that the sandbox's interpreter starts with: `python -I -S -B bootstrap.py CONFIG FD FD`.

It makes `genprm.sandboxes` importable without running `genprm/__init__`, and gives every module
loaded that way a private copy of the builtins, so that no snippet can patch what the runner calls.
"""

import builtins
import os
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import ModuleType


class PrivateLoader(SourceFileLoader):
    """Runs a module on builtins that no snippet can reach by name."""

    builtins = dict(vars(builtins))

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__builtins__"] = self.builtins
        super().exec_module(module)


class SandboxFinder:
    """Finds `genprm.sandboxes.NAME` beside this file."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
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
