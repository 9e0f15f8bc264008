"""What the sandbox's interpreter starts with: `python -I -S -B bootstrap.py MODULE ARGUMENT…`.

MODULE is `guardian` or `supervisor`. This makes `genprm.sandboxes.guest` and `.kernel` importable
without running `genprm/__init__`, and gives every module loaded that way a private copy of the
builtins, so that no snippet can patch what the runner calls.
"""

import builtins
import os
import sys
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import ModuleType

_PACKAGES = ("genprm.sandboxes.guest", "genprm.sandboxes.kernel")
_SANDBOXES = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_PRIVATE_BUILTINS = dict(vars(builtins))


class PrivateLoader(SourceFileLoader):
    """Runs a module on builtins that no snippet can reach by name."""

    def exec_module(self, module: ModuleType) -> None:  # noqa: D102
        vars(module)["__builtins__"] = _PRIVATE_BUILTINS
        super().exec_module(module)


class SandboxFinder:
    """Finds the modules of `genprm.sandboxes.guest` and `.kernel` beside this file."""

    @staticmethod
    def find_spec(name: str, *_: object) -> ModuleSpec | None:  # noqa: D102
        if name in ("genprm", "genprm.sandboxes", *_PACKAGES):
            return ModuleSpec(name, None, is_package=True)
        package, module = name.rpartition(".")[::2]
        if package in _PACKAGES:
            folder = os.path.join(_SANDBOXES, package.rpartition(".")[2])
            source = os.path.join(folder, f"{module}.py")
            return ModuleSpec(name, PrivateLoader(name, source), origin=source)
        return None


if __name__ == "__main__":
    sys.meta_path.insert(0, SandboxFinder)
    import_module(f"genprm.sandboxes.guest.{sys.argv[1]}").main(*sys.argv[2:])
