"""Ask any OpenAI-compatible endpoint for several answers, judge each, and print the best one.

    python examples/rank_endpoint.py http://HOST:PORT/v1 NAME "What is 2 + 3 * 4?"

The endpoint only has to chat, so it may be a hosted model. The verifier that judges its answers is
`--model`, by default the shipped one, which is only good at simple arithmetic. The score of an
answer is its lowest step reward, as in the paper's Best-of-N.
"""

import argparse
import asyncio
import os

import httpx

from genprm import Sandbox, Solution, Verifier, load_model, split_steps
from genprm.verify.aggregate import Aggregate


def sample(url: str, name: str, problem: str, count: int) -> list[str]:
    """`count` answers of the endpoint, one request each: not every server knows `n`."""
    key = os.environ.get("OPENAI_API_KEY", "none")
    with httpx.Client(headers={"Authorization": f"Bearer {key}"}, timeout=300) as client:
        replies = [
            client.post(
                f"{url}/chat/completions",
                json={
                    "model": name,
                    "messages": [{"role": "user", "content": f"{problem}\nThink step by step."}],
                    "temperature": 1.0,
                    "seed": seed,
                },
            ).raise_for_status()
            for seed in range(count)
        ]
    return [reply.json()["choices"][0]["message"]["content"] for reply in replies]


async def scores(problem: str, answers: list[str], model: str) -> list[float | None]:
    """The lowest step reward of each answer; None where a step could not be judged."""
    solutions = [Solution(problem, split_steps(answer)) for answer in answers]
    found: list[float | None] = [None] * len(answers)
    engine = load_model(model)
    async with Sandbox() as sandbox:
        judge = Verifier(engine, sandbox)
        async for row, verdict in judge.verify_many(enumerate(solutions)):
            found[row] = Aggregate.MIN.score([step.reward for step in verdict.steps])
    await engine.close()
    return found


def main() -> None:
    """Sample, judge, and print the answers, the best one first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="such as http://127.0.0.1:8000/v1")
    parser.add_argument("name", help="name of the model there")
    parser.add_argument("problem")
    parser.add_argument("--count", type=int, default=4, help="answers to draw")
    parser.add_argument("--model", default="arithmetic", help="the verifier: a model that judges")
    asked = parser.parse_args()
    answers = sample(asked.url, asked.name, asked.problem, asked.count)
    found = asyncio.run(scores(asked.problem, answers, asked.model))
    judged = zip(found, answers, strict=True)
    for score, answer in sorted(judged, key=lambda pair: (pair[0] is not None, pair[0] or 0))[::-1]:
        shown = "no score" if score is None else f"{score:.3f}"
        print(f"{shown}  {' '.join(answer.split())}")


if __name__ == "__main__":
    main()
