"""Chats of every shape, as trainers hand them over."""

from typing import Any

import pytest

from genprm.rewards.chats import completion_text, problem_text, without_end_marks


def turn(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


@pytest.mark.parametrize(
    ("completion", "text"),
    [
        ("plain", "plain"),
        (" \n", None),
        (None, None),
        ([], None),
        ([turn("assistant", "A")], "A"),
        (turn("assistant", "A"), "A"),
        ([turn("assistant", "A"), turn("tool", "17")], "A"),
        ([turn("assistant", None), turn("tool", "17"), turn("assistant", "B")], "B"),
        ([turn("assistant", None)], None),
        ([{"role": "assistant", "tool_calls": [{}]}], None),
        ([turn("user", "A")], None),
        ([turn("assistant", [{"type": "text", "text": "A"}, {"type": "image"}, "B"])], "AB"),
        ([turn("assistant", [{"type": "text", "text": None}])], None),
        ([turn("assistant", {"type": "text", "text": "A"})], "A"),
        ([turn("assistant", 5)], None),
        (["A"], None),
        (float("nan"), None),
    ],
)
def test_a_completion_is_its_last_assistant_turn(completion: Any, text: str | None) -> None:
    assert completion_text(completion) == text


@pytest.mark.parametrize(
    "prompt",
    [
        "P",
        [turn("user", "P")],
        [turn("system", "S"), turn("user", "P"), turn("system", "Be brief.")],
        [turn("user", "old"), turn("assistant", "A"), turn("user", "P"), turn("assistant", "")],
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nP<|im_end|>\n<|im_start|>assistant\n",
        "<｜begin▁of▁sentence｜>S<｜User｜>P<｜Assistant｜><think>\n",
        "<|start_header_id|>user<|end_header_id|>\n\nP<|eot_id|>",
        "<s>[INST]P[/INST]",
        "<|user|>\nold<|end|>\n<|assistant|>\nA<|end|>\n<|user|>\nP<|end|>\n<|assistant|>\n",
        "<|start_of_role|>user<|end_of_role|>P<|end_of_text|>\n<|start_of_role|>assistant",
        "<|start|>user<|message|>P<|end|><|start|>assistant",
        "A chat. USER: old ASSISTANT: A</s>USER: P ASSISTANT:",
        "### Instruction:\nP\n\n### Response:\n",
        "User: old\n\nAssistant: A\n\nUser: P\n\nAssistant:",
    ],
)
def test_a_problem_is_the_last_user_turn(prompt: Any) -> None:
    assert (problem_text(prompt) or "").strip() == "P"


def test_end_marks_are_not_a_part_of_a_completion() -> None:
    assert without_end_marks("A.<|im_end|>\n<|endoftext|><|endoftext|>") == "A."
