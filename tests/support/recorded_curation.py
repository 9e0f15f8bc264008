"""A curation of sums with a recorded model: a recipe that any process can run, and its rows."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fake_curation import Adder, Calculator, FakeEngines, sums

from genprm.cli.recipes import Recipe
from genprm.curate.critique import ModelTeacher
from genprm.curate.dialogue import CritiqueSettings
from genprm.curate.folder import Folder
from genprm.curate.pipeline import Pipeline
from genprm.curate.recipe import Curation
from genprm.curate.stages import Stage
from genprm.curate.teacher import Teacher
from genprm.models.chat_template import ChatTemplate
from genprm.models.replay import Recorder
from genprm.recipe import read_recipe

TEMPLATE = ChatTemplate(
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
RECIPE = """
[curate]
name = "sums"
problems = "{folder}/problems.jsonl"
[curate.solutions]
model = "replay:{folder}/sums.jsonl"
correct = 2
incorrect = 2
max_samples = 24
batch_size = 4
[curate.rollouts]
model = "replay:{folder}/sums.jsonl"
bands = [{{ below = 1.0, completions = 4 }}]
[curate.rationales]
teacher = "replay:{folder}/sums.jsonl"
thinks = false
"""


class Recorded(FakeEngines):
    """The fake engines, whose model is written down."""

    def __init__(self, used: Curation, file: Path) -> None:
        super().__init__(used)
        self.model = Recorder(Adder(), file, chat_template=TEMPLATE)  # type: ignore[assignment]

    @asynccontextmanager
    async def teacher(self) -> AsyncIterator[Teacher]:
        settings = CritiqueSettings(False, 16384, 64, 5.0, self.recipe.rationales.sampling())
        yield ModelTeacher(self.model, Calculator(), settings)


def record(folder: Path) -> Path:
    """Problems, a recipe, a recorded model, and in `expected` the rows that it gives."""
    rows = ({"id": p.id, "problem": p.text, "answer": p.answer} for p in sums())
    (folder / "problems.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "recipe.toml").write_text(RECIPE.format(folder=folder))
    used = read_recipe(folder / "recipe.toml", Recipe).curate
    assert used is not None
    pipeline = Pipeline(used, Folder(folder / "expected"), Recorded(used, folder / "sums.jsonl"))

    async def run() -> None:
        for stage in Stage:
            await pipeline.run(stage)

    asyncio.run(run())
    return folder
