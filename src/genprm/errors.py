"""Every error that genprm raises on purpose.

    GenprmError
    ├── InputError        bad rows, files or arguments: the user can fix them
    ├── JournalError      a run that cannot be continued as asked
    ├── ModelError        an engine failed or refused
    │   └── RequestFailed     this request failed or was refused; others may succeed
    │       └── ContextExceeded   the prompt does not fit the model's context
    ├── SandboxError      the sandbox cannot be built or was lost
    └── MissingExtra      an optional dependency is not installed

Foreign exceptions are translated into these once, at the edge where they appear. What a model
or a snippet does wrong is not an error but data: see `verdict.Vote.abstained` and
`sandbox.RunResult.status`.
"""


class GenprmError(Exception):
    """Base of all. Its text is one clear line that says how to fix the cause."""


class InputError(GenprmError):
    """Input that the user can fix: names the file, the line, the field and the fix."""


class JournalError(GenprmError):
    """A journal that belongs to another configuration, is in use, or cannot be written."""


class ModelError(GenprmError):
    """An engine failed for good: unreachable, out of retries, or it refused the request."""


class RequestFailed(ModelError):
    """One request failed or was refused while the engine lives: its item fails, others go on."""


class ContextExceeded(RequestFailed):
    """A prompt, or what it would grow to, does not fit the model's context."""


class SandboxError(GenprmError):
    """The sandbox cannot be started, or its supervisor was lost."""


class MissingExtra(GenprmError):
    """An optional dependency is missing: `MissingExtra("trl", extra="train")`."""

    def __init__(self, package: str, *, extra: str) -> None:
        super().__init__(f"{package} is not installed; fix: pip install 'genprm[{extra}]'")
