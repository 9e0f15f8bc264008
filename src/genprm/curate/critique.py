"""A language model as teacher: drives the dialogue with an engine and a sandbox."""

from collections.abc import Sequence

from genprm.curate.dialogue import INSTRUCTION, CritiqueSettings, Draft, messages, write
from genprm.curate.parse_critique import parse_critique
from genprm.errors import ContextExceeded
from genprm.model import Completion, Model
from genprm.problem import Problem
from genprm.records.critiques import Critique
from genprm.records.run_spec import JudgeSpec, digest
from genprm.sandbox import RunResult, SandboxBackend, SandboxSession
from genprm.verify.turn import Execute, Generate


class ModelTeacher:
    """A teacher that is a language model with a sandbox."""

    def __init__(
        self, model: Model, sandbox: SandboxBackend, settings: CritiqueSettings = CritiqueSettings()
    ) -> None:
        self.model = model
        self.sandbox = sandbox
        self.settings = settings

    @property
    def spec(self) -> JudgeSpec:
        """The model's identity, and a hash of the instruction."""
        return JudgeSpec(
            judge="teacher",
            model=self.model.identity,
            settings={"instruction": digest(INSTRUCTION)},
        )

    async def critique(self, problem: Problem, steps: Sequence[str], *, seed: int) -> Critique:
        """See `Teacher.critique`."""
        prompt = self.model.render(messages(problem.text, steps), generation_prompt=True)
        async with self.sandbox.session() as session:
            draft = await self._converse(prompt, session, seed)
        return parse_critique(draft, len(steps))

    async def _converse(self, prompt: str, session: SandboxSession, seed: int) -> Draft:
        dialogue = write(prompt, self.settings, self.model.context_length, self.model.literal)
        try:
            action = next(dialogue)
            while True:
                try:
                    result = await self._perform(action, seed, session)
                except ContextExceeded as error:
                    action = dialogue.throw(error)
                else:
                    action = dialogue.send(result)
                seed += 1
        except StopIteration as end:
            draft: Draft = end.value
        return draft

    async def _perform(
        self, action: Generate | Execute, seed: int, session: SandboxSession
    ) -> Completion | RunResult:
        if isinstance(action, Execute):
            return await session.run(action.code, self.settings.code_timeout)
        return await self.model.complete(
            action.prompt,
            stop=action.stop,
            max_tokens=action.max_tokens,
            sampling=self.settings.sampling,
            seed=seed,
        )
