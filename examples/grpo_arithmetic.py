"""Improve the built-in policy by GRPO, with the built-in verifier as the only reward.

    python examples/grpo_arithmetic.py --steps 40

Needs the extra `train`. The reward is 1 for a solution in which the verifier finds no
wrong step, and 0 otherwise: no gold answer is used. True accuracy is measured beside it, with
weight 0, so that the curve shows whether the verifier can be trusted as a reward; so is the share
of solutions with a correct answer in spite of a wrong step, which the generator of the problems
knows. `--reward flaw-aware` uses the gold answer and takes a half for a wrong step that the
verifier finds; `--reward answer` uses the gold answer alone. Some minutes on
a CPU are enough to learn a few problems, but not to learn arithmetic: the policy trains on the same
sixteen problems again and again. Others, on which it is never trained, are measured before and
after.
"""

import argparse
import json
import random
from pathlib import Path
from statistics import fmean
from typing import Any

from genprm.answer import AnswerChecker, Match, extract_answer
from genprm.arithmetic.critic import critique
from genprm.arithmetic.problems import Split, easy_exercise
from genprm.problem import split_steps
from genprm.rewards.judges import InProcess
from genprm.rewards.scoring import Kind, Scoring
from genprm.rewards.trl import GenPRMReward
from genprm.verify.settings import Settings
from genprm.verify.turn import Limits

RESPONSE_PREFIX = "Step 1:"  # how the policy's answers begin; the prompt already ends with it
CURVES = {
    "rewards/genprm/mean": "reward: no wrong step found",
    "rewards/accuracy/mean": "true accuracy (not learned from)",
}
STREAM = 99  # of problems
SMOOTHED = 8  # steps; they differ by which problems they hold


def main() -> None:
    """Train, and show the curve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--problems", type=int, default=16, help="learned on, again and again")
    parser.add_argument("--prompts", type=int, default=8, help="problems in a step")
    parser.add_argument("--group", type=int, default=8, help="solutions of each problem")
    parser.add_argument("--held-out", type=int, default=48, help="problems, before and after")
    parser.add_argument("--reward", choices=["outcome", "flaw-aware", "answer"], default="outcome")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--votes", type=int, default=1)
    parser.add_argument("--judge-tokens", type=int, default=2048, help="that a vote may write")
    parser.add_argument("--learning-rate", type=float, default=3e-4)
    parser.add_argument("--policy", type=Path, help="default: the shipped one")
    parser.add_argument("--out", type=Path, default=Path("build/grpo"))
    asked = parser.parse_args()
    asked.policy = asked.policy or shipped("policy")
    if not asked.policy.is_dir():
        parser.error(f"{asked.policy}: no such folder; fix: --policy FOLDER with a policy to train")
    trainer = build(asked)
    before = held_out(trainer)
    trainer.train()
    after = held_out(trainer)
    trainer.save_model(str(asked.out / "policy"))
    history = trainer.state.log_history
    (asked.out / "result.json").write_text(
        json.dumps({"held_out": [before, after], "history": history})
    )
    curve(history, asked.out / "curve.svg")
    for name in before:
        print(f"held-out problems, {name}: {before[name]:.3f} before, {after[name]:.3f} after")


def shipped(name: str) -> Path:
    """The folder of a shipped model, in transformers' format."""
    import genprm.arithmetic
    from genprm.train.gguf_base import write_folder

    weights = Path(genprm.arithmetic.__path__[0]) / "weights" / name / "model.gguf"
    return write_folder(weights, Path("build") / "shipped" / name)


