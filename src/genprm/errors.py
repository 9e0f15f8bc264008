"""Every error that genprm raises on purpose.

    GenprmError
    ├── InputError        bad rows, files or arguments: the user can fix them
    ├── JournalError      a run that cannot be continued as asked
    ├── ModelError        an engine failed or refused
    │   └── RequestFailed     this request failed or was refused; others may succeed
    │       └── ContextExceeded   the prompt does not fit the model's context
    ├── SandboxError      the sandbox cannot be built or was lost
    └── MissingExtra      an optional dependency is not installed

Exceptions of other libraries are translated into these once, where they first appear. A mistake of
a model or a snippet is not an error but data: see `verdict.Vote.abstained` and
`sandbox.RunResult.status`.
"""


class GenprmError(Exception):
    """Base of all errors of genprm. Its text is one clear line that says how to fix the cause."""


class InputError(GenprmError):
    """Input that the user can fix: names the file, the line, the field and the fix."""


class JournalError(GenprmError):
    """A journal that belongs to another configuration, is in use, or cannot be written to."""


class ModelError(GenprmError):
    """An engine failed permanently: it is unreachable after all retries, or refused the request."""


class RequestFailed(ModelError):
    """One request failed or was refused, but the engine still works: only its item fails."""


class ContextExceeded(RequestFailed):
    """A prompt, or what it would grow to, does not fit the model's context."""


class SandboxError(GenprmError):
    """The sandbox cannot be started, or its supervisor was lost."""


class MissingExtra(GenprmError):
    """An optional dependency is missing: `MissingExtra("trl", extra="train")`."""

    def __init__(self, package: str, *, extra: str) -> None:
        super().__init__(
            f"{package} is not installed; fix: pip install 'genprm[{extra}]'; "
            "more: genprm explain extras"
        )
