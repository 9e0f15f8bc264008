import json
from pathlib import Path

import pytest
from shared_data import shared

from genprm.errors import InputError, ModelError
from genprm.models.chat_template import ChatTemplate


def test_built_in_template_reproduces_the_logged_prompts() -> None:
    runs = json.loads(shared("genprm_demo/transcripts.json").read_text())["runs"]
    logged = [(run["messages"], path["prompt"]) for run in runs for path in run.get("paths", [])]
    assert len(logged) == 18
    template = ChatTemplate.r1_distill_qwen()
    for messages, prompt in logged:
        assert template.render(messages) == prompt


def test_generation_prompt_appends_the_assistant_marker() -> None:
    template = ChatTemplate.r1_distill_qwen()
    turns = template.render([{"role": "user", "content": "1+1?"}])
    assert turns == "<｜begin▁of▁sentence｜><｜User｜>1+1?"
    with_marker = template.render([{"role": "user", "content": "1+1?"}], generation_prompt=True)
    assert with_marker == turns + "<｜Assistant｜><think>\n"


def test_a_template_file_renders_as_transformers_does(tmp_path: Path) -> None:
    source = shared("qwen_tokenizer/Qwen-Qwen2.5-7B-Instruct.jinja")
    (tmp_path / "chat_template.jinja").write_text(source.read_text())
    template = ChatTemplate.from_path(tmp_path)
    assert (
        template.render(
            [
                {"role": "system", "content": "Judge."},
                {"role": "user", "content": "<b> & 'c'"},
                {"role": "assistant", "content": "No"},
            ],
            generation_prompt=True,
        )
        == "<|im_start|>system\nJudge.<|im_end|>\n<|im_start|>user\n<b> & 'c'<|im_end|>\n"
        "<|im_start|>assistant\nNo<|im_end|>\n<|im_start|>assistant\n"
    )


@pytest.mark.parametrize("bos", ["<s>", {"content": "<s>", "lstrip": False}])
@pytest.mark.parametrize("several", [False, True])
def test_folder_with_an_embedded_template(tmp_path: Path, bos: object, several: bool) -> None:
    source = "{{ bos_token }}{% for m in messages %}[{{ m.content }}]{% endfor %}"
    chat_template: object = source
    if several:
        chat_template = [
            {"name": "tool_use", "template": "-"},
            {"name": "default", "template": source},
        ]
    config = {"bos_token": bos, "eos_token": None, "chat_template": chat_template}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    rendered = ChatTemplate.from_folder(tmp_path).render([{"role": "user", "content": "x"}])
    assert rendered == "<s>[x]"


def test_errors_name_file_line_and_fix(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--chat-template"):
        ChatTemplate.from_folder(tmp_path)
    broken = tmp_path / "broken.jinja"
    broken.write_text("fine\n{% if %}")
    with pytest.raises(InputError, match=r"broken\.jinja, line 2"):
        ChatTemplate.from_path(broken)
    with pytest.raises(InputError, match=r"absent\.jinja"):
        ChatTemplate.from_path(tmp_path / "absent.jinja")


def test_a_template_is_sandboxed_and_may_refuse() -> None:
    with pytest.raises(InputError, match="fix:"):
        ChatTemplate("{{ messages.__class__.__base__.__subclasses__() }}")
    refusing = ChatTemplate(
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system turns') }}{% endif %}"
    )
    with pytest.raises(ModelError, match="no system turns"):
        refusing.render([{"role": "system", "content": "x"}])


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("{{ raise_exception('never') }}", "never"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ messages[99].content.x.y }}", "no element"),
        ("{{ 'a' * 4000000000 }}", "MemoryError"),
        ("{{ ('a'|center(3000000000))|length }}", "MemoryError"),
        ("{{ ([0] * 900000000)|length }}", "MemoryError"),
        (
            "{% set n = namespace(x='abcdefgh') %}{% for i in range(64) %}"
            "{% set n.x = n.x ~ n.x %}{% endfor %}",
            "MemoryError|did not end",
        ),
        ("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", "end"),
        ("{{ (9 ** (9 ** 9))|string|length }}", "time-out"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "RecursionError"),
    ],
)
def test_a_template_that_fails_is_one_clear_line_when_it_is_read(
    monkeypatch: pytest.MonkeyPatch, source: str, cause: str
) -> None:
    """Time and memory are bounded too, in a process of its own: this one goes on."""
    monkeypatch.setattr("genprm.models.template_program.RENDER_SECONDS", 0.3)
    monkeypatch.setattr("genprm.models.template_process._GRACE", 1.0)
    with pytest.raises(InputError, match=cause) as raised:
        ChatTemplate(source, origin="folder/chat_template.jinja")
    assert str(raised.value).startswith("folder/chat_template.jinja: ")
    assert "fix:" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert ChatTemplate("{{ messages[0].content }}").render([{"role": "user", "content": "x"}])


def test_a_template_that_waits_for_the_right_moment_is_bounded_too() -> None:
    late = "{% if 'now' in messages[0].content %}{{ 'a' * 4000000000 }}{% endif %}"
    with pytest.raises(ModelError, match="MemoryError"):
        ChatTemplate(late).render([{"role": "user", "content": "now"}])


def test_a_range_in_a_template_counts_as_it_did() -> None:
    source = (
        "{% for i in range(1, 6, 2) %}{{ i }}/{{ loop.length }} {% endfor %}{{ range(3)|list }}"
    )
    assert ChatTemplate(source).render([]) == "1/3 3/3 5/3 [0, 1, 2]"


@pytest.mark.parametrize(
    "config",
    [
        '{"chat_template": [{"name": "default"}]}',
        '{"chat_template": [{"name": "tool_use", "template": "x"}]}',
        '{"chat_template": [["default", "x"]]}',
        '{"chat_template": {"default": "x"}}',
        '{"chat_template": 3}',
        '{"chat_template": null}',
        "[]",
        '{"chat_template": ' + "9" * 6000 + "}",
        "[" * 100_000,
        '{"chat_template": "x',
        "",
    ],
)
def test_an_odd_model_folder_is_one_clear_line(tmp_path: Path, config: str) -> None:
    (tmp_path / "tokenizer_config.json").write_text(config)
    with pytest.raises(InputError, match="fix:") as raised:
        ChatTemplate.from_folder(tmp_path)
    assert "\n" not in str(raised.value)
    assert str(tmp_path) in str(raised.value)
