"""The teacher's dialogue and the strict reading of what it wrote."""

import asyncio
from collections.abc import Callable

import pytest
from scripted import Scripted

from genprm.curate.critique import ModelTeacher
from genprm.curate.dialogue import CritiqueSettings, Draft, messages
from genprm.curate.parse_critique import parse_critique
from genprm.model import Sampling
from genprm.problem import Problem
from genprm.records.critiques import Block, Critique, CritiqueRow, Paragraph, Unreadable
from genprm.sandboxes.fork_server import ForkServer
from genprm.verdict import Run, Usage

PROBLEM = Problem("p", "1 + 2 + 3", "6")
STEPS = ("Step 1: 1 + 2 = 3.", "Step 2: 3 + 3 = 7.")

FIRST = """### Paragraph 1
<analyze>
It adds 1 and 2.
</analyze>
<verify>
Let's use python code to find any potential error:
```python
x = 1 + 2
print(x)
```
"""
CONFIRMED = """It is 3.
</verify>

"""
SECOND = """### Paragraph 2
<analyze>
It adds 3 to that.
</analyze>
<verify>
First a look.
```python
print(x + 3)
```
"""
AGAIN = """Not 7. Once more:
```python
print(x + 3 == 7)
```
"""
DENIED = "So it is wrong.\n</verify>\n\nThe first error is in paragraph \\boxed{2}."


def ask(say: Callable[[str, int], str], settings: CritiqueSettings) -> tuple[Critique, Scripted]:
    model = Scripted(say, lambda _: {})

    async def run() -> Critique:
        async with ForkServer() as sandbox:
            return await ModelTeacher(model, sandbox, settings).critique(PROBLEM, STEPS, seed=1)

    return asyncio.run(run()), model


