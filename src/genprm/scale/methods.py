"""The choices that rank, refine and search offer, by name."""

from enum import StrEnum


class Method(StrEnum):
    """How one answer is chosen from a pool."""

    BEST_OF_N = "best-of-n"  # the best-scored solution
    MAJORITY = "majority"  # the most frequent answer
    WEIGHTED = "weighted-majority"  # the answer whose solutions' scores sum highest


class Keep(StrEnum):
    """Which answer the next turn rewrites, and which is the final one."""

    BEST = "best"  # so far, by the verifier's score
    LATEST = "latest"  # the paper's plain variant


class Critic(StrEnum):
    """Where the critique comes from."""

    VERIFIER = "verifier"  # the analysis of the first step judged wrong
    SELF = "self"  # nowhere: the policy is asked to review its own answer, as a baseline


class Rewrite(StrEnum):
    """How much of its answer the policy writes again."""

    WHOLE = "whole"  # the solution, in a dialogue, with the critique before it
    FROM_ERROR = "from-error"  # only what follows the steps judged right; needs no dialogue


class Strategy(StrEnum):
    """Which children the search continues from."""

    BEAM = "beam"
    DVTS = "dvts"
