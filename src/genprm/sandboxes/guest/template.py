"""The template: a session that has imported everything and locked itself down, and is only copied.

Everything slow is done once, here. A session is a copy-on-write clone of this process, and has
every layer of the lockdown from its first instruction.
"""

import ctypes
import gc
import importlib
import json
import os
import site
import socket
import sys
from typing import NoReturn

from genprm.sandboxes.guest.runner import CONTROL, HANDOVER, Runner
from genprm.sandboxes.guest.supervisor_protocol import TEMPLATE, Config
from genprm.sandboxes.kernel import landlock, lockdown

_HUGE_PAGE = 1 << 21  # bytes
_MADV_COLLAPSE = 25


def become_template(config: Config, handover: socket.socket) -> NoReturn:
    """Import, lock down, pass the descriptor to the supervisor, and serve. Never returns."""
    try:
        os.dup2(TEMPLATE, CONTROL)
        os.dup2(handover.fileno(), HANDOVER)
        handover = socket.socket(fileno=HANDOVER)
        os.closerange(HANDOVER + 1, os.sysconf("SC_OPEN_MAX"))
        _import_everything(config)
        runner = Runner(is_supervised=config.with_seccomp)
        _forget_ourselves()
        _share_heap()
        lockdown.limit_resources(config.memory)
        abi = landlock.abi() if config.with_landlock else 0
        listener = lockdown.confine(
            config.readable,
            with_landlock=config.with_landlock,
            with_seccomp=config.with_seccomp,
        )
    except BaseException as error:  # noqa: BLE001 - whatever it is, the supervisor is told
        handover.sendall(f"{type(error).__name__}: {error}".encode()[:1000])
        os._exit(1)
    layers = json.dumps({"landlock": abi, "seccomp": listener is not None}).encode()
    socket.send_fds(handover, [layers], [] if listener is None else [listener])
    if listener is not None:
        os.close(listener)
        os.close(HANDOVER)
    runner.serve()


def _import_everything(config: Config) -> None:
    sys.path += config.import_paths
    for name in config.preload:
        importlib.import_module(name)
    if "sympy" in config.preload:
        _warm_up_sympy()


def _warm_up_sympy() -> None:
    # The first use of each of these imports more modules and fills caches.
    import sympy

    x, y = sympy.symbols("x y")
    sympy.solve([x + y - 3, x - y - 1], [x, y])
    sympy.solve(x**2 - 5 * x + 6, x)
    sympy.simplify(sympy.sympify("(x**2 - 1)/(x - 1)"))
    str(sympy.Rational(1, 3) + sympy.sqrt(2))


def _forget_ourselves() -> None:
    """Remove traces of the runner, so that a snippet finds a normal process."""
    site.setquit()
    site.sethelper()
    sys.argv = [""]
    sys.meta_path = [finder for finder in sys.meta_path if finder.__module__ != "__main__"]
    for name in [name for name in sys.modules if name.partition(".")[0] == "genprm"]:
        del sys.modules[name]


def _share_heap() -> None:
    """Make the heap cheap to copy: frozen, and in huge pages if possible.

    The kernel copies a page table entry for each page of a process that forks, and drops it when
    the copy ends; huge pages reduce the processor time of a session by a quarter.
    """
    gc.collect()
    regions = {id(thing) // _HUGE_PAGE for thing in gc.get_objects()}
    gc.freeze()
    madvise = ctypes.CDLL(None).madvise
    for region in regions:
        # Refused by kernels before 6.1 and for regions that are not wholly mapped.
        madvise(ctypes.c_void_p(region * _HUGE_PAGE), ctypes.c_size_t(_HUGE_PAGE), _MADV_COLLAPSE)