def build(asked: argparse.Namespace) -> Any:
    """TRL's trainer: the verifier rewards, the accuracy is only logged."""
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from transformers.trainer_callback import PrinterCallback
    from trl.trainer.grpo_config import GRPOConfig
    from trl.trainer.grpo_trainer import GRPOTrainer

    class Lines(TrainerCallback):
        """One line a step."""

        def on_log(self, *event: Any, logs: Any = None, **_: Any) -> None:
            if logs and "reward" in logs:
                told = (float(logs[f"rewards/{name}/mean"]) for name in ("genprm", "accuracy"))
                line = "reward {:.2f}, true accuracy {:.2f}".format(*told)
                print(f"step {event[1].global_step:3}: {line}", flush=True)

    tokenizer = AutoTokenizer.from_pretrained(asked.policy, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(asked.policy, dtype="float32")
    limits = Limits(tokens=asked.judge_tokens)
    settings = Settings(votes=asked.votes, stop_at_first_error=True, limits=limits)
    reward = GenPRMReward(
        InProcess("arithmetic", settings, concurrency=asked.prompts * asked.group),
        Scoring(Kind.OUTCOME if asked.reward == "outcome" else Kind.FLAW_AWARE, abstention=0.0),
        response_prefix=RESPONSE_PREFIX,
        answer="gold",
    )
    by_answer = asked.reward == "answer"
    config = GRPOConfig(
        output_dir=str(asked.out),
        max_steps=asked.steps,
        per_device_train_batch_size=asked.prompts * asked.group,
        per_device_eval_batch_size=asked.prompts * asked.group,
        num_generations=asked.group,
        max_completion_length=160,
        gradient_checkpointing=False,
        learning_rate=asked.learning_rate,
        lr_scheduler_type="constant_with_warmup",
        warmup_steps=3,
        temperature=1.0,
        beta=0.0,
        reward_weights=[float(not by_answer), float(by_answer), 0.0],
        seed=asked.seed,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        use_cpu=True,
        bf16=False,
    )
    trainer = GRPOTrainer(
        model,
        reward_funcs=[reward, accuracy, flawed],
        args=config,
        train_dataset=problems(tokenizer, Split.TRAIN, asked.problems),
        eval_dataset=problems(tokenizer, Split.HELD_OUT, asked.held_out),
        processing_class=tokenizer,
        callbacks=[Lines()],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def held_out(trainer: Any) -> dict[str, float]:
    """What the policy gets as it is now, on problems on which it is never trained."""
    trainer.evaluate()
    row = trainer.state.log_history[-1]
    return {
        "reward": row["eval_rewards/genprm/mean"],
        "true accuracy": row["eval_rewards/accuracy/mean"],
        "correct in spite of a wrong step": row["eval_rewards/flawed/mean"],
    }


def problems(tokenizer: Any, split: Split, count: int) -> Any:
    """Problems of the generator, as the policy is asked them."""
    from datasets import Dataset

    def prompt(text: str) -> str:
        chat = [{"role": "user", "content": text}]
        rendered: str = tokenizer.apply_chat_template(
            chat, tokenize=False, add_generation_prompt=True
        )
        return rendered + RESPONSE_PREFIX

    rows = []
    for index in range(count):
        drawn = easy_exercise(STREAM, index, split)
        text = prompt(drawn.problem)
        row = {"prompt": text, "problem": drawn.problem, "gold": drawn.answer}
        rows.append({**row, "number": index, "split": split.value})
    return Dataset.from_list(rows)


def accuracy(completions: list[str], gold: list[str], **_: Any) -> list[float | None]:
    """Whether the final answer is right: only looked at, never learned from."""
    with AnswerChecker() as checker:
        pairs = [(want, extract_answer(text)) for want, text in zip(gold, completions, strict=True)]
        return [float(match is Match.EQUAL) for match in checker.compare_many(pairs)]


def flawed(
    completions: list[str], gold: list[str], number: list[int], split: list[str], **_: Any
) -> list[float | None]:
    """Whether the answer is correct although a step is wrong; None where a step cannot be read."""
    correct = accuracy(completions, gold)
    known = [
        critique(easy_exercise(STREAM, index, Split(part)), _steps(text), random.Random(0))
        for text, index, part in zip(completions, number, split, strict=True)
    ]
    return [
        None if steps is None else float(bool(right) and not all(step.correct for step in steps))
        for right, steps in zip(correct, known, strict=True)
    ]


def _steps(completion: str) -> tuple[str, ...]:
    return split_steps(RESPONSE_PREFIX + completion)


def curve(history: list[dict[str, Any]], figure: Path) -> None:
    """Both curves, smoothed, on the terminal and as a figure."""
    rows = [row for row in history if "reward" in row]
    for name in CURVES:
        means = smooth([row[name] for row in rows])
        bars = "".join(" ▁▂▃▄▅▆▇█"[min(8, round(value * 8))] for value in means)
        print(f"{name:24} {means[0]:.2f} {bars} {means[-1]:.2f}")
    draw(rows, figure)


def smooth(values: list[float]) -> list[float]:
    """Each value's mean with those shortly before it."""
    return [fmean(values[max(0, end - SMOOTHED) : end]) for end in range(1, len(values) + 1)]


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """The curves as a figure."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.5), layout="constrained")
    panel = figure.subplots()
    for number, (name, label) in enumerate(CURVES.items()):
        values = [row[name] for row in rows]
        panel.plot(values, color=f"C{number}", alpha=0.3)
        panel.plot(smooth(values), color=f"C{number}", label=f"{label}, mean of {SMOOTHED} steps")
    panel.set_xlabel("GRPO step")
    panel.set_ylim(0, 1)
    panel.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    print(f"→ {path}")


if __name__ == "__main__":
    main()
