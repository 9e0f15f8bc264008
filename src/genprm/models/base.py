"""The common part of all adapters: the model's identity, and its chat template."""

from collections.abc import Sequence

from genprm.model import Message, ModelIdentity
from genprm.models.chat_template import ChatTemplate


class IdentifiedModel:
    """The part of a `Model` that holds its identity and the length of its context."""

    def __init__(self, identity: ModelIdentity, context_length: int) -> None:
        self._identity = identity
        self._context_length = context_length

    @property
    def name(self) -> str:
        """See `Model.name`."""
        return self._identity.name

    @property
    def identity(self) -> ModelIdentity:
        """See `Model.identity`."""
        return self._identity

    @property
    def context_length(self) -> int:
        """See `Model.context_length`."""
        return self._context_length


class TemplatedModel(IdentifiedModel):
    """The part of a `Model` that renders turns with a chat template.

    It adds the template's hash to the identity; the adapter gives everything else.
    """

    def __init__(
        self,
        template: ChatTemplate,
        context_length: int,
        *,
        name: str,
        engine: str,
        version: str = "",
        weights: str | None = None,
        dtype: str | None = None,
    ) -> None:
        identity = ModelIdentity(name, engine, version, weights, template.sha256, dtype)
        super().__init__(identity, context_length)
        self.template = template

    def render(self, messages: Sequence[Message], *, generation_prompt: bool = False) -> str:
        """See `Model.render`."""
        return self.template.render(messages, generation_prompt=generation_prompt)

    def literal(self, text: str) -> str:
        """See `Model.literal`."""
        return self.template.literal(text)
