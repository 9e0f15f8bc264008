"""The outcomes of comparing two answers."""

from enum import StrEnum


class Match(StrEnum):
    """Whether an answer equals the gold answer."""

    EQUAL = "equal"
    DIFFERENT = "different"
    UNDECIDED = "undecided"
