"""A few steps of real training on a tiny model: it learns, resumes, packs, exports."""

import json
from pathlib import Path
from typing import Any

import pytest
from tiny import TEXTS, make_base, write_chats

from genprm.errors import InputError, JournalError
from genprm.recipe import check_recipe
from genprm.train.checkpoints import last_checkpoint
from genprm.train.recipe import Training
from genprm.train.sft import accumulation_steps, train

torch = pytest.importorskip("torch")
pytest.importorskip("trl")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    """Sums in one order: weights are compared bit for bit."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("base"), TEXTS)


@pytest.fixture(scope="module")
def chats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_chats(tmp_path_factory.mktemp("data") / "chats.jsonl", 24)


def settings(base: Path, chats: Path, output: Path, **changes: object) -> Training:
    content = {
        "base": str(base),
        "chats": str(chats),
        "output": str(output),
        "epochs": 2,
        "batch": 8,
        "micro_batch": 4,
        "learning_rate": 1e-2,
        "max_length": 700,
        "packing": False,
        "precision": "fp32",
        "gradient_checkpointing": False,
        "save_every": 2,
        "log_every": 1,
        "report": ["tensorboard"],
    }
    return check_recipe({**content, **changes}, Training, origin="test")


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def losses(output: Path) -> list[float]:
    state = json.loads(Path(str(last_checkpoint(output)), "trainer_state.json").read_text())
    return [entry["loss"] for entry in state["log_history"] if "loss" in entry]


@pytest.fixture(scope="module")
def unbroken(base: Path, chats: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("unbroken")
    train(settings(base, chats, output))
    return output


def test_the_loss_falls(unbroken: Path) -> None:
    found = losses(unbroken)
    assert len(found) == 6
    assert found[-1] < found[0] - 0.5


def test_the_model_loads_with_its_template(unbroken: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    assert AutoModelForCausalLM.from_pretrained(unbroken / "model").config.use_cache
    tokenizer = AutoTokenizer.from_pretrained(unbroken / "model")
    assert tokenizer.apply_chat_template([{"role": "user", "content": "1"}], tokenize=False)


def test_every_training_is_logged_in_its_own_folder(
    base: Path, chats: Path, unbroken: Path, tmp_path: Path
) -> None:
    train(settings(base, chats, tmp_path, epochs=0.1))
    for output in (unbroken, tmp_path):
        assert list((output / "logs").glob("events.out.tfevents*"))


def test_a_killed_training_ends_with_the_weights_of_an_unbroken_one(
    base: Path,
    chats: Path,
    unbroken: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from trl.trainer.sft_trainer import SFTTrainer

    class Killed(BaseException):
        pass

    step: Any = SFTTrainer.training_step

    def until_the_seventh(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.state.global_step == 3:
            raise Killed
        return step(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(SFTTrainer, "training_step", until_the_seventh)
        with pytest.raises(Killed):
            train(settings(base, chats, tmp_path))
    half_written = tmp_path / "checkpoint-4"
    half_written.mkdir()
    (half_written / "trainer_state.json").write_text('{"epoch"')
    assert last_checkpoint(tmp_path) == str(tmp_path / "checkpoint-2")
    train(settings(base, chats, tmp_path))
    ours, theirs = weights(tmp_path / "model"), weights(unbroken / "model")
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_other_settings_are_refused(base: Path, chats: Path, unbroken: Path) -> None:
    with pytest.raises(JournalError, match=r"other settings \(learning_rate\)"):
        train(settings(base, chats, unbroken, learning_rate=1e-3))


def test_packed_chats_do_not_see_each_other(base: Path, chats: Path) -> None:
    """The loss of packed rows is the loss of the chats one by one."""
    from transformers import AutoModelForCausalLM
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    from genprm.train.corpus import load_corpus
    from genprm.train.sft import load_tokenizer

    plain = settings(base, chats, Path("unused"))
    packed = plain.model_copy(update={"packing": True})
    tokenizer = load_tokenizer(plain)
    model: Any = AutoModelForCausalLM.from_pretrained(base)
    model.eval()
    sums = []
    for used in (plain, packed):
        corpus = load_corpus(used, tokenizer)
        collate = DataCollatorForLanguageModeling(0, padding_free=used.packing)
        total = 0.0
        for row in corpus.rows:
            batch = collate([row])
            labels = batch["labels"]
            inputs = {k: batch[k] for k in ("input_ids", "position_ids") if k in batch}
            with torch.no_grad():
                logits = model(**inputs, use_cache=False).logits[0, :-1]  # as TRL does
            total += float(
                torch.nn.functional.cross_entropy(
                    logits, labels[0, 1:], ignore_index=-100, reduction="sum"
                )
            )
        sums.append((total, corpus.chats_per_row))
    (alone, one), (together, several) = sums
    assert one == 1
    assert several > 1.5
    assert together == pytest.approx(alone, rel=1e-5)


def test_packed_training_with_adapters_in_bfloat16_exports_merged_weights(
    base: Path, chats: Path, tmp_path: Path
) -> None:
    pytest.importorskip("peft")
    changes = {"packing": True, "micro_batch": 1, "epochs": 1, "lora": {"rank": 4, "alpha": 8}}
    changes |= {"precision": "bf16", "gradient_checkpointing": True, "report": []}
    folder = train(settings(base, chats, tmp_path, **changes))
    before, after = weights(base), weights(folder)
    assert before.keys() == after.keys()
    assert {tensor.dtype for tensor in after.values()} == {torch.bfloat16}
    moved = [name for name in before if not torch.equal(before[name].bfloat16(), after[name])]
    assert any("q_proj" in name for name in moved)
    assert not any("embed" in name for name in moved)


def test_an_update_sees_the_batch_on_average(base: Path, chats: Path) -> None:
    used = settings(base, chats, Path("unused"), batch=64, micro_batch=2)
    assert accumulation_steps(used, chats_per_row=1.0, devices=8) == 4
    assert accumulation_steps(used, chats_per_row=4.0, devices=1) == 8
    assert accumulation_steps(used, chats_per_row=100.0, devices=8) == 1


def test_a_file_that_holds_no_chats_is_named(base: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"text": "no chat"}\n')
    with pytest.raises(InputError, match=r"rows\.jsonl:1: field messages: missing"):
        train(settings(base, rows, tmp_path / "out"))


def test_chats_that_do_not_fit_are_said(base: Path, chats: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no chat fits 10 tokens"):
        train(settings(base, chats, tmp_path / "out", max_length=10))
