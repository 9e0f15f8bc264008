"""A model that judges a step by a word in it: "wrong", "unreadable", or neither."""

from math import log

from scripted import Scripted


def judge(prompt: str) -> dict[str, float]:
    step = prompt.rsplit("<user>", 1)[1].split("<analyze>", maxsplit=1)[0]
    if "unreadable" in step:
        return {}
    reward = 0.1 if "wrong" in step else 0.9
    return {"Yes": log(reward), "No": log(1 - reward)}


def analyst(kind: type[Scripted] = Scripted) -> Scripted:
    return kind(lambda prompt, seed: "Fine.\n</analyze>\n", judge)
