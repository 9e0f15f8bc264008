"""Checks for optional packages before work starts, not when it is already done."""

from importlib.util import find_spec

from genprm.errors import MissingExtra


def require(*modules: str, extra: str) -> None:
    """Check that modules of an extra can be imported, without importing them.

    Raises:
        MissingExtra: one of them is not installed.
    """
    for module in modules:
        if find_spec(module) is None:
            raise MissingExtra(module, extra=extra)
