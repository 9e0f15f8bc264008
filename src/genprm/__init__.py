"""genprm: judge every step of a solution with a process reward model that reasons.

>>> from genprm import judge
>>> judge("What is 2 + 3 * 4?", ["3 * 4 = 12.", "2 + 12 = 15. The answer is 15."]).first_error
1

Names are loaded when they are first used, so that `import genprm` is fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genprm.blocking import judge
    from genprm.errors import GenprmError
    from genprm.model import Sampling
    from genprm.models.load import load_model
    from genprm.problem import Problem, Solution, split_steps
    from genprm.sandboxes.fork_server import ForkServer as Sandbox
    from genprm.verdict import SolutionVerdict, StepVerdict, Vote
    from genprm.verify.format import Mode
    from genprm.verify.settings import Settings
    from genprm.verify.verifier import Verifier

__version__ = "0.2.0"

__all__ = [
    "GenprmError",
    "Mode",
    "Problem",
    "Sampling",
    "Sandbox",
    "Settings",
    "Solution",
    "SolutionVerdict",
    "StepVerdict",
    "Verifier",
    "Vote",
    "__version__",
    "judge",
    "load_model",
    "split_steps",
]

_HOME = {
    "GenprmError": "errors:GenprmError",
    "Mode": "verify.format:Mode",
    "Problem": "problem:Problem",
    "Sampling": "model:Sampling",
    "Sandbox": "sandboxes.fork_server:ForkServer",
    "Settings": "verify.settings:Settings",
    "Solution": "problem:Solution",
    "SolutionVerdict": "verdict:SolutionVerdict",
    "StepVerdict": "verdict:StepVerdict",
    "Verifier": "verify.verifier:Verifier",
    "Vote": "verdict:Vote",
    "judge": "blocking:judge",
    "load_model": "models.load:load_model",
    "split_steps": "problem:split_steps",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'genprm' has no attribute {name!r}")
    module, _, attribute = _HOME[name].partition(":")
    value = globals()[name] = getattr(import_module(f"genprm.{module}"), attribute)
    return value