def dictated(*parts: str) -> Callable[[str, int], str]:
    """Say the parts one after the other; the n-th call has the seed n."""
    return lambda prompt, seed: parts[(seed - 1) // 2 if seed else 0]


def test_code_is_run_as_it_is_written_in_one_namespace() -> None:
    # seeds count every action: text, run, text, run, text, run, text
    found, model = ask(
        dictated(FIRST, CONFIRMED + SECOND, AGAIN, DENIED), CritiqueSettings(thinks=False)
    )
    assert found.unreadable is None
    assert found.labels == (True, False)
    first, second = found.paragraphs
    assert first == Paragraph(
        "It adds 1 and 2.", (Block("", "x = 1 + 2\nprint(x)", "3", "ok"),), "It is 3.", True
    )
    assert [block.output for block in second.blocks] == ["6", "False"]
    assert [block.prose for block in second.blocks] == ["First a look.", "Not 7. Once more:"]
    assert second.reflection == "So it is wrong."
    assert found.usage.executions == 3
    assert "[Code Output]\n\n```\n3\n```\nIt is 3." in found.text
    last_prompt, _ = model.asked[-1]
    assert last_prompt.endswith("[Code Output]\n\n```\nFalse\n```\n")


def test_a_thought_is_neither_run_nor_kept() -> None:
    thought = "Hm.\n```python\nprint('thinking')\n```\n</think>\n"
    said = [thought, FIRST, CONFIRMED + SECOND, DENIED]
    seeds = {1: 0, 2: 1, 4: 2, 6: 3}
    found, model = ask(lambda prompt, seed: said[seeds[seed]], CritiqueSettings())
    assert found.labels == (True, False)
    assert "Hm." not in found.text
    assert "Hm." in model.asked[1][0]
    assert model.asked[1][0].endswith("</think>")


def test_an_endless_coder_is_stopped() -> None:
    loop = "```python\nprint(1)\n```\n"
    found, _ = ask(lambda prompt, seed: loop, CritiqueSettings(thinks=False, code_rounds=3))
    assert found.unreadable is Unreadable.TOO_MANY_BLOCKS
    assert found.usage.executions == 3


def test_a_teacher_that_does_not_think_says_so() -> None:
    found, _ = ask(dictated(FIRST.replace("```", "")), CritiqueSettings())
    assert found.unreadable is Unreadable.NO_THOUGHT


def test_out_of_tokens_is_unfinished() -> None:
    settings = CritiqueSettings(thinks=False, max_tokens=300, sampling=Sampling(0.0))
    found, _ = ask(dictated(FIRST, CONFIRMED + SECOND, AGAIN, DENIED), settings)
    assert found.unreadable is Unreadable.UNFINISHED
    assert found.paragraphs == ()


def test_the_prompt_names_every_paragraph_from_1() -> None:
    (asked,) = messages(PROBLEM.text, STEPS)
    assert "<paragraph_1>\nStep 1: 1 + 2 = 3.\n</paragraph_1>" in asked["content"]
    assert "<paragraph_2>" in asked["content"]
    assert r"\boxed{-1}" in asked["content"]


def plain(*paragraphs: str, conclusion: str = r"\boxed{-1}") -> Draft:
    """A draft without code."""
    return Draft(("\n".join(paragraphs) + "\n" + conclusion,), (), None, Usage())


def part(number: int, body: str = "<analyze>\nFine.\n</analyze>") -> str:
    return f"### Paragraph {number}\n{body}\n"


def test_paragraphs_without_code_are_read() -> None:
    found = parse_critique(plain(part(1), part(2)), 2)
    assert found.labels == (True, True)
    assert found.paragraphs[0].blocks == ()


def test_what_follows_the_first_error_is_not_judged() -> None:
    assert parse_critique(plain(part(1), part(2), part(3), conclusion=r"\boxed{1}"), 3).labels == (
        False,
    )


@pytest.mark.parametrize(
    ("draft", "cause"),
    [
        (plain(part(1), part(2), conclusion="No error."), Unreadable.NO_CONCLUSION),
        (plain(part(1), part(2), conclusion=r"\boxed{3}"), Unreadable.BAD_CONCLUSION),
        (plain(part(1), part(2), conclusion=r"\boxed{0}"), Unreadable.BAD_CONCLUSION),
        (plain(part(1)), Unreadable.PARAGRAPHS),
        (plain(part(2), part(1)), Unreadable.PARAGRAPHS),
        (plain(part(1), part(1), part(2)), Unreadable.PARAGRAPHS),
        (plain(part(1, "Fine."), part(2)), Unreadable.ANALYSIS),
        (plain(part(1, "<analyze>\n</analyze>"), part(2)), Unreadable.ANALYSIS),
        (plain(part(1, "<analyze>a</analyze>\n<verify>b"), part(2)), Unreadable.VERIFICATION),
        (
            plain(part(1, "<analyze>a</analyze>\n<verify>[Code Output]\n3</verify>"), part(2)),
            Unreadable.INVENTED_OUTPUT,
        ),
        (
            plain(part(1, "<analyze>a</analyze>\n<output>Yes</output>"), part(2)),
            Unreadable.JUDGEMENT,
        ),
    ],
)
def test_what_cannot_be_read_says_why(draft: Draft, cause: Unreadable) -> None:
    found = parse_critique(draft, 2)
    assert found.unreadable is cause
    assert found.paragraphs == ()
    assert found.text == draft.text


def test_a_row_holds_all_of_a_critique() -> None:
    run = Run("print(1)", "1", "ok")
    text = part(1, "<analyze>a</analyze>\n<verify>\n```python\nprint(1)\n```\n")
    draft = Draft((text, "It is 1.\n</verify>\n" + part(2) + r"\boxed{-1}"), (run,), None, Usage(5))
    found = parse_critique(draft, 2)
    assert found.paragraphs[0].blocks == (Block("", "print(1)", "1", "ok"),)
    row = CritiqueRow.of("p/0~0", "p/0", 0, found)
    assert CritiqueRow.parse(row.line()).critique == found
