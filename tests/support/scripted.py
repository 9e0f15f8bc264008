"""A model that says what a test wants, for tests whose subject is not the model."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from genprm.model import Choice, Completion, Finish, Message, ModelIdentity, Sampling


@dataclass
class Scripted:
    """Answers by plain functions of the prompt and the seed; remembers what it was asked."""

    say: Callable[[str, int], str]
    judge: Callable[[str], dict[str, float]]
    name: str = "scripted"
    context_length: int = 100_000
    asked: list[tuple[str, int]] = field(default_factory=list)
    running: int = 0
    most_running: int = 0
    cancelled: int = 0

    @property
    def identity(self) -> ModelIdentity:
        return ModelIdentity(self.name, "scripted")

    def render(self, messages: Sequence[Message], *, generation_prompt: bool = False) -> str:
        turns = "".join(f"<{turn['role']}>{turn['content']}" for turn in messages)
        return turns + ("<assistant>" if generation_prompt else "")

    def literal(self, text: str) -> str:
        return text.replace("<|", "< |")

    async def complete(
        self,
        prompt: str,
        *,
        stop: Sequence[str],
        max_tokens: int,
        sampling: Sampling,
        seed: int | None = None,
    ) -> Completion:
        assert seed is not None
        self.asked.append((prompt, seed))
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        try:
            for _ in range(5):  # let others run, as an engine would
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
        text = self.say(prompt, seed)
        hits = [(text.index(end), end) for end in stop if end in text]
        if not hits:
            return Completion(text, Finish.EOS, tokens_in=len(prompt), tokens_out=len(text))
        at, end = min(hits)
        return Completion(text[:at], Finish.STOP, end, tokens_in=len(prompt), tokens_out=at)

    async def choose(self, prompt: str, options: Sequence[str]) -> Choice:
        await asyncio.sleep(0)
        return Choice(self.judge(prompt), tokens_in=len(prompt))

    async def close(self) -> None:
        pass
