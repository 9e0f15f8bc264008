"""The tiers by name: which layers of isolation a tier has, and how its first process starts.

| tier | what a snippet's process is confined by |
|---|---|
| `bubblewrap` | own mount, PID, network, IPC and host-name namespaces; Landlock; seccomp; limits |
| `bare` | Landlock; seccomp; limits |
| `bubblewrap-without-landlock` | as `bubblewrap`, but every bound library file can be read |
| `bare-without-landlock` | seccomp and limits: every file that the uid may read can be read |
| `bubblewrap-only` | namespaces and limits: the kernel's whole surface is open, and processes |
| `limits-only` | limits: a snippet can do what any program of that uid can do |

`auto` is the first of the two strong tiers that works. The weak ones must be asked for by name.
A host that runs as root gives the bare tiers a PID namespace as well.
In every tier sessions have an unprivileged uid, no capabilities, `no_new_privs`, resource limits,
and are killed when their time is up.
"""

import importlib.util
import os
import shutil
import site
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass

from genprm.sandboxes import guest
from genprm.sandboxes.guest.supervisor_protocol import Config
from genprm.sandboxes.host import bubblewrap
from genprm.sandboxes.kernel import landlock, seccomp

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Tier:
    """One combination of layers. Every tier has resource limits."""

    name: str
    bubblewrap: bool
    landlock: bool
    seccomp: bool = True

    def missing(self) -> list[str]:
        """What this machine lacks for the tier, as far as is known without starting it."""
        if sys.platform != "linux":
            return ["Linux"]
        lacks = []
        if seccomp.architecture() is None:
            lacks.append("x86-64 or aarch64")
        elif self.seccomp and not seccomp.is_supported():
            lacks.append("seccomp with user notification (Linux 5.5+)")
        if self.landlock and landlock.abi() == 0:
            lacks.append("Landlock (Linux 5.13+, enabled at boot)")
        if self.bubblewrap and shutil.which(bubblewrap.PROGRAM) is None:
            lacks.append("the bwrap program (package bubblewrap)")
        return lacks


TIERS = {
    tier.name: tier
    for tier in (
        Tier("bubblewrap", bubblewrap=True, landlock=True),
        Tier("bare", bubblewrap=False, landlock=True),
        Tier("bubblewrap-without-landlock", bubblewrap=True, landlock=False),
        Tier("bare-without-landlock", bubblewrap=False, landlock=False),
        Tier("bubblewrap-only", bubblewrap=True, landlock=False, seccomp=False),
        Tier("limits-only", bubblewrap=False, landlock=False, seccomp=False),
    )
}
STRONG = ("bubblewrap", "bare")  # what `auto` tries, in order

_GUEST = os.path.dirname(os.path.abspath(guest.__file__))
_BOOTSTRAP = os.path.join(_GUEST, "bootstrap.py")

ENVIRONMENT = {
    "HOME": "/",
    "LANG": "C.UTF-8",
    "PATH": "/nonexistent",
    "PYTHONHASHSEED": "0",
    "TZ": "UTC",
    # Threads are refused; BLAS must not try.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


def configuration(tier: Tier, *, preload: Sequence[str], memory: int) -> Config:
    """The supervisor's configuration."""
    packages = _package_directories(preload)
    readable = [*_standard_library(), *packages, *_library_directories(), *_data()]
    return Config(
        readable=tuple(dict.fromkeys(os.path.realpath(path) for path in readable)),
        import_paths=tuple(packages),
        preload=tuple(preload),
        memory=memory,
        with_landlock=tier.landlock,
        with_seccomp=tier.seccomp,
    )


def command(tier: Tier, config: Config, host: int, template: int) -> list[str]:
    """The command line of a guardian whose supervisor has its channels at two descriptors."""
    interpreter = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
    python = [interpreter, "-I", "-S", "-B", _BOOTSTRAP]
    program = [*python, "supervisor", config.to_json(), str(host), str(template)]
    if tier.bubblewrap:
        visible = [*config.readable, interpreter, os.path.dirname(_GUEST), *_linked()]
        program = [*bubblewrap.command(visible), *program]
    own_namespace = not tier.bubblewrap and os.geteuid() == 0
    return [*python, "guardian", str(os.getpid()), str(int(own_namespace)), *program]


def _standard_library() -> list[str]:
    library = os.path.dirname(os.__file__)
    return [library, os.path.join(library, "lib-dynload")]


def _package_directories(preload: Sequence[str]) -> list[str]:
    """site-packages, and the other folders from which packages are preloaded."""
    found = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()]
    for name in preload:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations:
            found.append(os.path.dirname(spec.submodule_search_locations[0]))
    return [path for path in dict.fromkeys(found) if os.path.isdir(path)]


def _library_directories() -> list[str]:
    """The folders of the C library, against which extension modules are linked."""
    with open("/proc/self/maps") as maps:
        mapped = {line.split(maxsplit=5)[5].strip() for line in maps if "/libc.so" in line}
    return [os.path.dirname(path) for path in mapped] + ["/etc/ld.so.cache"]


def _data() -> list[str]:
    return ["/usr/share/zoneinfo"]


def _linked() -> list[str]:
    """Shared objects of the interpreter itself, and the loader's standard folders."""
    return [os.path.join(sys.base_prefix, "lib"), "/lib", "/lib64", "/usr/lib", "/usr/lib64"]
